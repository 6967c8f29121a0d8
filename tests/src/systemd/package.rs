//! The Debian package, built from the binaries under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::binaries;
use crate::process::run;

/// The package as `version`, built once, from the binaries that the other tests use too: none is
/// compiled for it.
///
/// # Panics
/// It cannot be built.
#[must_use]
pub fn build(version: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let package = stage().join(format!("dagda_{version}.deb"));
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    if package.exists() {
        return package;
    }
    let _ = run(Command::new("cargo")
        .args(["deb", "--quiet", "--no-build", "--no-strip", "--offline"])
        // Quick rather than small; cargo-deb's own compression is slow where it is a debug build.
        .args(["--fast", "--compress-type", "gz", "--compress-system"])
        .args(["--package", "dagdad", "--deb-version", version])
        .arg("--manifest-path")
        .arg(binaries::workspace().join("Cargo.toml"))
        .arg("--output")
        .arg(&package)
        .env("CARGO_TARGET_DIR", stage()));
    package
}

/// A target directory as cargo-deb wants it, with the binaries less their symbols, which are most
/// of them. It lies in the real one, made anew by each process.
fn stage() -> &'static Path {
    static STAGE: OnceLock<PathBuf> = OnceLock::new();
    STAGE.get_or_init(|| {
        let stage = binaries::directory().join("packages");
        let _ = std::fs::remove_dir_all(&stage);
        let release = stage.join("release");
        std::fs::create_dir_all(&release).expect("make the stage");
        for name in ["dagdad", "dagdactl"] {
            let _ = run(Command::new("strip")
                .arg("--strip-all")
                .arg("-o")
                .arg(release.join(name))
                .arg(binaries::path(name)));
        }
        stage
    })
}
