//! `dagdactl alerts` and `status` against real alerts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use dagda_proto::v1::{AlertState, PodState};
use dagda_tests::TestHost;
use dagda_tests::cli::{Watch, code};
use dagda_tests::manifest::Pod;
use jiff::Timestamp;
use serde_json::Value;

const RAM: (&str, &str) = ("ram_high", "host");
const DOWN: (&str, &str) = ("pod_down", "frail");

/// A box where one thing is critical for as long as it runs, and another went wrong later.
fn ailing() -> TestHost {
    let host = TestHost::builder()
        .settings("[alerts.ram_high]\npercent = 0.5\ncritical_percent = 1\nfor = '1s'\n")
        .start();
    host.await_raised(RAM);
    host.up("frail", &Pod::frail("frail"));
    host.podman.signal("frail-main", "USR1");
    host.await_raised(DOWN);
    host
}

fn listed<const N: usize>(host: &TestHost, options: [&str; N]) -> Vec<Value> {
    let mut command = host.dagdactl();
    command.args(["--json", "alerts", "list"]).args(options);
    let list = dagda_tests::cli::run(&mut command, None).done().json();
    list["alerts"].as_array().expect("alerts").clone()
}

fn conditions(alerts: &[Value]) -> Vec<&str> {
    alerts
        .iter()
        .filter_map(|alert| alert["condition"].as_str())
        .collect()
}

fn firing(host: &TestHost) -> Value {
    host.run(["status", "--json"]).done().json()["alerts"]["firing"].clone()
}

