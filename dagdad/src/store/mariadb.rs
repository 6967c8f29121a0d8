//! MariaDB, the system of record: connecting, creating the database and its tables, and
//! applying batches of the outbox.

use std::path::PathBuf;
use std::time::Duration;

use futures::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::Migrator;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection};

use super::outbox::{Change, Entry, Relation, Source};
use super::rows::{EventRow, PodRow, SampleRow, bind_event, bind_pod, bind_sample};
use super::sqlite::newest;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/mariadb");

/// A MariaDB that does not answer within this is taken for dead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Room for the statement around a row's content, within `max_allowed_packet`.
const PACKET_MARGIN: usize = 4096;

/// Where MariaDB is and who we are there.
#[derive(Debug, Clone)]
pub struct MariaDbOptions {
    /// Host name or address; not used with `socket`.
    pub host: String,
    /// TCP port; not used with `socket`.
    pub port: u16,
    /// Unix socket, instead of host and port.
    pub socket: Option<PathBuf>,
    /// User.
    pub user: String,
    /// The user's password; empty is none.
    pub password: SecretString,
    /// Database; created where it is missing and the user may.
    pub database: String,
}

impl MariaDbOptions {
    /// For messages: `127.0.0.1:3306` or the socket's path.
    fn address(&self) -> String {
        match &self.socket {
            Some(path) => path.display().to_string(),
            None => format!("{}:{}", self.host, self.port),
        }
    }

    fn connect_options(&self) -> MySqlConnectOptions {
        let options = MySqlConnectOptions::new()
            .username(&self.user)
            .charset("utf8mb4")
            .collation("utf8mb4_bin")
            .timezone(Some("+00:00".to_owned()))
            .disable_statement_logging();
        let options = match self.password.expose_secret() {
            "" => options,
            password => options.password(password),
        };
        match &self.socket {
            Some(path) => options.socket(path),
            None => options.host(&self.host).port(self.port),
        }
    }
}

/// Why MariaDB cannot be written to now. The text is for people and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nothing answers, or the connection broke.
    #[error("MariaDB at {address} does not answer: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What happened.
        reason: String,
    },
    /// It answers with an error.
    #[error("MariaDB at {address} refused: {reason}")]
    Refused {
        /// Where.
        address: String,
        /// MariaDB's words.
        reason: String,
    },
    /// The user is not let in.
    #[error(
        "MariaDB at {address} does not let {user} in ({reason}); check the password, or as an administrator: CREATE USER '{user}'@'%' IDENTIFIED BY '…'; GRANT ALL PRIVILEGES ON {database}.* TO '{user}'@'%';"
    )]
    Denied {
        /// Where.
        address: String,
        /// Who.
        user: String,
        /// For what.
        database: String,
        /// MariaDB's words.
        reason: String,
    },
    /// The database is not there, or not for this user, and could not be created.
    #[error(
        "MariaDB at {address} has no database {database} for {user} ({reason}); as an administrator: CREATE DATABASE {database}; GRANT ALL PRIVILEGES ON {database}.* TO '{user}'@'%';"
    )]
    NoDatabase {
        /// Where.
        address: String,
        /// Who.
        user: String,
        /// What.
        database: String,
        /// MariaDB's words.
        reason: String,
    },
    /// Written by a later dagdad.
    #[error(
        "database {database} at {address} has schema {found}, this dagdad knows up to {known}; install the newer dagdad again (nothing was written)"
    )]
    NewerSchema {
        /// Where.
        address: String,
        /// What.
        database: String,
        /// Version found.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// The tables could not be created or changed.
    #[error("database {database} at {address} cannot be brought up to date: {reason}")]
    Migration {
        /// Where.
        address: String,
        /// What.
        database: String,
        /// MariaDB's words.
        reason: String,
    },
    /// Another dagdad has taken the database over.
    #[error("database {database} at {address} is being written by another dagdad")]
    TakenOver {
        /// Where.
        address: String,
        /// What.
        database: String,
    },
}

