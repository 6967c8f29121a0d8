//! The programs under test, built from this very tree.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Directory with `dagdad` and `dagdactl`: `DAGDA_BIN_DIR` where set, else the target directory
/// this test itself came from, after one `cargo build` of both (a matter of a moment when
/// nothing changed). So `cargo test --test NAME` never runs yesterday's daemon.
///
/// # Panics
/// They do not build.
pub fn directory() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| std::env::var_os("DAGDA_BIN_DIR").map_or_else(build, PathBuf::from))
}

/// Path of `dagdad` or `dagdactl`.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let path = directory().join(name);
    assert!(
        path.is_file(),
        "{} is missing; `make test` builds it",
        path.display()
    );
    path
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("find this test's own program");
    // target/PROFILE/deps/NAME-HASH for a test, target/PROFILE/NAME for a program.
    let directory = test.parent().expect("a target directory");
    let directory = if directory.ends_with("deps") {
        directory.parent().expect("a profile's directory")
    } else {
        directory
    };
    let directory = directory.to_owned();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        "build",
        "--quiet",
        "--package=dagdad",
        "--package=dagdactl",
        "--bins",
    ]);
    command
        .arg("--target-dir")
        .arg(directory.parent().expect("a target directory"));
    command
        .arg("--manifest-path")
        .arg(workspace().join("Cargo.toml"));
    if directory.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("start cargo");
    assert!(
        status.success(),
        "dagdad and dagdactl do not build; see above"
    );
    directory
}

/// The root of the source tree.
#[must_use]
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace above this crate")
        .to_owned()
}
