//! The state directory and the database file in it: made where they are missing, never where
//! they were lost; and who they are.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use sqlx::sqlite::SqliteJournalMode;
use sqlx::{ConnectOptions as _, Connection as _};

use super::inspecting::companion;
use super::sqlite::{MIGRATIONS, explain, explain_io, explain_migration, options};
use crate::ports::StoreError;

/// A database is longer than its own head: SQLite takes one that is not for a new one.
const HEADER: u64 = 100;

/// Which file it is, whatever its name: the device and the number on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

/// Which file lies at `path` now.
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    let file = path.metadata()?;
    Ok(Identity(file.dev(), file.ino()))
}

/// Makes the directory and the file where they are missing, readable by their owner alone,
/// and finds out now what the system has against writing them. A file that was there and holds
/// nothing any more is no reason to begin anew.
pub(super) async fn prepare(dir: &Path, path: &Path) -> Result<(), StoreError> {
    prepare_directory(dir)?;
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => {
            let file = file.metadata().map_err(|error| explain_io(path, &error))?;
            if file.is_file() && file.len() < HEADER {
                return Err(lost(path, "it is cut off before anything that it held"));
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if companion(path, "-wal").exists() {
                return Err(lost(path, "only its write-ahead log is there"));
            }
            make(dir, path).await
        }
        Err(error) => Err(explain_io(path, &error)),
    }
}

fn lost(path: &Path, reason: &str) -> StoreError {
    StoreError::Corrupt {
        path: path.display().to_string(),
        reason: reason.to_owned(),
    }
}

/// Makes the database under another name first: one of this name is never half made.
async fn make(dir: &Path, path: &Path) -> Result<(), StoreError> {
    let new = companion(path, ".new");
    for left in [new.clone(), companion(&new, "-journal")] {
        match std::fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(explain_io(&left, &error));
            }
            _ => {}
        }
    }
    create(&new)?;
    let options = options(&new).journal_mode(SqliteJournalMode::Delete);
    let explained = |error: sqlx::Error| explain(path, &error);
    let mut conn = options.connect().await.map_err(explained)?;
    let migrated = MIGRATIONS.run(&mut conn).await;
    migrated.map_err(|error| explain_migration(path, &error))?;
    conn.close().await.map_err(explained)?;
    publish(dir, &new, path).map_err(|error| explain_io(path, &error))
}

/// Makes the directory where it is missing, its owner's alone, and finds out whether files can be
/// made in it: SQLite keeps its write-ahead log beside the database.
pub(super) fn prepare_directory(dir: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| explain_io(dir, &error))?;
    accessat(
        CWD,
        dir,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    )
    .map_err(|error| explain_io(dir, &error.into()))
}

/// Makes an empty file for a database, readable by its owner alone.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| explain_io(path, &error))
}

/// Gives a finished database its name: whenever the machine stops, there is nothing of that name
/// or all of it.
pub(super) fn publish(dir: &Path, unfinished: &Path, path: &Path) -> io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    std::fs::rename(unfinished, path)?;
    File::open(dir)?.sync_all()
}
