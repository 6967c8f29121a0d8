//! Cuts a stream of bytes into lines, wherever the network cut it before.

use bytes::{Buf, Bytes, BytesMut};

use crate::ports::RuntimeError;

/// No line of Podman's own is ever near this long.
const LONGEST: usize = 1 << 20;

/// Collects bytes until a line is whole. Empty lines are dropped.
#[derive(Debug, Default)]
pub struct LineSplitter {
    rest: BytesMut,
}

impl LineSplitter {
    /// Takes what arrived, gives the lines that it ends.
    pub fn push(&mut self, data: &[u8]) -> Result<Vec<Bytes>, RuntimeError> {
        self.rest.extend_from_slice(data);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line = self.rest.split_to(end).freeze();
            self.rest.advance(1);
            if !line.trim_ascii().is_empty() {
                lines.push(line);
            }
        }
        if self.rest.len() > LONGEST {
            return Err(RuntimeError::Protocol(format!(
                "a line exceeds {LONGEST} bytes"
            )));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(
            lines in prop::collection::vec("[a-z{}\" ]{1,20}[a-z]", 0..8),
            cuts in prop::collection::vec(1_usize..9, 1..20),
        ) {
            let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let mut splitter = LineSplitter::default();
            let mut found = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                found.extend(splitter.push(now).unwrap());
                rest = later;
            }
            prop_assert_eq!(found, lines);
        }
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        assert!(
            LineSplitter::default()
                .push(&vec![b'x'; LONGEST + 1])
                .is_err()
        );
    }
}
