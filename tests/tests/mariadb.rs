//! MariaDB as the system of record: always the same rows as SQLite in the end, never waited for.

use std::time::Instant;

use dagda_proto::v1::PodState;
use dagda_tests::host::Builder;
use dagda_tests::manifest::{Pod, Workflow, documents};
use dagda_tests::mariadb::{MariaDb, PASSWORD};
use dagda_tests::{PATIENCE, TestHost};

fn connected(host: &TestHost) {
    host.await_status("MariaDB takes rows", |status| {
        status
            .store
            .as_ref()
            .is_some_and(|store| store.mariadb == "connected")
    });
}

fn disconnected(host: &TestHost) {
    host.await_status("MariaDB is known to be away", |status| {
        status
            .store
            .as_ref()
            .is_some_and(|store| store.mariadb == "disconnected" && store.reason.is_some())
    });
}

/// What is empty where nothing goes wrong: no table but that of the alerts.
const QUIET: [&str; 1] = ["resource_alerts"];

/// An outage is none of what goes wrong here, however long it takes.
const OUTAGES_ARE_NO_ALERT: &str = "[alerts.store_down]\nfor = '1h'\n";

fn host_of(database: &MariaDb) -> Builder {
    TestHost::builder()
        .mariadb(database)
        .settings(OUTAGES_ARE_NO_ALERT)
}

/// Something of every kind of row.
fn load(host: &TestHost, round: u32) {
    let name = format!("extra-{round}");
    // Text that wants care in SQL, in JSON and in character sets.
    let note = format!("{round} é \u{1F980} ' \" \\ %s ; -- \n\t");
    host.apply(&Pod::waiting("web").annotation("example.org/note", &note));
    host.run(["pods", "start", "web"]).done();
    host.apply(&Pod::waiting(&name).annotation("dagda/priority", &round.to_string()));
    host.run(["pods", "restart", "web"]).done();
    host.apply(&Workflow::of("stays", &["web"]));
    let site = format!("site-{round}");
    host.apply(&Workflow::of(&site, &["web"]).description(&note));
    host.run(["workflow", "run", &site]).done();
    host.run(["workflow", "stop", &site]).done();
    if round.is_multiple_of(2) {
        host.run(["workflow", "remove", &site]).done();
        host.run(["pods", "remove", &name]).done();
    }
}

#[test]
fn row_for_row_mariadb_ends_equal_to_sqlite_after_an_outage_under_load() {
    let mut database = MariaDb::start();
    let mut host = host_of(&database).start();
    connected(&host);
    load(&host, 0);
    assert_eq!(host.assert_mirrored(&database), QUIET);

    database.stop();
    disconnected(&host);
    for round in 1..6 {
        load(&host, round);
    }
    let status = host.await_status("rows wait", |status| {
        status.store.as_ref().is_some_and(|it| it.outbox > 0)
    });
    assert!(!format!("{status:?}").contains(PASSWORD));
    database.resume();
    connected(&host);
    assert_eq!(host.assert_mirrored(&database), QUIET);

    // Both die in the middle of it.
    let pods: Vec<Pod> = (0..200)
        .map(|number| Pod::waiting(&format!("many-{number}")))
        .collect();
    host.apply(&documents(&pods));
    database.kill9();
    host.kill9();
    host.start();
    database.resume();
    connected(&host);
    assert_eq!(host.assert_mirrored(&database), QUIET);
    assert!(
        !host.daemon().log().contains(PASSWORD),
        "the password is in the journal"
    );
}

#[test]
fn a_frozen_mariadb_delays_nothing() {
    let database = MariaDb::start();
    let mut host = host_of(&database).start();
    connected(&host);
    database.freeze();
    load(&host, 1);
    host.run(["--timeout", "5s", "status"]).done();
    host.stop();
    host.start();
    load(&host, 2);
    database.thaw();
    connected(&host);
    assert_eq!(host.assert_mirrored(&database), QUIET);
}

