//! The state directory that the release of each schema left opens in this one, with all that is
//! in it; `dagdad/tests/states/README.md` tells how they were made.

use std::path::Path;

use dagdad::domain::event::EventQuery;
use dagdad::domain::operation::OperationKind;
use dagdad::domain::run::RunQuery;
use dagdad::ports::{Restored, Store as _, StoreError};
use dagdad::store::{FILE_NAME, LocalStore, MariaDbOptions};
use secrecy::SecretString;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _};

use crate::contents::{Contents, assert_kept, contents, kept_state, unpack, unpacked};
use crate::disk::{Disk, run_with_own_mounts};
use crate::records::{open, options, pod, put};

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

fn newest() -> i64 {
    SQLITE.iter().map(|found| found.version).max().unwrap()
}

/// The schemas of which a state is kept.
fn kept() -> impl Iterator<Item = i64> {
    (1..=newest()).filter(|schema| kept_state(*schema).is_dir())
}

/// MariaDB is away, as it was: the outbox is filled and not emptied.
fn away() -> MariaDbOptions {
    MariaDbOptions {
        host: "127.0.0.1".into(),
        port: 1,
        socket: None,
        user: "dagda_api".into(),
        password: SecretString::from(""),
        database: "dagda_orchestrator".into(),
    }
}

#[test]
fn the_state_of_every_schema_but_the_newest_is_kept() {
    for schema in 1..newest() {
        for file in ["state.tar.gz", "mariadb.sql.gz"] {
            let path = kept_state(schema).join(file);
            assert!(
                path.is_file(),
                "{} is missing: a release had schema {schema}; see dagdad/tests/states/README.md",
                path.display()
            );
        }
    }
}

/// What must be in a state for its test to prove something.
fn assert_worth_it(schema: i64, old: &Contents) {
    let mut tables = vec!["pods", "intents", "events", "system_resources", "outbox"];
    if schema >= 2 {
        tables.extend(["workflows", "workflow_runs", "pod_runs", "resource_alerts"]);
    }
    if schema >= 3 {
        tables.extend(["economy", "silences"]);
    }
    for table in tables {
        assert!(!old[table].is_empty(), "schema {schema} has no {table}");
    }
}

#[tokio::test]
async fn every_kept_state_opens_with_all_that_is_in_it() {
    for schema in kept() {
        let state = unpacked(schema);
        let what = format!("schema {schema}");
        let old = contents(state.path()).await;
        assert_worth_it(schema, &old);

        let store = open(state.path(), Some(away())).await;
        let waiting = store.mirror().borrow().outbox;
        assert_eq!(waiting, old["outbox"].len() as u64, "{what}");
        let restored = store.load().await.unwrap();
        assert_restored(&what, &old, &restored);
        let query = EventQuery {
            limit: 10_000,
            ..EventQuery::default()
        };
        let events = store.events(&query).await.unwrap();
        assert_eq!(events.len(), old["events"].len(), "{what}");
        let all = RunQuery {
            workflow: None,
            limit: 10_000,
        };
        let runs = store.runs(&all).await.unwrap();
        assert_eq!(runs.len(), old.get("workflow_runs").map_or(0, Vec::len));
        store.close().await;

        let new = contents(state.path()).await;
        assert_kept(&old, &new, &what);
        let store = open(state.path(), Some(away())).await;
        assert_eq!(store.load().await.unwrap(), restored, "{what}");
        store.close().await;
        assert_eq!(contents(state.path()).await, new, "{what}: opened again");

        // What comes now is numbered behind what waits.
        let store = open(state.path(), Some(away())).await;
        store.commit(&[put(&pod("newcomer"))]).await.unwrap();
        store.close().await;
        let with_newcomer = contents(state.path()).await;
        let last = with_newcomer["outbox"].iter().map(number).max();
        let before = new["outbox"].iter().map(number).max();
        assert!(last > before, "{what}");
    }
}

fn number(entry: &crate::contents::Row) -> i64 {
    entry["seq"].parse().unwrap()
}

fn assert_restored(what: &str, old: &Contents, restored: &Restored) {
    let mut names: Vec<_> = old["pods"].iter().map(|row| row["name"].clone()).collect();
    names.sort();
    let found: Vec<_> = restored
        .pods
        .iter()
        .map(|pod| format!("'{}'", pod.name))
        .collect();
    assert_eq!(found, names, "{what}");
    let workflows = &old["workflows"];
    assert_eq!(restored.workflows.len(), workflows.len(), "{what}");
    // Killed in the middle of a start, which is to be finished.
    let [intent] = restored.intents.as_slice() else {
        panic!("{what}: {:?}", restored.intents);
    };
    assert_eq!(
        (intent.pod.as_str(), intent.kind),
        ("slow", OperationKind::Start)
    );
    let active = old.get("workflow_runs").map_or(0, |runs| {
        runs.iter().filter(|run| run["ended_at"] == "NULL").count()
    });
    assert_eq!(restored.runs.len(), active, "{what}");
    let unresolved = old["resource_alerts"]
        .iter()
        .filter(|alert| alert["resolved"] == "0")
        .count();
    assert_eq!(restored.alerts.len(), unresolved, "{what}");
    let silences = old.get("silences").map_or(0, Vec::len);
    assert_eq!(restored.silences.len(), silences, "{what}");
}

#[test]
fn a_migration_that_finds_no_room_loses_nothing() {
    run_with_own_mounts("states::no_room");
}

#[tokio::test]
#[ignore = "run by a_migration_that_finds_no_room_loses_nothing, in its own mount namespace"]
async fn no_room() {
    for schema in kept().filter(|schema| *schema < newest()) {
        let mut failed = 0;
        for pages in 0.. {
            let disk = Disk::mount("8m");
            let state = disk.path().join("state");
            std::fs::create_dir(&state).unwrap();
            unpack(schema, &state);
            // The log that the old one left has room of its own: it is taken over and gone.
            let mut conn = crate::tables::sqlite(&state).await;
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                .await
                .unwrap();
            conn.close().await.unwrap();
            let old = contents(&state).await;
            fill_but(disk.path(), pages * 4096);
            let opened = LocalStore::open(options(&state, Some(away()))).await;
            let done = opened.is_ok();
            match opened {
                Ok(store) => store.close().await,
                Err(error) => {
                    assert!(matches!(error, StoreError::Full { .. }), "{error}");
                    failed += 1;
                    assert_kept(&old, &contents(&state).await, "no room");
                    std::fs::remove_file(disk.path().join("ballast")).unwrap();
                    open(&state, Some(away())).await.close().await;
                }
            }
            assert_kept(&old, &contents(&state).await, "room again");
            if done {
                break;
            }
        }
        assert!(failed > 1, "schema {schema}: it never ran out of room");
    }
}

/// Leaves `bytes` of the file system free.
fn fill_but(disk: &Path, bytes: u64) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(disk.join("ballast")).unwrap();
    let mut written = 0;
    while file.write_all(&[0; 4096]).is_ok() {
        written += 4096;
    }
    file.set_len(written - bytes).unwrap();
}

/// As a release would find them.
#[tokio::test]
async fn kept_states_are_of_their_schema() {
    for schema in kept() {
        let state = unpacked(schema);
        let mut conn = crate::tables::sqlite(state.path()).await;
        let found: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert_eq!(found, schema, "{}", state.path().join(FILE_NAME).display());
    }
}
