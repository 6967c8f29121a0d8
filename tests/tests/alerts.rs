//! Alerts: one row for one episode, told at the true times, whatever happens meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::time::Duration;

use dagda_tests::manifest::{MIB, Pod};
use dagda_tests::mariadb::MariaDb;
use dagda_tests::memory::Meal;
use dagda_tests::mount::PrivateMount;
use dagda_tests::rows::Rows;
use dagda_tests::{TestHost, rows};
use jiff::Timestamp;
use serde_json::Value;

const RAM: (&str, &str) = ("ram_high", "host");
const STORE: (&str, &str) = ("store_down", "mariadb");

fn mariadb_is(host: &TestHost, state: &str) {
    host.await_status(&format!("MariaDB is {state}"), |status| {
        status.store.as_ref().is_some_and(|it| it.mariadb == state)
    });
}

fn milliseconds(of: Option<prost_types::Timestamp>) -> i64 {
    let prost_types::Timestamp { seconds, nanos } = of.expect("a time");
    let time = Timestamp::new(seconds, nanos).expect("a time that exists");
    time.as_millisecond()
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The rows of a condition in MariaDB, once it has all that SQLite has.
fn rows_of(host: &TestHost, database: &MariaDb, condition: &str) -> Rows {
    host.assert_mirrored(database);
    let local = host.database();
    let alerts = rows::read(&local, database, "resource_alerts");
    let mut rows = host.block_on(alerts).remote;
    rows.retain(|_, row| row["alert_type"].as_deref() == Some(condition));
    rows
}

/// Asserts that MariaDB has one row of the condition, and that it says what `dagdactl` does, which
/// knows of one such alert.
fn assert_one_row(host: &TestHost, database: &MariaDb, condition: &str) -> Value {
    let rows = rows_of(host, database, condition);
    let listed = host.alerts_of(condition);
    assert_eq!((rows.len(), listed.len()), (1, 1), "{rows:#?}\n{listed:#?}");
    let alert = listed.into_iter().next().expect("one");
    let row = &rows[alert["id"].as_str().expect("an id")];
    let text = |column: &str| row[column].as_deref();
    assert_eq!(text("object"), alert["object"].as_str());
    assert_eq!(text("message"), alert["message"].as_str());
    assert_eq!(text("severity"), alert["severity"].as_str());
    let resolved = alert["state"] == "resolved";
    assert_eq!(text("resolved"), Some(if resolved { "1" } else { "0" }));
    let flapping = alert["flapping"] == true;
    assert_eq!(text("flapping"), Some(if flapping { "1" } else { "0" }));
    for column in ["created_at", "updated_at", "acknowledged_at", "resolved_at"] {
        let microseconds = text(column).map(|text| text.parse::<i64>().expect("a time"));
        let listed = alert[column].as_str();
        let listed = listed.map(|text| text.parse::<Timestamp>().expect("a time"));
        assert_eq!(
            microseconds.map(|time| time.div_euclid(1000)),
            listed.map(Timestamp::as_millisecond),
            "{column} of {row:#?} and {alert:#}"
        );
    }
    alert
}

#[test]
fn an_episode_during_an_outage_and_a_crash_is_one_row_with_its_true_times_and_culprit() {
    let mut database = MariaDb::start();
    let mut host = TestHost::builder()
        .measured()
        .eater()
        .mariadb(&database)
        .start();
    host.up("modest", &Pod::waiting("modest"));
    mariadb_is(&host, "connected");
    database.stop();
    mariadb_is(&host, "disconnected");

    // As late as can be: others use memory, too.
    host.stop();
    let meal = Meal::measure();
    let rule = format!(
        "[alerts.ram_high]\npercent = {:.6}\nclear_percent = {:.6}\nfor = '2s'\nclear_for = '1s'\n",
        meal.percent, meal.clear_percent
    );
    host.configuration.settings += &rule;
    host.start();
    let begun = now();
    host.up("glutton", &Pod::eating("glutton", meal.mib, &[]));
    let alert = host.await_raised(RAM);
    let raised = milliseconds(alert.created_at);
    assert!((begun + 2000..=now()).contains(&raised), "{alert:#?}");
    // It is known before it is on disk. What is answered is there, and all that came before.
    host.apply(&Pod::waiting("next"));
    host.kill9();
    host.start();
    assert_eq!(host.await_raised(RAM).id, alert.id);

    let ending = now();
    host.run(["pods", "stop", "glutton"]).done();
    let over = host.await_resolved(RAM);
    let resolved = milliseconds(over.resolved_at);
    assert!((ending..=now()).contains(&resolved), "{over:#?}");
    assert_eq!(milliseconds(over.created_at), raised);

    let status = host.run(["status", "--json"]).done().json();
    assert_eq!(status["store"]["mariadb"], "disconnected", "{status}");
    database.resume();
    mariadb_is(&host, "connected");
    let row = assert_one_row(&host, &database, "ram_high");
    assert_eq!(row["id"], alert.id);
    assert_eq!(row["state"], "resolved");
    let at = |key: &str| row[key].as_str().map(|it| it.parse::<Timestamp>().unwrap());
    assert_eq!(at("created_at").unwrap().as_millisecond(), raised);
    assert_eq!(at("resolved_at").unwrap().as_millisecond(), resolved);

    // Who it was, not just how much.
    assert_eq!(row["culprits"][0]["pod"], "glutton", "{row:#}");
    assert!(
        row["culprits"][0]["ram_bytes"].as_u64() > Some(100 * MIB),
        "{row:#}"
    );
    assert!(row["message"].as_str().unwrap().contains("most by glutton"));
    assert!(
        row["peak_percent"].as_f64() >= Some(meal.percent),
        "{row:#}"
    );
}

#[test]
fn a_pod_that_comes_and_goes_is_one_row_marked_flapping() {
    let database = MariaDb::start();
    let host = TestHost::builder().mariadb(&database).start();
    mariadb_is(&host, "connected");
    host.up("frail", &Pod::frail("frail"));
    let down = ("pod_down", "frail");
    for round in 1..=5 {
        host.podman.signal("frail-main", "USR1");
        host.await_state("frail", dagda_proto::v1::PodState::Error);
        host.await_alert(down, &format!("it is down, round {round}"), |alert| {
            alert.flapping == (round > 3)
        });
        host.run(["pods", "start", "frail"]).done();
    }
    let row = assert_one_row(&host, &database, "pod_down");
    assert_eq!(
        (&row["state"], &row["flapping"]),
        (&Value::from("firing"), &Value::from(true)),
        "{row:#}"
    );
    assert!(row["message"].as_str().unwrap().contains("exited with 3"));
}

#[test]
fn a_database_that_is_away_for_long_is_one_row_once_it_is_back() {
    let mut database = MariaDb::start();
    let host = TestHost::builder()
        .mariadb(&database)
        .settings("[alerts.store_down]\nfor = '5s'\nclear_for = '1s'\n")
        .start();
    mariadb_is(&host, "connected");
    let begun = now();
    database.stop();
    let alert = host.await_raised(STORE);
    let raised = milliseconds(alert.created_at);
    assert!((begun + 5000..=now()).contains(&raised), "{alert:#?}");
    assert!(alert.message.contains("wait in the outbox"), "{alert:#?}");

    let back = now();
    database.resume();
    let over = host.await_resolved(STORE);
    let resolved = milliseconds(over.resolved_at);
    assert!((back..=now()).contains(&resolved), "{over:#?}");
    let row = assert_one_row(&host, &database, "store_down");
    assert_eq!(
        (&row["id"], &row["state"]),
        (&Value::from(alert.id), &Value::from("resolved"))
    );
}

#[test]
fn time_in_which_nobody_looked_raises_nothing() {
    let mut host = TestHost::builder()
        .settings("[alerts.ram_high]\npercent = 1\nfor = '8s'\n")
        .start();
    host.daemon().freeze();
    // As long as a laptop sleeps; nothing happens meanwhile that could be awaited.
    std::thread::sleep(Duration::from_secs(10));
    let awake = now();
    host.daemon().thaw();
    let alert = host.await_raised(RAM);
    let raised = milliseconds(alert.created_at);
    assert!(raised >= awake + 8000, "awake at {awake}: {alert:#?}");
    assert_eq!(host.alerts_of("ram_high").len(), 1);
}

#[test]
fn a_full_disk_is_told_of_by_its_mount_point() {
    let mut host = TestHost::builder()
        .settings("[alerts.disk_high]\nfor = '1s'\nclear_for = '1s'\n")
        .without_daemon();
    let mut command = host.configuration.command();
    host.podman.configure(&mut command);
    let mount = PrivateMount::root(&host.scratch.join("root"), 16, 15);
    host.start_with(mount.wrap(&command));
    let full = ("disk_high", "/");
    let alert = host.await_raised(full);
    assert!(alert.message.contains("disk /"), "{alert:#?}");
    assert!((90.0..97.0).contains(&alert.peak_percent()), "{alert:#?}");
    mount.empty(host.daemon().pid());
    assert_eq!(host.await_resolved(full).id, alert.id);
    let listed = host.alerts_of("disk_high");
    let of_it = listed.iter().filter(|alert| alert["object"] == "/");
    assert_eq!(of_it.count(), 1, "{listed:#?}");
}
