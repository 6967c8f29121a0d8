//! `alerts list|ack|resolve|silence|unsilence|silences`.

use rstest::rstest;

use crate::fake::Fake;

#[test]
fn they_are_listed_by_age_and_severity() {
    let fake = Fake::start();
    let ran = fake.run(&["alerts", "list", "--severity", "critical", "--since", "1h"]);
    let listed = ran.exits(0).stdout;
    assert!(
        listed.contains("mariadb") && !listed.contains("batch"),
        "{listed}"
    );
    let requests = fake.requests();
    assert!(
        requests[0].contains("since: Some(Timestamp"),
        "{requests:?}"
    );
    assert!(
        requests[0].ends_with("severity: Critical }"),
        "{requests:?}"
    );
}

#[test]
fn they_are_watched() {
    let fake = Fake::start();
    let ran = fake.run(&["alerts", "list", "--watch", "--json"]);
    let lists: Vec<serde_json::Value> = ran
        .stdout
        .lines()
        .take(2)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lists[0]["alerts"].as_array().unwrap().len(), 3);
    assert_eq!(lists[1]["alerts"].as_array().unwrap().len(), 0);
    // The fake's stream ends, a daemon's does not.
    ran.exits(5);
}

#[rstest]
#[case(&["alerts", "ack", "019a2f30"], "pod_down of mariadb is acknowledged\n", r#"AcknowledgeAlertsRequest { which: "019a2f30" }"#)]
#[case(&["alert", "ack", "ram_high"], "ram_high of host is acknowledged\n", r#"AcknowledgeAlertsRequest { which: "ram_high" }"#)]
#[case(&["alerts", "resolve", "019A2F20"], "workflow_failed of batch is resolved\n", r#"ResolveAlertRequest { id: "019a2f20" }"#)]
fn they_are_acknowledged_and_resolved(
    #[case] arguments: &[&str],
    #[case] said: &str,
    #[case] request: &str,
) {
    let fake = Fake::start();
    let ran = fake.run(arguments).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (said, ""));
    assert_eq!(fake.requests(), [request]);
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let document = fake.run(&with_json).exits(0).document();
    assert_eq!(document["changed"], true);
    assert_eq!(document["alerts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_condition_of_which_there_is_none_is_no_failure() {
    let fake = Fake::start();
    let ran = fake.run(&["alerts", "ack", "disk_high"]).exits(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("", "none is firing\n")
    );
}

#[rstest]
#[case(&["alerts", "ack", "beef"])]
#[case(&["alerts", "resolve", "beef"])]
fn no_such_alert_exits_with_3(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    let ran = fake.run(arguments).exits(3);
    assert!(ran.stderr.contains("no alert beef goes on"), "{ran:?}");
}

#[rstest]
#[case(&["alerts"])]
#[case(&["alerts", "ack"])]
#[case(&["alerts", "ack", "bored"])]
#[case(&["alerts", "resolve", "ram_high"])]
#[case(&["alerts", "list", "--severity", "dire"])]
#[case(&["alerts", "silence", "llama"])]
#[case(&["alerts", "silence", "", "--for", "2h"])]
#[case(&["alerts", "silence", "--for", "2h"])]
#[case(&["alerts", "silence", "llama", "--for", "0s"])]
#[case(&["alerts", "silence", "llama", "--for", "366d"])]
#[case(&["alerts", "silence", "llama", "--for", "long"])]
#[case(&["alerts", "unsilence"])]
fn what_makes_no_sense_is_not_asked(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    fake.run(arguments).exits(2);
    assert!(fake.requests().is_empty());
}

#[test]
fn something_is_silenced_for_a_while() {
    let fake = Fake::start();
    let ran = fake.run(&["alerts", "silence", "llama", "--for", "2h"]);
    let ran = ran.exits(0);
    assert!(
        ran.stdout.starts_with("nobody is notified of llama until "),
        "{ran:?}"
    );
    assert_eq!(
        fake.requests(),
        [r#"SilenceRequest { what: "llama", span: Some(Duration { seconds: 7200, nanos: 0 }) }"#]
    );
    let arguments = ["alert", "silence", "/srv", "--for", "1d", "--json"];
    let document = fake.run(&arguments).exits(0).document();
    assert_eq!(document["silences"][0]["object"], "/srv");
    assert!(document["silences"][0]["until"].is_string());
}

#[rstest]
#[case("batch", "people are notified of batch again\n")]
#[case("disk_high", "people are notified of disk_high again\n")]
#[case("019a2f28", "people are notified of disk_high again\n")]
fn a_silence_is_lifted(#[case] which: &str, #[case] said: &str) {
    let fake = Fake::start();
    let ran = fake.run(&["alerts", "unsilence", which]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (said, ""));
    let document = fake
        .run(&["alerts", "unsilence", which, "--json"])
        .exits(0)
        .document();
    assert_eq!(document["silences"].as_array().unwrap().len(), 1);
}

#[rstest]
#[case(&["alerts", "silence", "gone", "--for", "2h"])]
#[case(&["alerts", "unsilence", "gone"])]
fn what_is_not_there_exits_with_3(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    fake.run(arguments).exits(3);
}

#[test]
fn silences_are_listed() {
    let fake = Fake::start();
    let ran = fake.run(&["alerts", "silences"]).exits(0);
    let order = ["batch", "disk_high"].map(|of| ran.stdout.find(of).expect(of));
    assert!(order.is_sorted(), "{ran:?}");
    let document = fake.run(&["alerts", "silences", "--json"]);
    let document = document.exits(0).document();
    assert_eq!(document["silences"].as_array().unwrap().len(), 2);
    let listed = fake.run(&["alerts", "list", "--json"]).exits(0).document();
    let silenced: Vec<&serde_json::Value> = listed["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| &alert["silenced"])
        .collect();
    assert_eq!(silenced, [false, false, true]);
}
