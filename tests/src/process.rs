//! A child process that says by itself when it is ready (`sd_notify`), and is gone when dropped.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, kill_process, kill_process_group, pidfd_open, waitpid,
};

use crate::PATIENCE;

/// So much of a log explains a test that fails.
const LAST_LINES: usize = 80;

/// A running child, its notification socket and its log.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    pidfd: OwnedFd,
    notify: UnixDatagram,
    notify_path: PathBuf,
    /// Every notification so far, in order.
    notifications: Vec<String>,
    log: PathBuf,
}

/// A child that ended before it was ready.
#[derive(Debug)]
pub struct EndedEarly {
    /// How it ended.
    pub status: ExitStatus,
    /// All that it wrote on standard output and standard error.
    pub log: String,
}

impl Process {
    /// Starts `command` in its own process group, both outputs in `DIRECTORY/NAME.log`, and
    /// waits until it notifies `READY=1`.
    ///
    /// # Errors
    /// It ended instead.
    pub fn start(
        mut command: Command,
        name: &str,
        directory: &Path,
    ) -> Result<Self, Box<EndedEarly>> {
        let log = directory.join(format!("{name}.log"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("open the log");
        let log_start = output.metadata().expect("read the log's size").len();
        let notify_path = directory.join(format!("{name}.notify"));
        let _ = std::fs::remove_file(&notify_path);
        let notify = UnixDatagram::bind(&notify_path).expect("bind the notification socket");
        open_to_all(&notify_path);
        let program = command.get_program().to_owned();
        let child = command
            .env("NOTIFY_SOCKET", &notify_path)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("share the log"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} does not start: {error}; {}",
                    program.display(),
                    missing(&program)
                )
            });
        let pidfd =
            pidfd_open(pid_of(&child), PidfdFlags::empty()).expect("open the child's pidfd");
        let mut process = Self {
            name: name.to_owned(),
            child,
            pidfd,
            notify,
            notify_path,
            notifications: Vec::new(),
            log,
        };
        if process.await_notification("READY=1") {
            return Ok(process);
        }
        let status = process.child.wait().expect("reap the child");
        let log = process.log();
        let log = log
            .get(usize::try_from(log_start).expect("a log fits in memory")..)
            .unwrap_or_default()
            .to_owned();
        Err(Box::new(EndedEarly { status, log }))
    }

    /// Waits for a notification line; false if the process ends first.
    ///
    /// # Panics
    /// Neither happens within [`PATIENCE`].
    pub fn await_notification(&mut self, wanted: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let has = |lines: &[String]| lines.iter().any(|line| line == wanted);
        while !has(&self.notifications) {
            let ready = wait_for_any(&[self.notify.as_fd(), self.pidfd.as_fd()], deadline);
            let Some(ready) = ready else {
                panic!(
                    "{} did not notify {wanted} within {PATIENCE:?}; its log:\n{}",
                    self.name,
                    self.log()
                )
            };
            self.read_notifications();
            if ready.contains(&1) {
                return has(&self.notifications);
            }
        }
        true
    }

    /// Waits for a notification line that is `wanted`, `from` that many lines on, and returns how
    /// many lines there are up to it; `None` if none comes within `limit`.
    pub fn await_line(
        &mut self,
        from: usize,
        wanted: impl Fn(&str) -> bool,
        limit: Duration,
    ) -> Option<usize> {
        let deadline = Instant::now() + limit;
        loop {
            self.read_notifications();
            let mut lines = self.notifications.iter().skip(from);
            if let Some(index) = lines.position(|line| wanted(line)) {
                return Some(from + index + 1);
            }
            wait_for_any(&[self.notify.as_fd()], deadline)?;
        }
    }

    /// Every notification line received so far.
    pub fn notifications(&mut self) -> &[String] {
        self.read_notifications();
        &self.notifications
    }

    fn read_notifications(&mut self) {
        self.notify
            .set_nonblocking(true)
            .expect("make the socket non-blocking");
        let mut buffer = [0; 4096];
        while let Ok(length) = self.notify.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            self.notifications.extend(text.lines().map(str::to_owned));
        }
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        pid_of(&self.child)
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal)
            .unwrap_or_else(|error| panic!("signal {}: {error}", self.name));
        if signal == Signal::STOP {
            // It is on its way: the process may answer a little longer.
            waitpid(Some(self.pid()), WaitOptions::UNTRACED)
                .unwrap_or_else(|error| panic!("see {} stop: {error}", self.name));
        }
    }

    /// Waits until the process has ended.
    ///
    /// # Panics
    /// It does not within [`PATIENCE`].
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_within(PATIENCE).unwrap_or_else(|| {
            panic!(
                "{} did not end within {PATIENCE:?}; its log:\n{}",
                self.name,
                self.log()
            )
        })
    }

    /// Waits until the process has ended, but no longer than `limit`.
    pub fn wait_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        wait_for_any(&[self.pidfd.as_fd()], Instant::now() + limit)?;
        self.read_notifications();
        Some(self.child.wait().expect("reap the child"))
    }

    /// `kill -9`, to this process alone, and reaps it.
    pub fn kill9(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            let status = self.wait();
            assert!(status.signal().is_some() || status.code().is_some());
        }
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.len().saturating_sub(LAST_LINES);
            println!("the end of its log:\n{}", lines[last..].join("\n"));
        }
        // The group, so that its own children go with it; a stopped process dies of KILL too.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.notify_path);
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    // MariaDB gives up root before it notifies.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))
        .expect("open the socket to all");
}

