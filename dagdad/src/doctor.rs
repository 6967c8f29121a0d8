//! `doctor`: looks at everything dagdad needs, and says how to mend what is amiss.

mod configuration;
mod figures;
mod files;

use std::path::PathBuf;

use rustix::process::{Uid, geteuid};

pub use self::configuration::Configuration;
use self::figures::{check_cgroups, check_pressure, check_sampling};
use self::files::{check_state, check_variables};
use crate::domain::check::{Check, Verdict};
use crate::engine::handle::Handle;
use crate::engine::snapshot::Snapshot;
use crate::engine::state::RuntimeLink;
use crate::ports::MirrorLink;
use crate::sampler::squeeze;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::example;

    #[test]
    fn a_socket_that_may_not_be_used_has_another_remedy_than_one_that_is_not_there() {
        let remedy = |reason: &str| {
            let mut snapshot = example::snapshot(Vec::new(), Vec::new());
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
}
