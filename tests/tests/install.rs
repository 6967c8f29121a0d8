//! `make install` and `make uninstall`.

#![allow(
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use dagda_tests::binaries;
use dagda_tests::process::run;
use dagda_tests::scratch::Scratch;

fn make(target: &str, root: &Path, prefix: &str) {
    let _ = binaries::path("dagdad");
    let _ = run(Command::new("make")
        .current_dir(binaries::workspace())
        .args(["--silent", target])
        .arg(format!("DESTDIR={}", root.display()))
        .arg(format!("PREFIX={prefix}"))
        .arg(format!("BINARIES={}", binaries::directory().display())));
}

/// Paths of all files below `root`, with their permissions.
fn files(root: &Path) -> BTreeSet<(String, u32)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                let path = path.strip_prefix(root).unwrap().display().to_string();
                found.insert((path, entry.metadata().unwrap().permissions().mode() & 0o777));
            }
        }
    }
    found
}

#[test]
fn everything_goes_below_the_prefix_and_away_again() {
    let root = Scratch::new();
    make("install", root.path(), "/opt/dagda");
    let installed = files(root.path());
    for (path, mode) in [
        ("opt/dagda/bin/dagdad", 0o755),
        ("opt/dagda/bin/dagdactl", 0o755),
        ("opt/dagda/lib/systemd/system/dagdad.service", 0o644),
        ("opt/dagda/lib/systemd/system/dagdad.socket", 0o644),
        (
            "opt/dagda/lib/systemd/system/dagdad.service.d/10-podman.conf",
            0o644,
        ),
        (
            "opt/dagda/lib/systemd/system/podman.socket.d/10-dagda.conf",
            0o644,
        ),
        ("opt/dagda/lib/systemd/user/dagdad.service", 0o644),
        ("opt/dagda/lib/sysusers.d/dagda.conf", 0o644),
        ("opt/dagda/lib/tmpfiles.d/dagda.conf", 0o644),
        ("opt/dagda/share/man/man8/dagdad.8", 0o644),
        ("opt/dagda/share/man/man1/dagdactl.1", 0o644),
        (
            "opt/dagda/share/bash-completion/completions/dagdactl",
            0o644,
        ),
        ("opt/dagda/share/zsh/site-functions/_dagdactl", 0o644),
        (
            "opt/dagda/share/fish/vendor_completions.d/dagdactl.fish",
            0o644,
        ),
        ("etc/dagda/dagdad.toml", 0o644),
    ] {
        assert!(
            installed.contains(&(path.to_owned(), mode)),
            "{path}: {installed:#?}"
        );
    }
    for unit in ["system/dagdad.service", "user/dagdad.service"] {
        let unit = root.join("opt/dagda/lib/systemd").join(unit);
        let unit = std::fs::read_to_string(unit).unwrap();
        assert!(unit.contains("ExecStart=/opt/dagda/bin/dagdad\n"), "{unit}");
        assert!(
            unit.contains("ExecReload=/opt/dagda/bin/dagdad check\n"),
            "{unit}"
        );
        assert!(!unit.contains("/usr/bin/dagdad"), "{unit}");
    }

    std::fs::write(root.join("etc/dagda/dagdad.toml"), "# mine\n").unwrap();
    make("install", root.path(), "/opt/dagda");
    let kept = std::fs::read_to_string(root.join("etc/dagda/dagdad.toml")).unwrap();
    assert_eq!(
        kept, "# mine\n",
        "a configuration that is there is its owner's"
    );

    make("uninstall", root.path(), "/opt/dagda");
    let left: Vec<String> = files(root.path())
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert_eq!(left, ["etc/dagda/dagdad.toml"]);
}

/// What the package installs, `make install` installs with PREFIX=/usr, but for the places that
/// Debian has for completions and documentation.
#[test]
fn it_installs_what_the_package_does() {
    let root = Scratch::new();
    make("install", root.path(), "/usr");
    let package = dagda_tests::systemd::package::build("0.1.0-1");
    let unpacked = Scratch::new();
    let _ = run(Command::new("dpkg-deb")
        .arg("--extract")
        .arg(&package)
        .arg(unpacked.path()));
    let comparable = |root: &Path| -> BTreeSet<(String, u32)> {
        files(root)
            .into_iter()
            .filter(|(path, _)| !path.starts_with("usr/share/doc"))
            .map(|(path, mode)| {
                let path = path.strip_suffix(".gz").unwrap_or(&path);
                (path.replace("vendor-completions", "site-functions"), mode)
            })
            .collect()
    };
    assert_eq!(comparable(root.path()), comparable(unpacked.path()));
    let unit = "usr/lib/systemd/system/dagdad.service";
    assert_eq!(
        std::fs::read_to_string(root.join(unit)).unwrap(),
        std::fs::read_to_string(unpacked.join(unit)).unwrap()
    );
}