/// The indices of the descriptors that became readable; `None` at the deadline.
fn wait_for_any(fds: &[BorrowedFd<'_>], deadline: Instant) -> Option<Vec<usize>> {
    let mut polled: Vec<PollFd<'_>> = fds
        .iter()
        .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
        .collect();
    loop {
        let left = deadline.checked_duration_since(Instant::now())?;
        let timeout = Timespec::try_from(left).expect("a short time");
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) => return None,
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
    Some(
        polled
            .iter()
            .enumerate()
            .filter(|(_, fd)| !fd.revents().is_empty())
            .map(|(index, _)| index)
            .collect(),
    )
}

/// What to do about a program that is not there.
#[must_use]
pub fn missing(program: &OsStr) -> String {
    format!(
        "is {} installed? `make test` installs what the tests need",
        program.display()
    )
}

/// Runs a command to its end and returns its standard output.
///
/// # Panics
/// It cannot be started, fails, or takes longer than [`PATIENCE`].
#[must_use]
pub fn run(command: &mut Command) -> String {
    let output = finish(command);
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8 on standard output")
}

/// Copies a program that is to be run at once.
///
/// What this process itself wrote may still be open in a child that another thread is just
/// starting, and cannot be run as long.
///
/// # Panics
/// It cannot be copied.
pub fn copy_program(from: &Path, to: &Path) {
    let _ = run(Command::new("cp").args([from, to]));
}

/// Runs a command to its end, whatever that is.
///
/// # Panics
/// It cannot be started, or takes longer than [`PATIENCE`] (it is killed then).
#[must_use]
pub fn finish(command: &mut Command) -> std::process::Output {
    let program = command.get_program().to_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{} does not start: {error}; {}",
                program.display(),
                missing(&program)
            )
        });
    finish_child(child, &format!("{command:?}"))
}

/// Collects a child's output until it ends.
///
/// # Panics
/// It takes longer than [`PATIENCE`]; it is killed then.
#[must_use]
pub fn finish_child(child: Child, what: &str) -> std::process::Output {
    finish_child_within(child, what, PATIENCE)
}

/// The same for one that waits for many things, one after the other.
///
/// # Panics
/// It takes longer than `patience`; it is killed then.
#[must_use]
pub fn finish_child_within(child: Child, what: &str, patience: Duration) -> std::process::Output {
    let pid = pid_of(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("open the child's pidfd");
    let reader = std::thread::spawn(move || child.wait_with_output());
    if wait_for_any(&[pidfd.as_fd()], Instant::now() + patience).is_none() {
        let _ = kill_process(pid, Signal::KILL);
        let output = reader
            .join()
            .expect("collect the output")
            .expect("collect the output");
        panic!(
            "{what} did not end within {patience:?}; it wrote:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    reader
        .join()
        .expect("collect the output")
        .expect("collect the output")
}
