//! `doctor`: looks at everything dagdad needs, and says how to mend what is amiss.

mod configuration;

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Uid, geteuid};

pub use self::configuration::Configuration;
use crate::domain::check::{Check, Verdict};
use crate::domain::quantity::Bytes;
use crate::domain::state::PodStatus;
use crate::engine::handle::Handle;
use crate::engine::snapshot::{PodView, Snapshot};
use crate::engine::state::RuntimeLink;
use crate::manifest::Variables;
use crate::ports::MirrorLink;
use crate::sampler::squeeze::{self, Trigger};

/// Below this the state directory's disk is as good as full.
const LITTLE_ROOM: Bytes = Bytes::mib(200);

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Doctor {
    /// What the engine knows.
    pub engine: Handle,
    /// What dagdad goes by, and what is written down.
    pub configuration: Configuration,
    /// Where the database lies.
    pub state_dir: PathBuf,
    /// Where `${NAME}` comes from.
    pub variables_file: PathBuf,
    /// Where procfs is mounted.
    pub proc_root: PathBuf,
}

impl Doctor {
    /// Looks at everything; `podman` tells which socket is in use. May read files.
    #[must_use]
    pub fn look(&self, podman: &str) -> Vec<Check> {
        let snapshot = self.engine.snapshot();
        vec![
            check_account(geteuid()),
            self.configuration.check(),
            check_podman(&snapshot, podman),
            check_state(&self.state_dir),
            check_mariadb(&snapshot),
            check_sampling(&snapshot),
            check_cgroups(&snapshot),
            check_pressure(&snapshot, squeeze::set_trigger(&self.proc_root)),
            check_variables(&self.variables_file),
        ]
    }
}

fn check_podman(snapshot: &Snapshot, podman: &str) -> Check {
    let (verdict, finding) = match &snapshot.runtime {
        RuntimeLink::Up {
            version: Some(version),
        } if !podman.contains(version.as_str()) => {
            (Verdict::Ok, format!("Podman {version}, {podman}"))
        }
        RuntimeLink::Up { .. } => (Verdict::Ok, podman.to_owned()),
        RuntimeLink::Unknown => {
            let remedy = "wait a moment, then look again".to_owned();
            (
                Verdict::Warning { remedy },
                format!("Podman has not answered yet, {podman}"),
            )
        }
        RuntimeLink::Down { reason } => {
            let remedy = if reason.contains("Permission denied") {
                "let dagdad use Podman's socket: install dagdad.service.d/10-podman.conf, podman.socket.d/10-dagda.conf and tmpfiles.d/dagda.conf (the package does), then: systemctl daemon-reload, systemd-tmpfiles --create dagda.conf, systemctl restart dagdad"
            } else {
                "install Podman (apt-get install podman) or start its socket: systemctl enable --now podman.socket (as a user: systemctl --user enable --now podman.socket)"
            };
            let remedy = remedy.to_owned();
            // Asked again, it most often says the same.
            let finding = if podman.contains(reason.as_str()) {
                podman.to_owned()
            } else {
                format!("{reason}; {podman}")
            };
            (Verdict::Failed { remedy }, finding)
        }
    };
    Check {
        name: "podman",
        verdict,
        finding,
    }
}

/// Which user's rights dagdad has.
fn check_account(user: Uid) -> Check {
    let finding = if user.is_root() {
        "dagdad runs as root; its package has it run as a user of its own".to_owned()
    } else {
        format!("dagdad runs as user {}, not as root", user.as_raw())
    };
    Check {
        name: "account",
        verdict: Verdict::Ok,
        finding,
    }
}

fn check_state(dir: &Path) -> Check {
    let (verdict, finding) = match rustix::fs::statvfs(dir) {
        Ok(disk) => {
            let free = Bytes(disk.f_bavail.saturating_mul(disk.f_frsize));
            let finding = format!("{} ({free} free)", dir.display());
            if free < LITTLE_ROOM {
                let remedy = format!("free some space on the disk with {}", dir.display());
                (Verdict::Warning { remedy }, finding)
            } else if let Some(mode) = open_to_others(dir, 0o077) {
                let remedy = format!("chmod 700 {}", dir.display());
                let finding = format!("{finding} is open to others (mode {mode:03o})");
                (Verdict::Warning { remedy }, finding)
            } else {
                (Verdict::Ok, finding)
            }
        }
        Err(error) => {
            let remedy = format!("make {} a directory that dagdad may write", dir.display());
            (
                Verdict::Failed { remedy },
                format!("{}: {error}", dir.display()),
            )
        }
    };
    Check {
        name: "state",
        verdict,
        finding,
    }
}

/// The permissions of a path, where `forbidden` ones are among them.
fn open_to_others(path: &Path, forbidden: u32) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & forbidden != 0).then_some(mode)
}

