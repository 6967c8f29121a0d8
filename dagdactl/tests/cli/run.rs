//! Runs the built program.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program with `arguments`, in an environment that says nothing about dagdad or colours.
pub fn command(arguments: &[&str]) -> Command {
    command_of(Path::new(env!("CARGO_BIN_EXE_dagdactl")), arguments)
}

/// As [`command`], for a copy of the program.
pub fn command_of(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "DAGDA_SOCKET",
        "XDG_RUNTIME_DIR",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
    command
}

/// Runs `command` to its end.
pub fn finish(mut command: Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Ran {
    finish(command(arguments))
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Asserts the exit code and hands back the run.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Stdout as the one JSON document that it must be, with stderr empty.
    #[track_caller]
    pub fn document(&self) -> Value {
        assert_eq!(self.stderr, "", "stderr stays quiet with --json");
        assert_eq!(
            self.stdout.lines().count(),
            1,
            "one document on a line: {self:#?}"
        );
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Stdout as a JSON object a line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Asserts the exit code and that of the JSON error document, and hands back its message.
    #[track_caller]
    pub fn fails(self, code: i32, name: &str) -> String {
        let ran = self.exits(code);
        let document = ran.document();
        assert_eq!(document["error"]["code"], name, "{document:#}");
        document["error"]["message"].as_str().unwrap().to_owned()
    }
}
