//! One box under test: its Podman, its `dagdad`, its `dagdactl`.

mod alerts;
pub mod economy;
pub mod runs;
mod truth;
mod watching;

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use crate::cli::{self, Output};
use crate::daemon::{Configuration, Daemon};
use crate::mariadb::MariaDb;
use crate::memory::Room;
use crate::podman::Podman;
use crate::process::EndedEarly;
use crate::scratch::Scratch;
use crate::wire;

/// Who serves Podman's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodmanService {
    /// The test, which can then kill and freeze it; as systemd's `podman.socket` does.
    Test,
    /// Nobody: dagdad finds a dead socket and must help itself.
    Nobody,
}

/// What a [`TestHost`] is made of.
#[derive(Debug)]
pub struct Builder {
    podman_service: PodmanService,
    variables: String,
    state: Option<PathBuf>,
    socket: Option<PathBuf>,
    environment: Vec<(String, String)>,
    economy: String,
    quiet_cpu: bool,
    settings: String,
    measured: bool,
    eater: bool,
}

impl Builder {
    /// Who serves Podman's API; the test, by default.
    #[must_use]
    pub fn podman_service(mut self, service: PodmanService) -> Self {
        self.podman_service = service;
        self
    }

    /// Text of the variables file: `NAME=value` lines.
    #[must_use]
    pub fn variables(mut self, text: &str) -> Self {
        text.clone_into(&mut self.variables);
        self
    }

    /// A state directory elsewhere.
    #[must_use]
    pub fn state(mut self, path: &Path) -> Self {
        self.state = Some(path.to_owned());
        self
    }

    /// A socket elsewhere.
    #[must_use]
    pub fn socket(mut self, path: &Path) -> Self {
        self.socket = Some(path.to_owned());
        self
    }

    /// Makes `database` the system of record.
    #[must_use]
    pub fn mariadb(mut self, database: &MariaDb) -> Self {
        self.environment.extend(database.environment());
        self
    }

    /// Sets an environment variable of dagdad.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds tables to the configuration file.
    #[must_use]
    pub fn settings(mut self, toml: &str) -> Self {
        self.settings += toml;
        self
    }

    /// Sets the table `[economy]`. Without it the policy is `off`: a test may well keep the whole
    /// machine busy, and then nothing is to be taken from its pods.
    #[must_use]
    pub fn economy(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.economy);
        self
    }

    /// Lets dagdad see a CPU that does nothing, whatever compilers and other tests do with it.
    #[must_use]
    pub fn quiet_cpu(mut self) -> Self {
        self.quiet_cpu = true;
        self
    }

    /// Sets the threshold of memory so that the room is known, whatever else the machine does:
    /// see [`TestHost::room`].
    #[must_use]
    pub fn measured(mut self) -> Self {
        self.measured = true;
        self
    }

    /// Has an image for [`crate::manifest::Pod::eating`].
    #[must_use]
    pub fn eater(mut self) -> Self {
        self.eater = true;
        self
    }

    /// All of it but the daemon.
    #[must_use]
    pub fn without_daemon(self) -> TestHost {
        let scratch = Scratch::new();
        let mut podman = Podman::new(&scratch);
        if self.podman_service == PodmanService::Test {
            podman.start_service();
        }
        if self.eater {
            podman.build_eater();
        }
        let room = self.measured.then(Room::measure);
        let configuration = Configuration {
            directory: scratch.path().to_owned(),
            state: self.state.unwrap_or_else(|| scratch.join("state")),
            socket: self.socket.unwrap_or_else(|| scratch.join("dagda.sock")),
            podman_socket: podman.socket(),
            variables: self.variables,
            ram_percent: room.map(|room| room.threshold_percent),
            economy: self.economy,
            quiet_cpu: self.quiet_cpu,
            settings: self.settings,
            environment: self.environment,
        };
        TestHost {
            daemon: None,
            configuration,
            room,
            podman,
            runtime: wire::runtime(),
            scratch,
        }
    }

    /// All of it, ready.
    #[must_use]
    pub fn start(self) -> TestHost {
        let mut host = self.without_daemon();
        host.start();
        host
    }
}

/// A box under test. Fields are dropped in this order: the daemon, then Podman with its pods,
/// then everything on disk.
#[derive(Debug)]
pub struct TestHost {
    daemon: Option<Daemon>,
    /// What the daemon is started with; a change takes effect at the next start.
    pub configuration: Configuration,
    room: Option<Room>,
    /// Its Podman.
    pub podman: Podman,
    runtime: tokio::runtime::Runtime,
    /// Everything on disk.
    pub scratch: Scratch,
}

