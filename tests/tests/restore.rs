//! `dagdad restore`: a state directory that is gone comes back from MariaDB, or nothing happens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dagda_proto::v1::PodState;
use dagda_tests::cli::{self, code};
use dagda_tests::manifest::{Pod, Workflow, documents};
use dagda_tests::mariadb::{DATABASE, MariaDb, PASSWORD};
use dagda_tests::process::finish_child;
use dagda_tests::random::Random;
use dagda_tests::rows::Rows;
use dagda_tests::{PATIENCE, TestHost, rows, states};
use rustix::process::{Pid, Signal};

const MOMENTS: u32 = 10;

const TABLES: [&str; 8] = [
    "pods",
    "workflows",
    "workflow_runs",
    "pod_runs",
    "resource_alerts",
    "events",
    "audit",
    "system_resources",
];

fn connected(host: &TestHost) {
    host.await_status("MariaDB takes rows", |status| {
        status
            .store
            .as_ref()
            .is_some_and(|store| store.mariadb == "connected")
    });
}

/// Something of every kind of row, all of it in MariaDB; the daemon is stopped.
fn lived(database: &MariaDb) -> TestHost {
    let mut host = TestHost::builder().mariadb(database).start();
    connected(&host);
    let note = "é \u{1F980} ' \" \\ %s ; -- \n\t";
    host.apply(&documents(&[
        Pod::waiting("web").annotation("example.org/note", note),
        Pod::waiting("db").essential(),
        Pod::frail("frail"),
    ]));
    host.apply(&Workflow::of("site", &["db", "web"]).description(note));
    host.apply(&Workflow::of("later", &["web"]));
    host.run(["workflow", "run", "site"]).done();
    host.run(["workflow", "run", "later"]).done();
    host.run(["workflow", "stop", "later"]).done();
    host.run(["pods", "start", "frail"]).done();
    host.podman.signal("frail-main", "USR1");
    host.await_alert(("pod_down", "frail"), "it is missed", |_| true);
    host.run(["alerts", "silence", "frail", "--for", "2h"])
        .done();
    host.assert_mirrored(database);
    stop_in_step(&mut host);
    host
}

/// Stops the daemon with nothing left to be sent.
fn stop_in_step(host: &mut TestHost) {
    loop {
        host.stop();
        let (waiting, refused) = host.block_on(rows::outbox(&host.database()));
        assert_eq!(refused, [] as [String; 0]);
        if waiting == 0 {
            return;
        }
        host.start();
        connected(host);
    }
}

/// A table of the local database, in one form.
fn local(host: &TestHost, database: &MariaDb, file: &Path) -> Vec<(&'static str, Rows)> {
    TABLES
        .into_iter()
        .map(|table| {
            let both = host.block_on(rows::read(file, database, table));
            assert_eq!(both.difference(), None);
            (table, both.local)
        })
        .collect()
}

/// Moves the database away, to be compared with.
fn lose(host: &TestHost) -> PathBuf {
    let lost = host.scratch.join("lost");
    std::fs::rename(&host.configuration.state, &lost).unwrap();
    lost.join("dagda.db")
}

#[test]
fn a_lost_state_directory_comes_back_and_the_mirror_goes_on() {
    let database = MariaDb::start();
    let mut host = lived(&database);
    let lost = lose(&host);
    let output = host.restore().done();
    let file = host.database();
    let before = local(&host, &database, &lost);
    for (table, rows) in &before {
        assert!(!rows.is_empty() || *table == "audit", "no rows of {table}");
    }
    assert_eq!(local(&host, &database, &file), before);
    let identity = "SELECT store_id || ' ' || mirrored || ' ' || acked_seq FROM mirror_state";
    assert_eq!(
        host.block_on(rows::texts(&file, identity)),
        host.block_on(rows::texts(&lost, identity))
    );

    let count = |table: &str| {
        before
            .iter()
            .find(|(name, _)| *name == table)
            .unwrap()
            .1
            .len()
    };
    for counted in [
        format!("pods {}", count("pods")),
        format!("workflows {}", count("workflows")),
        format!("runs {}", count("workflow_runs")),
        format!("samples {}", count("system_resources")),
        format!("dagda_orchestrator at 127.0.0.1:{}", database.port()),
        "silences".to_owned(),
    ] {
        assert!(output.stdout.contains(&counted), "{counted}: {output:#?}");
    }
    assert!(!format!("{output:?}").contains(PASSWORD));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&host.configuration.state), mode(&file)),
        (0o700, 0o600)
    );

    host.start();
    assert_eq!(host.pod("web").state(), PodState::Running);
    assert_eq!(host.pod("db").state(), PodState::Running);
    connected(&host);
    host.assert_mirrored(&database);
    let log = host.daemon().log();
    let daemon = log.rsplit_once("dagdad serves").unwrap().1;
    assert!(!daemon.contains("sent to it again"), "{log}");
    assert!(!daemon.contains("another dagdad state directory"), "{log}");
    // What was under way goes on as after any restart.
    host.run(["workflow", "stop", "site"]).done();
    host.assert_mirrored(&database);
    for (table, before) in before {
        if table == "pods" || table == "workflows" {
            let both = host.block_on(rows::read(&host.database(), &database, table));
            assert_eq!(both.remote.len(), before.len(), "{table} is doubled");
        }
    }
}

