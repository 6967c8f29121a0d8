//! State directories: what a released schema left in one, and everything that is in one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::TestHost;
use crate::binaries;
use crate::cli::{self, Output};
use crate::process::run;

/// What a file holds, and when it was last changed.
pub type File = (SystemTime, Vec<u8>);

/// The schemas of which a state is kept, in order.
///
/// # Panics
/// None is.
#[must_use]
pub fn kept() -> Vec<i64> {
    let entries = std::fs::read_dir(states()).expect("read the kept states");
    let mut found: Vec<i64> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    found.sort_unstable();
    assert!(!found.is_empty(), "states are kept");
    found
}

/// Puts into a new directory what the release of a schema left in it.
///
/// # Panics
/// None is kept of it.
pub fn unpack(schema: i64, into: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(into)
        .expect("make the state directory");
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--no-same-owner", "--file"])
        .arg(directory(schema).join("state.tar.gz"))
        .arg("--directory")
        .arg(into);
    let _ = run(&mut tar);
}

/// What MariaDB held for the release of a schema, as compressed SQL.
#[must_use]
pub fn mariadb(schema: i64) -> PathBuf {
    directory(schema).join("mariadb.sql.gz")
}

fn directory(schema: i64) -> PathBuf {
    states().join(format!("{schema:04}"))
}

fn states() -> PathBuf {
    binaries::workspace().join("dagdad/tests/states")
}

/// Every file of a directory, and as `.` the directory itself. Of what the lock says nothing is
/// told: it names whoever took it last.
///
/// # Panics
/// One cannot be read.
#[must_use]
pub fn everything(directory: &Path) -> BTreeMap<String, File> {
    let changed = |path: &Path| path.metadata().and_then(|found| found.modified());
    let entries = std::fs::read_dir(directory).expect("read the directory");
    let mut files: BTreeMap<String, File> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").display().to_string();
            let file = if name == "dagdad.lock" {
                (SystemTime::UNIX_EPOCH, Vec::new())
            } else {
                let changed = changed(&path).expect("a time");
                (changed, std::fs::read(&path).expect("read the file"))
            };
            (name, file)
        })
        .collect();
    let changed = changed(directory).expect("a time");
    files.insert(".".to_owned(), (changed, Vec::new()));
    files
}

impl TestHost {
    /// `dagdad restore`, not started yet.
    #[must_use]
    pub fn restore_command(&self) -> Command {
        let mut command = self.configuration.command();
        command.arg("restore").env("NO_COLOR", "1");
        command
    }

    /// Runs `dagdad restore` to its end.
    #[must_use]
    pub fn restore(&self) -> Output {
        cli::run(&mut self.restore_command(), None)
    }
}
