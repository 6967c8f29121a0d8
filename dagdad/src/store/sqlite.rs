//! Opening the local database: the connections, the migrations; and what SQLite's errors mean to
//! a person.
//!
//! One connection writes, in WAL mode with `synchronous=FULL`, so a commit survives a power
//! cut; a few others read and never wait for it. Caches are small on purpose: the hot rows
//! are few, and the kernel's page cache holds the file anyway.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Sqlite, SqlitePool};

use super::files;
use super::inspecting::inspect;
use super::rows::{BadValue, ReadError};
use crate::ports::StoreError;

/// The database's name in the state directory.
pub const FILE_NAME: &str = "dagda.db";

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

const READERS: u32 = 2;
/// An idle reader is closed after this, with its thread and cache.
const READER_IDLE: Duration = Duration::from_mins(1);
/// How long to wait for another process that holds the file, such as a `sqlite3` shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The open local database.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    /// Of the file that was opened.
    identity: files::Identity,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens the database in `dir`, creates what is missing and brings the schema up to
    /// date. A damaged file, or one with a newer schema, is left as it is.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE_NAME);
        files::prepare(dir, &path).await?;
        inspect(&path).await?;
        let identity = files::identity(&path).map_err(|error| explain_io(&path, &error))?;

        let options = options(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(
                options
                    .clone()
                    .pragma("cache_size", "-512")
                    .pragma("wal_autocheckpoint", "256")
                    .pragma("journal_size_limit", "1048576"),
            );
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(READER_IDLE)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(
                options
                    .pragma("cache_size", "-256")
                    .pragma("query_only", "ON"),
            );
        let database = Self {
            path,
            identity,
            writer,
            readers,
        };
        MIGRATIONS
            .run(&database.writer)
            .await
            .map_err(|error| explain_migration(&database.path, &error))?;
        Ok(database)
    }

    /// The file, for messages.
    pub fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// The one connection that writes. After an error, give it to [`Database::settle`].
    pub async fn writer(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.still_there()?;
        self.writer
            .acquire()
            .await
            .map_err(|error| self.error(&error))
    }

    /// A connection that only reads.
    pub async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.still_there()?;
        self.readers
            .acquire()
            .await
            .map_err(|error| self.error(&error))
    }

    /// A file that was removed takes every write, for as long as somebody has it open.
    fn still_there(&self) -> Result<(), StoreError> {
        if files::identity(&self.path).is_ok_and(|now| now == self.identity) {
            Ok(())
        } else {
            Err(StoreError::Gone { path: self.path() })
        }
    }

    /// Ends the use of the writer. After a failure the connection is closed: SQLite rolls
    /// back by itself when the disk is full, and sqlx would take the next transaction for a
    /// nested one.
    pub fn settle<T>(
        &self,
        mut writer: PoolConnection<Sqlite>,
        outcome: Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        outcome.map_err(|error| {
            writer.close_on_drop();
            self.error(&error)
        })
    }

    /// What an error of SQLite means.
    pub fn error(&self, error: &sqlx::Error) -> StoreError {
        explain(&self.path, error)
    }

    /// What it means that rows cannot be read.
    pub fn read_error(&self, error: &ReadError) -> StoreError {
        match error {
            ReadError::Sqlite(error) => self.error(error),
            ReadError::Value(value) => self.damaged(value),
        }
    }

    /// What a value means that cannot be understood.
    fn damaged(&self, value: &BadValue) -> StoreError {
        StoreError::Corrupt {
            path: self.path(),
            reason: value.to_string(),
        }
    }

    /// Closes all connections, after what they are doing.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .thread_name(|id| format!("sqlite-{id}"))
        .disable_statement_logging()
}

/// The newest schema version that `migrations` lead to.
pub fn newest(migrations: &Migrator) -> i64 {
    migrations
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default()
}

pub(super) fn explain_io(path: &Path, error: &io::Error) -> StoreError {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path },
        // Whatever else it is (no permission, a read-only file system, a file in the place
        // of the directory), the path cannot be written and the system says why.
        _ => StoreError::ReadOnly {
            path,
            reason: error.to_string(),
        },
    }
}

/// Primary result codes: <https://www.sqlite.org/rescode.html>
pub(super) fn explain(path: &Path, error: &sqlx::Error) -> StoreError {
    if matches!(
        error,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
    ) {
        // A text that is none: SQLite takes any bytes for one.
        return StoreError::Corrupt {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
    }
    let sqlx::Error::Database(database) = error else {
        return StoreError::Failed(error.to_string());
    };
    let code = database
        .code()
        .and_then(|code| code.parse::<u32>().ok())
        .unwrap_or_default()
        & 0xff;
    let reason = database.message().to_owned();
    let text = path.display().to_string();
    match code {
        13 => StoreError::Full { path: text },
        // SQLite reports a full disk as a plain I/O error where it cannot grow its
        // shared-memory file.
        10 | 14 if disk_is_full(path) => StoreError::Full { path: text },
        8 | 14 => StoreError::ReadOnly { path: text, reason },
        11 | 26 => StoreError::Corrupt { path: text, reason },
        _ => StoreError::Failed(format!("{text}: {reason}")),
    }
}

/// Why the schema could not be brought up to date.
pub(super) fn explain_migration(path: &Path, error: &MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            explain(path, error)
        }
        other => StoreError::Failed(format!("cannot migrate {}: {other}", path.display())),
    }
}

fn disk_is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_bavail == 0)
}
