//! The Debian that machines are booted from: made once by debootstrap, kept outside the tree.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;

/// Raised when [`PACKAGES`] or the way it is made changes, so that no older one is taken.
const EDITION: u32 = 2;

/// What is in it beside the required packages: systemd, all that the package under test depends
/// on, so that nothing has to be fetched when it is installed, and what Podman needs without root.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,procps,podman,runc,netavark,iptables,catatonit,\
    libpam-systemd,uidmap,slirp4netns";

/// The directory with it; made at the first call on a machine, which needs the network and a
/// minute or two.
///
/// # Panics
/// It cannot be made, or this is not root.
#[must_use]
pub fn directory() -> PathBuf {
    assert!(
        getuid().is_root(),
        "booting a machine takes root: run the tests of systemd as root"
    );
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| PathBuf::from("/var/cache"), PathBuf::from)
        .join("dagda-tests");
    std::fs::create_dir_all(&cache).expect("make the cache directory");
    // Tests in other processes want the same one.
    let lock = File::create(cache.join("lock")).expect("open the cache's lock");
    lock.lock().expect("lock the cache");
    let suite = suite();
    let directory = cache.join(format!("{suite}-{EDITION}"));
    if !directory.exists() {
        make(&suite, &cache, &directory);
    }
    directory
}

fn make(suite: &str, cache: &Path, directory: &Path) {
    let unfinished = cache.join(format!("{suite}-{EDITION}.unfinished"));
    let _ = std::fs::remove_dir_all(&unfinished);
    let mut command = Command::new("debootstrap");
    command
        .arg("--variant=minbase")
        .arg(format!("--include={PACKAGES}"))
        .args([suite, &unfinished.display().to_string()]);
    let output = command.output().unwrap_or_else(|error| {
        panic!("debootstrap does not start: {error}; `make test` installs what the tests need")
    });
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // Downloaded archives are of no more use.
    let _ = std::fs::remove_dir_all(unfinished.join("var/cache/apt/archives"));
    std::fs::rename(&unfinished, directory).expect("put the base into its place");
}

/// This machine's own release, so that programs built here find their libraries there; Debian's
/// stable one where this is no Debian.
fn suite() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    match field("ID=").as_deref() {
        Some("debian") => field("VERSION_CODENAME=").unwrap_or_else(|| "stable".to_owned()),
        _ => "stable".to_owned(),
    }
}
