//! Whether dagdad goes by what is written in its configuration.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::files::open_to_others;
use crate::config::{Config, ConfigError, ConfigFile, Difference, Holds, Load};
use crate::domain::check::{Check, Verdict};

/// The configuration as it is in force, and as it is written down by now.
#[derive(Clone)]
pub struct Configuration {
    /// What dagdad goes by.
    pub in_force: watch::Receiver<Arc<Config>>,
    /// Reads what is written down. May wait for the disk.
    pub load: Load,
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("in_force", &self.in_force)
            .finish_non_exhaustive()
    }
}

impl Configuration {
    pub(super) fn check(&self) -> Check {
        let written = (self.load)();
        let in_force = Arc::clone(&self.in_force.borrow());
        let (verdict, finding) = compare(&in_force, written);
        Check {
            name: "configuration",
            verdict,
            finding,
        }
    }
}

fn compare(in_force: &Config, written: Result<Config, ConfigError>) -> (Verdict, String) {
    let written = match written {
        Ok(written) => written,
        Err(error) => {
            let remedy = format!(
                "mend it, then: {} (until then dagdad goes by what it read before; started anew, it would end)",
                systemctl("reload")
            );
            return (Verdict::Failed { remedy }, error.to_string());
        }
    };
    let differences = in_force.differences(&written);
    if differences.is_empty() {
        return match &written.file {
            Some(file) => settled(file),
            None => (Verdict::Ok, "no file, the defaults are in force".to_owned()),
        };
    }
    let later = differences.iter().any(|it| it.holds == Holds::AfterRestart);
    let verb = if later { "restart" } else { "reload" };
    let changes: Vec<String> = differences.iter().map(Difference::to_string).collect();
    let finding = format!("changed since dagdad read it: {}", changes.join(", "));
    let remedy = systemctl(verb);
    (Verdict::Warning { remedy }, finding)
}

/// How dagdad's service is told to do so, the machine's or this user's own.
fn systemctl(verb: &str) -> String {
    format!("systemctl {verb} dagdad (where it runs for one user: systemctl --user {verb} dagdad)")
}

/// What is to be said of a file that is in force.
fn settled(file: &ConfigFile) -> (Verdict, String) {
    let ConfigFile { path, holds_secret } = file;
    let finding = format!("{} is in force", path.display());
    match open_to_others(path, 0o007).filter(|_| *holds_secret) {
        None => (Verdict::Ok, finding),
        Some(mode) => {
            let remedy = format!(
                "put the webhook into a file of its own (`alerts.webhook_file`, or /etc/dagda/alert-webhook.url), or: chgrp to dagdad's group and chmod 640 {}",
                path.display()
            );
            let finding =
                format!("{finding}, holds a secret, and is open to every user (mode {mode:03o})");
            (Verdict::Warning { remedy }, finding)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;
    use crate::config::{Environment, Identity};

    fn read(path: &Path) -> Result<Config, ConfigError> {
        let environment = Environment::from_lookup(|_| None);
        Config::load(Some(path), &environment, Identity::Root)
    }

    #[test]
    fn what_is_written_is_compared_with_what_is_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dagdad.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("[thresholds]\nram_percent = 80\n");
        let in_force = read(&path).unwrap();
        let look = || compare(&in_force, read(&path));
        assert_eq!(
            look(),
            (Verdict::Ok, format!("{} is in force", path.display()))
        );

        write("[thresholds]\nram_percent = 70\n");
        let (verdict, finding) = look();
        let remedy = systemctl("reload");
        assert_eq!(verdict, Verdict::Warning { remedy });
        assert!(
            finding.contains("thresholds.ram_percent: 80 → 70"),
            "{finding}"
        );

        write("[history]\nretention = '1d'\n");
        let remedy = systemctl("restart");
        assert_eq!(look().0, Verdict::Warning { remedy });

        write("[history]\nretentoin = '1d'\n");
        let (verdict, finding) = look();
        assert!(matches!(verdict, Verdict::Failed { .. }), "{verdict:?}");
        assert!(finding.contains("did you mean `retention`?"), "{finding}");
    }

    #[test]
    fn a_secret_that_everyone_may_read_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dagdad.toml");
        let look = |text: &str, mode| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            compare(&read(&path).unwrap(), read(&path)).0
        };
        let secret = "[alerts]\nwebhook = 'https://example.org/token'\n";
        let Verdict::Warning { remedy } = look(secret, 0o644) else {
            panic!("everyone may read it")
        };
        assert!(remedy.contains("chmod 640"), "{remedy}");
        assert_eq!(look(secret, 0o640), Verdict::Ok);
        assert_eq!(look("[alerts]\n", 0o644), Verdict::Ok);
    }
}