impl TestHost {
    /// A box with all parts ready.
    #[must_use]
    pub fn ready() -> Self {
        Self::builder().start()
    }

    /// To make a box of another kind.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            podman_service: PodmanService::Test,
            variables: String::new(),
            state: None,
            socket: None,
            environment: Vec::new(),
            economy: "policy = 'off'".to_owned(),
            quiet_cpu: false,
            settings: String::new(),
            measured: false,
            eater: false,
        }
    }

    /// What there is to give out, as measured when the box was made.
    ///
    /// # Panics
    /// It was not made with [`Builder::measured`].
    #[must_use]
    pub fn room(&self) -> Room {
        self.room.expect("the box was made with Builder::measured")
    }

    /// Starts dagdad.
    ///
    /// # Panics
    /// It ends before it is ready.
    pub fn start(&mut self) {
        let started = self.try_start();
        started.unwrap_or_else(|ended| {
            panic!(
                "dagdad ended at its start ({}):\n{}",
                ended.status, ended.log
            )
        });
    }

    /// Starts dagdad.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn try_start(&mut self) -> Result<(), Box<EndedEarly>> {
        self.daemon = Some(self.spawn_daemon()?);
        Ok(())
    }

    /// Starts dagdad by another command.
    ///
    /// # Panics
    /// It ends before it is ready.
    pub fn start_with(&mut self, command: Command) {
        let started = self.try_start_with(command);
        started.unwrap_or_else(|ended| {
            panic!(
                "dagdad ended at its start ({}):\n{}",
                ended.status, ended.log
            )
        });
    }

    /// Starts dagdad by another command.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn try_start_with(&mut self, command: Command) -> Result<(), Box<EndedEarly>> {
        self.daemon = Some(Daemon::start(command, &self.configuration.directory)?);
        Ok(())
    }

    /// Starts one more dagdad with the same configuration.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn spawn_daemon(&self) -> Result<Daemon, Box<EndedEarly>> {
        let mut command = self.configuration.command();
        self.podman.configure(&mut command);
        Daemon::start(command, &self.configuration.directory)
    }

    /// The running daemon.
    ///
    /// # Panics
    /// There is none.
    pub fn daemon(&mut self) -> &mut Daemon {
        self.daemon
            .as_mut()
            .expect("dagdad was not started by this test")
    }

    /// SIGTERM to dagdad, then a new one.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// SIGTERM to dagdad and its clean end.
    ///
    /// # Panics
    /// It takes longer than 5 s, which is the contract, or does not end well.
    pub fn stop(&mut self) {
        let limit = Duration::from_secs(5);
        let daemon = self.daemon();
        let status = daemon.terminate(limit);
        let status = status
            .unwrap_or_else(|| panic!("dagdad did not end within {limit:?}:\n{}", daemon.log()));
        assert!(
            status.success(),
            "dagdad ended with {status}:\n{}",
            daemon.log()
        );
        self.daemon = None;
    }

    /// `kill -9` to dagdad.
    pub fn kill9(&mut self) {
        self.daemon().kill9();
        self.daemon = None;
    }

    /// `dagdactl` for this box, without arguments yet.
    #[must_use]
    pub fn dagdactl(&self) -> Command {
        cli::command(&self.configuration.socket)
    }

    /// Runs `dagdactl ARGUMENTS` to its end.
    #[must_use]
    pub fn run<S: AsRef<OsStr>, const N: usize>(&self, arguments: [S; N]) -> Output {
        cli::run(self.dagdactl().args(arguments), None)
    }

    /// Runs `dagdactl ARGUMENTS` with text on standard input.
    #[must_use]
    pub fn run_with_input<const N: usize>(&self, arguments: [&str; N], input: &str) -> Output {
        cli::run(self.dagdactl().args(arguments), Some(input))
    }

    /// Starts `dagdactl ARGUMENTS` and lets it run.
    #[must_use]
    pub fn spawn<const N: usize>(&self, arguments: [&str; N]) -> Child {
        cli::spawn(self.dagdactl().args(arguments), None)
    }

    /// `dagdactl apply -f -`, which must succeed.
    pub fn apply(&self, manifest: &(impl Display + ?Sized)) -> Output {
        self.run_with_input(["apply", "-f", "-"], &manifest.to_string())
            .done()
    }

    /// Applies and starts a pod, waits until it is ready.
    pub fn up(&self, name: &str, manifest: &(impl Display + ?Sized)) {
        let _ = self.apply(manifest);
        let _ = self.run(["pods", "start", name]).done();
    }
}
