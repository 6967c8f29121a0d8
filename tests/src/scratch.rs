//! A short-named temporary directory: a Unix socket's path has at most 107 bytes.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// `/tmp/dagda-XXXXXX`. Dropping it ends every process that has the path in its arguments,
/// detaches what is mounted below, and removes it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new, empty directory that other users can enter (MariaDB changes its user).
    #[must_use]
    pub fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::Builder::new()
            .prefix("dagda-")
            .tempdir_in("/tmp")
            .expect("make a directory in /tmp");
        let path = directory.keep();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("open the directory");
        Self { path }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path in the directory.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file into the directory and returns its path.
    #[must_use]
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, text)
            .unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        path
    }

    /// Processes that have this directory's path in their arguments: what a daemon that was
    /// killed may have left behind (a Podman service, a container's monitor).
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        let needle = self.path.as_os_str().as_encoded_bytes();
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
                let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
                let named = arguments
                    .windows(needle.len())
                    .any(|window| window == needle);
                (named && pid != i32::try_from(std::process::id()).ok()?)
                    .then(|| Pid::from_raw(pid))?
            })
            .collect()
    }

    fn mounts(&self) -> Vec<PathBuf> {
        let Ok(table) = std::fs::read_to_string("/proc/self/mounts") else {
            return Vec::new();
        };
        let mut mounts: Vec<PathBuf> = table
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .map(PathBuf::from)
            .filter(|mount| mount.starts_with(&self.path))
            .collect();
        // The deepest first.
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.components().count()));
        mounts
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for pid in self.processes() {
            let _ = kill_process(pid, Signal::KILL);
        }
        for mount in self.mounts() {
            let _ = rustix::mount::unmount(&mount, rustix::mount::UnmountFlags::DETACH);
        }
        if std::fs::remove_dir_all(&self.path).is_err() && !rustix::process::getuid().is_root() {
            // A rootless Podman's layers belong to subordinate user ids.
            let _ = std::process::Command::new("podman")
                .args(["unshare", "rm", "-rf", "--"])
                .arg(&self.path)
                .status();
        }
    }
}
