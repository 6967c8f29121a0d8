//! A lost local database is made anew of what MariaDB has: row for row, under the same identity.

use std::path::Path;

use dagdad::ports::{MirrorLink, Record, Store as _, StoreError};
use dagdad::store::{
    Archive, FILE_NAME, LinkError, MariaDbOptions, Progress, RebuildError, Rebuilt, ensure_vacant,
    rebuild,
};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection};
use tempfile::TempDir;

use crate::audit::entries;
use crate::contents::{Contents, contents, everything};
use crate::disk::{Disk, run_with_own_mounts};
use crate::forms::{alerts, events, pod_runs, runs};
use crate::mariadb::MariaDb;
use crate::records::{
    Forwarding, at, event, in_step, open, pod, put, put_alert, put_audit, put_pod_run, put_run,
    put_workflow, sample, wait_for, workflow,
};
use crate::tables::{MIRRORED, assert_equal};

const DAYS_LATER: i64 = 3 * 24 * 3600;

/// Rows of every table in every form, and more than some pages of one; all of it in MariaDB.
async fn filled(server: &MariaDb) -> TempDir {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let mut records: Vec<Record> = (runs().iter().map(put_run))
        .chain(pod_runs().iter().map(put_pod_run))
        .chain(events().into_iter().map(Record::Event))
        .chain(alerts().iter().map(put_alert))
        .chain(entries().iter().map(put_audit))
        .collect();
    let samples = |from: i64| {
        (0..600_u32).map(move |n| {
            let cpu_percent = f64::from(n) * 0.1234;
            Record::Sample(Box::new(sample(at(from + i64::from(n) * 5), cpu_percent)))
        })
    };
    records.extend(samples(0));
    let mut bare = pod("bare");
    (bare.message, bare.port, bare.started_digest) = (None, None, None);
    let mut plain = workflow("plain");
    (plain.description, plain.active) = (None, false);
    records.extend([put(&pod("llama")), put(&bare)]);
    records.extend([put_workflow(&workflow("ai")), put_workflow(&plain)]);
    store.commit(&records).await.unwrap();
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    // Samples rolled up into minutes, too.
    store.tidy(at(DAYS_LATER)).await.unwrap();
    store
        .commit(&samples(DAYS_LATER).collect::<Vec<_>>())
        .await
        .unwrap();
    in_step(&store).await;
    forwarding.shut_down().await;
    store.close().await;
    state
}

async fn restored_to(state: &Path, options: &MariaDbOptions) -> Result<Rebuilt, RebuildError> {
    let archive = Archive::open(options).await?;
    rebuild(archive, state, &mut |_| {}).await
}

fn mirrored_of(mut contents: Contents) -> Contents {
    contents.retain(|table, _| {
        MIRRORED.contains(&table.as_str())
            || ["mirror_state", "sqlite_sequence"].contains(&&**table)
    });
    contents
}

