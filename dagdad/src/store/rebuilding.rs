//! A lost local database made anew of what MariaDB has.
//!
//! It is built beside its place, in one file under another name, flushed to the disk, and then
//! renamed: there is nothing or all of it, whenever this program dies. It takes over the identity
//! that MariaDB knows, so that the mirror goes on where it was and nothing is sent twice.

use std::path::{Path, PathBuf};

use sqlx::mysql::MySqlRow;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, FromRow, SqliteConnection};

use super::files::{create, prepare_directory, publish};
use super::inspecting::{COMPANIONS, companion};
use super::mariadb::{Archive, LinkError};
use super::outbox::{Relation, Source};
use super::restoring;
use super::rows::{
    AlertRow, AuditRow, BadValue, EventRow, PodRow, PodRunRow, ReadError, RunRow, SampleRow,
    WorkflowRow,
};
use super::sqlite::{FILE_NAME, MIGRATIONS, explain, explain_io, explain_migration, options};
use crate::domain::audit::AuditEntry;
use crate::domain::footprint::PodRun;
use crate::domain::run::Run;
use crate::ports::{PodRecord, StoreError, WorkflowRecord};

/// What is added to the database's name until it is whole.
const UNFINISHED: &str = ".restoring";
/// Primary result code of a row that a constraint forbids: <https://www.sqlite.org/rescode.html>
const SQLITE_CONSTRAINT: u32 = 19;
/// Of a UUID that MariaDB made up itself, for a row that a person inserted; dagdad's are of
/// version 7.
const BY_HAND: usize = 1;

/// Why a database was not rebuilt. Nothing is left of the attempt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// There is one already.
    #[error(
        "there is a database in {} already, and what it holds may be newer than what MariaDB has; to give it up, move it aside: `{command}`, then try again",
        dir.display()
    )]
    Occupied {
        /// The state directory.
        dir: PathBuf,
        /// Moves everything that belongs to it aside.
        command: String,
    },
    /// MariaDB.
    #[error(transparent)]
    MariaDb(#[from] LinkError),
    /// The state directory.
    #[error(transparent)]
    Local(#[from] StoreError),
}

/// What is told while rows are copied.
#[derive(Debug)]
pub enum Progress<'a> {
    /// So far.
    Copied {
        /// The table.
        table: &'static str,
        /// Rows that were looked at.
        rows: u64,
        /// Rows that there are.
        of: u64,
    },
    /// A row that stays where it is.
    LeftOut {
        /// The table.
        table: &'static str,
        /// Which.
        uuid: &'a str,
        /// What is the matter with it.
        reason: &'a str,
    },
}

/// What became of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The table.
    pub table: &'static str,
    /// Rows that were taken over.
    pub copied: u64,
    /// Rows that were not.
    pub left_out: u64,
}

/// What was rebuilt.
#[derive(Debug)]
pub struct Rebuilt {
    /// The database file.
    pub path: PathBuf,
    /// Every mirrored table.
    pub tables: Vec<Tally>,
}

/// Makes sure that there is nothing in `dir` that a database could be read from. Its companions
/// count too: SQLite would take a log that was left behind for the new database's own.
///
/// # Errors
///
/// [`RebuildError::Occupied`]
pub fn ensure_vacant(dir: &Path) -> Result<(), RebuildError> {
    let path = dir.join(FILE_NAME);
    let found: Vec<String> = std::iter::once(path.clone())
        .chain(COMPANIONS.map(|suffix| companion(&path, suffix)))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| format!("'{}'", path.display()))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let aside = companion(&path, ".aside");
    let aside = aside.display();
    Err(RebuildError::Occupied {
        dir: dir.to_owned(),
        command: format!("mkdir '{aside}' && mv {} '{aside}'/", found.join(" ")),
    })
}

