//! The framing in which container output travels, logs and `exec` alike.
//!
//! A frame is a byte that names the stream (0 and 1: stdout, 2 and 3: stderr), three zeros, the
//! length as a big-endian `u32`, and so many bytes.
//! Source: <https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach>

use bytes::{Buf, Bytes, BytesMut};

use crate::domain::observed::LogStream;
use crate::ports::RuntimeError;

const HEADER: usize = 8;

/// Podman writes a frame for each line or each read of a pipe: far less than this.
const LONGEST: usize = 16 << 20;

/// Finds the frames in a stream of bytes, wherever the network cut it.
///
/// Where a container has a terminal, some versions send its output without frames. A stream
/// that does not begin with a frame's header is taken for that: each of its lines is a frame.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: BytesMut,
    kind: Kind,
    /// So many bytes of an unframed `buffer` are known to end no line.
    searched: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    Framed,
    Raw,
}

impl FrameDecoder {
    /// Takes what arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// What is left when the stream has ended: the last line of an unframed stream, or all of
    /// one that is shorter than a header. A frame that was cut off is lost.
    pub fn finish(self) -> Option<(LogStream, Bytes)> {
        let framed = match self.kind {
            Kind::Framed => true,
            Kind::Raw => false,
            Kind::Unknown => {
                let is_header = |(at, byte): (usize, &u8)| match at {
                    0 => *byte <= 3,
                    1..=3 => *byte == 0,
                    _ => true,
                };
                self.buffer.iter().enumerate().all(is_header)
            }
        };
        (!framed && !self.buffer.is_empty()).then(|| (LogStream::Stdout, self.buffer.freeze()))
    }

    /// The next frame that is whole.
    ///
    /// # Errors
    /// Where something else than a header follows a frame, or a frame is longer than any can be.
    pub fn next_frame(&mut self) -> Result<Option<(LogStream, Bytes)>, RuntimeError> {
        if self.kind == Kind::Unknown && self.buffer.len() >= HEADER {
            self.kind = if self.header().is_some() {
                Kind::Framed
            } else {
                Kind::Raw
            };
        }
        match self.kind {
            Kind::Unknown => Ok(None),
            Kind::Framed => self.framed(),
            Kind::Raw => self.line(),
        }
    }

    fn framed(&mut self) -> Result<Option<(LogStream, Bytes)>, RuntimeError> {
        if self.buffer.len() < HEADER {
            return Ok(None);
        }
        let Some((stream, length)) = self.header() else {
            return Err(RuntimeError::Protocol(
                "container output is not framed".to_owned(),
            ));
        };
        if length > LONGEST {
            return Err(RuntimeError::Protocol(format!(
                "a frame of container output claims {length} bytes"
            )));
        }
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        Ok(Some((stream, self.buffer.split_to(length).freeze())))
    }

    fn line(&mut self) -> Result<Option<(LogStream, Bytes)>, RuntimeError> {
        let unknown = &self.buffer[self.searched..];
        let end = unknown.iter().position(|&byte| byte == b'\n');
        self.searched = end.map_or(self.buffer.len(), |end| self.searched + end);
        if self.searched > LONGEST {
            return Err(RuntimeError::Protocol(
                "a line of output has no end".to_owned(),
            ));
        }
        if end.is_none() {
            return Ok(None);
        }
        let line = self.buffer.split_to(self.searched + 1).freeze();
        self.searched = 0;
        Ok(Some((LogStream::Stdout, line)))
    }

    fn header(&self) -> Option<(LogStream, usize)> {
        let &[kind, 0, 0, 0, a, b, c, d] = self.buffer.first_chunk::<HEADER>()? else {
            return None;
        };
        let stream = match kind {
            0 | 1 => LogStream::Stdout,
            2 | 3 => LogStream::Stderr,
            _ => return None,
        };
        Some((
            stream,
            usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?,
        ))
    }
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
