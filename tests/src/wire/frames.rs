//! HTTP/2 by hand: what no honest client would send. Source: RFC 9113, and RFC 7541 for headers.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use prost::Message;

use crate::PATIENCE;

/// What a client says first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// No more follows in this stream.
pub const END_STREAM: u8 = 0x1;
/// The headers are complete.
pub const END_HEADERS: u8 = 0x4;
/// The largest window there is.
pub const WIDE_OPEN: u32 = (1 << 31) - 1;
/// The window of a connection before anything is said of it.
const FIRST_WINDOW: u32 = 65_535;

/// Kinds of frames. Source: RFC 9113, section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocol's")]
pub enum Kind {
    Data = 0,
    Headers = 1,
    Priority = 2,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// One frame.
pub fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is short");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind as u8, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A `SETTINGS` frame that lets the other side send `window` bytes in each stream.
pub fn settings(window: u32) -> Vec<u8> {
    let mut payload = 4_u16.to_be_bytes().to_vec();
    payload.extend(window.to_be_bytes());
    frame(Kind::Settings, 0, 0, &payload)
}

/// Lets the other side send as much as it likes, all streams together.
pub fn wide_connection() -> Vec<u8> {
    let more = WIDE_OPEN - FIRST_WINDOW;
    frame(Kind::WindowUpdate, 0, 0, &more.to_be_bytes())
}

/// The headers of a call of `path` (`/dagda.v1.StatusService/GetStatus`).
pub fn headers(stream: u32, path: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "dagda.local"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        // A literal that is not to be remembered, with a literal name (RFC 7541, 6.2.2).
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).expect("a short header"));
            block.extend(text.as_bytes());
        }
    }
    frame(Kind::Headers, END_HEADERS, stream, &block)
}

/// A message as the body of a request, whole.
pub fn body(stream: u32, message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("a short message");
    let mut payload = vec![0];
    payload.extend(length.to_be_bytes());
    payload.extend(message);
    let frames: Vec<&[u8]> = payload.chunks(16 * 1024).collect();
    let last = frames.len() - 1;
    let flags = |index| if index == last { END_STREAM } else { 0 };
    frames
        .into_iter()
        .enumerate()
        .flat_map(|(index, chunk)| frame(Kind::Data, flags(index), stream, chunk))
        .collect()
}

/// A whole call.
pub fn call(stream: u32, path: &str, message: &impl Message) -> Vec<u8> {
    let mut bytes = headers(stream, path);
    bytes.extend(body(stream, message));
    bytes
}

/// A frame that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// As on the wire; [`Kind`] as a number.
    pub kind: u8,
    /// As on the wire.
    pub flags: u8,
    /// Which stream, 0 for the connection.
    pub stream: u32,
    /// What is in it.
    pub payload: Vec<u8>,
}

impl Read {
    /// Whether it is of this kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind as u8
    }

    /// Whether it is the last one of an answer.
    pub fn ends(&self, stream: u32) -> bool {
        let has_end = self.is(Kind::Headers) || self.is(Kind::Data);
        self.stream == stream && has_end && self.flags & END_STREAM != 0
    }
}

/// The next frame of the other side.
///
/// # Panics
/// It says nothing within [`PATIENCE`], or has closed the connection.
pub fn read(stream: &mut UnixStream) -> Read {
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("limit the wait");
    let mut head = [0; 9];
    stream.read_exact(&mut head).expect("a frame");
    let [a, b, c, kind, flags, on @ ..] = head;
    let length = u32::from_be_bytes([0, a, b, c]);
    let mut payload = vec![0; usize::try_from(length).expect("a short frame")];
    stream.read_exact(&mut payload).expect("all of the frame");
    Read {
        kind,
        flags,
        stream: u32::from_be_bytes(on),
        payload,
    }
}

/// Connects to the socket at `path`.
pub fn connect(path: &Path) -> UnixStream {
    UnixStream::connect(path).expect("connect to dagdad")
}

/// Connects and does what comes first; the answers may be as long as they like.
pub fn converse(path: &Path) -> UnixStream {
    let mut stream = connect(path);
    let opening = [PREFACE.to_vec(), settings(WIDE_OPEN), wide_connection()].concat();
    stream.write_all(&opening).expect("say what comes first");
    stream
}

/// Reads until the other side closes the connection, and gives what it said.
///
/// # Panics
/// It does not within [`PATIENCE`].
pub fn until_closed(stream: &mut UnixStream) -> Vec<u8> {
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("limit the wait");
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => said,
        // Closed while there was still something of ours to be read.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => said,
        Err(error) => panic!("the connection is not closed within {PATIENCE:?}: {error}"),
    }
}
