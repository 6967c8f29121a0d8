//! The state directory and the database file in it: made where they are missing, never where
//! they were lost; and who they are.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use sqlx::sqlite::SqliteJournalMode;
use sqlx::{ConnectOptions as _, Connection as _};

use super::sqlite::{MIGRATIONS, explain, explain_io, options};
use crate::ports::StoreError;

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
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| explain_io(dir, &error))?;
    // SQLite keeps its write-ahead log beside the file.
    accessat(
        CWD,
        dir,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    )
    .map_err(|error| explain_io(dir, &error.into()))?;
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => {
            let file = file.metadata().map_err(|error| explain_io(path, &error))?;
            if file.is_file() && file.len() == 0 {
                return Err(lost(path, "it is empty"));
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if write_ahead_log(path).exists() {
                return Err(lost(path, "only its write-ahead log is there"));
            }
            make(dir, path).await
        }
        Err(error) => Err(explain_io(path, &error)),
    }
}

/// Where SQLite keeps what is not in the file yet.
pub(super) fn write_ahead_log(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn lost(path: &Path, reason: &str) -> StoreError {
    StoreError::Corrupt {
        path: path.display().to_string(),
        reason: reason.to_owned(),
    }
}

/// Makes the database under another name first: one of this name is never half made.
async fn make(dir: &Path, path: &Path) -> Result<(), StoreError> {
    let new = beside(path, ".new");
    for ending in ["", "-journal"] {
        match std::fs::remove_file(beside(&new, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(explain_io(&new, &error));
            }
            _ => {}
        }
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(|error| explain_io(&new, &error))?;
    let migrated = async {
        let options = options(&new).journal_mode(SqliteJournalMode::Delete);
        let mut conn = options.connect().await?;
        let migrated = MIGRATIONS.run(&mut conn).await;
        conn.close().await?;
        migrated.map_err(sqlx::Error::from)
    }
    .await;
    migrated.map_err(|error| explain(path, &error))?;
    let put_in_place = || {
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        File::open(dir)?.sync_all()
    };
    put_in_place().map_err(|error| explain_io(path, &error))
}
