//! A Podman with its own storage, events and service socket, apart from the user's.

pub mod eater;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::{Process, finish, run};
use crate::scratch::Scratch;

/// The image that tests run: busybox, nothing else. Never pulled from anywhere.
pub const IMAGE: &str = "localhost/dagda-test:latest";

/// An isolated Podman and, while it runs, its API service.
#[derive(Debug)]
pub struct Podman {
    directory: PathBuf,
    needs: Needs,
    service: Option<Process>,
}

/// What must be changed in Podman's configuration so that a container starts on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing: an ordinary machine.
    Nothing,
    /// `runc`, since `crun` refuses hybrid cgroups, and limits that need not be raised, which
    /// takes a capability that some containers lack.
    RuncAndLowLimits,
}

const LOW_LIMITS: &str =
    "[containers]\ndefault_ulimits = [\"nofile=20000:20000\", \"nproc=10000:10000\"]\n";
const RUNC: &str = "runtime = \"runc\"\n";

impl Podman {
    /// Makes the storage in `scratch` and builds [`IMAGE`] there. No service yet.
    #[must_use]
    pub fn new(scratch: &Scratch) -> Self {
        static NEEDS: OnceLock<Needs> = OnceLock::new();
        let needs = *NEEDS.get_or_init(find_needs);
        Self::with(scratch, needs)
    }

    fn with(scratch: &Scratch, needs: Needs) -> Self {
        let directory = scratch.join("podman");
        std::fs::create_dir(&directory).expect("make Podman's directory");
        let podman = Self {
            directory,
            needs,
            service: None,
        };
        podman.write_configuration();
        podman.build_image();
        podman
    }

    /// The part of `containers.conf` that any Podman on this host needs, one in a container too.
    #[must_use]
    pub fn guest_configuration(&self) -> String {
        match self.needs {
            Needs::Nothing => String::new(),
            Needs::RuncAndLowLimits => format!("{LOW_LIMITS}[engine]\n{RUNC}"),
        }
    }

