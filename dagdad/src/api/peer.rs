//! Who is at the other end of a connection.

use std::io;

use tokio::net::UnixStream;

/// Who connected, as the kernel tells it (`SO_PEERCRED`, `unix(7)`): true at the time of the
/// connection, whatever the process became since. Every request carries it as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Process id, where the kernel can name it in this PID namespace.
    pub pid: Option<i32>,
}

impl Peer {
    /// Asks the kernel who is at the other end.
    ///
    /// # Errors
    /// The kernel does not say; such a connection is not to be served.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        Ok(Self {
            uid: credentials.uid(),
            gid: credentials.gid(),
            pid: credentials.pid().filter(|pid| *pid > 0),
        })
    }
}
