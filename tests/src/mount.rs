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
    script: &'static str,
    /// So many MiB of it are taken at first.
    filled: Option<u64>,
    /// Where its processes see it.
    seen_at: PathBuf,
}

const OVER: &str = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && shift 2 && exec \"$@\"";

/// What was in the root directory before is there too, each of its directories a mount.
const ROOT: &str = r#"set -e
mount -t tmpfs -o "$1" tmpfs "$2"
for entry in /*; do
    if [ -L "$entry" ]; then cp -P "$entry" "$2$entry"
    elif [ -d "$entry" ]; then mkdir "$2$entry"; mount --rbind "$entry" "$2$entry"; fi
done
dd if=/dev/zero of="$2/filler" bs=1M count="$3" status=none
root=$2; shift 3; exec chroot "$root" "$@""#;

impl PrivateMount {
    /// A tmpfs with mount options such as `size=4m,ro` over `directory`, which is made if missing.
    pub fn tmpfs(directory: &Path, options: &str) -> Self {
        std::fs::create_dir_all(directory).expect("make the mount point");
        Self {
            directory: directory.to_owned(),
            options: options.to_owned(),
            script: OVER,
            seen_at: directory.to_owned(),
            filled: None,
        }
    }

    /// A tmpfs of `size` MiB as the root directory, `filled` of them taken. `directory` is where it
    /// is mounted until then.
    pub fn root(directory: &Path, size: u64, filled: u64) -> Self {
        Self {
            script: ROOT,
            seen_at: PathBuf::from("/"),
            filled: Some(filled),
            ..Self::tmpfs(directory, &format!("size={size}m"))
        }
    }

    /// The same command, run where the directory is that file system. Its process id stays that
    /// of the command. An ordinary user becomes root of a user namespace for it.
    pub fn wrap(&self, command: &Command) -> Command {
        let filled = self.filled.map(|filled| filled.to_string());
        let arguments = [self.options.as_ref(), self.directory.as_os_str()];
        let filled = filled.iter().map(OsStr::new);
        let arguments: Vec<&OsStr> = arguments.into_iter().chain(filled).collect();
        apart(self.script, &arguments, command)
    }

    /// Fills the file system to the last byte, as seen by process `pid`.
    pub fn fill(&self, pid: Pid) {
        let mut filler = std::fs::File::create(self.filler(pid)).expect("make the filler");
        for size in [64 * 1024, 512, 1] {
            while filler.write_all(&vec![0x5A; size]).is_ok() {}
        }
    }

    /// Takes back what it was filled with.
    pub fn empty(&self, pid: Pid) {
        std::fs::remove_file(self.filler(pid)).expect("remove the filler");
    }

    fn filler(&self, pid: Pid) -> PathBuf {
        let mut path = OsString::from(format!("/proc/{}/root", pid.as_raw_nonzero())).into_vec();
        path.extend_from_slice(self.seen_at.join("filler").as_os_str().as_encoded_bytes());
        OsString::from_vec(path).into()
    }
}

/// The same command, run where `file` is seen in the place of `over`. Its process id stays that
/// of the command. An ordinary user becomes root of a user namespace for it.
pub fn with_file(file: &Path, over: &Path, command: &Command) -> Command {
    let script = "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"";
    apart(script, &[file.as_os_str(), over.as_os_str()], command)
}

/// The command in a mount namespace of its own, in which the shell runs `script` before, with
/// these arguments and then the command's.
fn apart(script: &str, arguments: &[&OsStr], command: &Command) -> Command {
    let mut wrapped = Command::new("unshare");
    wrapped.arg("--mount");
    if !rustix::process::getuid().is_root() {
        wrapped.arg("--map-root-user");
    }
    wrapped
        .args(["sh", "-c", script, "sh"])
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