/// Why a batch was not committed.
#[derive(Debug)]
pub enum SendError {
    /// MariaDB refuses one entry for what it contains; sending it again is of no use.
    Refused {
        /// The entry's place in the queue.
        seq: i64,
        /// MariaDB's words.
        error: String,
    },
    /// Anything else: to be tried again on a new connection.
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for SendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// A connection to a database with today's schema.
#[derive(Debug)]
pub struct Link {
    conn: MySqlConnection,
    max_packet: usize,
}

impl Link {
    /// Connects, creates the database where it is missing, and migrates it.
    pub async fn open(options: &MariaDbOptions) -> Result<Self, LinkError> {
        tokio::time::timeout(CONNECT_TIMEOUT, Self::connect(options).boxed())
            .await
            .unwrap_or_else(|_| {
                Err(LinkError::Unreachable {
                    address: options.address(),
                    reason: format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
                })
            })
    }

    async fn connect(options: &MariaDbOptions) -> Result<Self, LinkError> {
        let mut conn = connect_to_database(options).await?;
        migrate(&mut conn, options).await?;
        let max_packet = session(&mut conn)
            .await
            .map_err(|error| explain(options, &error))?;
        Ok(Self { conn, max_packet })
    }

    /// What the database says about whose rows it holds.
    pub async fn source(&mut self) -> Result<Option<Source>, sqlx::Error> {
        sqlx::query_as("SELECT store_id, last_seq FROM mirror_source")
            .fetch_optional(&mut self.conn)
            .await
    }

    /// Says whose rows the database holds from now on.
    pub async fn set_source(&mut self, source: &Source) -> Result<(), sqlx::Error> {
        sqlx::query("REPLACE INTO mirror_source (id, store_id, last_seq) VALUES (1, ?, ?)")
            .bind(&source.store_id)
            .bind(source.last_seq)
            .execute(&mut self.conn)
            .await
            .map(drop)
    }

    /// Applies `entries` in one transaction and notes in it that they were received. Returns
    /// false, with nothing done, when the database was taken over by another store.
    pub async fn apply(&mut self, entries: &[&Entry], source: &Source) -> Result<bool, SendError> {
        let max_packet = self.max_packet;
        let mut tx = self.conn.begin().await?;
        for entry in entries {
            if entry.change.size() + PACKET_MARGIN > max_packet {
                let error =
                    format!("larger than MariaDB's max_allowed_packet ({max_packet} bytes)");
                return Err(SendError::Refused {
                    seq: entry.seq,
                    error,
                });
            }
            if let Err(error) = apply_one(&mut tx, entry).await {
                return Err(match data_error(&error) {
                    Some(text) => SendError::Refused {
                        seq: entry.seq,
                        error: text,
                    },
                    None => SendError::Failed(error),
                });
            }
        }
        let noted = sqlx::query("UPDATE mirror_source SET last_seq = ? WHERE store_id = ?")
            .bind(source.last_seq)
            .bind(&source.store_id)
            .execute(&mut *tx)
            .await?;
        if noted.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The uuids of a table in order, at most `limit`, behind `after`.
    pub async fn uuids(
        &mut self,
        relation: Relation,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = match relation {
            Relation::Pods => "SELECT uuid FROM pods WHERE uuid > ? ORDER BY uuid LIMIT ?",
            Relation::Events => "SELECT uuid FROM events WHERE uuid > ? ORDER BY uuid LIMIT ?",
            Relation::SystemResources => {
                "SELECT uuid FROM system_resources WHERE uuid > ? ORDER BY uuid LIMIT ?"
            }
        };
        sqlx::query_scalar(sql)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut self.conn)
            .await
    }

    /// Deletes rows by their uuids, in one transaction.
    pub async fn delete(
        &mut self,
        relation: Relation,
        uuids: &[String],
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.conn.begin().await?;
        for uuid in uuids {
            delete(&mut tx, relation, uuid).await?;
        }
        tx.commit().await
    }

