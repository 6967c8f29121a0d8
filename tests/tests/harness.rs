//! The harness itself: what it starts works, and what it drops is gone.

use std::path::Path;
use std::process::Command;

use dagda_tests::host::PodmanService;
use dagda_tests::manifest::{MIB, Pod, documents};
use dagda_tests::mariadb::MariaDb;
use dagda_tests::memory::{Memory, Room};
use dagda_tests::scratch::Scratch;
use dagda_tests::{TestHost, http, ports, rows};

#[test]
fn podman_runs_what_the_manifests_say() {
    let host = TestHost::builder().without_daemon();
    let port = ports::free();
    let file = host
        .scratch
        .write("web.yml", Pod::http("web", port).to_string());
    host.podman.run(["play", "kube", file.to_str().unwrap()]);
    assert_eq!(
        host.podman.pods(),
        [("web".to_owned(), "running".to_owned())]
    );
    assert_eq!(host.podman.starts().get("web-main"), Some(&1));
    host.podman.run(["pod", "stop", "web"]);
    assert_eq!(
        host.podman.pods(),
        [("web".to_owned(), "exited".to_owned())]
    );
}

#[test]
fn an_eater_really_eats_gives_back_and_ends_at_once() {
    let host = TestHost::builder().eater().start();
    let port = ports::free();
    let eater = Pod::eating("eater", 200, &["more=100", "port=8080", "busy"]);
    host.up("eater", &eater.port(port, 8080));
    assert!(http::get(port).unwrap().contains("full"));
    let uses = |what: &str, range: std::ops::Range<u64>| {
        host.await_pod("eater", what, |pod| {
            pod.usage
                .is_some_and(|usage| range.contains(&(usage.ram_anon_bytes / MIB)))
        })
    };
    let sated = uses("it has eaten", 200..220);
    host.podman.signal("eater-main", "USR1");
    uses("it has eaten more", 300..320);
    host.podman.signal("eater-main", "USR2");
    uses("it has given that back", 200..220);
    let busy = host.await_pod("eater", "it burns a core", |pod| {
        pod.usage.is_some_and(|usage| usage.cpu_percent > 10.0)
    });
    assert!(busy.ready && sated.ready);
    host.run(["pods", "stop", "--grace", "30s", "eater"]).done();
    // A pod that does not listen to its stop signal is killed, with 137.
    let ended = host
        .podman
        .run(["inspect", "--format", "{{.State.ExitCode}}", "eater-main"]);
    assert_eq!(ended.trim(), "0");
}

#[test]
fn the_room_of_a_measured_box_is_what_was_asked_for() {
    let room = Room::measure();
    let memory = Memory::now();
    let ceiling = memory.total as f64 * room.threshold_percent / 100.0;
    assert!(ceiling < memory.total as f64);
    // What others took or gave back between the two looks.
    let drift = ceiling - memory.used() as f64 - room.percent(100) as f64;
    assert!(drift.abs() < room.percent(15) as f64, "{room:?} {memory:?}");
}

#[test]
fn nothing_is_left_of_a_dropped_host() {
    let mut host = TestHost::builder()
        .podman_service(PodmanService::Nobody)
        .without_daemon();
    host.podman.start_service();
    let file = host.scratch.write(
        "pods.yml",
        documents(&[Pod::waiting("a"), Pod::waiting("b")]),
    );
    host.podman.run(["play", "kube", file.to_str().unwrap()]);
    host.podman.freeze_service();
    let path = host.scratch.path().to_owned();
    assert!(!host.scratch.processes().is_empty());
    drop(host);
    assert!(!path.exists(), "{} is still there", path.display());
    let name = path.to_str().unwrap();
    let arguments = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(
        !String::from_utf8_lossy(&arguments.stdout).contains(name),
        "a process is left"
    );
    assert!(
        !std::fs::read_to_string("/proc/self/mounts")
            .unwrap()
            .contains(name),
        "a mount is left"
    );
}

#[test]
fn mariadb_survives_its_own_end() {
    let mut database = MariaDb::start();
    let _ = database.execute(
        "CREATE TABLE dagda_orchestrator.t (a INT); INSERT INTO dagda_orchestrator.t VALUES (7)",
    );
    database.stop();
    database.resume();
    assert_eq!(
        database.execute("SELECT a FROM dagda_orchestrator.t"),
        "7\n"
    );
    database.kill9();
    database.resume();
    assert_eq!(
        database.execute("SELECT a FROM dagda_orchestrator.t"),
        "7\n"
    );
}

/// Equal rows in both databases, written as dagdad's schemas keep them.
fn mirrored_table(database: &MariaDb, local: &Path) {
    let _ = database.execute(
        "CREATE TABLE dagda_orchestrator.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, uuid CHAR(36), \
           at TIMESTAMP(6) NULL, cpu DECIMAL(12,2), ram BIGINT, document JSON, note TEXT, \
           state ENUM('up','down')) CHARSET utf8mb4; \
         SET time_zone = '+00:00'; \
         INSERT INTO dagda_orchestrator.t VALUES \
           (7, 'a', '2026-11-22 01:02:03.000456', 12.30, 6442450944, '{\"b\": 1, \"a\": [2]}', 'é \\'', 'up'), \
           (8, 'b', NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    let script = "CREATE TABLE t (uuid TEXT, at INTEGER, cpu REAL, ram INTEGER, document TEXT, note TEXT, \
           state TEXT) STRICT; \
         INSERT INTO t VALUES ('a', 1795309323000456, 12.3, 6442450944, '{\"a\":[2],\"b\":1}', 'é ''', 'up'); \
         INSERT INTO t VALUES ('b', NULL, NULL, NULL, NULL, NULL, NULL)";
    dagda_tests::wire::runtime().block_on(rows::execute(local, script));
}

#[test]
fn the_comparison_sees_equal_rows_as_equal_and_any_difference() {
    let database = MariaDb::start();
    let scratch = Scratch::new();
    let local = scratch.join("local.db");
    mirrored_table(&database, &local);
    let runtime = dagda_tests::wire::runtime();
    let differs = |change: &str| {
        let _ = database.execute(&format!(
            "SET time_zone = '+00:00'; USE dagda_orchestrator; {change}"
        ));
        let table = runtime.block_on(rows::read(&local, &database, "t"));
        table.difference()
    };
    assert_eq!(differs("SELECT 1"), None);
    for (change, back) in [
        (
            "UPDATE t SET cpu = 12.31 WHERE id = 7",
            "UPDATE t SET cpu = 12.3 WHERE id = 7",
        ),
        (
            "UPDATE t SET at = '2026-11-22 01:02:03.000457' WHERE id = 7",
            "UPDATE t SET at = '2026-11-22 01:02:03.000456' WHERE id = 7",
        ),
        (
            "UPDATE t SET document = '{\"a\":[3],\"b\":1}' WHERE id = 7",
            "UPDATE t SET document = '{\"a\":[2],\"b\":1}' WHERE id = 7",
        ),
        (
            "UPDATE t SET note = '' WHERE id = 8",
            "UPDATE t SET note = NULL WHERE id = 8",
        ),
        (
            "INSERT INTO t (uuid) VALUES ('c')",
            "DELETE FROM t WHERE uuid = 'c'",
        ),
        (
            "DELETE FROM t WHERE id = 8",
            "INSERT INTO t (uuid) VALUES ('b')",
        ),
    ] {
        assert!(differs(change).is_some(), "{change} was not seen");
        assert_eq!(differs(back), None, "{back}");
    }
}
