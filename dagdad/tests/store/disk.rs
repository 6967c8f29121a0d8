//! Small and read-only file systems, for what happens where there is no room.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A file system of its own, in memory; until it is dropped. Only in a test that
/// [`run_with_own_mounts`] runs.
pub struct Disk(TempDir);

impl Disk {
    /// One of `size`, as `mount` reads it.
    pub fn mount(size: &str) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(disk.path())
            .status();
        assert!(done.unwrap().success(), "cannot mount a tmpfs");
        disk
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn make_read_only(&self) {
        let done = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status();
        assert!(done.unwrap().success(), "cannot mount it read-only");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The directory below cannot be removed with it. Something may still have a file open.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}

/// Runs a test that is otherwise ignored in a mount namespace of its own, where it may mount file
/// systems that nobody else sees.
pub fn run_with_own_mounts(test: &str) {
    let mut unshare = Command::new("unshare");
    unshare.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    let output = unshare
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .output()
        .expect("unshare (util-linux) is needed");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{test} failed:\n{said}"
    );
}
