//! Everything that a local database holds, and everything in a directory, to be compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use dagdad::store::FILE_NAME;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::tables::sqlite;

/// A row: its columns as SQL literals.
pub type Row = BTreeMap<String, String>;
/// By table; rows in the order of their key.
pub type Contents = BTreeMap<String, Vec<Row>>;

/// What the database in `state_dir` holds. Takes no part in it: the files are copied first.
pub async fn contents(state_dir: &Path) -> Contents {
    let copy = tempfile::tempdir().unwrap();
    for file in files(state_dir) {
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    let mut conn = sqlite(copy.path()).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut contents = Contents::new();
    for table in tables {
        let rows = rows(&mut conn, &table).await;
        contents.insert(table, rows);
    }
    contents
}

/// Of the database, not what else the directory holds.
fn files(state_dir: &Path) -> Vec<PathBuf> {
    let entries = state_dir.read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(FILE_NAME))
        .map(|name| state_dir.join(name))
        .collect()
}

async fn rows(conn: &mut SqliteConnection, table: &str) -> Vec<Row> {
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
        .bind(table)
        .fetch_all(&mut *conn)
        .await
        .unwrap();
    let quoted: Vec<String> = columns
        .iter()
        .map(|name| format!("quote(\"{name}\")"))
        .collect();
    let sql = format!("SELECT {} FROM {table} ORDER BY 1, 2", quoted.join(", "));
    let fetched = sqlx::query(AssertSqlSafe(sql)).fetch_all(conn).await;
    fetched
        .unwrap()
        .iter()
        .map(|row| {
            columns
                .iter()
                .enumerate()
                .map(|(index, name)| (name.clone(), row.get(index)))
                .collect()
        })
        .collect()
}

/// Fails unless each row of `old` is in `new`, with the same value in each column that it had.
pub fn assert_kept(old: &Contents, new: &Contents, what: &str) {
    for (table, rows) in old {
        let found = &new[table];
        assert_eq!(rows.len(), found.len(), "{what}: number of rows in {table}");
        for (old, new) in rows.iter().zip(found) {
            let mut same = new.clone();
            same.retain(|column, _| old.contains_key(column));
            assert_eq!(*old, same, "{what}: a row of {table}");
        }
    }
}

/// Each file with its bytes and the time of its last change, and the directory's own.
pub fn everything(dir: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let changed = |path: &Path| path.metadata().unwrap().modified().unwrap();
    let files = dir.read_dir().unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        (path.clone(), (changed(&path), bytes))
    });
    let mut all: BTreeMap<_, _> = files.collect();
    all.insert(PathBuf::from("."), (changed(dir), Vec::new()));
    all
}

/// The directory with what the release of this schema left.
pub fn kept_state(schema: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/states")
        .join(format!("{schema:04}"))
}

/// A state directory as the release of this schema left it.
pub fn unpacked(schema: i64) -> tempfile::TempDir {
    let state = tempfile::tempdir().unwrap();
    unpack(schema, state.path());
    state
}

/// The same in a directory that is there.
pub fn unpack(schema: i64, into: &Path) {
    let done = Command::new("tar")
        .args(["--extract", "--no-same-owner", "--file"])
        .arg(kept_state(schema).join("state.tar.gz"))
        .arg("--directory")
        .arg(into)
        .status()
        .unwrap();
    assert!(done.success(), "the state of schema {schema} is unpacked");
}
