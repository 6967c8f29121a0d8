//! Where Podman's API answers: a configured socket, the machine's own, or a
//! `podman system service` that runs as a child of dagdad.

use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::PodmanOptions;
use super::text::one_line;
use crate::ports::RuntimeError;

/// With nobody connected, the child ends itself after so many seconds. dagdad holds its event
/// stream open, so only a child that lost its dagdad does.
const IDLE_SECONDS: u32 = 300;

/// How long a new child may take until it answers.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// How long a child may take to end after SIGTERM.
const END_DEADLINE: Duration = Duration::from_secs(3);

/// A call waits so long for a child that is to be started again, rather than failing.
const WORTH_WAITING: Duration = Duration::from_secs(1);

const CLOSING: &str = "dagdad is shutting down";

/// A child that lived this long did not die of its start.
const SETTLED: Duration = Duration::from_secs(30);

/// `sun_path` holds 108 bytes, the last of which is zero.
/// Source: <https://man7.org/linux/man-pages/man7/unix.7.html>
const LONGEST_SOCKET_PATH: usize = 107;

/// Variables that the child gets: what Podman itself reads. Everything else, passwords and
/// systemd's notification socket among it, stays with dagdad.
const PASSED_VARIABLES: [&str; 18] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TMPDIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "REGISTRY_AUTH_FILE",
    "STORAGE_DRIVER",
    "STORAGE_OPTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Prefixes of further variables that the child gets.
const PASSED_PREFIXES: [&str; 3] = ["XDG_", "CONTAINERS_", "PODMAN_"];

/// Who runs the service that a socket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named in the configuration.
    Configured,
    /// The machine's (systemd's `podman.socket`).
    System,
    /// dagdad's own child, or one that an earlier dagdad left behind.
    Own,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Configured => "configured",
            Self::System => "the machine's own",
            Self::Own => "served by dagdad's own `podman system service`",
        })
    }
}

/// Finds the API, and keeps a child that serves it where nobody else does.
#[derive(Debug)]
pub struct Service {
    configured: Option<PathBuf>,
    system: Option<PathBuf>,
    own: PathBuf,
    program: PathBuf,
    /// Names the configured socket that a child has served, for the next dagdad: a dead socket
    /// that is found there then is its own.
    served: PathBuf,
    /// Held while a child is looked after, so that there is never a second one.
    child: Mutex<Keeper>,
    closing: CancellationToken,
}

#[derive(Debug)]
struct Keeper {
    state: ChildState,
    /// A child has answered at the socket once: what stands there since is its own.
    served: bool,
    backoff: ExponentialBackoff,
}

#[derive(Debug)]
enum ChildState {
    /// Never needed so far.
    Absent,
    /// Runs, as far as is known.
    Alive { child: Child, since: Instant },
    /// Ended, or could not be run.
    Dead { why: String, retry_at: Instant },
    /// dagdad is on its way down: no child is started any more.
    Closed,
}

impl Service {
    pub fn new(options: &PodmanOptions) -> Self {
        Self {
            configured: options.socket.clone(),
            system: options.system_socket.clone(),
            own: options
                .socket
                .clone()
                .unwrap_or_else(|| options.service_socket.clone()),
            program: options.program.clone(),
            served: options.service_socket.with_extension("served"),
            child: Mutex::new(Keeper {
                state: ChildState::Absent,
                served: served_before(options),
                backoff: backoff(),
            }),
            closing: CancellationToken::new(),
        }
    }

    /// A connection to the API, and the socket it goes through. May start the child.
    pub async fn connect(&self) -> Result<(&Path, UnixStream), RuntimeError> {
        let (socket, _, stream) = self.find().await?;
        Ok((socket, stream))
    }

    /// Which socket answers now, and whose it is.
    pub async fn locate(&self) -> Result<(&Path, Origin), RuntimeError> {
        let (socket, origin, _) = self.find().await?;
        Ok((socket, origin))
    }

    /// Ends the child, if there is one, and starts none any more.
    pub async fn shutdown(&self) {
        self.closing.cancel();
        let mut keeper = self.child.lock().await;
        let state = std::mem::replace(&mut keeper.state, ChildState::Closed);
        if let ChildState::Alive { mut child, .. } = state {
            end(&mut child).await;
        }
    }

