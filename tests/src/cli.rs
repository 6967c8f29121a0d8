//! Runs of `dagdactl` and what they gave.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{finish_child_within, missing};
use crate::{PATIENCE, binaries};

/// Exit codes of the contract.
pub mod code {
    /// Done.
    pub const DONE: i32 = 0;
    /// Failed.
    pub const FAILED: i32 = 1;
    /// Wrong usage.
    pub const USAGE: i32 = 2;
    /// No such thing.
    pub const NOT_FOUND: i32 = 3;
    /// Refused for lack of resources.
    pub const REFUSED: i32 = 4;
    /// Daemon unreachable.
    pub const UNREACHABLE: i32 = 5;
    /// Not permitted.
    pub const NOT_PERMITTED: i32 = 6;
    /// Timed out.
    pub const TIMED_OUT: i32 = 7;
}

/// A `dagdactl` that has ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// What was run, for messages.
    pub command: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Asserts success.
    ///
    /// # Panics
    /// The exit code is not 0.
    pub fn done(self) -> Self {
        self.ended_with(code::DONE)
    }

    /// Asserts the exit code.
    ///
    /// # Panics
    /// It is another one.
    pub fn ended_with(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "{self:#?}");
        self
    }

    /// Asserts a failure with this exit code whose message has each of `fragments`, on standard
    /// error and nothing on standard output.
    ///
    /// # Panics
    /// It is not so.
    pub fn failed_saying<const N: usize>(self, expected: i32, fragments: [&str; N]) {
        let output = self.ended_with(expected);
        for fragment in fragments {
            assert!(
                output.stderr.contains(fragment),
                "{fragment:?} is not in the message: {output:#?}"
            );
        }
        assert_eq!(
            output.stdout, "",
            "an error belongs on standard error: {output:#?}"
        );
    }

    /// Standard output as one JSON document.
    ///
    /// # Panics
    /// It is not one.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{self:#?}"))
    }
}

/// `dagdactl --socket SOCKET`, without arguments yet and with a clean environment.
#[must_use]
pub fn command(socket: &Path) -> Command {
    let mut command = Command::new(binaries::path("dagdactl"));
    command
        .arg("--socket")
        .arg(socket)
        .env_remove("DAGDA_SOCKET")
        .env_remove("NO_COLOR");
    command
}

/// Runs a prepared command to its end.
///
/// # Panics
/// It cannot be started or does not end.
#[must_use]
pub fn run(command: &mut Command, stdin: Option<&str>) -> Output {
    run_within(command, stdin, PATIENCE)
}

/// The same for one that waits for many things, one after the other.
///
/// # Panics
/// It cannot be started or does not end.
#[must_use]
pub fn run_within(command: &mut Command, stdin: Option<&str>, patience: Duration) -> Output {
    let what = describe(command);
    let child = spawn(command, stdin);
    let output = finish_child_within(child, &what, patience);
    Output {
        command: what,
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    }
}

/// Starts a prepared command with its outputs piped.
///
/// # Panics
/// It cannot be started.
#[must_use]
pub fn spawn(command: &mut Command, stdin: Option<&str>) -> Child {
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
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
    if let (Some(text), Some(mut pipe)) = (stdin.map(str::to_owned), child.stdin.take()) {
        // In a thread, so that a reader that stops early cannot hang the test.
        std::thread::spawn(move || pipe.write_all(text.as_bytes()));
    }
    child
}

/// A `dagdactl` that goes on writing; ended when dropped.
#[derive(Debug)]
pub struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    /// Starts a prepared command.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let mut child = spawn(command, None);
        let output = child.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Waits for a line, each a JSON object, that is as wanted.
    ///
    /// # Panics
    /// None is within [`PATIENCE`], or one is no JSON.
    pub fn await_object(&self, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("not within {PATIENCE:?}: {what}; seen so far: {seen:#?}")
            };
            let object = serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("not JSON: {error}: {line}"));
            if wanted(&object) {
                return object;
            }
            seen.push(line);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn describe(command: &Command) -> String {
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    format!("dagdactl {}", arguments.join(" "))
}