#[test]
fn what_is_amiss_is_listed_the_newest_first_and_sifted() {
    let host = ailing();
    let alerts = listed(&host, []);
    assert_eq!(conditions(&alerts), ["pod_down", "ram_high"]);
    let [down, ram] = alerts.as_slice() else {
        panic!("{alerts:#?}")
    };
    assert_eq!(
        (&down["object"], &down["severity"], &down["state"]),
        (&"frail".into(), &"warning".into(), &"firing".into())
    );
    assert_eq!(down["peak_percent"], Value::Null);
    assert_eq!(
        (&ram["object"], &ram["severity"], &ram["state"]),
        (&"host".into(), &"critical".into(), &"firing".into())
    );
    assert!(ram["peak_percent"].as_f64() > Some(1.0), "{ram:#}");
    for alert in [down, ram] {
        let fields: Vec<&String> = alert.as_object().unwrap().keys().collect();
        assert_eq!(
            fields,
            [
                "acknowledged_at",
                "condition",
                "created_at",
                "culprits",
                "flapping",
                "id",
                "message",
                "object",
                "peak_percent",
                "resolved_at",
                "severity",
                "silenced",
                "state",
                "updated_at"
            ]
        );
        assert_eq!(
            (&alert["acknowledged_at"], &alert["resolved_at"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            (&alert["flapping"], &alert["silenced"]),
            (&false.into(), &false.into())
        );
    }
    assert_eq!(firing(&host), 2);

    let critical = listed(&host, ["--severity", "critical"]);
    assert_eq!(conditions(&critical), ["ram_high"]);
    assert_eq!(listed(&host, ["--severity", "info"]).len(), 2);
    assert_eq!(conditions(&listed(&host, ["--limit", "1"])), ["pod_down"]);

    // Half of the time since then is too late for it.
    let updated: Timestamp = down["updated_at"].as_str().unwrap().parse().unwrap();
    let passed = Timestamp::now().duration_since(updated);
    let since = format!("{}ms", passed.as_millis() / 2);
    assert!(!conditions(&listed(&host, ["--since", &since])).contains(&"pod_down"));
    assert_eq!(listed(&host, ["--since", "1h"]).len(), 2);
}

#[test]
fn an_alert_is_taken_note_of_and_ended_by_hand_and_that_outlives_a_crash() {
    let mut host = ailing();
    let id = |condition: &str| {
        let alerts = host.alerts_of(condition);
        alerts[0]["id"].as_str().unwrap().to_owned()
    };
    let (ram, down) = (id("ram_high"), id("pod_down"));
    let answer = host.run(["--json", "alerts", "ack", "ram_high"]).done();
    let answer = answer.json();
    assert_eq!(answer["changed"], true);
    assert_eq!(answer["alerts"][0]["state"], "acknowledged");
    assert_eq!(firing(&host), 1);
    let again = host.run(["--json", "alerts", "ack", &ram]).done().json();
    assert_eq!(again["changed"], false);
    let acknowledged = again["alerts"][0]["acknowledged_at"].clone();
    assert!(acknowledged.is_string(), "{again:#}");

    // The first characters of an id are enough where they are clear.
    let other = ram.as_bytes().iter().zip(down.as_bytes());
    let clear = 1 + other.take_while(|(a, b)| a == b).count();
    let said = host
        .run(["alerts", "resolve", &down[..clear]])
        .done()
        .stdout;
    assert_eq!(said, "pod_down of frail is resolved\n");
    host.run(["alerts", "resolve", &down])
        .failed_saying(code::NOT_FOUND, ["no alert", &down]);

    host.kill9();
    host.start();
    let alerts = listed(&host, ["--all"]);
    let find = |id: &str| alerts.iter().find(|alert| alert["id"] == id).unwrap();
    assert_eq!(find(&ram)["state"], "acknowledged");
    assert_eq!(find(&ram)["acknowledged_at"], acknowledged);
    assert_eq!(find(&down)["state"], "resolved");
    // It was acknowledged before, and still is the same episode.
    let ram_now = host.await_alert(RAM, "it goes on", |alert| {
        alert.state() == AlertState::Acknowledged
    });
    assert_eq!(ram_now.id, ram);
}

#[test]
fn what_there_is_not_and_what_makes_no_sense_has_its_exit_code() {
    let host = ailing();
    for verb in ["ack", "resolve"] {
        let id = "01a2f30f-2222-7000-8000-000000000000";
        host.run(["alerts", verb, id])
            .failed_saying(code::NOT_FOUND, ["no alert", id]);
        let output = host.run(["alerts", verb, "nonsense!"]);
        let output = output.ended_with(code::USAGE);
        assert!(output.stderr.contains("give an alert's id"), "{output:?}");
    }
    let error = host.run(["--json", "alerts", "ack", "01a2ffff"]);
    let error = error.ended_with(code::NOT_FOUND).json();
    assert!(error["error"]["message"].is_string(), "{error:#}");
    for option in ["--severity=dire", "--since=soon", "--limit=0"] {
        let _ = host.run(["alerts", "list", option]).ended_with(code::USAGE);
    }
    // None of that condition is no failure.
    let none = host.run(["--json", "alerts", "ack", "disk_high"]).done();
    assert_eq!(none.json()["changed"], false);
    assert_eq!(firing(&host), 2);
}

#[test]
fn a_watcher_sees_alerts_come_and_go_each_list_a_line() {
    let host = TestHost::builder()
        .settings("[alerts.pod_down]\nclear_for = '1s'\n")
        .start();
    let watch = Watch::start(
        host.dagdactl()
            .args(["--json", "alerts", "list", "--watch"]),
    );
    let of_frail = |list: &Value| {
        let alerts = list["alerts"].as_array().expect("alerts");
        let mut of = alerts.iter().filter(|alert| alert["object"] == "frail");
        of.next().map(|alert| alert["state"].clone())
    };
    watch.await_object("nothing is amiss", |list| of_frail(list).is_none());
    host.up("frail", &Pod::frail("frail"));
    host.podman.signal("frail-main", "USR1");
    watch.await_object("it is down", |list| of_frail(list) == Some("firing".into()));
    host.run(["alerts", "ack", "pod_down"]).done();
    watch.await_object("it is known", |list| {
        of_frail(list) == Some("acknowledged".into())
    });
    host.run(["pods", "start", "frail"]).done();
    host.await_state("frail", PodState::Running);
    watch.await_object("it is up again", |list| of_frail(list).is_none());
}