    fn write_configuration(&self) {
        let at = |name: &str| self.directory.join(name).display().to_string();
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
            at("graph"),
            at("run")
        );
        let mut containers = String::new();
        if self.needs == Needs::RuncAndLowLimits {
            containers += LOW_LIMITS;
        }
        let _ = write!(
            containers,
            "[engine]\ntmp_dir = \"{}\"\nevents_logger = \"file\"\n",
            at("tmp")
        );
        if self.needs == Needs::RuncAndLowLimits {
            containers += RUNC;
        }
        std::fs::write(self.directory.join("storage.conf"), storage).expect("write storage.conf");
        std::fs::write(self.directory.join("containers.conf"), containers)
            .expect("write containers.conf");
    }

    fn build_image(&self) {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"]
            .into_iter()
            .find(|path| Path::new(path).exists());
        let busybox = busybox
            .expect("busybox-static is not installed; `make test` installs what the tests need");
        let context = self.directory.join("image");
        std::fs::create_dir(&context).expect("make the image's directory");
        std::fs::copy(busybox, context.join("busybox")).expect("copy busybox");
        self.build(
            &context,
            IMAGE,
            "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n",
        );
    }

    /// Builds [`eater::IMAGE`], for the tests whose pods really use memory.
    ///
    /// # Panics
    /// There is no C compiler, or no static C library.
    pub fn build_eater(&self) {
        let context = self.directory.join("eater");
        std::fs::create_dir(&context).expect("make the image's directory");
        std::fs::write(context.join("eater"), eater::program()).expect("write the eater");
        // COPY keeps the mode.
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(context.join("eater"), executable).expect("make it executable");
        let recipe = format!("FROM {IMAGE}\nCOPY eater /bin/eater\n");
        self.build(&context, eater::IMAGE, &recipe);
    }

    fn build(&self, context: &Path, tag: &str, recipe: &str) {
        std::fs::write(context.join("Containerfile"), recipe).expect("write the Containerfile");
        let _ = run(self
            .command()
            .args(["build", "--quiet", "--tag", tag])
            .arg(context));
    }

    /// `podman` with this instance's configuration.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("podman");
        self.configure(&mut command);
        command
    }

    /// Sets the environment that leads a Podman, or a daemon that starts one, to this instance.
    pub fn configure(&self, command: &mut Command) {
        command
            .env("CONTAINERS_CONF", self.directory.join("containers.conf"))
            .env(
                "CONTAINERS_STORAGE_CONF",
                self.directory.join("storage.conf"),
            )
            .env_remove("CONTAINER_HOST");
    }

    /// Runs `podman ARGUMENTS` behind dagdad's back and returns its output.
    ///
    /// # Panics
    /// It fails.
    pub fn run<const N: usize>(&self, arguments: [&str; N]) -> String {
        run(self.command().args(arguments))
    }

    /// Runs `podman ARGUMENTS` and says whether it succeeded.
    #[must_use]
    pub fn succeeds<const N: usize>(&self, arguments: [&str; N]) -> bool {
        finish(self.command().args(arguments)).status.success()
    }

    /// Sends a signal to a container's first process from within. `podman kill` would be taken for
    /// somebody who ends it.
    pub fn signal(&self, container: &str, signal: &str) {
        let script = format!("kill -{signal} 1");
        // The container's end may take the exec session with it before Podman learns how it ended.
        let _ = self.succeeds(["exec", container, "/bin/sh", "-c", &script]);
    }

    /// Names and states of the pods that Podman itself has, by name.
    #[must_use]
    pub fn pods(&self) -> Vec<(String, String)> {
        let list = self.run([
            "pod",
            "ps",
            "--sort",
            "name",
            "--format",
            "{{.Name}} {{.Status}}",
        ]);
        list.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, status)| (name.to_owned(), status.to_lowercase()))
            .collect()
    }

    /// Names of the pods that run, by name.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        let pods = self.pods().into_iter();
        pods.filter(|(_, state)| state == "running")
            .map(|(name, _)| name)
            .collect()
    }

    /// How often each container was started since the storage was made, by Podman's own record.
    #[must_use]
    pub fn starts(&self) -> BTreeMap<String, usize> {
        let started = self.run([
            "events",
            "--stream=false",
            "--filter",
            "type=container",
            "--filter",
            "event=start",
            "--format",
            "{{.Name}}",
        ]);
        let mut counts = BTreeMap::new();
        for name in started.lines() {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
        counts
    }

    /// CPU time that a container may use in each 100 ms, as the kernel has it; `None` without a
    /// limit.
    ///
    /// # Panics
    /// Its cgroup cannot be read.
    #[must_use]
    pub fn cpu_quota(&self, container: &str) -> Option<Duration> {
        let path = self.inspect(container, "{{.State.CgroupPath}}");
        let read = |root: &str, file: &str| {
            std::fs::read_to_string(format!("/sys/fs/cgroup{root}{path}/{file}")).ok()
        };
        let text = ["/cpu", "/cpu,cpuacct"]
            .iter()
            .find_map(|root| read(root, "cpu.cfs_quota_us"))
            .or_else(|| read("", "cpu.max"))
            .unwrap_or_else(|| panic!("{container} has no CPU controller at {path}"));
        // `max 100000` or `50000 100000`; of the older cgroups -1 or 50000.
        let quota = text.split_whitespace().next().expect("a quota");
        quota.parse().ok().map(Duration::from_micros)
    }

    /// One field of `podman inspect`, in Go's template language.
    ///
    /// # Panics
    /// There is no such container.
    #[must_use]
    pub fn inspect(&self, container: &str, format: &str) -> String {
        let text = self.run(["inspect", "--format", format, container]);
        text.trim().to_owned()
    }

    /// Where the API service listens, or would.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join("podman.sock")
    }

    /// Starts the API service.
    ///
    /// # Panics
    /// It does not come up.
    pub fn start_service(&mut self) {
        // A dead service's socket is replaced in one go: dagdad serves a configured socket that
        // is missing itself, and must not find it so in between.
        let socket = self.socket();
        let fresh = socket.with_extension("fresh");
        let _ = std::fs::remove_file(&fresh);
        let mut command = self.command();
        command
            .args(["system", "service", "--time=0"])
            .arg(format!("unix://{}", fresh.display()));
        let service = Process::start(command, "podman-service", &self.directory);
        self.service =
            Some(service.unwrap_or_else(|ended| {
                panic!("Podman's service: {}\n{}", ended.status, ended.log)
            }));
        std::fs::rename(&fresh, &socket).expect("put the socket in its place");
    }

    /// `kill -9` to the API service.
    pub fn kill_service(&mut self) {
        self.running_service().kill9();
        self.service = None;
    }

    /// Freezes the API service: it accepts connections (the kernel does) and never answers.
    pub fn freeze_service(&mut self) {
        self.running_service().signal(Signal::STOP);
    }

    /// Ends [`Podman::freeze_service`].
    pub fn thaw_service(&mut self) {
        self.running_service().signal(Signal::CONT);
    }

    fn running_service(&mut self) -> &mut Process {
        self.service
            .as_mut()
            .expect("the Podman service was not started by this test")
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.service = None;
        let _ = finish(
            self.command()
                .args(["pod", "rm", "--all", "--force", "--time", "0"]),
        );
        let _ = finish(
            self.command()
                .args(["rm", "--all", "--force", "--time", "0"]),
        );
    }
}

/// Starts a throw-away container with each configuration until one works.
fn find_needs() -> Needs {
    let mut failures = String::new();
    for needs in [Needs::Nothing, Needs::RuncAndLowLimits] {
        let scratch = Scratch::new();
        let podman = Podman::with(&scratch, needs);
        let output = finish(
            podman
                .command()
                .args(["run", "--rm", IMAGE, "/bin/busybox", "true"]),
        );
        if output.status.success() {
            return needs;
        }
        let _ = write!(
            failures,
            "\n{needs:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    panic!("Podman starts no container on this host:{failures}");
}
