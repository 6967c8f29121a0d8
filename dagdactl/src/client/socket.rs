//! Where the socket is, and why it does not answer.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Trouble};

/// The socket of a dagdad that runs as a system service.
pub const SYSTEM_SOCKET: &str = "/run/dagda/dagdad.sock";

/// Where dagdad listens unless told otherwise: root's is the system's; another user's is below
/// `$XDG_RUNTIME_DIR` where it exists, else the system's.
pub fn default_path() -> PathBuf {
    if !rustix::process::geteuid().is_root()
        && let Some(directory) =
            std::env::var_os("XDG_RUNTIME_DIR").filter(|directory| !directory.is_empty())
    {
        let own = Path::new(&directory).join("dagda/dagdad.sock");
        if own.exists() {
            return own;
        }
    }
    PathBuf::from(SYSTEM_SOCKET)
}

/// Turns a failed `connect(2)` to `path` into words.
pub fn explain(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    Error::Unreachable(match error.kind() {
        ErrorKind::PermissionDenied => return Error::NotPermitted(not_permitted(path)),
        ErrorKind::NotFound | ErrorKind::NotADirectory => Trouble::new(
            format!("there is no socket {shown}, so dagdad is not running"),
            "start it with: systemctl start dagdad, or name its socket with --socket",
        ),
        ErrorKind::ConnectionRefused => match std::fs::metadata(path) {
            Ok(found) if !found.file_type().is_socket() => Trouble::new(
                format!("{shown} is not a socket but a {}", kind(&found)),
                "name the socket of dagdad with --socket or DAGDA_SOCKET",
            ),
            _ => Trouble::new(
                format!("nobody listens on {shown}: dagdad has ended without removing it"),
                "start it again with: systemctl restart dagdad",
            ),
        },
        ErrorKind::WouldBlock => Trouble::new(
            format!("dagdad does not accept the connections that wait on {shown}"),
            "see: systemctl status dagdad",
        ),
        ErrorKind::InvalidInput => Trouble::new(
            format!("{shown} cannot be a socket: {error}"),
            "a socket's path has at most 107 bytes",
        ),
        _ => Trouble::from(format!("cannot connect to {shown}: {error}")),
    })
}

/// Whose the socket is and how to be let in.
fn not_permitted(path: &Path) -> Trouble {
    let shown = path.display();
    let Ok(found) = std::fs::metadata(path) else {
        return Trouble::new(
            format!("you may not look into the folder of {shown}"),
            "use sudo",
        );
    };
    let user = name_of(found.uid(), "/etc/passwd");
    let group = name_of(found.gid(), "/etc/group");
    let mode = found.mode() & 0o777;
    let remedy = if mode & 0o060 != 0o060 || found.gid() == 0 {
        "use sudo".to_owned()
    } else if is_member(rustix::process::getuid().as_raw(), found.gid()) {
        format!(
            "your account is in group {group}, this session is not yet: log in again, or use: newgrp {group}"
        )
    } else {
        format!("join the group (sudo usermod -aG {group} $USER, then log in again) or use sudo")
    };
    let finding = format!(
        "you may not use {shown}: it belongs to user {user} and group {group} (mode {mode:03o})"
    );
    Trouble::new(finding, remedy)
}

/// What is known of the socket from its file, for `doctor`: `None` where it is none.
pub fn describe(path: &Path) -> Option<String> {
    let found = std::fs::metadata(path)
        .ok()
        .filter(|found| found.file_type().is_socket())?;
    let user = name_of(found.uid(), "/etc/passwd");
    let group = name_of(found.gid(), "/etc/group");
    Some(format!(
        "{}, user {user}, group {group}, mode {:03o}",
        path.display(),
        found.mode() & 0o777
    ))
}

/// The name that `database` (`/etc/passwd` or `/etc/group`, both `name:password:id:…`) has for
/// an id; the id itself where it has none.
fn name_of(id: u32, database: &str) -> String {
    let lines = std::fs::read_to_string(database).unwrap_or_default();
    let entry = lines
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
        });
    entry.unwrap_or_else(|| id.to_string())
}

/// Whether the account of a user is listed as a member of a group, whatever this process is in.
fn is_member(user: u32, group: u32) -> bool {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    lists(&groups, group, &name_of(user, "/etc/passwd"))
}

/// Whether `groups`, in the form of `/etc/group`, lists a member of the group with this id.
fn lists(groups: &str, id: u32, member: &str) -> bool {
    groups
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .any(|fields| match fields.as_slice() {
            [_, _, found, members] => {
                let mut members = members.split(',').filter(|name| !name.is_empty());
                found.parse() == Ok(id) && members.any(|name| name == member)
            }
            _ => false,
        })
}

/// What a file is, in a word or two.
fn kind(found: &std::fs::Metadata) -> &'static str {
    let kind = found.file_type();
    if kind.is_file() {
        "regular file"
    } else if kind.is_dir() {
        "folder"
    } else {
        "device or pipe"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_that_the_group_lists() {
        let groups = "root:x:0:\ndagda:x:997:olga,ada\nhalf a line\n";
        assert!(lists(groups, 997, "ada") && lists(groups, 997, "olga"));
        assert!(!lists(groups, 997, "ol") && !lists(groups, 0, "ada") && !lists(groups, 0, ""));
    }

    #[test]
    fn ids_have_names_where_the_database_knows_them() {
        assert_eq!(name_of(0, "/etc/passwd"), "root");
        assert_eq!(name_of(4_000_000_001, "/etc/group"), "4000000001");
    }
}
