//! Everything that MariaDB has, read back as it was at one moment, page by page.

use std::time::Duration;

use futures::{FutureExt as _, TryFutureExt as _};
use sqlx::mysql::MySqlRow;
use sqlx::{FromRow, MySqlConnection, Row as _};

use super::connection::{CONNECT_DEADLINE, bring_up_to_date, connect_to_existing, session, within};
use super::error::{ER_NO_SUCH_TABLE, LinkError, explain, number};
use super::options::MariaDbOptions;
use super::selection;
use crate::store::outbox::{Relation, Source};

/// A page is a matter of milliseconds; a table is counted in some seconds at most.
const READ_DEADLINE: Duration = Duration::from_mins(1);
/// Rows of a page. A row is some hundred bytes, a manifest or a message some thousand.
const PAGE: u32 = 256;

/// All rows that MariaDB has, as they are when it is opened: whatever is written to it after that
/// is not seen.
#[derive(Debug)]
pub struct Archive {
    conn: MySqlConnection,
    options: MariaDbOptions,
    source: Source,
}

/// Some rows of a table.
#[derive(Debug)]
pub(in crate::store) struct Page<R> {
    /// In the order in which MariaDB numbered them; none behind the last.
    pub rows: Vec<R>,
    /// Where the next page begins.
    pub last: i64,
}

impl Archive {
    /// Connects to a database that a dagdad wrote to. An older schema is brought up to date, as
    /// the daemon does; nothing else is changed.
    ///
    /// # Errors
    ///
    /// MariaDB does not answer or does not let this user in; the database is not there, holds
    /// nothing of a dagdad's, or has a newer schema.
    pub async fn open(options: &MariaDbOptions) -> Result<Self, LinkError> {
        let empty = || LinkError::Empty {
            address: options.address(),
            database: options.database.clone(),
        };
        let looking = async {
            let mut conn = connect_to_existing(options).await?;
            match read_source(&mut conn).await {
                Ok(Some(_)) => Ok(conn),
                Ok(None) => Err(empty()),
                Err(error) if number(&error) == Some(ER_NO_SUCH_TABLE) => Err(empty()),
                Err(error) => Err(explain(options, &error)),
            }
        };
        let mut conn = within(CONNECT_DEADLINE, options, looking.boxed()).await?;
        bring_up_to_date(&mut conn, options).boxed().await?;
        let snapshot = async {
            session(&mut conn).await?;
            sqlx::raw_sql(
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;
                 START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            )
            .execute(&mut conn)
            .await?;
            // As of the same moment: it moves on with the rows, in one transaction.
            read_source(&mut conn).await
        };
        let snapshot = snapshot.map_err(|error| explain(options, &error)).boxed();
        let source = within(READ_DEADLINE, options, snapshot).await?;
        Ok(Self {
            conn,
            options: options.clone(),
            source: source.ok_or_else(empty)?,
        })
    }

    /// For messages: `database dagda_orchestrator at 127.0.0.1:3306`.
    #[must_use]
    pub fn name(&self) -> String {
        format!(
            "database {} at {}",
            self.options.database,
            self.options.address()
        )
    }

    /// Whose rows these are, and how far they go.
    pub(in crate::store) const fn source(&self) -> &Source {
        &self.source
    }

    /// How many rows a table has.
    pub(in crate::store) async fn count(&mut self, relation: Relation) -> Result<u64, LinkError> {
        let Self { conn, options, .. } = self;
        let counted = async {
            let count: i64 = sqlx::query_scalar(selection::count(relation))
                .fetch_one(conn)
                .await
                .map_err(|error| explain(options, &error))?;
            Ok(count.unsigned_abs())
        };
        within(READ_DEADLINE, options, counted).await
    }

    /// The rows of a table behind the one that MariaDB numbered `after`.
    pub(in crate::store) async fn page<R>(
        &mut self,
        relation: Relation,
        after: i64,
    ) -> Result<Page<R>, LinkError>
    where
        R: for<'r> FromRow<'r, MySqlRow>,
    {
        let Self { conn, options, .. } = self;
        let read = async {
            let fetched = sqlx::query(selection::page(relation))
                .bind(after)
                .bind(PAGE)
                .fetch_all(conn)
                .await?;
            let last = match fetched.last() {
                Some(row) => row.try_get("id")?,
                None => after,
            };
            let rows = fetched.iter().map(R::from_row).collect::<Result<_, _>>()?;
            Ok(Page { rows, last })
        };
        let read = async { read.await.map_err(|error| explain(options, &error)) };
        within(READ_DEADLINE, options, read).await
    }
}

async fn read_source(conn: &mut MySqlConnection) -> Result<Option<Source>, sqlx::Error> {
    sqlx::query_as("SELECT store_id, last_seq FROM mirror_source")
        .fetch_optional(conn)
        .await
}
