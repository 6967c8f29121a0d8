//! The real `dagdad`, configured for a test.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::process::{EndedEarly, Process};
use crate::{binaries, mount};

/// What a `dagdad` is started with.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where its own files go: configuration, log.
    pub directory: PathBuf,
    /// State directory.
    pub state: PathBuf,
    /// Socket it serves.
    pub socket: PathBuf,
    /// Podman's socket.
    pub podman_socket: PathBuf,
    /// Text of the variables file.
    pub variables: String,
    /// The share of memory that may be given out, in percent; the default where `None`.
    pub ram_percent: Option<f64>,
    /// The table `[economy]`.
    pub economy: String,
    /// Whether the CPU seems to do nothing, whatever it does.
    pub quiet_cpu: bool,
    /// More of the configuration file.
    pub settings: String,
    /// Environment beside the configuration file.
    pub environment: Vec<(String, String)>,
}

impl Configuration {
    /// Writes `dagdad.toml` and the variables file; returns the former's path.
    #[must_use]
    pub fn write(&self) -> PathBuf {
        let variables = self.directory.join("variables.env");
        std::fs::write(&variables, &self.variables).expect("write the variables file");
        let mut text = format!(
            "[daemon]\nstate_dir = '{}'\nsocket = '{}'\nvariables_file = '{}'\n[podman]\nsocket = '{}'\n",
            self.state.display(),
            self.socket.display(),
            variables.display(),
            self.podman_socket.display()
        );
        if let Some(percent) = self.ram_percent {
            let _ = write!(text, "[thresholds]\nram_percent = {percent:.6}\n");
        }
        let _ = write!(text, "[economy]\n{}\n", self.economy);
        text += &self.settings;
        let path = self.directory.join("dagdad.toml");
        std::fs::write(&path, text).expect("write dagdad.toml");
        path
    }

    /// `dagdad --config FILE` with a clean environment.
    ///
    /// # Panics
    /// A file cannot be written.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(binaries::path("dagdad"));
        command.arg("--config").arg(self.write());
        if self.quiet_cpu {
            // Counters that stand still.
            let stat = self.directory.join("quiet.stat");
            std::fs::copy("/proc/stat", &stat).expect("copy /proc/stat");
            command = mount::with_file(&stat, Path::new("/proc/stat"), &command);
        }
        for name in [
            "DAGDA_SOCKET",
            "DB_HOST",
            "DB_PORT",
            "MYSQL_API_USER",
            "MYSQL_API_PASSWORD",
        ] {
            command.env_remove(name);
        }
        command
            .env("MONITORING_INTERVAL", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A running `dagdad` that said it is ready.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
}

impl Daemon {
    /// Starts it and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ended instead.
    pub fn start(command: Command, directory: &Path) -> Result<Self, Box<EndedEarly>> {
        Process::start(command, "dagdad", directory).map(|process| Self { process })
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// SIGTERM, then its end; `None` when it takes longer than `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Option<ExitStatus> {
        // As a service manager does, which reads all the time.
        let _ = self.process.notifications();
        self.terminate_unheard(limit)
    }

    /// The same, where nobody has read what it told the service manager.
    pub fn terminate_unheard(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.process.signal(Signal::TERM);
        self.process.wait_within(limit)
    }

    /// `kill -9`.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Freezes it: whatever it was doing stays as it is.
    pub fn freeze(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Ends [`Daemon::freeze`].
    pub fn thaw(&self) {
        self.process.signal(Signal::CONT);
    }

    /// What it told the service manager.
    pub fn notifications(&mut self) -> &[String] {
        self.process.notifications()
    }

    /// Waits until it tells the service manager a line that is `wanted`, `from` that many lines
    /// on; returns how many lines there are up to it.
    ///
    /// # Panics
    /// It does not within [`crate::PATIENCE`].
    pub fn await_notified(&mut self, from: usize, wanted: impl Fn(&str) -> bool) -> usize {
        let found = self.process.await_line(from, wanted, crate::PATIENCE);
        found.unwrap_or_else(|| {
            let log = self.process.log();
            panic!("not told: {:#?}\n{log}", self.process.notifications())
        })
    }

    /// Whether it tells the service manager a line that is `wanted` within `limit`, `from` that
    /// many lines on.
    pub fn notifies_within(
        &mut self,
        from: usize,
        wanted: impl Fn(&str) -> bool,
        limit: Duration,
    ) -> bool {
        self.process.await_line(from, wanted, limit).is_some()
    }

    /// SIGHUP: it is to read its configuration again. Returns how many lines the service manager
    /// was told before.
    pub fn reload(&mut self) -> usize {
        let before = self.process.notifications().len();
        self.process.signal(Signal::HUP);
        before
    }

    /// Its journal.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}
