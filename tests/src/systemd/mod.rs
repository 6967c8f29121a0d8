//! A machine with a systemd of its own, really booted: a privileged container whose first process
//! is systemd, with Debian's own Podman in it and the package installed as on any machine. It is
//! gone when it is dropped; nothing of it stays but the cached base system.

mod base;
pub mod package;

use std::fmt::Display;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::PATIENCE;
use crate::cli::{self, Output, Watch};
use crate::podman::{IMAGE, Podman};
use crate::process::{finish, run};
use crate::scratch::Scratch;

/// The version that [`Machine::installed`] installs.
pub const VERSION: &str = "0.1.0-1";

const NAME: &str = "machine";

/// systemd leaves mounts as it finds them in a container; on a machine of its own it shares them,
/// without which services get no credentials.
const INIT: &str = "mount --make-rshared / && exec /lib/systemd/systemd";

/// A booted machine.
#[derive(Debug)]
pub struct Machine {
    // Dropped first: it ends the container.
    podman: Podman,
    scratch: Scratch,
}

impl Machine {
    /// One that is up and has Podman, with its socket active as after `apt install podman`.
    ///
    /// # Panics
    /// It does not come up.
    #[must_use]
    pub fn booted() -> Self {
        let base = base::directory();
        let scratch = Scratch::new();
        let podman = Podman::new(&scratch);
        let containers = scratch.join("containers");
        std::fs::create_dir(&containers).expect("make a place for containers");
        let configuration = scratch.write("containers.conf", podman.guest_configuration());
        let volume = |from: &Path, to: &str| format!("--volume={}:{to}", from.display());
        let _ = run(podman
            .command()
            .args(["run", "--detach", "--name", NAME, "--privileged"])
            .args(["--systemd=always", "--network=none", "--cgroupns=private"])
            // Podman's layers cannot lie on an overlay.
            .arg(volume(&containers, "/var/lib/containers"))
            .arg(volume(&configuration, "/etc/containers/containers.conf"))
            .arg(volume(scratch.path(), "/scratch"))
            .arg("--rootfs")
            // Changes are kept apart from it.
            .arg(format!("{}:O", base.display()))
            .args(["sh", "-c", INIT]));
        let machine = Self { podman, scratch };
        machine.await_boot();
        machine
    }

    /// One with the package installed, and with the image that tests run.
    ///
    /// # Panics
    /// It does not come up, or the package does not install.
    #[must_use]
    pub fn installed() -> Self {
        let machine = Self::booted();
        machine.install(VERSION);
        machine
    }