/// Makes the database in `dir`, which nobody else may use meanwhile, of what `archive` has.
///
/// # Errors
///
/// See [`RebuildError`].
pub async fn rebuild(
    mut archive: Archive,
    dir: &Path,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Rebuilt, RebuildError> {
    ensure_vacant(dir)?;
    let path = dir.join(FILE_NAME);
    let unfinished = Unfinished(companion(&path, UNFINISHED));
    unfinished.remove();
    let tables = fill(&mut archive, dir, &unfinished.0, tell).await?;
    publish(dir, &unfinished.0, &path).map_err(|error| explain_io(&path, &error))?;
    Ok(Rebuilt { path, tables })
}

/// The file under its other name, gone when it is dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn remove(&self) {
        // What is not there need not be removed; what cannot be is told of when it is written to.
        let _ = std::fs::remove_file(&self.0);
        for suffix in COMPANIONS {
            let _ = std::fs::remove_file(companion(&self.0, suffix));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn fill(
    archive: &mut Archive,
    dir: &Path,
    path: &Path,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Tally>, RebuildError> {
    prepare_directory(dir)?;
    create(path)?;
    let local = |error: &sqlx::Error| explain(path, error);
    // Until it has its name nobody reads it, so nothing need be safe before.
    let mut conn = options(path)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .connect()
        .await
        .map_err(|error| local(&error))?;
    MIGRATIONS
        .run(&mut conn)
        .await
        .map_err(|error| explain_migration(path, &error))?;
    let mut tables = Vec::with_capacity(Relation::ALL.len());
    for relation in Relation::ALL {
        let mut copying = Copying {
            archive: &mut *archive,
            conn: &mut conn,
            path,
            relation,
            tell: &mut *tell,
        };
        tables.push(match relation {
            Relation::Pods => copying.rows::<PodRow>().await?,
            Relation::Workflows => copying.rows::<WorkflowRow>().await?,
            Relation::WorkflowRuns => copying.rows::<RunRow>().await?,
            Relation::PodRuns => copying.rows::<PodRunRow>().await?,
            Relation::ResourceAlerts => copying.rows::<AlertRow>().await?,
            Relation::Events => copying.rows::<EventRow>().await?,
            Relation::Audit => copying.rows::<AuditRow>().await?,
            Relation::SystemResources => copying.rows::<SampleRow>().await?,
        });
    }
    take_over(&mut conn, archive.source())
        .await
        .map_err(|error| local(&error))?;
    // What the daemon begins with can be read: better told now than at its start.
    restoring::load(&mut conn)
        .await
        .map_err(|error| match error {
            ReadError::Sqlite(error) => local(&error),
            ReadError::Value(value) => StoreError::Failed(format!(
                "what MariaDB has cannot be begun with: {value}; mend that row there"
            )),
        })?;
    let ending = async {
        conn.close().await?;
        // As the daemon has it: to change it is to write, which could be cut off.
        let as_kept = options(path).journal_mode(SqliteJournalMode::Wal);
        as_kept.connect().await?.close().await
    };
    ending.await.map_err(|error| local(&error))?;
    Ok(tables)
}

/// From now on this database is the one that wrote what MariaDB has, and MariaDB has all of it.
async fn take_over(conn: &mut SqliteConnection, source: &Source) -> Result<(), sqlx::Error> {
    let Source { store_id, last_seq } = source;
    let mut tx = conn.begin().await?;
    sqlx::query("INSERT INTO mirror_state (id, store_id, mirrored, acked_seq) VALUES (1, ?, 1, ?)")
        .bind(store_id)
        .bind(last_seq)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM sqlite_sequence WHERE name = 'outbox'")
        .execute(&mut *tx)
        .await?;
    sqlx::query("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)")
        .bind(last_seq)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// The way of one table from there to here.
struct Copying<'a> {
    archive: &'a mut Archive,
    conn: &'a mut SqliteConnection,
    path: &'a Path,
    relation: Relation,
    tell: &'a mut dyn FnMut(Progress<'_>),
}

impl Copying<'_> {
    async fn rows<R: Restorable>(&mut self) -> Result<Tally, RebuildError> {
        let table = self.relation.as_str();
        let of = self.archive.count(self.relation).await?;
        let mut tally = Tally {
            table,
            copied: 0,
            left_out: 0,
        };
        let mut after = 0;
        loop {
            let page = self.archive.page::<R>(self.relation, after).await?;
            if page.rows.is_empty() {
                return Ok(tally);
            }
            after = page.last;
            self.page(page.rows, &mut tally)
                .await
                .map_err(|error| explain(self.path, &error))?;
            (self.tell)(Progress::Copied {
                table,
                rows: tally.copied + tally.left_out,
                of,
            });
        }
    }

    async fn page<R: Restorable>(
        &mut self,
        rows: Vec<R>,
        tally: &mut Tally,
    ) -> Result<(), sqlx::Error> {
        let Self {
            conn,
            relation,
            tell,
            ..
        } = self;
        let mut tx = conn.begin().await?;
        for row in rows {
            let doubt = doubt(&row);
            let reason = match doubt {
                Some(reason) => reason,
                None => match forbidden(row.write(&mut tx).await)? {
                    Some(reason) => reason,
                    None => {
                        tally.copied += 1;
                        continue;
                    }
                },
            };
            tally.left_out += 1;
            tell(Progress::LeftOut {
                table: relation.as_str(),
                uuid: row.uuid(),
                reason: &reason,
            });
        }
        tx.commit().await
    }
}

/// Why a row of MariaDB's is not to be written.
fn doubt(row: &impl Restorable) -> Option<String> {
    match uuid::Uuid::parse_str(row.uuid()) {
        Ok(uuid) if uuid.get_version_num() == BY_HAND => {
            Some("somebody inserted it by hand".to_owned())
        }
        Ok(_) => row.check().err().map(|value| value.to_string()),
        Err(_) => Some("it has no uuid of dagdad's".to_owned()),
    }
}

/// SQLite's words, where it does not take a row for what it contains.
fn forbidden(written: Result<(), sqlx::Error>) -> Result<Option<String>, sqlx::Error> {
    let Err(error) = written else {
        return Ok(None);
    };
    let reason = error.as_database_error().and_then(|error| {
        let code = error.code()?.parse::<u32>().ok()?;
        (code & 0xff == SQLITE_CONSTRAINT).then(|| error.message().to_owned())
    });
    match reason {
        Some(reason) => Ok(Some(reason)),
        None => Err(error),
    }
}

/// A row that both databases have, on its way back.
trait Restorable: for<'r> FromRow<'r, MySqlRow> {
    fn uuid(&self) -> &str;

    async fn write(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error>;

    /// Whether the daemon could read it.
    fn check(&self) -> Result<(), BadValue>;
}

macro_rules! restorable {
    ($($row:ident, $check:expr;)+) => {$(
        impl Restorable for $row {
            fn uuid(&self) -> &str {
                &self.uuid
            }

            async fn write(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
                self.put(conn).await
            }

            fn check(&self) -> Result<(), BadValue> {
                $check(self)
            }
        }
    )+};
}

restorable! {
    PodRow, |row: &PodRow| PodRecord::try_from(row.clone()).map(drop);
    WorkflowRow, |row: &WorkflowRow| WorkflowRecord::try_from(row.clone()).map(drop);
    RunRow, |row: &RunRow| Run::try_from(row.clone()).map(drop);
    PodRunRow, |row: &PodRunRow| PodRun::try_from(row.clone()).map(drop);
    AlertRow, AlertRow::check;
    EventRow, EventRow::check;
    AuditRow, |row: &AuditRow| AuditEntry::try_from(row.clone()).map(drop);
    SampleRow, SampleRow::check;
}