    async fn find(&self) -> Result<(&Path, Origin, UnixStream), RuntimeError> {
        if let Some(socket) = &self.configured {
            return match UnixStream::connect(socket).await {
                Ok(stream) => Ok((socket, Origin::Configured, stream)),
                Err(error) if self.is_ours_to_serve(&error).await => {
                    Ok((socket, Origin::Own, self.revive().await?))
                }
                Err(error) => Err(unreachable(format!("{}: {error}", socket.display()))),
            };
        }
        if let Some(socket) = &self.system
            && let Ok(stream) = UnixStream::connect(socket).await
        {
            return Ok((socket, Origin::System, stream));
        }
        let stream = match UnixStream::connect(&self.own).await {
            Ok(stream) => stream,
            Err(_) => self.revive().await?,
        };
        Ok((&self.own, Origin::Own, stream))
    }

    /// Whether a configured socket that gave `error` is to be served by a child: nobody made it,
    /// or a child of ours did. A socket that somebody else left behind is left to them, since
    /// their Podman may keep other pods than ours would; and so is one in a folder that is not
    /// ours to write in, such as root's `/run/podman`.
    async fn is_ours_to_serve(&self, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::NotFound => {
                let folder = self.own.ancestors().skip(1).find(|folder| folder.exists());
                folder.is_some_and(|folder| access(folder, Access::WRITE_OK).is_ok())
            }
            io::ErrorKind::ConnectionRefused => self.child.lock().await.served,
            _ => false,
        }
    }

    /// Starts a child where none runs, and waits until it answers.
    async fn revive(&self) -> Result<UnixStream, RuntimeError> {
        let mut keeper = self.child.lock().await;
        // Whoever held the lock before may have done the work.
        if let Ok(stream) = UnixStream::connect(&self.own).await {
            return Ok(stream);
        }
        let keeper = &mut *keeper;
        if let ChildState::Alive { child, since } = &mut keeper.state
            && let Ok(Some(status)) = child.try_wait()
        {
            let why = format!("`podman system service` ended with {status}");
            tracing::warn!("{why}");
            if since.elapsed() >= SETTLED {
                keeper.backoff = backoff();
                keeper.state = ChildState::Absent;
            } else {
                keeper.state = ChildState::dead(why, &mut keeper.backoff);
            }
        }
        if let ChildState::Dead { why, retry_at } = &keeper.state {
            let wait = retry_at.saturating_duration_since(Instant::now());
            if wait > WORTH_WAITING {
                let wait = humantime::format_duration(Duration::from_secs(wait.as_secs() + 1));
                let reason = format!("{why}; it is started again within {wait}");
                return Err(unreachable(reason));
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.closing.cancelled() => return Err(unreachable(CLOSING.to_owned())),
            }
            if let Ok(stream) = UnixStream::connect(&self.own).await {
                return Ok(stream);
            }
        }
        match &mut keeper.state {
            ChildState::Closed => return Err(unreachable(CLOSING.to_owned())),
            ChildState::Dead { .. } | ChildState::Absent => match self.spawn(keeper.served) {
                Ok(child) => {
                    keeper.state = ChildState::Alive {
                        child,
                        since: Instant::now(),
                    };
                }
                Err(why) => {
                    keeper.state = ChildState::dead(why.clone(), &mut keeper.backoff);
                    return Err(unreachable(why));
                }
            },
            ChildState::Alive { .. } => {}
        }
        if let ChildState::Alive { child, .. } = &mut keeper.state {
            match self.first_answer(child).await {
                Ok(stream) => {
                    if !std::mem::replace(&mut keeper.served, true) {
                        self.remember_served();
                    }
                    return Ok(stream);
                }
                Err(why) => {
                    end(child).await;
                    keeper.state = ChildState::dead(why.clone(), &mut keeper.backoff);
                    return Err(unreachable(why));
                }
            }
        }
        Err(unreachable("the service is not running".to_owned()))
    }

    /// Waits until `child` listens. systemd-style readiness is not used, since `podman system
    /// service` tells nobody but systemd; its socket appears within some 100 ms.
    async fn first_answer(&self, child: &mut Child) -> Result<UnixStream, String> {
        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline {
            if let Ok(stream) = UnixStream::connect(&self.own).await {
                return Ok(stream);
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!(
                    "`{} system service` ended with {status} at its start; see the journal",
                    self.program.display()
                ));
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
                () = self.closing.cancelled() => return Err(CLOSING.to_owned()),
            }
        }
        Err(format!(
            "`{} system service` does not answer at {}",
            self.program.display(),
            self.own.display()
        ))
    }

    fn remember_served(&self) {
        let Some(socket) = &self.configured else {
            return;
        };
        let folder = self.served.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written =
            folder.and_then(|()| std::fs::write(&self.served, socket.as_os_str().as_bytes()));
        if let Err(error) = written {
            let path = self.served.display();
            tracing::warn!("cannot write {path}: {error}; after a crash the dead socket stays");
        }
    }

    fn spawn(&self, served: bool) -> Result<Child, String> {
        self.clear_socket(served)?;
        let passed = std::env::vars_os().filter(|(name, _)| {
            name.to_str().is_some_and(|name| {
                PASSED_VARIABLES.contains(&name)
                    || PASSED_PREFIXES
                        .iter()
                        .any(|prefix| name.starts_with(prefix))
            })
        });
        let mut child = Command::new(&self.program)
            .args(["system", "service"])
            .arg(format!("--time={IDLE_SECONDS}"))
            .arg(format!("unix://{}", self.own.display()))
            .env_clear()
            .envs(passed)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C is for dagdad, which then ends the child in order.
            .process_group(0)
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => format!(
                    "no Podman socket answers and `{}` is not installed; install it (apt install podman)",
                    self.program.display()
                ),
                _ => format!("cannot run `{} system service`: {error}", self.program.display()),
            })?;
        tracing::info!(dagda_socket = %self.own.display(), "started `podman system service`");
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    tracing::info!(target: "podman", "{}", one_line(&line));
                }
            });
        }
        Ok(child)
    }

    /// Makes the way free for a child's socket: removes one that nobody listens on. At a
    /// configured path that is done only once a child has `served` there, since another may be
    /// about to listen on the one that is found.
    fn clear_socket(&self, served: bool) -> Result<(), String> {
        let path = self.own.display();
        if self.own.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(format!(
                "{path} is too long for a socket, {LONGEST_SOCKET_PATH} bytes at most; use a \
                 shorter state directory"
            ));
        }
        if let Some(folder) = self.own.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        }
        match std::fs::symlink_metadata(&self.own) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("cannot look at {path}: {error}")),
            Ok(found) if !found.file_type().is_socket() => Err(format!(
                "{path} is in the way and not a socket; move it away"
            )),
            Ok(_) if self.configured.is_some() && !served => {
                Err(format!("nobody answers at {path}"))
            }
            Ok(_) => std::fs::remove_file(&self.own)
                .map_err(|error| format!("cannot remove the dead socket {path}: {error}")),
        }
    }
}

