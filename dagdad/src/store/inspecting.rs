//! Looking at the local database before it is opened, without changing a byte of it or of what
//! lies beside it: a damaged file, or one with a newer schema, is somebody's only copy.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::rows::ReadError;
use super::sqlite::{MIGRATIONS, explain, explain_io, newest, options};
use super::{restoring, write_ahead_log};
use crate::ports::StoreError;

/// What SQLite may have put beside a database file, by what is added to its name.
pub(super) const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why an existing file is not used.
pub(super) enum Unusable {
    Newer {
        found: i64,
        known: i64,
    },
    Damaged(String),
    Unreadable(sqlx::Error),
    /// The log beside it.
    Log(io::Error),
}

impl From<ReadError> for Unusable {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Sqlite(error) => Self::Unreadable(error),
            ReadError::Value(value) => Self::Damaged(value.to_string()),
        }
    }
}

impl From<sqlx::Error> for Unusable {
    fn from(error: sqlx::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Unusable {
    fn into_store_error(self, path: &Path) -> StoreError {
        let text = path.display().to_string();
        match self {
            Self::Newer { found, known } => StoreError::NewerSchema {
                path: text,
                found,
                known,
            },
            Self::Damaged(reason) => StoreError::Corrupt { path: text, reason },
            Self::Unreadable(error) => explain(path, &error),
            Self::Log(error) => explain_io(path, &error),
        }
    }
}

/// Whether the file can be used by this program.
///
/// # Errors
///
/// A damaged file, or one with a newer schema.
pub(super) async fn inspect(path: &Path) -> Result<(), StoreError> {
    let log_and_index = || {
        (
            holds(&companion(path, "-wal")),
            companion(path, "-shm").exists(),
        )
    };
    let mut found = log_and_index();
    let looked = loop {
        let looked = look(path).await;
        let left = log_and_index();
        // Somebody who still had it open closes it meanwhile, and takes first the index away, then
        // the log.
        let taken = (found.0 && !left.0) || (found.1 && !left.1);
        match looked {
            Err(Unusable::Unreadable(_)) if taken => found = left,
            looked => break looked,
        }
    };
    looked.map_err(|error| error.into_store_error(path))
}

async fn look(path: &Path) -> Result<(), Unusable> {
    // First, since SQLite takes for torn whatever follows damage in it.
    write_ahead_log::inspect(path)?;
    let mut conn = untouched(path).connect().await?;
    let verdict = look_with(&mut conn).await;
    conn.close().await?;
    verdict
}

fn holds(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.len() > 0)
}

/// The file beside a database that SQLite calls so.
pub(super) fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// How the file is read as it lies there. Even a reader of a database in WAL mode makes the
/// files `-wal` and `-shm`, or takes over the log into the index in `-shm`, if it is not kept from
/// it: <https://www.sqlite.org/wal.html#read_only_databases>
fn untouched(path: &Path) -> SqliteConnectOptions {
    let [wal, shm, journal] = COMPANIONS.map(|suffix| companion(path, suffix));
    if holds(&journal) {
        // Cut off while the file was made. It is undone by whoever reads it; nobody can else.
        options(path)
    } else if !holds(&wal) {
        options(path).read_only(true).immutable(true)
    } else if shm.exists() {
        let name = format!("file:{}?readonly_shm=1", percent_encoded(path));
        options(Path::new(&name)).read_only(true)
    } else {
        // A copy without its index, which is made anew.
        options(path).read_only(true)
    }
}

/// As a path in SQLite's URIs: <https://www.sqlite.org/uri.html>
fn percent_encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                text.push(char::from(*byte));
            }
            other => {
                let _ = write!(text, "%{other:02X}");
            }
        }
    }
    text
}

async fn look_with(conn: &mut SqliteConnection) -> Result<(), Unusable> {
    // Not the quick one, which looks at no index: rows are found, and told apart, by them.
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *conn)
        .await?;
    if verdict != "ok" {
        return Err(Unusable::Damaged(verdict.replace('\n', " ")));
    }
    let migrated: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
    )
    .fetch_one(&mut *conn)
    .await?;
    if !migrated {
        return Ok(());
    }
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut *conn)
            .await?;
    let known = newest(&MIGRATIONS);
    let found = applied.last().map(|(version, _)| *version);
    if let Some(found) = found.filter(|found| *found > known) {
        return Err(Unusable::Newer { found, known });
    }
    let written = applied.iter().map(|(version, sum)| (*version, &**sum));
    let made = MIGRATIONS.iter().map(|it| (it.version, &*it.checksum));
    if !written.eq(made.take(applied.len())) {
        let reason = "its record of how its tables were made is not as it was written";
        return Err(Unusable::Damaged(reason.to_owned()));
    }
    if found == Some(known) {
        // What the daemon cannot begin with is found before anything is written.
        restoring::load(conn).await?;
    }
    Ok(())
}
