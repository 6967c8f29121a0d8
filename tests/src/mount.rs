//! A file system, or a file, that only one process and its children see, so that nothing is left
//! mounted however the test ends.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Pid;

/// A tmpfs over a directory, in a mount namespace of its own.
#[derive(Debug)]
pub struct PrivateMount {
    directory: PathBuf,
    options: String,
}

impl PrivateMount {
    /// A tmpfs with mount options such as `size=4m,ro` over `directory`, which is made if missing.
    pub fn tmpfs(directory: &Path, options: &str) -> Self {
        std::fs::create_dir_all(directory).expect("make the mount point");
        Self {
            directory: directory.to_owned(),
            options: options.to_owned(),
        }
    }

    /// The same command, run where the directory is that file system. Its process id stays that
    /// of the command. An ordinary user becomes root of a user namespace for it.
    pub fn wrap(&self, command: &Command) -> Command {
        let mount = "mount -t tmpfs -o \"$1\" tmpfs \"$2\"";
        apart(
            mount,
            [self.options.as_ref(), self.directory.as_os_str()],
            command,
        )
    }

    /// Fills the file system to the last byte, as seen by process `pid`.
    pub fn fill(&self, pid: Pid) {
        let mut filler = std::fs::File::create(self.filler(pid)).expect("make the filler");
        for size in [64 * 1024, 512, 1] {
            while filler.write_all(&vec![0x5A; size]).is_ok() {}
        }
    }

    /// Takes back what [`PrivateMount::fill`] put there.
    pub fn empty(&self, pid: Pid) {
        std::fs::remove_file(self.filler(pid)).expect("remove the filler");
    }

    fn filler(&self, pid: Pid) -> PathBuf {
        let mut path = OsString::from(format!("/proc/{}/root", pid.as_raw_nonzero())).into_vec();
        path.extend_from_slice(self.directory.join("filler").as_os_str().as_encoded_bytes());
        OsString::from_vec(path).into()
    }
}

/// The same command, run where `file` is seen in the place of `over`. Its process id stays that
/// of the command. An ordinary user becomes root of a user namespace for it.
pub fn with_file(file: &Path, over: &Path, command: &Command) -> Command {
    let mount = "mount --bind \"$1\" \"$2\"";
    apart(mount, [file.as_os_str(), over.as_os_str()], command)
}

/// The command in a mount namespace of its own, in which the shell's `mount` is run before, with
/// two arguments.
fn apart(mount: &str, arguments: [&OsStr; 2], command: &Command) -> Command {
    let mut wrapped = Command::new("unshare");
    wrapped.arg("--mount");
    if !rustix::process::getuid().is_root() {
        wrapped.arg("--map-root-user");
    }
    let script = format!("{mount} && shift 2 && exec \"$@\"");
    wrapped
        .args(["sh", "-c", &script, "sh"])
        .args(arguments)
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}