#[tokio::test]
async fn every_row_comes_back_as_it_was_and_the_mirror_goes_on() {
    let server = MariaDb::start().await;
    let lost = filled(&server).await;
    let before = contents(lost.path()).await;
    for table in MIRRORED {
        assert!(before[table].len() > 1, "there are rows of {table}");
    }
    let resolutions = before["system_resources"].iter();
    let rolled_up = resolutions.filter(|row| row["resolution_seconds"] != "0");
    assert!(rolled_up.count() > 1, "some samples are rolled up");

    let mut admin = server.admin().await;
    let received = received(&mut admin).await;
    let state = tempfile::tempdir().unwrap();
    let archive = Archive::open(&server.options()).await.unwrap();
    let mut told = Vec::new();
    let rebuilt = rebuild(archive, state.path(), &mut |progress| {
        told.push(format!("{progress:?}"));
    })
    .await
    .unwrap();
    assert_eq!(rebuilt.path, state.path().join(FILE_NAME));
    for tally in &rebuilt.tables {
        let had = before[tally.table].len() as u64;
        assert_eq!((tally.copied, tally.left_out), (had, 0), "{}", tally.table);
    }
    assert_eq!(rebuilt.tables.len(), MIRRORED.len());
    let pages = told.iter().filter(|line| line.contains("system_resources"));
    assert!(pages.count() > 1, "{told:#?}");
    assert_only_the_database(state.path());
    assert_eq!(
        mirrored_of(contents(state.path()).await),
        mirrored_of(before.clone())
    );

    // Nothing waits, nothing is sent again; what comes next follows on.
    let store = open(state.path(), Some(server.options())).await;
    assert_eq!(store.mirror().borrow().outbox, 0);
    let mut seen = store.mirror();
    let watching = tokio::spawn(async move {
        let mut most = 0;
        while seen.changed().await.is_ok() {
            most = most.max(seen.borrow_and_update().outbox);
        }
        most
    });
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let next = Record::Event(event(at(9), Some("llama"), "after the loss"));
    store.commit(&[next]).await.unwrap();
    in_step(&store).await;
    assert_eq!(self::received(&mut admin).await, received + 1);
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
    store.close().await;
    drop(store);
    assert_eq!(watching.await.unwrap(), 1, "rows were sent again");
}

async fn received(admin: &mut MySqlConnection) -> i64 {
    sqlx::query_scalar("SELECT last_seq FROM dagda_orchestrator.mirror_source")
        .fetch_one(admin)
        .await
        .unwrap()
}

fn assert_only_the_database(state: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let files: Vec<_> = state
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files, [state.join(FILE_NAME)]);
    let mode = files[0].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// What is committed there while it is read belongs to none of the tables or to all.
