//! The contents of both databases, in one form.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, MySqlConnection, Row as _, SqliteConnection};

pub const MIRRORED: [&str; 8] = [
    "pods",
    "workflows",
    "workflow_runs",
    "pod_runs",
    "resource_alerts",
    "events",
    "audit",
    "system_resources",
];

/// Another connection to the store's file.
pub async fn sqlite(state_dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(state_dir.join(dagdad::store::FILE_NAME))
        .connect()
        .await
        .unwrap()
}

pub async fn count(conn: &mut SqliteConnection, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {what}")))
        .fetch_one(conn)
        .await
        .unwrap()
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Real,
    Time,
}

/// Every column that SQLite's table has.
async fn columns(conn: &mut SqliteConnection, table: &str) -> Vec<(String, Kind)> {
    let columns: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(conn)
            .await
            .unwrap();
    assert!(!columns.is_empty(), "no table {table}");
    columns
        .into_iter()
        .map(|(name, declared)| {
            let kind = match declared.as_str() {
                "INTEGER"
                    if matches!(&*name, "timestamp" | "deadline") || name.ends_with("_at") =>
                {
                    Kind::Time
                }
                "INTEGER" => Kind::Integer,
                "REAL" => Kind::Real,
                _ => Kind::Text,
            };
            (name, kind)
        })
        .collect()
}

macro_rules! fetch {
    ($conn:expr, $sql:expr, $columns:expr) => {
        sqlx::query(AssertSqlSafe($sql))
            .fetch_all($conn)
            .await
            .unwrap()
            .iter()
            .map(|row| {
                $columns
                    .iter()
                    .enumerate()
                    .map(|(index, (name, kind))| match kind {
                        Kind::Text => format!("{name}={:?}", row.get::<Option<String>, _>(index)),
                        Kind::Real => format!("{name}={:?}", row.get::<Option<f64>, _>(index)),
                        Kind::Integer | Kind::Time => {
                            format!("{name}={:?}", row.get::<Option<i64>, _>(index))
                        }
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect::<Vec<String>>()
    };
}

/// Fails unless each mirrored table has the same rows in both databases.
pub async fn assert_equal(state_dir: &Path, mariadb: &mut MySqlConnection) {
    let mut local = sqlite(state_dir).await;
    for table in MIRRORED {
        let columns = columns(&mut local, table).await;
        let here = columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let there = columns
            .iter()
            .map(|(name, kind)| match kind {
                Kind::Text => format!("CAST({name} AS CHAR)"),
                Kind::Integer => format!("CAST({name} AS SIGNED)"),
                Kind::Real => format!("CAST({name} AS DOUBLE)"),
                Kind::Time => format!("CAST(UNIX_TIMESTAMP({name}) * 1000000 AS SIGNED)"),
            })
            .collect::<Vec<_>>()
            .join(", ");
        let expected = fetch!(
            &mut local,
            format!("SELECT {here} FROM {table} ORDER BY uuid"),
            columns
        );
        let found = fetch!(
            &mut *mariadb,
            format!("SELECT {there} FROM dagda_orchestrator.{table} ORDER BY uuid"),
            columns
        );
        assert_eq!(expected.len(), found.len(), "number of rows in {table}");
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected, found, "a row of {table}");
        }
    }
}