fn check_mariadb(snapshot: &Snapshot) -> Check {
    let waiting = snapshot.mirror.outbox;
    let (verdict, finding) = match &snapshot.mirror.link {
        MirrorLink::Disabled => (
            Verdict::Ok,
            "not configured; records stay in SQLite".to_owned(),
        ),
        MirrorLink::Connected => (Verdict::Ok, format!("connected, {waiting} records wait")),
        MirrorLink::Connecting => {
            let remedy = "wait a moment, then look again".to_owned();
            (
                Verdict::Warning { remedy },
                format!("connecting, {waiting} records wait"),
            )
        }
        MirrorLink::Disconnected { reason, since } => {
            let remedy = "check that MariaDB runs, and [mariadb] in dagdad.toml (or DB_HOST, DB_PORT, MYSQL_API_USER and the password); nothing is lost meanwhile".to_owned();
            let since = since.strftime("%F %T UTC");
            (
                Verdict::Warning { remedy },
                format!("down since {since}, {waiting} records wait: {reason}"),
            )
        }
    };
    Check {
        name: "mariadb",
        verdict,
        finding,
    }
}

fn check_sampling(snapshot: &Snapshot) -> Check {
    let (verdict, finding) = match &snapshot.host {
        Some(host) => {
            let finding = format!("last sample at {}", host.at.strftime("%T UTC"));
            (Verdict::Ok, finding)
        }
        None => {
            let remedy =
                "wait for one interval, then look at the journal: journalctl -u dagdad".to_owned();
            (Verdict::Warning { remedy }, "no sample yet".to_owned())
        }
    };
    Check {
        name: "sampling",
        verdict,
        finding,
    }
}

fn check_cgroups(snapshot: &Snapshot) -> Check {
    let running: Vec<_> = snapshot
        .pods
        .iter()
        .chain(&snapshot.unmanaged)
        .filter(|pod| pod.status == PodStatus::Running)
        .collect();
    let out_of_sight = |pod: &&PodView| {
        let observed = pod.observed.as_ref();
        observed.is_none_or(|observed| observed.cgroup.is_none())
    };
    // Those that were up when all pods were last measured.
    let unknown = |pod: &&PodView| {
        let last = snapshot.host.as_ref().map(|host| host.at);
        pod.usage.is_none() && pod.since.is_some_and(|since| last > Some(since))
    };
    let all = running.len();
    let unseen = running.iter().copied().filter(out_of_sight).count();
    let unmeasured = running.iter().copied().filter(unknown).count();
    let warning = |remedy: &str| Verdict::Warning {
        remedy: remedy.to_owned(),
    };
    let (verdict, finding) = if unmeasured > 0 {
        (
            warning(
                "let Podman create a cgroup for each pod (the default), and /sys/fs/cgroup be readable; without root, Podman measures and limits nothing on cgroup v1: boot with systemd.unified_cgroup_hierarchy=1",
            ),
            format!("of {unmeasured} of {all} running pods nobody can tell what they use"),
        )
    } else if unseen > 0 {
        (
            warning(
                "let Podman create a cgroup for each pod (the default), and /sys/fs/cgroup be readable",
            ),
            format!(
                "{unseen} of {all} running pods have no cgroup in sight; Podman's slower stats are used"
            ),
        )
    } else {
        (
            Verdict::Ok,
            match all {
                0 => "no pod runs; cgroup files will tell what it uses".to_owned(),
                1 => "the running pod's use is read from cgroup files".to_owned(),
                _ => format!("the use of {all} running pods is read from cgroup files"),
            },
        )
    };
    Check {
        name: "cgroups",
        verdict,
        finding,
    }
}

fn check_pressure(snapshot: &Snapshot, trigger: io::Result<(File, Trigger)>) -> Check {
    let psi = snapshot.host.as_ref().map(|host| host.pressure.is_some());
    let (verdict, finding) = match (psi, trigger) {
        (Some(true), Ok((_, trigger))) => {
            let finding = format!("the kernel reports pressure, and tells at once when {trigger}");
            (Verdict::Ok, finding)
        }
        (Some(true), Err(error)) => {
            let remedy = "run dagdad as root with CAP_SYS_RESOURCE, or on Linux 6.5 or later; until then a sudden squeeze of memory is seen at the next sample".to_owned();
            (
                Verdict::Warning { remedy },
                format!("the kernel reports pressure, but takes no trigger: {error}"),
            )
        }
        (None, _) => {
            let remedy = "wait for the first sample".to_owned();
            (Verdict::Warning { remedy }, "not measured yet".to_owned())
        }
        (Some(false), _) => {
            let remedy = "boot with psi=1 on the kernel command line".to_owned();
            (
                Verdict::Warning { remedy },
                "the kernel reports no pressure (no /proc/pressure)".to_owned(),
            )
        }
    };
    Check {
        name: "pressure",
        verdict,
        finding,
    }
}