#[tokio::test]
async fn it_is_read_as_of_one_moment() {
    let server = MariaDb::start().await;
    let lost = filled(&server).await;
    let archive = Archive::open(&server.options()).await.unwrap();
    let before = mirrored_of(contents(lost.path()).await);
    let store = open(lost.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    store
        .commit(&[put(&pod("late")), Record::Event(event(at(9), None, "late"))])
        .await
        .unwrap();
    in_step(&store).await;
    forwarding.shut_down().await;
    let state = tempfile::tempdir().unwrap();
    rebuild(archive, state.path(), &mut |_| {}).await.unwrap();
    assert_eq!(mirrored_of(contents(state.path()).await), before);
}

/// People may write to MariaDB what they like: it is told of, and is in nobody's way.
#[tokio::test]
async fn rows_that_dagdad_did_not_write_or_could_not_read_stay_there() {
    let server = MariaDb::start().await;
    let lost = filled(&server).await;
    let before = mirrored_of(contents(lost.path()).await);
    let mut admin = server.admin().await;
    let uuid = |n: u32| format!("019a0000-0000-7000-8000-{n:012}");
    let theirs = format!(
        "USE dagda_orchestrator;
         INSERT INTO pods (name, category) VALUES ('by-hand', 'optional');
         INSERT INTO workflows (name, required_pods, estimated_cpu, estimated_ram)
             VALUES ('plain', '[]', 1, 1);
         INSERT INTO system_resources (cpu_usage) VALUES (12.5), (NULL);
         INSERT INTO resource_alerts (alert_type, message, severity)
             VALUES ('cpu_high', 'hot', 'info');
         INSERT INTO pods (uuid, name, category) VALUES ('{}', 'no name!', 'optional');
         INSERT INTO workflows (uuid, name, required_pods, estimated_cpu, estimated_ram)
             VALUES ('{}', 'plain', '[]', 1, 1);
         INSERT INTO pod_runs (uuid, pod, completed, memory_peak_bytes, cpu_peak)
             VALUES ('{}', 'llama', 0, -1, 1);",
        uuid(1),
        uuid(2),
        uuid(3)
    );
    sqlx::raw_sql(AssertSqlSafe(theirs))
        .execute(&mut admin)
        .await
        .unwrap();
    let state = tempfile::tempdir().unwrap();
    let archive = Archive::open(&server.options()).await.unwrap();
    let mut told = Vec::new();
    let rebuilt = rebuild(archive, state.path(), &mut |progress| {
        if let Progress::LeftOut {
            table,
            uuid,
            reason,
        } = progress
        {
            told.push(format!("{table} {uuid} {reason}"));
        }
    })
    .await
    .unwrap();
    assert_eq!(mirrored_of(contents(state.path()).await), before);
    let left_out: Vec<_> = rebuilt
        .tables
        .iter()
        .map(|tally| (tally.table, tally.left_out))
        .collect();
    assert_eq!(
        left_out,
        [
            ("pods", 2),
            ("workflows", 2),
            ("workflow_runs", 0),
            ("pod_runs", 1),
            ("resource_alerts", 1),
            ("events", 0),
            ("audit", 0),
            ("system_resources", 2),
        ]
    );
    let by_hand = told.iter().filter(|line| line.contains("by hand")).count();
    assert_eq!(by_hand, 5, "{told:#?}");
    for (uuid, reason) in [
        (uuid(1), "pods.name holds \"no name!\""),
        (uuid(2), "workflows.manifest of plain"),
        (uuid(3), "pod_runs.memory_peak_bytes holds \"-1\""),
    ] {
        let line = told.iter().find(|line| line.contains(&uuid));
        assert!(line.is_some_and(|line| line.contains(reason)), "{told:#?}");
    }
}

#[tokio::test]
async fn a_directory_with_anything_of_a_database_is_refused_with_the_way_out() {
    let server = MariaDb::start().await;
    filled(&server).await;
    for found in ["", "-wal", "-shm", "-journal"] {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(format!("{FILE_NAME}{found}"));
        std::fs::write(&path, "the only copy").unwrap();
        let before = everything(state.path());
        let error = restored_to(state.path(), &server.options()).await;
        let error = error.unwrap_err();
        assert!(matches!(error, RebuildError::Occupied { .. }), "{error}");
        assert!(before == everything(state.path()), "something was changed");

        let text = error.to_string();
        let command = text.split('`').nth(1).unwrap();
        let done = std::process::Command::new("sh")
            .args(["-c", command])
            .status();
        assert!(done.unwrap().success(), "{command}");
        ensure_vacant(state.path()).unwrap();
        restored_to(state.path(), &server.options()).await.unwrap();
        let aside = state.path().join(format!("{FILE_NAME}.aside"));
        let kept = aside.join(path.file_name().unwrap());
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "the only copy");
    }
}

#[tokio::test]
async fn what_an_attempt_left_behind_is_taken_away() {
    let server = MariaDb::start().await;
    let lost = filled(&server).await;
    let state = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let name = format!("{FILE_NAME}.restoring{suffix}");
        std::fs::write(state.path().join(name), "half of it").unwrap();
    }
    restored_to(state.path(), &server.options()).await.unwrap();
    assert_only_the_database(state.path());
    let before = mirrored_of(contents(lost.path()).await);
    assert_eq!(mirrored_of(contents(state.path()).await), before);
}

