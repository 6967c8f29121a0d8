//! The state of each released schema in today's daemon, and a state of tomorrow's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dagda_tests::host::Builder;
use dagda_tests::manifest::Pod;
use dagda_tests::mariadb::{DATABASE, MariaDb};
use dagda_tests::random::Random;
use dagda_tests::scratch::Scratch;
use dagda_tests::{TestHost, binaries, cli, rows, states};
use serde_json::Value;

/// Nothing of what is kept gets too old to be shown.
const KEEP: &str = "[history]\nretention = '3650d'\n[events]\nretention = '3650d'\n";

const MOMENTS: u32 = 20;

/// Of a later dagdad's schema.
const LATER: &str = "INSERT INTO _sqlx_migrations
        (version, description, success, checksum, execution_time)
    VALUES (999, 'later', TRUE, '', 0)";

/// A host whose daemon finds the state of a schema.
fn upgraded(schema: i64, builder: Builder) -> TestHost {
    let host = builder.settings(KEEP).without_daemon();
    states::unpack(schema, &host.configuration.state);
    host
}

/// The same state, for questions to SQLite.
fn old(scratch: &Scratch, schema: i64) -> PathBuf {
    let state = scratch.join(&format!("old-{schema}"));
    states::unpack(schema, &state);
    state.join("dagda.db")
}

fn mariadb_is(host: &TestHost, state: &str) -> String {
    let status = host.await_status(&format!("MariaDB is {state}"), |status| {
        status.store.as_ref().is_some_and(|it| it.mariadb == state)
    });
    let store = status.store.expect("there is a store");
    store.reason.unwrap_or_default()
}

/// The values of a key in a list that a command prints.
fn listed<const N: usize>(
    host: &TestHost,
    arguments: [&str; N],
    list: &str,
    key: &str,
) -> Vec<String> {
    let mut command = host.dagdactl();
    command.arg("--json").args(arguments);
    let json: Value = cli::run(&mut command, None).done().json();
    let list = json[list].as_array().unwrap_or_else(|| panic!("{json:#}"));
    let mut values: Vec<String> = list
        .iter()
        .map(|one| one[key].as_str().expect("a text").to_owned())
        .collect();
    values.sort_unstable();
    values
}

/// What was there is shown, all that waited reaches MariaDB, whose tables are brought up to date
/// with the rows in them, and what MariaDB has is not sent again.
#[test]
fn each_kept_state_goes_on_in_todays_daemon_with_its_mariadb() {
    for schema in states::kept() {
        let scratch = Scratch::new();
        let database = MariaDb::start();
        database.load(&states::mariadb(schema));
        let old = old(&scratch, schema);
        let mut host = upgraded(schema, TestHost::builder().mariadb(&database));
        host.start();

        let texts = |sql| host.block_on(rows::texts(&old, sql));
        let pods = listed(&host, ["pods", "list"], "pods", "name");
        assert_eq!(pods, texts("SELECT name FROM pods ORDER BY name"));
        let events = listed(&host, ["events", "--limit", "10000"], "events", "message");
        let lost: Vec<String> = texts("SELECT message FROM events")
            .into_iter()
            .filter(|message| !events.contains(message))
            .collect();
        assert_eq!(lost, [] as [String; 0], "schema {schema}");
        if schema >= 2 {
            let found = listed(&host, ["workflow", "list"], "workflows", "name");
            assert_eq!(found, texts("SELECT name FROM workflows ORDER BY name"));
            let runs = listed(&host, ["workflow", "runs", "--limit", "100"], "runs", "id");
            assert_eq!(runs, texts("SELECT uuid FROM workflow_runs ORDER BY uuid"));
            let all = listed(&host, ["alerts", "list", "--all"], "alerts", "id");
            for alert in texts("SELECT uuid FROM resource_alerts") {
                assert!(all.contains(&alert), "{alert} is not in {all:#?}");
            }
        }
        mariadb_is(&host, "connected");
        host.assert_mirrored(&database);
        let log = host.daemon().log();
        assert!(!log.contains("sent to it again"), "{log}");
        assert!(!log.contains("another dagdad state directory"), "{log}");
        host.restart();
        mariadb_is(&host, "connected");
        host.assert_mirrored(&database);
    }
}

/// What MariaDB had of an older release is enough, too.
#[test]
fn each_kept_mariadb_is_restored_from_by_todays_daemon() {
    for schema in states::kept() {
        let database = MariaDb::start();
        database.load(&states::mariadb(schema));
        let mut host = TestHost::builder()
            .mariadb(&database)
            .settings(KEEP)
            .without_daemon();
        let names = database.execute(&format!("SELECT name FROM {DATABASE}.pods ORDER BY name"));
        host.restore().done();
        host.start();
        let pods = listed(&host, ["pods", "list"], "pods", "name");
        assert_eq!(pods, names.lines().collect::<Vec<_>>());
        mariadb_is(&host, "connected");
        host.assert_mirrored(&database);
        let log = host.daemon().log();
        assert!(!log.contains("sent to it again"), "{log}");
        assert!(!log.contains("another dagdad state directory"), "{log}");
    }
}

