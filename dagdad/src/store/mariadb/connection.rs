//! The way to a connection that can be written to: the database is created where it is
//! missing, its tables are brought up to date.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection};

use super::error::{
    ER_BAD_DB, ER_DBACCESS_DENIED, ER_NO_SUCH_TABLE, LinkError, explain, number, one_line,
};
use super::options::MariaDbOptions;
use crate::store::sqlite::newest;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/mariadb");

/// A MariaDB that does not answer within this is taken for dead.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long its tables may take to be brought up to date: large ones are rewritten, and whoever
/// reads them is waited for.
const MIGRATION_DEADLINE: Duration = Duration::from_mins(30);

/// What was asked for, unless it takes too long.
pub(super) async fn within<T>(
    deadline: Duration,
    options: &MariaDbOptions,
    asked: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    tokio::time::timeout(deadline, asked)
        .await
        .unwrap_or_else(|_| {
            Err(LinkError::Unreachable {
                address: options.address(),
                reason: format!("no answer within {} s", deadline.as_secs()),
            })
        })
}

pub(super) async fn connect_to_database(
    options: &MariaDbOptions,
) -> Result<MySqlConnection, LinkError> {
    let to_server = options.connect_options();
    let to_database = to_server.clone().database(&options.database);
    let error = match to_database.connect().await {
        Ok(conn) => return Ok(conn),
        Err(error) => error,
    };
    if !matches!(number(&error), Some(ER_BAD_DB | ER_DBACCESS_DENIED)) {
        return Err(explain(options, &error));
    }
    let mut conn = to_server
        .connect()
        .await
        .map_err(|error| explain(options, &error))?;
    let name = options.database.replace('`', "``");
    let create =
        format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    // Quoted above; a database's name cannot be bound.
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut conn)
        .await
        .map_err(|error| explain(options, &error))?;
    let _ = conn.close().await;
    to_database
        .connect()
        .await
        .map_err(|error| explain(options, &error))
}

/// Connects to a database that is there.
pub(super) async fn connect_to_existing(
    options: &MariaDbOptions,
) -> Result<MySqlConnection, LinkError> {
    let to_database = options.connect_options().database(&options.database);
    to_database
        .connect()
        .await
        .map_err(|error| explain(options, &error))
}

/// Brings the tables up to date. A migration that was cut off is run again: each one is
/// written so that this does no harm, since MariaDB commits every DDL statement by itself.
pub(super) async fn bring_up_to_date(
    conn: &mut MySqlConnection,
    options: &MariaDbOptions,
) -> Result<(), LinkError> {
    if within(CONNECT_DEADLINE, options, is_outdated(conn, options)).await? {
        within(MIGRATION_DEADLINE, options, migrate(conn, options)).await?;
    }
    Ok(())
}

async fn is_outdated(
    conn: &mut MySqlConnection,
    options: &MariaDbOptions,
) -> Result<bool, LinkError> {
    let known = newest(&MIGRATIONS);
    let applied: Result<Vec<(i64, bool)>, _> =
        sqlx::query_as("SELECT version, success FROM _sqlx_migrations")
            .fetch_all(&mut *conn)
            .await;
    let applied = match applied {
        Ok(applied) => applied,
        Err(error) if number(&error) == Some(ER_NO_SUCH_TABLE) => Vec::new(),
        Err(error) => return Err(explain(options, &error)),
    };
    let found = applied
        .iter()
        .map(|&(version, _)| version)
        .max()
        .unwrap_or_default();
    if found > known {
        return Err(LinkError::NewerSchema {
            address: options.address(),
            database: options.database.clone(),
            found,
            known,
        });
    }
    let cut_off = applied.iter().any(|&(_, success)| !success);
    if cut_off {
        sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE")
            .execute(&mut *conn)
            .await
            .map_err(|error| explain(options, &error))?;
    }
    Ok(found < known || cut_off)
}

async fn migrate(conn: &mut MySqlConnection, options: &MariaDbOptions) -> Result<(), LinkError> {
    // Not `run`: rustc cannot prove its future `Send` (sqlx keeps this one for that reason).
    MIGRATIONS
        .run_direct(None, conn, false)
        .await
        .map_err(|error| LinkError::Migration {
            address: options.address(),
            database: options.database.clone(),
            reason: one_line(&error.to_string()),
        })
}

/// Makes MariaDB refuse what it cannot store instead of bending it. Returns the largest
/// packet it takes, in bytes.
pub(super) async fn session(conn: &mut MySqlConnection) -> Result<usize, sqlx::Error> {
    sqlx::raw_sql(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION',
             SESSION innodb_lock_wait_timeout = 10",
    )
    .execute(&mut *conn)
    .await?;
    let max_packet: u64 = sqlx::query_scalar("SELECT CAST(@@max_allowed_packet AS UNSIGNED)")
        .fetch_one(conn)
        .await?;
    Ok(usize::try_from(max_packet).unwrap_or(usize::MAX))
}