/// So many rows that copying them takes a while.
fn many_samples(database: &MariaDb) {
    database.execute(&format!(
        "USE {DATABASE};
         INSERT INTO system_resources (uuid, timestamp, cpu_usage, load_1m, load_5m,
             load_15m, ram_usage, ram_total, ram_total_bytes, ram_used_bytes, ram_cached_bytes,
             swap_total_bytes, swap_used_bytes, disk_usage, active_pods)
         SELECT CONCAT('019a0000-0000-7000-8000-', LPAD(seq, 12, '0')),
             '2026-11-20 00:00:00' + INTERVAL seq SECOND, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '[]'
         FROM seq_1_to_15000"
    ));
}

/// Something of every row of what a database holds.
const ALL_OF_IT: &str = "
SELECT count(*) || ' ' || total(timestamp) FROM system_resources
UNION ALL SELECT group_concat(uuid || timestamp || kind || message)
    FROM (SELECT * FROM events ORDER BY uuid)
UNION ALL SELECT group_concat(uuid || name || status || manifest || updated_at)
    FROM (SELECT * FROM pods ORDER BY uuid)
UNION ALL SELECT group_concat(uuid || name || manifest) FROM (SELECT * FROM workflows ORDER BY uuid)
UNION ALL SELECT group_concat(uuid || state || pods) FROM (SELECT * FROM workflow_runs ORDER BY uuid)
UNION ALL SELECT store_id || mirrored || acked_seq FROM mirror_state";

#[test]
fn killed_at_any_moment_there_is_nothing_or_all_of_it() {
    let mut random = Random::from_environment();
    let database = MariaDb::start();
    let mut host = lived(&database);
    many_samples(&database);
    let _ = lose(&host);
    let restored = |host: &TestHost| {
        let begun = Instant::now();
        let output = host.restore().done();
        (output, u64::try_from(begun.elapsed().as_micros()).unwrap())
    };
    let (output, mut whole) = restored(&host);
    assert!(
        output.stderr.contains("system_resources: 10"),
        "{output:#?}"
    );
    let state = host.configuration.state.clone();
    let whole_of_it =
        |host: &TestHost| host.block_on(rows::texts(&state.join("dagda.db"), ALL_OF_IT));
    let all = whole_of_it(&host);

    let mut unfinished = 0;
    for _ in 0..MOMENTS {
        std::fs::remove_dir_all(&state).unwrap();
        let mut restoring = cli::spawn(&mut host.restore_command(), None);
        // A moment is what is to be random, not awaited; sometimes it is the very end.
        let pause = Duration::from_micros(random.below(whole * 11 / 10));
        std::thread::sleep(pause);
        restoring.kill().unwrap();
        let ended = finish_child(restoring, "dagdad restore");
        let there = state.join("dagda.db").exists();
        let said = ended.status;
        println!("killed after {pause:?} of {whole} us: {said}, the database is there: {there}");
        if there {
            assert_eq!(whole_of_it(&host), all);
            continue;
        }
        let left = state.join("dagda.db.restoring").exists();
        unfinished += u32::from(left);
        // The first one may have been the slowest by far.
        whole = restored(&host).1;
        assert!(!state.join("dagda.db.restoring").exists());
        assert_eq!(whole_of_it(&host), all);
    }
    assert!(unfinished > 0, "it was never killed in the middle of it");
    host.start();
    connected(&host);
}

