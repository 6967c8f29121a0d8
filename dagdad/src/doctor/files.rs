//! Whether what dagdad keeps and reads is there, and for nobody else to see.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::domain::check::{Check, Verdict};
use crate::domain::quantity::Bytes;
use crate::manifest::Variables;

/// Below this the state directory's disk is as good as full.
const LITTLE_ROOM: Bytes = Bytes::mib(200);

pub(super) fn check_state(dir: &Path) -> Check {
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
pub(super) fn open_to_others(path: &Path, forbidden: u32) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & forbidden != 0).then_some(mode)
}

pub(super) fn check_variables(path: &Path) -> Check {
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
    use super::*;

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
}
