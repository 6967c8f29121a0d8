//! A database that cannot be used is left as it is, with all that lies beside it.

use std::path::Path;

use dagdad::ports::{Record, Store as _, StoreError};
use dagdad::store::{FILE_NAME, LocalStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;

use crate::contents::everything;
use crate::records::{at, open, options, pod, put, sample};
use crate::tables::sqlite;

const LATER: &str = "INSERT INTO _sqlx_migrations
        (version, description, success, checksum, execution_time)
    VALUES (999, 'later', TRUE, '', 0)";

/// A database of a later dagdad's, as that left it: ended in order, or killed, with or without
/// SQLite's index of the log.
async fn newer(left: &[&str]) -> TempDir {
    let running = tempfile::tempdir().unwrap();
    let store = open(running.path(), None).await;
    let samples = (0..300).map(|n| Record::Sample(Box::new(sample(at(n * 5), 10.0))));
    let records: Vec<_> = samples.chain([put(&pod("llama"))]).collect();
    store.commit(&records).await.unwrap();
    let mut later = sqlite(running.path()).await;
    later.execute(LATER).await.unwrap();
    later.close().await.unwrap();
    if left.is_empty() {
        store.close().await;
    }
    let copy = tempfile::tempdir().unwrap();
    for suffix in [""].iter().chain(left) {
        let name = format!("{FILE_NAME}{suffix}");
        std::fs::copy(running.path().join(&name), copy.path().join(&name)).unwrap();
    }
    copy
}

async fn assert_newer(state_dir: &Path) {
    let error = LocalStore::open(options(state_dir, None)).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, StoreError::NewerSchema { found: 999, .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("install the newer dagdad again") && text.contains("backup"),
        "{text}"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused_without_a_trace() {
    for left in [&[][..], &["-wal", "-shm"]] {
        let state = newer(left).await;
        let before = everything(state.path());
        assert_newer(state.path()).await;
        assert!(
            before == everything(state.path()),
            "beside it {left:?}: something was changed"
        );
    }
}

/// Only the index is made anew, as by whoever reads such a copy.
#[tokio::test]
async fn a_newer_schema_that_only_the_log_tells_of_is_refused_too() {
    let state = newer(&["-wal"]).await;
    let before = everything(state.path());
    assert_newer(state.path()).await;
    let after = everything(state.path());
    for suffix in ["", "-wal"] {
        let path = state.path().join(format!("{FILE_NAME}{suffix}"));
        assert!(before[&path] == after[&path], "{suffix} was changed");
    }
}

#[tokio::test]
async fn a_damaged_database_is_refused_without_a_trace_and_with_a_way_out() {
    let state = newer(&[]).await;
    let path = state.path().join(FILE_NAME);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..16].copy_from_slice(b"no database 4711");
    std::fs::write(&path, bytes).unwrap();
    let before = everything(state.path());
    let error = LocalStore::open(options(state.path(), None)).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("`dagdad restore`"), "{error}");
    assert!(before == everything(state.path()), "something was changed");
}

/// The file was being made when the power went: SQLite undoes what was half done.
#[tokio::test]
async fn a_database_with_a_transaction_to_be_undone_opens() {
    let making = tempfile::tempdir().unwrap();
    let path = making.path().join(FILE_NAME);
    let mut conn = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .connect()
        .await
        .unwrap();
    conn.execute("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))")
        .await
        .unwrap();
    // More than the cache holds: it reaches the file before it is committed.
    conn.execute(
        "PRAGMA cache_size = 1; BEGIN; UPDATE t SET x = randomblob(100000);
         INSERT INTO t SELECT randomblob(100000) FROM t",
    )
    .await
    .unwrap();
    let state = tempfile::tempdir().unwrap();
    for suffix in ["", "-journal"] {
        let name = format!("{FILE_NAME}{suffix}");
        std::fs::copy(making.path().join(&name), state.path().join(&name)).unwrap();
    }
    let store = open(state.path(), None).await;
    store.commit(&[put(&pod("llama"))]).await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM t WHERE x = zeroblob(100000)")
        .fetch_one(&mut sqlite(state.path()).await)
        .await
        .unwrap();
    assert_eq!(kept, 1);
}
