//! The socket that dagdad listens on: its own, or one that systemd hands over.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// The owner and the socket's group may speak to dagdad.
const MODE: u32 = 0o660;

/// A bound socket. Its file goes with it, where dagdad made it.
#[derive(Debug)]
pub struct Listener {
    bound: Option<PathBuf>,
}

/// Why there is no socket to listen on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Something that is no socket stands at the path.
    #[error(
        "{} is in the way: it is {what}, not a socket, and dagdad does not delete it; move it away or set another socket path (DAGDA_SOCKET)",
        path.display()
    )]
    InTheWay {
        /// The path.
        path: PathBuf,
        /// `a regular file`, `a directory`, …
        what: &'static str,
    },
    /// Another process listens there.
    #[error("another process listens on {}; stop it first or set another socket path (DAGDA_SOCKET)", path.display())]
    Taken {
        /// The path.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot listen on {}: {reason}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// Its reason.
        reason: io::Error,
    },
}

impl Listener {
    /// Takes over systemd's socket (`LISTEN_FDS`), else binds `path`; its directory is made
    /// where it is missing, a dead socket file is replaced.
    ///
    /// # Errors
    /// [`ListenError`] says what stands in the way.
    pub fn bind(path: &Path) -> Result<(Self, UnixListener), ListenError> {
        let system = |reason| ListenError::System {
            path: path.to_owned(),
            reason,
        };
        let handed_over = listenfd::ListenFd::from_env()
            .take_unix_listener(0)
            .map_err(system)?;
        let (listener, bound) = match handed_over {
            Some(listener) => (listener, None),
            None => (bind(path)?, Some(path.to_owned())),
        };
        listener.set_nonblocking(true).map_err(system)?;
        let listener = UnixListener::from_std(listener).map_err(system)?;
        Ok((Self { bound }, listener))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.bound {
            // Gone already is as good.
            let _ = fs::remove_file(path);
        }
    }
}

fn bind(path: &Path) -> Result<StdListener, ListenError> {
    let system = |reason| ListenError::System {
        path: path.to_owned(),
        reason,
    };
    if let Some(dir) = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty() && !dir.exists())
    {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(dir)
            .map_err(system)?;
    }
    clear(path)?;
    let listener = StdListener::bind(path).map_err(system)?;
    fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(system)?;
    Ok(listener)
}

/// Removes a socket file that nobody listens on any more.
fn clear(path: &Path) -> Result<(), ListenError> {
    let system = |reason| ListenError::System {
        path: path.to_owned(),
        reason,
    };
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(system(error)),
    };
    let what = match kind {
        kind if kind.is_socket() => {
            return match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(path).map_err(system)
                }
                Err(error) => Err(system(error)),
                Ok(_) => Err(ListenError::Taken {
                    path: path.to_owned(),
                }),
            };
        }
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_file() => "a regular file",
        _ => "a special file",
    };
    Err(ListenError::InTheWay {
        path: path.to_owned(),
        what,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        fs::write(&path, "precious").unwrap();
        let error = bind(&path).unwrap_err();
        assert!(matches!(
            error,
            ListenError::InTheWay {
                what: "a regular file",
                ..
            }
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/s");
        drop(bind(&path).unwrap());
        let live = bind(&path).unwrap();
        assert!(matches!(
            bind(&path).unwrap_err(),
            ListenError::Taken { .. }
        ));
        drop(live);
    }
}