    /// Says goodbye.
    pub async fn close(self) {
        // The server drops the connection either way.
        let _ = self.conn.close().await;
    }
}

async fn connect_to_database(options: &MariaDbOptions) -> Result<MySqlConnection, LinkError> {
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

/// Brings the tables up to date. A migration that was cut off is run again: each one is
/// written so that this does no harm, since MariaDB commits every DDL statement by itself.
async fn migrate(conn: &mut MySqlConnection, options: &MariaDbOptions) -> Result<(), LinkError> {
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
    if found == known && !cut_off {
        return Ok(());
    }
    if cut_off {
        sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE")
            .execute(&mut *conn)
            .await
            .map_err(|error| explain(options, &error))?;
    }
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
async fn session(conn: &mut MySqlConnection) -> Result<usize, sqlx::Error> {
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

async fn apply_one(conn: &mut MySqlConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    match &entry.change {
        Change::PutPod(row) => put_pod(conn, row).await,
        Change::PutSample(row) => put_sample(conn, row).await,
        Change::PutEvent(row) => put_event(conn, row).await,
        Change::Delete(uuid) => delete(conn, entry.relation, uuid).await,
        Change::Prune {
            resolution_seconds,
            before,
        } => prune(conn, entry.relation, *resolution_seconds, *before).await,
        // Done apart, since it reads both databases.
        Change::Reconcile => Ok(()),
    }
}

async fn put_pod(conn: &mut MySqlConnection, row: &PodRow) -> Result<(), sqlx::Error> {
    // Whoever else has the name here has lost it in SQLite since.
    sqlx::query("DELETE FROM pods WHERE name = ? AND uuid <> ?")
        .bind(&row.name)
        .bind(&row.uuid)
        .execute(&mut *conn)
        .await?;
    let query = sqlx::query(
        "INSERT INTO pods (uuid, name, category, priority, wanted, status, message, port,
            cpu_limit, ram_limit, ram_limit_bytes, current_cpu, current_ram, current_ram_bytes,
            current_ram_anon_bytes, current_ram_file_bytes, manifest, manifest_digest,
            started_digest, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'),
            TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'))
         ON DUPLICATE KEY UPDATE name = VALUES(name), category = VALUES(category),
            priority = VALUES(priority), wanted = VALUES(wanted), status = VALUES(status),
            message = VALUES(message), port = VALUES(port), cpu_limit = VALUES(cpu_limit),
            ram_limit = VALUES(ram_limit), ram_limit_bytes = VALUES(ram_limit_bytes),
            current_cpu = VALUES(current_cpu), current_ram = VALUES(current_ram),
            current_ram_bytes = VALUES(current_ram_bytes),
            current_ram_anon_bytes = VALUES(current_ram_anon_bytes),
            current_ram_file_bytes = VALUES(current_ram_file_bytes), manifest = VALUES(manifest),
            manifest_digest = VALUES(manifest_digest), started_digest = VALUES(started_digest),
            created_at = VALUES(created_at), updated_at = VALUES(updated_at)",
    );
    bind_pod!(query, row).execute(conn).await.map(drop)
}

async fn put_sample(conn: &mut MySqlConnection, row: &SampleRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO system_resources (uuid, timestamp, resolution_seconds, samples, cpu_usage,
            load_1m, load_5m, load_15m, ram_usage, ram_total, ram_total_bytes, ram_used_bytes,
            ram_cached_bytes, swap_total_bytes, swap_used_bytes, disk_usage, cpu_pressure,
            memory_pressure, memory_pressure_full, io_pressure, active_pods)
         VALUES (?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?, ?, ?, ?, ?, ?,
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE timestamp = VALUES(timestamp),
            resolution_seconds = VALUES(resolution_seconds), samples = VALUES(samples),
            cpu_usage = VALUES(cpu_usage), load_1m = VALUES(load_1m), load_5m = VALUES(load_5m),
            load_15m = VALUES(load_15m), ram_usage = VALUES(ram_usage),
            ram_total = VALUES(ram_total), ram_total_bytes = VALUES(ram_total_bytes),
            ram_used_bytes = VALUES(ram_used_bytes), ram_cached_bytes = VALUES(ram_cached_bytes),
            swap_total_bytes = VALUES(swap_total_bytes),
            swap_used_bytes = VALUES(swap_used_bytes), disk_usage = VALUES(disk_usage),
            cpu_pressure = VALUES(cpu_pressure), memory_pressure = VALUES(memory_pressure),
            memory_pressure_full = VALUES(memory_pressure_full),
            io_pressure = VALUES(io_pressure), active_pods = VALUES(active_pods)",
    );
    bind_sample!(query, row).execute(conn).await.map(drop)
}

async fn put_event(conn: &mut MySqlConnection, row: &EventRow) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "INSERT INTO events (uuid, timestamp, kind, object, message)
         VALUES (?, TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00'), ?, ?, ?)
         ON DUPLICATE KEY UPDATE timestamp = VALUES(timestamp), kind = VALUES(kind),
            object = VALUES(object), message = VALUES(message)",
    );
    bind_event!(query, row).execute(conn).await.map(drop)
}

async fn delete(
    conn: &mut MySqlConnection,
    relation: Relation,
    uuid: &str,
) -> Result<(), sqlx::Error> {
    let sql = match relation {
        Relation::Pods => "DELETE FROM pods WHERE uuid = ?",
        Relation::Events => "DELETE FROM events WHERE uuid = ?",
        Relation::SystemResources => "DELETE FROM system_resources WHERE uuid = ?",
    };
    sqlx::query(sql).bind(uuid).execute(conn).await.map(drop)
}

async fn prune(
    conn: &mut MySqlConnection,
    relation: Relation,
    resolution_seconds: Option<i64>,
    before: i64,
) -> Result<(), sqlx::Error> {
    match (relation, resolution_seconds) {
        (Relation::SystemResources, Some(tier)) => {
            sqlx::query(
                "DELETE FROM system_resources WHERE resolution_seconds = ?
                 AND timestamp < TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00')",
            )
            .bind(tier)
            .bind(before)
            .execute(conn)
            .await?;
        }
        (Relation::Events, _) => {
            sqlx::query(
                "DELETE FROM events
                 WHERE timestamp < TIMESTAMPADD(MICROSECOND, ?, '1970-01-01 00:00:00')",
            )
            .bind(before)
            .execute(conn)
            .await?;
        }
        // Nothing else is pruned.
        (Relation::SystemResources, None) | (Relation::Pods, _) => {}
    }
    Ok(())
}

// Error numbers: <https://mariadb.com/kb/en/mariadb-error-codes/>
const ER_DBACCESS_DENIED: u16 = 1044;
const ER_ACCESS_DENIED: u16 = 1045;
const ER_BAD_DB: u16 = 1049;
const ER_NO_SUCH_TABLE: u16 = 1146;
/// Errors about a value that have no SQLSTATE of class 22 or 23: a wrong value or string, a
/// row or packet too large, a value that is not valid in its character set.
const DATA_ERRORS: [u16; 7] = [1118, 1153, 1264, 1300, 1366, 1411, 4025];

fn number(error: &sqlx::Error) -> Option<u16> {
    Some(
        error
            .as_database_error()?
            .try_downcast_ref::<MySqlDatabaseError>()?
            .number(),
    )
}

/// MariaDB's words, where it refuses a row for what it contains.
fn data_error(error: &sqlx::Error) -> Option<String> {
    if let sqlx::Error::Encode(error) = error {
        return Some(one_line(&error.to_string()));
    }
    let database = error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()?;
    let class = database.code().and_then(|state| state.get(..2));
    let about_data = matches!(class, Some("22" | "23")) || DATA_ERRORS.contains(&database.number());
    about_data.then(|| one_line(database.message()))
}

/// What an error means for the connection, in words.
pub fn explain(options: &MariaDbOptions, error: &sqlx::Error) -> LinkError {
    let address = options.address();
    let reason = match error {
        sqlx::Error::Database(error) => one_line(error.message()),
        sqlx::Error::Io(error) => one_line(&error.to_string()),
        other => one_line(&other.to_string()),
    };
    let (user, database) = (options.user.clone(), options.database.clone());
    match number(error) {
        Some(ER_ACCESS_DENIED) => LinkError::Denied {
            address,
            user,
            database,
            reason,
        },
        Some(ER_BAD_DB | ER_DBACCESS_DENIED) => LinkError::NoDatabase {
            address,
            user,
            database,
            reason,
        },
        Some(_) => LinkError::Refused { address, reason },
        None => LinkError::Unreachable { address, reason },
    }
}

/// The same for a database that another store writes to.
pub fn taken_over(options: &MariaDbOptions) -> LinkError {
    LinkError::TakenOver {
        address: options.address(),
        database: options.database.clone(),
    }
}

/// The same for a batch that took too long.
pub fn too_slow(options: &MariaDbOptions, after: Duration) -> LinkError {
    LinkError::Unreachable {
        address: options.address(),
        reason: format!("a batch was not committed within {} s", after.as_secs()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