fn refused<const N: usize>(host: &TestHost, fragments: [&str; N]) {
    let state = &host.configuration.state;
    let before = state.exists().then(|| states::everything(state));
    let output = host.restore().ended_with(code::FAILED);
    for fragment in fragments {
        assert!(
            output.stderr.contains(fragment),
            "{fragment:?}: {output:#?}"
        );
    }
    assert_eq!(output.stdout, "", "{output:#?}");
    assert!(!output.stderr.contains(PASSWORD), "{output:#?}");
    let after = state.exists().then(|| states::everything(state));
    assert!(before == after, "something was changed: {output:#?}");
}

#[test]
fn without_a_mariadb_that_has_something_it_does_nothing_and_says_why() {
    let mut host = TestHost::builder().without_daemon();
    refused(&host, ["no MariaDB is configured", "dagdad.toml"]);

    let mut database = MariaDb::start();
    host.configuration.environment = database.environment();
    refused(&host, ["holds nothing that a dagdad wrote"]);
    database.load(&states::mariadb(3));
    database.execute(&format!(
        "INSERT INTO {DATABASE}._sqlx_migrations
             (version, description, success, checksum, execution_time)
         VALUES (999, 'later', TRUE, '', 0)"
    ));
    refused(&host, ["has schema 999", "install the newer dagdad"]);
    database.execute(&format!("DROP DATABASE {DATABASE}"));
    refused(&host, [&format!("has no database {DATABASE}")]);
    database.stop();
    refused(&host, ["does not answer"]);
}

#[test]
fn a_state_directory_that_is_not_free_is_left_as_it_is() {
    let database = MariaDb::start();
    let mut host = TestHost::builder().mariadb(&database).start();
    connected(&host);
    host.apply(&Pod::waiting("llama"));
    let state = host.configuration.state.clone();

    // In use.
    let pid = host.daemon().pid().as_raw_nonzero().to_string();
    let output = host.restore();
    output.failed_saying(
        code::FAILED,
        ["is held by", pid.as_str(), "stop that one first"],
    );
    stop_in_step(&mut host);

    // Healthy, then damaged.
    let way_out = "mv '";
    refused(&host, ["there is a database in", way_out]);
    let file = host.database();
    std::fs::write(&file, "no database").unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(state.join(format!("dagda.db{suffix}")));
    }
    refused(&host, ["there is a database in", way_out]);
    let ended = host.try_start().expect_err("it is damaged");
    assert!(ended.log.contains("`dagdad restore`"), "{}", ended.log);

    // The way out is one.
    let said = host.restore().stderr;
    let command = said.split('`').nth(1).unwrap();
    let moved = std::process::Command::new("sh")
        .args(["-c", command])
        .status();
    assert!(moved.unwrap().success(), "{command}");
    host.restore().done();
    host.start();
    assert_eq!(host.pod("llama").state(), PodState::Stopped);
    assert!(state.join("dagda.db.aside/dagda.db").exists());
    stop_in_step(&mut host);

    // Somebody else's.
    if rustix::process::geteuid().is_root() {
        let _ = lose(&host);
        std::fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, Some(65_534), None).unwrap();
        refused(
            &host,
            ["belongs to the user with id 65534", "sudo -u '#65534'"],
        );
    }
}

#[test]
fn it_can_be_interrupted_and_leaves_nothing() {
    let database = MariaDb::start();
    let host = TestHost::builder().mariadb(&database).without_daemon();
    let state = &host.configuration.state;
    std::fs::create_dir(state).unwrap();
    let before = ["dagdad.lock".to_owned()];
    database.freeze();
    let restoring = cli::spawn(&mut host.restore_command(), None);
    // It waits for an answer once the lock is its own.
    let lock = state.join("dagdad.lock");
    let deadline = Instant::now() + PATIENCE;
    while std::fs::read(&lock).is_ok_and(|text| text.is_empty()) || !lock.exists() {
        assert!(Instant::now() < deadline, "it never took the lock");
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(Pid::from_child(&restoring), Signal::TERM).unwrap();
    let ended = finish_child(restoring, "dagdad restore");
    assert_eq!(ended.status.code(), Some(code::FAILED));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("interrupted; nothing was restored"), "{said}");
    let mut left = states::everything(state);
    left.remove(".");
    assert!(left.keys().eq(&before), "{:?}", left.keys());
    database.thaw();
}