#[test]
fn an_unreachable_database_delays_nothing_and_is_explained_without_the_password() {
    let mut database = MariaDb::start();
    database.stop();
    let mut host = host_of(&database).start();
    disconnected(&host);
    load(&host, 1);
    let outputs = [
        host.run(["status"]).done().stdout,
        host.run(["--json", "status"]).done().stdout,
        host.run(["doctor"]).stdout,
        host.run(["--json", "events"]).done().stdout,
        host.daemon().log(),
    ];
    assert!(
        outputs.iter().all(|text| !text.contains(PASSWORD)),
        "{outputs:#?}"
    );
    let status = host.run(["--json", "status"]).done().json();
    assert_eq!(status["store"]["mariadb"], "disconnected", "{status}");
    // The database may well come up years later.
    database.resume();
    connected(&host);
    assert_eq!(host.assert_mirrored(&database), QUIET);
}

#[test]
fn a_wrong_password_is_explained_and_the_right_one_catches_up() {
    let database = MariaDb::start();
    let mut host = host_of(&database)
        .environment("MYSQL_API_PASSWORD", "wrong-p4ssword")
        .start();
    disconnected(&host);
    load(&host, 0);
    assert!(!host.daemon().log().contains("wrong-p4ssword"));
    host.stop();
    host.configuration.environment = database.environment();
    host.start();
    connected(&host);
    assert_eq!(host.assert_mirrored(&database), QUIET);
}

#[test]
fn without_mariadb_sqlite_is_all_there_is() {
    let host = TestHost::ready();
    let status = host.run(["--json", "status"]).done().json();
    assert_eq!(status["store"]["mariadb"], "disabled", "{status}");
    assert_eq!(status["store"]["outbox"], 0);
    host.apply(&Pod::waiting("a"));
    assert_eq!(host.pod("a").state(), PodState::Stopped);
}

#[test]
fn people_can_query_the_tables() {
    let database = MariaDb::start();
    let host = host_of(&database).start();
    connected(&host);
    host.up("web", &Pod::waiting("web").undeclared().essential());
    host.apply(&Workflow::of("site", &["web"]));
    host.run(["workflow", "run", "site"]).done();
    host.apply(&Pod::frail("frail"));
    host.apply(&Workflow::of("frail", &["frail", "web"]).keep());
    host.run(["workflow", "run", "frail"]).done();
    host.podman.signal("frail-main", "USR1");
    host.await_event("its end is known", |event| event.kind == "run_degraded");
    // Known is not yet written: there is something of every kind a moment later.
    let until = Instant::now() + PATIENCE;
    while host.assert_mirrored(&database) != [] as [&str; 0] {
        assert!(Instant::now() < until, "nothing is written of its end");
    }
    let row = database.execute(
        "SELECT name, category, status, ram_limit, cpu_limit FROM dagda_orchestrator.pods WHERE status = 'running'",
    );
    assert_eq!(row, "web\tessential\trunning\t512\t1.000\n");
    let row = database.execute(
        "SELECT workflow, state, priority, JSON_VALUE(pods, '$[0].step') \
         FROM dagda_orchestrator.workflow_runs ORDER BY workflow",
    );
    assert_eq!(row, "frail\tdegraded\t50\tlost\nsite\trunning\t50\tready\n");
    let row = database
        .execute("SELECT alert_type, object, resolved FROM dagda_orchestrator.resource_alerts");
    assert_eq!(row, "pod_down\tfrail\t0\n");
    let row = database.execute(
        "SELECT name, required_pods, estimated_ram, is_active FROM dagda_orchestrator.workflows WHERE name = 'site'",
    );
    assert_eq!(row, "site\t[\"web\"]\t512\t1\n");
    let sampled = database.execute(
        "SELECT COUNT(*) > 0 AND MIN(ram_usage) > 0 AND MIN(timestamp) > NOW() - INTERVAL 1 HOUR \
         FROM dagda_orchestrator.system_resources",
    );
    assert_eq!(sampled, "1\n");
}
