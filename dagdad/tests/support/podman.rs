//! A Podman of the test's own: storage, network, event log and API socket lie in a temporary
//! folder, so that neither the machine's Podman nor another test is touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dagdad::runtime::podman::{Deadlines, Podman, PodmanOptions};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;

/// The image that [`TestPodman`] builds: busybox as `/bin/busybox` and `/bin/sh`, nothing else.
pub const IMAGE: &str = "localhost/busybox";

/// Removes all its pods and ends its service when dropped.
pub struct TestPodman {
    dir: TempDir,
    service: Option<Child>,
    disk: Option<SmallDisk>,
}

/// What a [`TestPodman`] may find around it.
#[derive(Default)]
pub struct Surroundings {
    /// `HOST:PORT` of a registry without TLS.
    pub registry: Option<String>,
    /// Images and containers have a disk of their own, of so many MiB.
    pub disk_mib: Option<u32>,
    /// For how long containers are waited for that are stopped without a word on that.
    pub stop_timeout: Option<Duration>,
}

/// A file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, mib: u32) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder)
            .status()
            .unwrap();
        assert!(
            mounted.success(),
            "this test mounts a tmpfs: run it as root"
        );
        Self(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

impl TestPodman {
    /// Sets one up, image included, and starts its API service.
    pub fn start() -> Self {
        let mut podman = Self::without_service();
        podman.start_service();
        podman
    }

    /// Sets one up, image included.
    pub fn without_service() -> Self {
        Self::set_up(&Surroundings::default())
    }

    /// Sets one up, image included, in `surroundings` of its own, and starts its API service.
    pub fn start_in(surroundings: &Surroundings) -> Self {
        let mut podman = Self::set_up(surroundings);
        podman.start_service();
        podman
    }

    fn set_up(surroundings: &Surroundings) -> Self {
        require("podman", "apt install podman runc");
        let dir = tempfile::Builder::new()
            .prefix("dagda-podman-")
            .tempdir()
            .unwrap();
        let mut podman = Self {
            dir,
            service: None,
            disk: None,
        };
        podman.configure(surroundings.stop_timeout);
        let registry = surroundings
            .registry
            .as_ref()
            .map(|address| format!("[[registry]]\nlocation = \"{address}\"\ninsecure = true\n"));
        podman.write("registries.conf", &registry.unwrap_or_default());
        podman.disk = surroundings
            .disk_mib
            .map(|mib| SmallDisk::mount(&podman.images(), mib));
        podman.build_image();
        podman
    }

    fn configure(&self, stop_timeout: Option<Duration>) {
        let dir = self.dir.path().display();
        // Debian's crun refuses hybrid cgroups; Podman's default limits need CAP_SYS_RESOURCE.
        let runtime = if found("runc").is_some() {
            "runtime = \"runc\""
        } else {
            ""
        };
        let stop_timeout = stop_timeout
            .map(|timeout| format!("stop_timeout = {}\n", timeout.as_secs()))
            .unwrap_or_default();
        // Networks are the machine's, as in the end-to-end tests beside: Podmans with networks of
        // their own change the one firewall without knowing of each other.
        self.write(
            "containers.conf",
            &format!(
                "[containers]\n\
                 default_ulimits = [\"nofile=20000:20000\", \"nproc=10000:10000\"]\n\
                 log_driver = \"k8s-file\"\n\
                 [engine]\n\
                 {runtime}\n\
                 events_logger = \"file\"\n\
                 tmp_dir = \"{dir}/tmp\"\n\
                 {stop_timeout}"
            ),
        );
        self.write(
            "storage.conf",
            &format!(
                "[storage]\ndriver = \"vfs\"\ngraphroot = \"{dir}/storage\"\nrunroot = \"{dir}/run\"\n"
            ),
        );
        self.write(
            "podman",
            &format!(
                "#!/bin/sh\n\
                 export CONTAINERS_CONF={dir}/containers.conf\n\
                 export CONTAINERS_STORAGE_CONF={dir}/storage.conf\n\
                 export CONTAINERS_REGISTRIES_CONF={dir}/registries.conf\n\
                 exec podman \"$@\"\n"
            ),
        );
        fs::set_permissions(self.program(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn build_image(&self) {
        let busybox = require("busybox", "apt install busybox-static");
        let context = self.dir.path().join("image");
        fs::create_dir(&context).unwrap();
        fs::copy(busybox, context.join("busybox")).unwrap();
        let containerfile = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n";
        fs::write(context.join("Containerfile"), containerfile).unwrap();
        self.cli(&[
            "build",
            "--quiet",
            "--tag",
            IMAGE,
            context.to_str().unwrap(),
        ]);
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    /// Starts the API service; a client may have to try again until it listens.
    pub fn start_service(&mut self) {
        // One that was killed leaves it behind.
        let _ = fs::remove_file(self.socket());
        let service = Command::new(self.program())
            .args(["system", "service", "--time=0"])
            .arg(format!("unix://{}", self.socket().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.service = Some(service);
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Ends the API service the hard way; its socket stays, and nobody answers there.
    pub fn kill_service(&mut self) {
        if let Some(mut service) = self.service.take() {
            service.kill().unwrap();
            service.wait().unwrap();
        }
    }

    /// Makes the API service hang.
    pub fn freeze_service(&self) {
        self.signal_service(Signal::STOP);
        // The signal is on its way: the service may answer a little longer.
        let pid = self
            .service
            .as_ref()
            .map(|service| i32::try_from(service.id()).unwrap());
        waitpid(pid.and_then(Pid::from_raw), WaitOptions::UNTRACED).unwrap();
    }

    /// Makes a hung API service go on.
    pub fn thaw_service(&self) {
        self.signal_service(Signal::CONT);
    }

    fn signal_service(&self, signal: Signal) {
        if let Some(service) = &self.service {
            let pid = Pid::from_raw(i32::try_from(service.id()).unwrap()).unwrap();
            kill_process(pid, signal).unwrap();
        }
    }

    /// Where the API service listens.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("podman.sock")
    }

    /// The command `podman` with this Podman's configuration.
    pub fn program(&self) -> PathBuf {
        self.dir.path().join("podman")
    }

    /// Where images and containers are kept.
    pub fn images(&self) -> PathBuf {
        self.dir.path().join("storage")
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Runs `podman ARGS` and gives what it printed.
    #[track_caller]
    pub fn cli(&self, args: &[&str]) -> String {
        let output = Command::new(self.program()).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "podman {args:?} failed: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// How to reach this Podman at its socket.
    pub fn options(&self) -> PodmanOptions {
        PodmanOptions {
            socket: Some(self.socket()),
            system_socket: None,
            service_socket: self.dir.path().join("own").join("podman.sock"),
            program: self.program(),
            cgroup_root: PathBuf::from("/sys/fs/cgroup"),
            deadlines: Deadlines::default(),
        }
    }

    /// A runtime on this Podman.
    pub fn runtime(&self) -> Podman {
        Podman::new(self.options())
    }

    /// A runtime on this Podman that waits no longer than `deadlines` say.
    pub fn runtime_within(&self, deadlines: Deadlines) -> Podman {
        Podman::new(PodmanOptions {
            deadlines,
            ..self.options()
        })
    }
}

impl Drop for TestPodman {
    fn drop(&mut self) {
        self.thaw_service();
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
        // A failure here must not hide the test's own.
        for args in [
            &["pod", "stop", "--all", "--time", "0"][..],
            &["pod", "rm", "--all", "--force", "--time", "0"][..],
            &["volume", "rm", "--all", "--force"][..],
        ] {
            let _ = Command::new(self.program()).args(args).output();
        }
        self.disk = None;
    }
}

/// Where `program` is; fails with what to do where it is not.
#[track_caller]
fn require(program: &str, remedy: &str) -> PathBuf {
    found(program).unwrap_or_else(|| panic!("this test needs `{program}`: {remedy}"))
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
