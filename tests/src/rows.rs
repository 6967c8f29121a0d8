//! Rows of the local SQLite and of MariaDB, in one form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::mariadb::{DATABASE, MariaDb, PASSWORD, USER};

/// A table's rows by their UUID; in each, the values by their column. Times are microseconds
/// since 1970, decimals have MariaDB's scale, JSON is normalised.
pub type Rows = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// How MariaDB keeps a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Time,
    Decimal { scale: u32 },
    Json,
}

/// A table of both databases: what it has here and there.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What SQLite has.
    pub local: Rows,
    /// What MariaDB has.
    pub remote: Rows,
}

/// Reads a table from both databases. Every column that SQLite has must be in MariaDB; MariaDB
/// may have its own `id` beside them.
///
/// # Panics
/// One of them cannot be read, or their columns differ.
pub async fn read(database: &Path, mariadb: &MariaDb, table: &'static str) -> Table {
    let mut remote = MySqlConnectOptions::new()
        .host("127.0.0.1")
        .port(mariadb.port())
        .username(USER)
        .password(PASSWORD)
        .database(DATABASE)
        .timezone(Some("+00:00".to_owned()))
        .connect()
        .await
        .expect("connect to MariaDB");
    let mut local = open_local(database).await;

    let kinds = kinds(&mut remote, table).await;
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
        .bind(table)
        .fetch_all(&mut local)
        .await
        .expect("read SQLite's columns");
    let here: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let there: BTreeSet<&str> = kinds
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "id")
        .collect();
    assert_eq!(
        here, there,
        "{table} has the same columns in SQLite and in MariaDB"
    );

    let columns: Vec<(&str, Kind)> = names
        .iter()
        .map(|name| (name.as_str(), kinds[name]))
        .collect();
    let sql = |expression: fn(&str, Kind) -> String| {
        let columns: Vec<String> = columns
            .iter()
            .map(|(name, kind)| expression(name, *kind))
            .collect();
        AssertSqlSafe(format!("SELECT {} FROM {table}", columns.join(", ")))
    };
    let local_rows = sqlx::query(sql(local_text))
        .fetch_all(&mut local)
        .await
        .expect("read SQLite");
    let remote_rows = sqlx::query(sql(remote_text))
        .fetch_all(&mut remote)
        .await
        .expect("read MariaDB");
    let rows = Table {
        name: table,
        local: local_rows
            .iter()
            .map(|row| keyed(&columns, |index| row.get(index)))
            .collect(),
        remote: remote_rows
            .iter()
            .map(|row| keyed(&columns, |index| row.get(index)))
            .collect(),
    };
    let _ = local.close().await;
    let _ = remote.close().await;
    rows
}

/// Runs SQL in a SQLite database, which is made if missing. For databases nobody has open.
///
/// # Panics
/// It fails.
pub async fn execute(database: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true);
    let mut connection = options.connect().await.expect("open the database");
    sqlx::raw_sql(sql)
        .execute(&mut connection)
        .await
        .expect("run the SQL");
    connection.close().await.expect("close the database");
}

/// The first column of what is asked, as text. For databases nobody has open.
///
/// # Panics
/// It fails.
pub async fn texts(database: &Path, sql: &'static str) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = options.connect().await.expect("open the database");
    let texts = sqlx::query_scalar(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let _ = connection.close().await;
    texts
}

/// Keeps everybody else from writing until it is dropped; reading goes on.
///
/// # Panics
/// The database cannot be locked.
pub async fn lock(database: &Path) -> sqlx::SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = options.connect().await.expect("open the database");
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut connection)
        .await
        .expect("lock the database");
    connection
}

/// Intents that were accepted and not closed.
///
/// # Panics
/// The database cannot be read.
pub async fn open_intents(database: &Path) -> Vec<String> {
    let mut connection = open_local(database).await;
    let open = sqlx::query_scalar(
        "SELECT kind || ' ' || pod FROM intents WHERE closed_at IS NULL ORDER BY uuid",
    )
    .fetch_all(&mut connection)
    .await
    .expect("read the intents");
    let _ = connection.close().await;
    open
}

/// Rows that wait for MariaDB, and rows that it refused.
///
/// # Panics
/// The database cannot be read.
pub async fn outbox(database: &Path) -> (i64, Vec<String>) {
    let mut connection = open_local(database).await;
    let waiting = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(&mut connection)
        .await;
    let refused =
        sqlx::query_scalar("SELECT relation || ' ' || key || ': ' || error FROM outbox_rejected")
            .fetch_all(&mut connection)
            .await;
    let _ = connection.close().await;
    (
        waiting.expect("count the outbox"),
        refused.expect("read what was refused"),
    )
}

