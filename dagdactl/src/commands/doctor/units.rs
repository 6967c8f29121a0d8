//! Whether systemd has dagdad in its care: read from `systemctl show`, which anybody may ask.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::client::SYSTEM_SOCKET;

const PROPERTIES: &str = "--property=LoadState,ActiveState,UnitFileState,Result,WatchdogUSec";

/// Whose systemd it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    System,
    User,
}

impl Manager {
    /// The one whose unit has its socket at `socket`; none has it elsewhere.
    fn of(socket: &Path) -> Option<Self> {
        if socket == Path::new(SYSTEM_SOCKET) {
            return Some(Self::System);
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR")?;
        (socket == Path::new(&runtime).join("dagda/dagdad.sock")).then_some(Self::User)
    }

    fn systemctl(self) -> &'static str {
        match self {
            Self::System => "systemctl",
            Self::User => "systemctl --user",
        }
    }

    fn journalctl(self) -> &'static str {
        match self {
            Self::System => "journalctl -u dagdad",
            Self::User => "journalctl --user -u dagdad",
        }
    }

    /// What `systemctl show` tells of a unit.
    fn show(self, unit: &str) -> Option<HashMap<String, String>> {
        let mut command = Command::new("systemctl");
        if self == Self::User {
            command.arg("--user");
        }
        let output = command.args(["show", PROPERTIES, unit]).output().ok()?;
        output
            .status
            .success()
            .then(|| properties(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// `None` where there is no systemd, or where dagdad is none of its units.
pub fn look(socket: &Path) -> Option<Finding> {
    let manager = Manager::of(socket)?;
    if !Path::new("/run/systemd/system").exists() {
        return None;
    }
    let listener = manager.show("dagdad.socket")?;
    let service = manager.show("dagdad.service")?;
    Some(judge(manager, &listener, &service))
}

fn properties(text: &str) -> HashMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn judge(
    manager: Manager,
    listener: &HashMap<String, String>,
    service: &HashMap<String, String>,
) -> Finding {
    let systemctl = manager.systemctl();
    let of =
        |unit: &HashMap<String, String>, name: &str| unit.get(name).cloned().unwrap_or_default();
    if of(service, "LoadState") == "not-found" {
        return Finding::Warning {
            finding: "dagdad is not installed as a service of systemd".to_owned(),
            remedy:
                "install the package, or run make install; without it nobody starts dagdad at boot"
                    .to_owned(),
        };
    }
    for (name, unit) in [("dagdad.service", service), ("dagdad.socket", listener)] {
        if of(unit, "LoadState") == "masked" {
            return Finding::Failed {
                finding: format!("{name} is masked: it cannot be started"),
                remedy: format!("{systemctl} unmask {name}"),
            };
        }
        if of(unit, "ActiveState") == "failed" {
            return Finding::Failed {
                finding: format!("{name} has failed ({})", of(unit, "Result")),
                remedy: format!(
                    "see why with {}; once mended: {systemctl} reset-failed dagdad.service dagdad.socket, then {systemctl} start dagdad",
                    manager.journalctl()
                ),
            };
        }
    }
    let states = format!(
        "dagdad.socket is {}, dagdad.service {}",
        of(listener, "ActiveState"),
        of(service, "ActiveState")
    );
    let enable = format!("{systemctl} enable --now dagdad.socket dagdad.service");
    if of(listener, "ActiveState") != "active" {
        return Finding::Failed {
            finding: states,
            remedy: enable,
        };
    }
    if [listener, service]
        .iter()
        .any(|unit| of(unit, "UnitFileState") == "disabled")
    {
        return Finding::Warning {
            finding: format!("{states}, but not both are started at boot"),
            remedy: enable,
        };
    }
    let watchdog = match of(service, "WatchdogUSec").as_str() {
        "" | "0" | "infinity" => "without a watchdog".to_owned(),
        time => format!("restarted if it hangs for {time}"),
    };
    Finding::Ok(format!("{states}, {watchdog}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ACTIVE: &str = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nResult=success\nWatchdogUSec=30s\n";

    fn judged(listener: &str, service: &str) -> Finding {
        judge(Manager::System, &properties(listener), &properties(service))
    }

    #[test]
    fn both_active_and_enabled_is_fine() {
        assert_eq!(
            judged(ACTIVE, ACTIVE),
            Finding::Ok(
                "dagdad.socket is active, dagdad.service active, restarted if it hangs for 30s"
                    .to_owned()
            )
        );
        // Started by the first client.
        let waiting = ACTIVE.replace("ActiveState=active", "ActiveState=inactive");
        assert!(matches!(judged(ACTIVE, &waiting), Finding::Ok(_)));
    }

    #[rstest]
    #[case::not_installed(
        ACTIVE,
        "LoadState=not-found\nActiveState=inactive\n",
        "install the package"
    )]
    #[case::failed(
        ACTIVE,
        "LoadState=loaded\nActiveState=failed\nResult=watchdog\n",
        "systemctl reset-failed dagdad.service dagdad.socket"
    )]
    #[case::socket_failed(
        "LoadState=loaded\nActiveState=failed\n",
        ACTIVE,
        "journalctl -u dagdad"
    )]
    #[case::masked(ACTIVE, "LoadState=masked\n", "systemctl unmask dagdad.service")]
    #[case::not_listening("LoadState=loaded\nActiveState=inactive\n", ACTIVE, "enable --now")]
    #[case::not_at_boot(
        "LoadState=loaded\nActiveState=active\nUnitFileState=disabled\n",
        ACTIVE,
        "enable --now"
    )]
    fn what_is_amiss_has_a_remedy(
        #[case] listener: &str,
        #[case] service: &str,
        #[case] expected: &str,
    ) {
        match judged(listener, service) {
            Finding::Warning { remedy, .. } | Finding::Failed { remedy, .. } => {
                assert!(remedy.contains(expected), "{remedy}");
            }
            Finding::Ok(finding) => panic!("{finding}"),
        }
    }
}
