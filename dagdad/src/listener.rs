//! The socket that dagdad listens on: its own, or one that systemd hands over.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::sockopt;
use tokio::net::UnixListener;

/// The name that systemd gives to the socket of its unit, unless that says otherwise.
const UNIT: &str = "dagdad.socket";
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
    /// Takes over systemd's socket (`sd_listen_fds(3)`), else binds `path`; its directory is made
    /// where it is missing, a dead socket file is replaced.
    ///
    /// # Errors
    /// [`ListenError`] says what stands in the way.
    pub fn bind(path: &Path) -> Result<(Self, UnixListener), ListenError> {
        let system = |reason| ListenError::System {
            path: path.to_owned(),
            reason,
        };
        let (listener, bound) = match handed_over() {
            Some(listener) => (listener, None),
            None => (bind(path)?, Some(path.to_owned())),
        };
        listener.set_nonblocking(true).map_err(system)?;
        let listener = UnixListener::from_std(listener).map_err(system)?;
        Ok((Self { bound }, listener))
    }
}

/// The socket that systemd hands over: the one that its unit calls so, else the first that
/// accepts on a Unix socket. Others are left alone, and no child of dagdad's inherits any.
fn handed_over() -> Option<StdListener> {
    // Marks all of them close-on-exec. Without names, or with too few, there are none.
    let names: Vec<String> = sd_notify::listen_fds_with_names()
        .map(|fds| fds.map(|(_, name)| name).collect())
        .unwrap_or_default();
    let mut handed_over = listenfd::ListenFd::from_env();
    let mut listeners = in_order(handed_over.len(), &names)
        .into_iter()
        .filter_map(|index| handed_over.take_unix_listener(index).ok().flatten());
    let found = listeners.find(|listener| sockopt::socket_acceptconn(listener).unwrap_or(false));
    if found.is_none() && handed_over.len() > 0 {
        tracing::warn!("none of the sockets that were handed over is a listening Unix socket");
    }
    found
}

/// The indices of sockets as they are tried: the unit's own first.
fn in_order(count: usize, names: &[String]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..count).collect();
    indices.sort_by_key(|index| names.get(*index).is_none_or(|name| name != UNIT));
    indices
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
    fn the_socket_of_the_unit_is_taken_wherever_it_stands() {
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            in_order(3, &names)
        };
        assert_eq!(named(&["metrics", "dagdad.socket", "other"]), [1, 0, 2]);
        assert_eq!(named(&["a", "b", "c"]), [0, 1, 2]);
        assert_eq!(named(&[]), [0, 1, 2], "without names the first one");
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