/// Whether an earlier dagdad's child has served the configured socket.
fn served_before(options: &PodmanOptions) -> bool {
    let Some(socket) = &options.socket else {
        return false;
    };
    std::fs::read(options.service_socket.with_extension("served"))
        .is_ok_and(|served| served == socket.as_os_str().as_bytes())
}

impl ChildState {
    fn dead(why: String, backoff: &mut ExponentialBackoff) -> Self {
        Self::Dead {
            why,
            retry_at: Instant::now() + backoff.next().unwrap_or_default(),
        }
    }
}

/// From 100 ms, doubling up to 10 s, without end.
fn backoff() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
        .build()
}

fn unreachable(reason: String) -> RuntimeError {
    RuntimeError::Unreachable { reason }
}

/// SIGTERM, and SIGKILL for what does not listen.
async fn end(child: &mut Child) {
    let pid = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = kill_process(pid, Signal::TERM)
    {
        tracing::warn!("cannot end `podman system service`: {error}");
    }
    if tokio::time::timeout(END_DEADLINE, child.wait())
        .await
        .is_err()
    {
        tracing::warn!("`podman system service` did not end in time and is killed");
        if let Err(error) = child.kill().await {
            tracing::warn!("cannot kill `podman system service`: {error}");
        }
    }
}
