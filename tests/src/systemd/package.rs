//! The Debian package, built from the binaries under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::binaries;
use crate::process::run;
use crate::scratch::Scratch;

/// Builds the package as `version` into `directory`, from the binaries that the other tests use
/// too: none is compiled for it.
///
/// # Panics
/// It cannot be built.
#[must_use]
pub fn build(version: &str, directory: &Path) -> PathBuf {
    let package = directory.join(format!("dagda_{version}.deb"));
    let _ = run(Command::new("cargo")
        .args(["deb", "--quiet", "--no-build", "--no-strip", "--offline"])
        // Quick rather than small.
        .args(["--fast", "--compress-type", "gz"])
        .args(["--package", "dagdad", "--deb-version", version])
        .arg("--manifest-path")
        .arg(binaries::workspace().join("Cargo.toml"))
        .arg("--output")
        .arg(&package)
        .env("CARGO_TARGET_DIR", stage()));
    package
}

/// A target directory as cargo-deb wants it, with the binaries less their debug information, which
/// is most of them.
fn stage() -> PathBuf {
    static STAGE: OnceLock<Scratch> = OnceLock::new();
    let stage = STAGE.get_or_init(|| {
        let stage = Scratch::new();
        let release = stage.join("release");
        std::fs::create_dir(&release).expect("make the stage");
        for name in ["dagdad", "dagdactl"] {
            let _ = run(Command::new("strip")
                .arg("--strip-debug")
                .arg("-o")
                .arg(release.join(name))
                .arg(binaries::path(name)));
        }
        stage
    });
    stage.path().to_owned()
}
