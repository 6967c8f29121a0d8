//! Whether an existing database can be trusted; looking changes nothing.

use std::io;
use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::rows::ReadError;
use super::sqlite::{MIGRATIONS, explain, explain_io, newest, options};
use super::{restoring, write_ahead_log};
use crate::ports::StoreError;

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
    pub(super) fn into_store_error(self, path: &Path) -> StoreError {
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

/// Looks at the file, and at its write-ahead log, without changing them.
pub(super) async fn inspect(path: &Path) -> Result<(), Unusable> {
    // First, since SQLite takes for torn whatever follows damage in it.
    write_ahead_log::inspect(path)?;
    let mut conn = options(path).read_only(true).connect().await?;
    let verdict = inspect_with(&mut conn).await;
    conn.close().await?;
    verdict
}

async fn inspect_with(conn: &mut SqliteConnection) -> Result<(), Unusable> {
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
    let (known, found) = (newest(&MIGRATIONS), applied.last().map(|(found, _)| *found));
    if let Some(found) = found.filter(|found| *found > known) {
        return Err(Unusable::Newer { found, known });
    }
    let made = MIGRATIONS.iter().map(|it| (it.version, &*it.checksum));
    if !applied
        .iter()
        .map(|(version, checksum)| (*version, &**checksum))
        .eq(made.take(applied.len()))
    {
        let reason = "its record of how its tables were made is not as it was written";
        return Err(Unusable::Damaged(reason.to_owned()));
    }
    if found == Some(known) {
        // What cannot be read when the daemon begins is found before anything is written.
        restoring::load(conn).await?;
    }
    Ok(())
}