fn check_variables(path: &Path) -> Check {
    let (verdict, finding) = match Variables::read(path) {
        Ok(variables) if path.exists() => {
            let finding = format!("{} variables in {}", variables.len(), path.display());
            match open_to_others(path, 0o007) {
                None => (Verdict::Ok, finding),
                Some(mode) => {
                    let remedy = format!(
                        "where there are secrets among them: chgrp to dagdad's group and chmod 640 {}",
                        path.display()
                    );
                    let finding = format!("{finding}, open to every user (mode {mode:03o})");
                    (Verdict::Warning { remedy }, finding)
                }
            }
        }
        Ok(_) => (
            Verdict::Ok,
            format!("none ({} does not exist)", path.display()),
        ),
        Err(error) => {
            let remedy = format!("mend {}", path.display());
            (Verdict::Failed { remedy }, error.to_string())
        }
    };
    Check {
        name: "variables",
        verdict,
        finding,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::sample::{HostSample, MemorySample, PressureSample};
    use crate::engine::example;

    fn measured(pressure: Option<PressureSample>) -> Snapshot {
        let mut snapshot = example::snapshot(Vec::new(), Vec::new());
        snapshot.host = Some(Arc::new(HostSample {
            at: snapshot.started_at,
            cpu_percent: 0.0,
            cpu_count: 1,
            load_1m: 0.0,
            load_5m: 0.0,
            load_15m: 0.0,
            memory: MemorySample::default(),
            disks: Vec::new(),
            pressure,
        }));
        snapshot
    }

    fn refused() -> io::Result<(File, Trigger)> {
        Err(io::ErrorKind::InvalidInput.into())
    }

    #[test]
    fn a_kernel_that_takes_no_trigger_is_told_of_and_how_to_mend_that() {
        let check = check_pressure(&measured(Some(PressureSample::default())), refused());
        assert!(check.finding.contains("takes no trigger"), "{check:?}");
        assert!(
            matches!(&check.verdict, Verdict::Warning { remedy } if remedy.contains("CAP_SYS_RESOURCE")),
            "{check:?}"
        );
    }

    #[test]
    fn a_pod_that_nobody_can_measure_is_told_of() {
        use crate::domain::observed::ObservedPod;
        use crate::domain::sample::PodUsage;
        let look = |cgroup: Option<&str>, usage: Option<PodUsage>, sampled: i64| {
            let mut snapshot = measured(None);
            let mut pod = example::pod("web", example::footprint(1, 1));
            pod.status = PodStatus::Running;
            pod.since = Some(example::at(10));
            pod.usage = usage;
            pod.observed = Some(Arc::new(ObservedPod {
                id: "1".to_owned(),
                name: "web".to_owned(),
                created_at: example::at(0),
                containers: Vec::new(),
                ports: Vec::new(),
                cgroup: cgroup.map(str::to_owned),
            }));
            snapshot.pods = vec![pod];
            if let Some(host) = &mut snapshot.host {
                Arc::make_mut(host).at = example::at(sampled);
            }
            let check = check_cgroups(&snapshot);
            (check.verdict == Verdict::Ok, check.finding)
        };
        let used = Some(PodUsage::default());
        let told = |finding: &str, (ok, found): (bool, String)| {
            assert!(!ok && found.contains(finding), "{found}");
        };
        told("of 1 of 1 running pods nobody", look(Some("/p"), None, 11));
        told("Podman's slower stats", look(None, used, 11));
        assert!(look(Some("/p"), used, 11).0);
        assert!(
            look(Some("/p"), None, 10).0,
            "it was not up yet when pods were last measured"
        );
    }

    #[test]
    fn what_others_may_read_is_told_of_and_how_to_close_it() {
        let dir = tempfile::tempdir().unwrap();
        let variables = dir.path().join("variables.env");
        std::fs::write(&variables, "A=1\n").unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let remedy = |check: Check| match check.verdict {
            Verdict::Ok => None,
            Verdict::Warning { remedy } | Verdict::Failed { remedy } => Some(remedy),
        };
        set(dir.path(), 0o755);
        set(&variables, 0o644);
        assert!(
            remedy(check_state(dir.path()))
                .unwrap()
                .contains("chmod 700")
        );
        assert!(
            remedy(check_variables(&variables))
                .unwrap()
                .contains("chmod 640")
        );
        set(dir.path(), 0o700);
        set(&variables, 0o640);
        assert_eq!(remedy(check_state(dir.path())), None);
        assert_eq!(remedy(check_variables(&variables)), None);
    }

    #[test]
    fn a_socket_that_may_not_be_used_has_another_remedy_than_one_that_is_not_there() {
        let remedy = |reason: &str| {
            let mut snapshot = measured(None);
            snapshot.runtime = RuntimeLink::Down {
                reason: reason.to_owned(),
            };
            match check_podman(&snapshot, reason).verdict {
                Verdict::Failed { remedy } => remedy,
                other => panic!("{other:?}"),
            }
        };
        assert!(
            remedy("/run/podman/podman.sock: Permission denied (os error 13)")
                .contains("10-podman.conf")
        );
        assert!(
            remedy("/run/podman/podman.sock: No such file or directory")
                .contains("enable --now podman.socket")
        );
    }

    #[test]
    fn without_psi_the_remedy_is_another() {
        let check = check_pressure(&measured(None), refused());
        assert!(
            matches!(&check.verdict, Verdict::Warning { remedy } if remedy.contains("psi=1")),
            "{check:?}"
        );
    }
}
