//! Cuts a stream of bytes into lines, wherever the network cut it before.

use bytes::{Buf, Bytes, BytesMut};

use crate::ports::RuntimeError;

/// No line of Podman's own is ever near this long.
const LONGEST: usize = 1 << 20;

/// Collects bytes until a line is whole. Empty lines are dropped.
#[derive(Debug, Default)]
pub struct LineSplitter {
    rest: BytesMut,
    /// So many bytes of `rest` are known to end no line.
    searched: usize,
}

impl LineSplitter {
    /// Takes what arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.rest.extend_from_slice(data);
    }

    /// The next line that has come to its end.
    ///
    /// # Errors
    /// A line is longer than any can be, however it arrived.
    pub fn next_line(&mut self) -> Result<Option<Bytes>, RuntimeError> {
        loop {
            let unknown = &self.rest[self.searched..];
            let end = unknown.iter().position(|&byte| byte == b'\n');
            self.searched = end.map_or(self.rest.len(), |end| self.searched + end);
            if self.searched > LONGEST {
                let reason = format!("a line exceeds {LONGEST} bytes");
                return Err(RuntimeError::Protocol(reason));
            }
            if end.is_none() {
                return Ok(None);
            }
            let line = self.rest.split_to(self.searched).freeze();
            self.rest.advance(1);
            self.searched = 0;
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
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
                splitter.push(now);
                while let Some(line) = splitter.next_line().unwrap() {
                    found.push(line);
                }
                rest = later;
            }
            prop_assert_eq!(found, lines);
        }
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let mut splitter = LineSplitter::default();
        splitter.push(&vec![b'x'; LONGEST + 1]);
        assert!(splitter.next_line().is_err());
    }

    #[test]
    fn a_line_that_is_too_long_is_an_error_however_it_arrives() {
        let mut splitter = LineSplitter::default();
        let long = [&b"short\n"[..], &vec![b'x'; LONGEST + 1], b"\nshort\n"].concat();
        splitter.push(&long);
        assert_eq!(splitter.next_line().unwrap().unwrap(), "short");
        assert!(splitter.next_line().is_err());
    }

    #[test]
    fn a_long_line_in_many_pieces_is_searched_once() {
        let mut splitter = LineSplitter::default();
        // Searched from its beginning for each piece, this takes minutes.
        for _ in 0..LONGEST {
            splitter.push(b"x");
            assert!(splitter.next_line().unwrap().is_none());
        }
        splitter.push(b"\n");
        assert_eq!(splitter.next_line().unwrap().unwrap().len(), LONGEST);
    }
}
