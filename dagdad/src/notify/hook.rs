//! The command hook: a program of the owner's that is given each alert on its standard input.
//!
//! It runs in a process group of its own, with nothing of dagdad's environment, and is killed
//! with all of its group once it has taken too long. What it writes is read and forgotten, save
//! the last line of its standard error, which explains a failure.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};

use crate::domain::alert::Alert;

/// Where programs are found that the hook runs itself.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// More of a line is not quoted, in characters.
const LINE: usize = 400;
/// So many last bytes hold a line of that length, however many bytes its characters take.
const TAIL: usize = 4 * (LINE + 1);
/// How long the last words of a hook that has ended may take; they are in the pipe already, save
/// where something it left behind goes on to write.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A program of the owner's.
#[derive(Debug)]
pub struct Hook {
    /// Absolute.
    pub program: PathBuf,
    /// What it is given.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// Why a hook was of no use.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It is not there, or may not be run.
    #[error("{} cannot be run: {source}; mend it, or `alerts.on_alert` in dagdad's configuration", program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It said that it failed.
    #[error("{} {}{}", program.display(), ending(*status), quoted(said))]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The last line of its standard error; may be empty.
        said: String,
    },
    /// It was killed.
    #[error(
        "{} took longer than {} and was killed{}",
        program.display(),
        humantime::format_duration(*after),
        quoted(said)
    )]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// How long it had.
        after: Duration,
        /// The last line of its standard error; may be empty.
        said: String,
    },
}

impl Hook {
    /// Whether there is such a program, as far as can be told without running it.
    ///
    /// # Errors
    /// Why it will not run.
    pub fn look(&self) -> io::Result<()> {
        if std::fs::metadata(&self.program)?.is_file() {
            rustix::fs::access(&self.program, rustix::fs::Access::EXEC_OK)?;
            Ok(())
        } else {
            Err(io::Error::other("it is no file"))
        }
    }

    /// Runs it with `document` on its standard input.
    pub(super) async fn tell(&self, alert: &Alert, document: &[u8]) -> Result<(), HookError> {
        let mut child = self.spawn(alert).map_err(|source| HookError::NotStarted {
            program: self.program.clone(),
            source,
        })?;
        let group = Group::of(&child);
        let mut tail = Tail::default();
        let ended = {
            let feed = feed(child.stdin.take(), document);
            let listen = tail.read(child.stderr.take());
            let mut io = std::pin::pin!(async {
                tokio::join!(feed, listen);
            });
            let run = async {
                let mut talks = true;
                loop {
                    tokio::select! {
                        status = child.wait() => break status,
                        () = &mut io, if talks => talks = false,
                    }
                }
                .map(|status| (status, talks))
            };
            let ended = tokio::time::timeout(self.timeout, run).await;
            if let Ok(Ok((_, true))) = ended {
                // What it left behind may keep its standard error open for ever.
                let _ = tokio::time::timeout(LAST_WORDS, io).await;
            }
            ended
        };
        let program = || self.program.clone();
        match ended {
            Ok(Ok((status, _))) => {
                // What it left running goes on, if it ended well: that is its own affair.
                group.let_go();
                if status.success() {
                    return Ok(());
                }
                Err(HookError::Failed {
                    program: program(),
                    status,
                    said: tail.last_line(),
                })
            }
            Ok(Err(source)) => Err(HookError::NotStarted {
                program: program(),
                source,
            }),
            Err(_) => {
                // While it is not waited for, its number is nobody else's.
                drop(group);
                let _ = child.wait().await;
                Err(HookError::TimedOut {
                    program: program(),
                    after: self.timeout,
                    said: tail.last_line(),
                })
            }
        }
    }

    fn spawn(&self, alert: &Alert) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("DAGDA_ALERT_ID", alert.id.to_string())
            .env("DAGDA_ALERT_CONDITION", alert.condition.as_str())
            .env("DAGDA_ALERT_SEVERITY", alert.severity.as_str())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }
}

/// Kills all of a process group when it is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // That it has ended by itself is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A hook that does not read all of it, or nothing at all, is free not to.
async fn feed(stdin: Option<ChildStdin>, document: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(document).await;
    }
}

/// The last bytes of what was read.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    async fn read(&mut self, stderr: Option<ChildStderr>) {
        let Some(mut stderr) = stderr else {
            return;
        };
        let mut buffer = vec![0; 8192];
        while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
            self.0.extend_from_slice(&buffer[..length]);
            let surplus = self.0.len().saturating_sub(TAIL);
            self.0.drain(..surplus);
        }
    }

    /// The end of the last line that is not empty, fit for one line of text.
    fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let lines = text.lines().rev();
        let lines = lines.map(|line| line.chars().map(plain).collect::<String>());
        let line = lines
            .map(|line| line.trim().to_owned())
            .find(|line| !line.is_empty());
        let line: Vec<char> = line.unwrap_or_default().chars().collect();
        line[line.len().saturating_sub(LINE)..].iter().collect()
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended in no way that is known".to_owned(),
    }
}

fn quoted(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}