impl Table {
    /// The first difference between the two, in words; `None` where they have the same rows with
    /// the same values.
    pub fn difference(&self) -> Option<String> {
        let Self {
            name,
            local,
            remote,
        } = self;
        let lost = local.keys().find(|key| !remote.contains_key(*key));
        let extra = remote.keys().find(|key| !local.contains_key(*key));
        let other = local
            .iter()
            .find(|(key, row)| remote.get(*key) != Some(row));
        match (lost, extra, other) {
            (Some(key), ..) => Some(format!("{name}: MariaDB lacks {key}: {:#?}", local[key])),
            (_, Some(key), _) => Some(format!(
                "{name}: only MariaDB has {key}: {:#?}",
                remote[key]
            )),
            (_, _, Some((key, row))) => {
                let differing = row
                    .iter()
                    .filter(|(column, value)| remote[key].get(*column) != Some(value));
                let differing: Vec<_> = differing
                    .map(|(column, value)| (column, value, &remote[key][column]))
                    .collect();
                Some(format!(
                    "{name}: row {key} differs (column, SQLite, MariaDB): {differing:#?}"
                ))
            }
            (None, None, None) => None,
        }
    }
}

async fn open_local(database: &Path) -> sqlx::SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .read_only(true);
    options
        .connect()
        .await
        .unwrap_or_else(|error| panic!("open {}: {error}", database.display()))
}

async fn kinds(connection: &mut sqlx::MySqlConnection, table: &str) -> BTreeMap<String, Kind> {
    let rows = sqlx::query(
        "SELECT CAST(c.column_name AS CHAR), CAST(c.data_type AS CHAR), CAST(c.numeric_scale AS SIGNED), \
           EXISTS (SELECT 1 FROM information_schema.check_constraints k \
                   WHERE k.constraint_schema = c.table_schema AND k.table_name = c.table_name \
                     AND k.constraint_name = c.column_name AND k.check_clause LIKE 'json_valid%') \
         FROM information_schema.columns c WHERE c.table_schema = DATABASE() AND c.table_name = ?",
    )
    .bind(table)
    .fetch_all(connection)
    .await
    .expect("read MariaDB's columns");
    let kind = |row: &sqlx::mysql::MySqlRow| {
        // MariaDB's JSON is a LONGTEXT with a check.
        let json: i64 = row.get(3);
        match row.get::<String, _>(1).as_str() {
            "timestamp" | "datetime" => Kind::Time,
            "decimal" => {
                let scale: i64 = row.get(2);
                Kind::Decimal {
                    scale: u32::try_from(scale).expect("a small scale"),
                }
            }
            _ if json == 1 => Kind::Json,
            _ => Kind::Plain,
        }
    };
    rows.iter().map(|row| (row.get(0), kind(row))).collect()
}

fn local_text(name: &str, kind: Kind) -> String {
    match kind {
        // NULL must stay NULL.
        Kind::Decimal { scale } => {
            format!(
                "CASE WHEN \"{name}\" IS NULL THEN NULL ELSE printf('%.{scale}f', \"{name}\") END"
            )
        }
        _ => format!("CAST(\"{name}\" AS TEXT)"),
    }
}

fn remote_text(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Time => format!("CAST(CAST(UNIX_TIMESTAMP(`{name}`) * 1000000 AS SIGNED) AS CHAR)"),
        _ => format!("CAST(`{name}` AS CHAR)"),
    }
}

fn keyed(
    columns: &[(&str, Kind)],
    value: impl Fn(usize) -> Option<String>,
) -> (String, BTreeMap<String, Option<String>>) {
    let row: BTreeMap<String, Option<String>> = columns
        .iter()
        .enumerate()
        .map(|(index, (name, kind))| {
            (
                (*name).to_owned(),
                value(index).map(|text| normal(text, *kind)),
            )
        })
        .collect();
    let key = row
        .get("uuid")
        .cloned()
        .flatten()
        .expect("every row has a uuid");
    (key, row)
}

fn normal(text: String, kind: Kind) -> String {
    match kind {
        Kind::Json => serde_json::from_str::<serde_json::Value>(&text)
            .expect("valid JSON")
            .to_string(),
        _ => text,
    }
}