#[tokio::test]
async fn a_mariadb_that_nothing_can_be_had_from_is_told_of_and_left_alone() {
    let mut server = MariaDb::start().await;
    let mut admin = server.admin().await;
    let error = |options: MariaDbOptions| async move {
        let state = tempfile::tempdir().unwrap();
        let error = restored_to(state.path(), &options).await.unwrap_err();
        assert_eq!(state.path().read_dir().unwrap().count(), 0, "{error}");
        match error {
            RebuildError::MariaDb(error) => error,
            other => panic!("{other}"),
        }
    };
    let databases = "SELECT count(*) FROM information_schema.schemata
        WHERE schema_name = 'dagda_orchestrator'";

    // No database: none is made.
    let found = error(server.options()).await;
    assert!(matches!(found, LinkError::NoDatabase { .. }), "{found}");
    let made: i64 = sqlx::query_scalar(databases)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(made, 0);

    // An empty one, and one with the first plan's tables: none is widened.
    admin
        .execute("CREATE DATABASE dagda_orchestrator")
        .await
        .unwrap();
    let found = error(server.options()).await;
    assert!(matches!(found, LinkError::Empty { .. }), "{found}");
    let plan = include_str!("../../../migrations/mariadb/0001_seed_tables.sql");
    admin.execute("USE dagda_orchestrator").await.unwrap();
    sqlx::raw_sql(plan).execute(&mut admin).await.unwrap();
    let found = error(server.options()).await;
    assert!(matches!(found, LinkError::Empty { .. }), "{found}");
    let columns: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM information_schema.columns
         WHERE table_schema = 'dagda_orchestrator' AND column_name = 'uuid'",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(columns, 0);

    // One of a later dagdad's.
    filled(&server).await;
    admin
        .execute(
            "INSERT INTO _sqlx_migrations
                 (version, description, success, checksum, execution_time)
             VALUES (999, 'later', TRUE, '', 0)",
        )
        .await
        .unwrap();
    let found = error(server.options()).await;
    assert!(
        matches!(found, LinkError::NewerSchema { found: 999, .. }),
        "{found}"
    );

    let mut stranger = server.options();
    stranger.user = "stranger".to_owned();
    stranger.password = SecretString::from("s3cr3t");
    let found = error(stranger).await;
    assert!(matches!(found, LinkError::Denied { .. }), "{found}");
    assert!(!found.to_string().contains("s3cr3t"), "{found}");

    drop(admin);
    server.stop().await;
    let found = error(server.options()).await;
    assert!(matches!(found, LinkError::Unreachable { .. }), "{found}");
}

/// Dead in the middle of it: nothing is left, and the next attempt is as good as the first.
#[tokio::test]
async fn a_mariadb_that_dies_meanwhile_leaves_nothing() {
    let mut server = MariaDb::start().await;
    let lost = filled(&server).await;
    let archive = Archive::open(&server.options()).await.unwrap();
    server.kill().await;
    let state = tempfile::tempdir().unwrap();
    let error = rebuild(archive, state.path(), &mut |_| {}).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, RebuildError::MariaDb(LinkError::Unreachable { .. })),
        "{error}"
    );
    assert_eq!(state.path().read_dir().unwrap().count(), 0);
    server.start_again().await;
    restored_to(state.path(), &server.options()).await.unwrap();
    let before = mirrored_of(contents(lost.path()).await);
    assert_eq!(mirrored_of(contents(state.path()).await), before);
}

#[test]
fn a_disk_without_room_for_it_is_told_of() {
    run_with_own_mounts("rebuilding::no_room");
}

#[tokio::test]
#[ignore = "run by a_disk_without_room_for_it_is_told_of, in its own mount namespace"]
async fn no_room() {
    let server = MariaDb::start().await;
    filled(&server).await;
    let disk = Disk::mount("360k");
    let error = restored_to(disk.path(), &server.options()).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, RebuildError::Local(StoreError::Full { .. })),
        "{error}"
    );
    assert_eq!(disk.path().read_dir().unwrap().count(), 0);
}

/// A daemon that found its directory empty began anew, and took MariaDB over. What it wrote since
/// comes back too.
#[tokio::test]
async fn what_two_directories_wrote_comes_back_together() {
    let server = MariaDb::start().await;
    filled(&server).await;
    let anew = tempfile::tempdir().unwrap();
    let store = open(anew.path(), Some(server.options())).await;
    store.commit(&[put(&pod("newcomer"))]).await.unwrap();
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    forwarding.shut_down().await;
    store.close().await;

    let state = tempfile::tempdir().unwrap();
    restored_to(state.path(), &server.options()).await.unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let pods = store.load().await.unwrap().pods;
    let names: Vec<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["bare", "llama", "newcomer"]);
    let forwarding = Forwarding::of(&store);
    wait_for(&store, |status| status.link == MirrorLink::Connected).await;
    assert_eq!(store.mirror().borrow().outbox, 0);
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}