/// Whatever the moment, the rows are all there, and the next daemon has them.
#[test]
fn killed_at_any_moment_of_a_migration_it_loses_nothing() {
    let mut random = Random::from_environment();
    let scratch = Scratch::new();
    // Not a pod's status: a daemon that came as far as to ask Podman wrote what it saw, and put
    // the pod behind all that waits for MariaDB. Nor a sample: those get coarser with age.
    let columns = "SELECT format('pod %s %s %s %s', uuid, name, manifest_digest, created_at)
            FROM pods
        UNION ALL SELECT format('event %s %s %s %s', uuid, timestamp, kind, message) FROM events
        UNION ALL SELECT format('waits %s %s %s', kind, relation, key) FROM outbox
            WHERE relation <> 'system_resources'
        UNION ALL SELECT format('mirror %s %s', store_id, acked_seq) FROM mirror_state";
    let schema = *states::kept().first().expect("the first");
    let untouched = old(&scratch, schema);
    let mut host = upgraded(
        schema,
        TestHost::builder()
            .environment("DB_HOST", "127.0.0.1")
            .environment("DB_PORT", "1"),
    );
    let rows = |host: &TestHost, database: &Path| -> BTreeSet<String> {
        let rows = host.block_on(rows::texts(database, columns));
        rows.into_iter().collect()
    };
    let before = rows(&host, &untouched);
    // Its being built takes longer than all that is measured.
    let _ = binaries::path("dagdad");
    let begun = Instant::now();
    host.start();
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    host.stop();
    let mut met = Vec::new();
    for _ in 0..MOMENTS {
        std::fs::remove_dir_all(&host.configuration.state).unwrap();
        states::unpack(schema, &host.configuration.state);
        let mut command = host.configuration.command();
        host.podman.configure(&mut command);
        let log = std::fs::File::create(host.scratch.join("killed.log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut daemon = command.spawn().unwrap();
        // A moment is what is to be random, not awaited.
        let pause = Duration::from_micros(random.below(whole));
        std::thread::sleep(pause);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        let database = host.configuration.state.join("dagda.db");
        let version = host.block_on(rows::texts(
            &database,
            "SELECT CAST(max(version) AS TEXT) FROM _sqlx_migrations",
        ));
        println!("killed after {pause:?}: schema {version:?}");
        let found = rows(&host, &database);
        let lost: Vec<_> = before.difference(&found).collect();
        assert!(lost.is_empty(), "killed after {pause:?}: {lost:#?} is lost");
        met.extend(version);
    }
    met.sort_unstable();
    met.dedup();
    println!("schemas met: {met:?}");
    host.start();
    host.stop();
}

#[test]
fn a_state_of_a_later_dagdad_is_left_as_it_is() {
    let mut host = TestHost::ready();
    host.apply(&Pod::waiting("llama"));
    host.stop();
    let database = host.database();
    host.block_on(rows::execute(&database, LATER));
    let before = states::everything(&host.configuration.state);
    for _ in 0..2 {
        let ended = host.try_start().expect_err("it is not for this dagdad");
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        for fragment in [
            "has schema 999",
            "install the newer dagdad again",
            "untouched",
        ] {
            assert!(ended.log.contains(fragment), "{}", ended.log);
        }
    }
    let after = states::everything(&host.configuration.state);
    assert!(
        before == after,
        "{:?} became {:?}",
        before.keys(),
        after.keys()
    );
}

#[test]
fn a_mariadb_of_a_later_dagdad_is_left_as_it_is() {
    let database = MariaDb::start();
    let mut host = TestHost::builder().mariadb(&database).start();
    host.apply(&Pod::waiting("llama"));
    mariadb_is(&host, "connected");
    host.assert_mirrored(&database);
    host.stop();
    database.execute(&format!("USE {DATABASE}; {LATER}"));
    let everything = || {
        let tables = database.execute(&format!("SHOW TABLES FROM {DATABASE}"));
        let tables: Vec<String> = tables
            .lines()
            .map(|table| format!("{DATABASE}.{table}"))
            .collect();
        let definitions: Vec<String> = tables
            .iter()
            .map(|table| database.execute(&format!("SHOW CREATE TABLE {table}")))
            .collect();
        let sums = database.execute(&format!("CHECKSUM TABLE {} EXTENDED", tables.join(", ")));
        (definitions, sums)
    };
    let before = everything();
    host.start();
    let reason = mariadb_is(&host, "disconnected");
    for fragment in [
        "has schema 999",
        "install the newer dagdad again",
        "nothing was written",
    ] {
        assert!(reason.contains(fragment), "{reason}");
    }
    host.apply(&Pod::waiting("qwen"));
    host.await_status("it waits for a dagdad that may write it", |status| {
        status.store.as_ref().is_some_and(|store| store.outbox > 0)
    });
    host.stop();
    assert_eq!(everything(), before);
}