    /// Until systemd listens, asking it fails at once, and then it waits for the end of the boot.
    fn await_boot(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.output(["systemctl", "is-system-running", "--wait"]);
            match output.stdout.trim() {
                "running" => return,
                "degraded" => panic!(
                    "the machine came up degraded:\n{}",
                    self.run(["systemctl", "--failed"])
                ),
                _ => assert!(
                    Instant::now() < deadline,
                    "the machine does not come up: {output:#?}"
                ),
            }
        }
    }

    /// Builds the package as `version` and installs it; what dpkg said.
    ///
    /// # Panics
    /// It cannot be built or installed.
    pub fn install(&self, version: &str) -> String {
        let package = self.scratch.join("dagda.deb");
        std::fs::copy(package::build(version), package).expect("copy the package");
        self.run(["dpkg", "--install", "/scratch/dagda.deb"])
    }

    /// Gives the machine's Podman the image that tests run.
    ///
    /// # Panics
    /// It does not take it.
    pub fn import_image(&self) {
        let archive = self.image();
        let _ = self.run(["podman", "load", "--quiet", "--input", &archive]);
    }

    /// The path of an archive with the image that tests run.
    fn image(&self) -> String {
        let archive = self.scratch.join("image.tar");
        let _ = run(self
            .podman
            .command()
            .args(["save", "--quiet", "--output"])
            .args([archive.as_os_str(), IMAGE.as_ref()]));
        "/scratch/image.tar".to_owned()
    }

    /// `PROGRAM ARGUMENTS` on the machine, as root.
    #[must_use]
    pub fn command<const N: usize>(&self, words: [&str; N]) -> Command {
        let mut command = self.podman.command();
        command.args(["exec", NAME]).args(words);
        command
    }

    /// `PROGRAM ARGUMENTS` on the machine as one of its users, in all of this user's groups.
    #[must_use]
    pub fn command_as<const N: usize>(&self, user: &str, words: [&str; N]) -> Command {
        let mut command = self.command(["runuser", "-u", user, "--"]);
        command.args(words);
        command
    }

    /// Runs a command that has to succeed; its standard output.
    ///
    /// # Panics
    /// It fails.
    #[track_caller]
    pub fn run<const N: usize>(&self, words: [&str; N]) -> String {
        self.output(words).done().stdout
    }

    /// Runs a command, however it ends.
    #[must_use]
    pub fn output<const N: usize>(&self, words: [&str; N]) -> Output {
        cli::run(&mut self.command(words), None)
    }

    /// Runs a command as one of the machine's users, however it ends.
    #[must_use]
    pub fn output_as<const N: usize>(&self, user: &str, words: [&str; N]) -> Output {
        cli::run(&mut self.command_as(user, words), None)
    }

    /// Makes a user who is in these groups beside their own.
    pub fn add_user(&self, name: &str, groups: &str) {
        let _ = self.run(["useradd", "--groups", groups, name]);
    }

    /// Makes a user with a home and a systemd of their own, which outlives their logins.
    ///
    /// # Panics
    /// They cannot be made.
    #[must_use]
    pub fn log_in(&self, name: &str) -> Session<'_> {
        let _ = self.run(["useradd", "--create-home", name]);
        let uid = self.run(["id", "--user", name]).trim().to_owned();
        let _ = self.run(["systemctl", "start", &format!("user@{uid}.service")]);
        Session {
            machine: self,
            user: name.to_owned(),
            runtime: format!("XDG_RUNTIME_DIR=/run/user/{uid}"),
        }
    }

    /// Writes a file, with its folder.
    pub fn write(&self, path: &str, text: &str) {
        let _ = self.scratch.write("written", text);
        let script = "mkdir -p \"$(dirname \"$1\")\" && cp /scratch/written \"$1\"";
        let _ = self.run(["sh", "-c", script, "sh", path]);
    }

    /// A unit's property, as `systemctl show` has it.
    #[must_use]
    pub fn property(&self, unit: &str, name: &str) -> String {
        let value = self.run(["systemctl", "show", "--property", name, "--value", unit]);
        value.trim().to_owned()
    }

    /// Waits until a unit's property is as wanted, by watching systemd tell of changes.
    ///
    /// # Panics
    /// It does not become so.
    #[track_caller]
    pub fn await_property(&self, unit: &str, name: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.property(unit, name);
            if wanted(&value) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "{name} of {unit} stays {value:?}; its journal:\n{}",
                self.journal(["--unit", unit])
            );
        }
    }

    /// Runs a command again and again until the JSON that it prints is as wanted.
    ///
    /// # Panics
    /// It never is, or is none.
    pub fn await_json<const N: usize>(
        &self,
        words: [&str; N],
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value: Value = serde_json::from_str(&self.run(words)).expect("JSON");
            if wanted(&value) {
                return value;
            }
            assert!(Instant::now() < deadline, "{words:?} stays {value:#}");
        }
    }

    /// `dagdactl apply`.
    pub fn apply(&self, manifest: &impl Display) {
        let mut command = self.podman.command();
        command.args(["exec", "--interactive", NAME]);
        command.args(["dagdactl", "apply", "-f", "-"]);
        let _ = cli::run(&mut command, Some(&manifest.to_string())).done();
    }

    /// A stream of `dagdactl`'s, one JSON object a line.
    #[must_use]
    pub fn watch<const N: usize>(&self, words: [&str; N]) -> Watch {
        Watch::start(&mut self.command(words))
    }

    /// What the journal has for these arguments of `journalctl`, messages only.
    #[must_use]
    pub fn journal<const N: usize>(&self, arguments: [&str; N]) -> String {
        // What was sent before is written before it is asked for.
        let _ = self.run(["journalctl", "--sync"]);
        let mut command = self.command(["journalctl", "--quiet", "--no-pager", "--output=cat"]);
        command.args(arguments);
        let output = finish(&mut command);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Paths of everything outside of what lives in memory or belongs to Podman, dpkg and the
    /// journal.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let script = "find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run \
            -o -path /tmp -o -path /scratch -o -path /var/lib/containers -o -path /var/log \
            -o -path /var/lib/dpkg -o -path /var/backups -o -path /var/cache -o -path /root \\) -prune -o -print | sort";
        let list = self.run(["sh", "-c", script]);
        list.lines().map(str::to_owned).collect()
    }
}

/// A user's session on a machine.
#[derive(Debug)]
pub struct Session<'a> {
    machine: &'a Machine,
    user: String,
    runtime: String,
}

impl Session<'_> {
    /// `PROGRAM ARGUMENTS` in it.
    #[must_use]
    pub fn command<const N: usize>(&self, words: [&str; N]) -> Command {
        self.enter(self.machine.podman.command(), &["exec"], &words)
    }

    /// The same, for a program that reads its standard input.
    #[must_use]
    pub fn command_with_input<const N: usize>(&self, words: [&str; N]) -> Command {
        self.enter(
            self.machine.podman.command(),
            &["exec", "--interactive"],
            &words,
        )
    }

    fn enter(&self, mut podman: Command, exec: &[&str], words: &[&str]) -> Command {
        podman
            .args(exec)
            .args([NAME, "runuser", "-u", &self.user, "--"])
            .args(["env", "--chdir=/", &self.runtime])
            .args(words);
        podman
    }

    /// Runs a command that has to succeed; its standard output.
    ///
    /// # Panics
    /// It fails.
    #[track_caller]
    pub fn run<const N: usize>(&self, words: [&str; N]) -> String {
        cli::run(&mut self.command(words), None).done().stdout
    }

    /// Waits until a unit of the user's says `wanted` of itself.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn await_status_text(&self, unit: &str, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        let show = ["systemctl", "--user", "show", "--property=StatusText", unit];
        loop {
            let text = self.run(show);
            if text.contains(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "{unit} says {text}");
        }
    }

    /// Gives the user's own Podman the image that tests run.
    ///
    /// # Panics
    /// It does not take it.
    pub fn import_image(&self) {
        let home = format!("/home/{}", self.user);
        // Layers cannot lie on an overlay.
        let settings = format!("{home}/.config/containers/storage.conf");
        let owned = format!("{}:", self.user);
        self.machine
            .write(&settings, "[storage]\ndriver = \"vfs\"\n");
        let archive = self.machine.image();
        let _ = self.machine.run(["cp", &archive, &home]);
        let _ = self.machine.run(["chown", "--recursive", &owned, &home]);
        let archive = format!("{home}/image.tar");
        let _ = self.run(["podman", "load", "--quiet", "--input", &archive]);
    }
}
