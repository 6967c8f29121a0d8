//! Verbs that read, and `apply`: data on stdout, hints on stderr.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use rstest::rstest;

use crate::fake::Fake;
use crate::run::Ran;

/// Keys that scripts were promised, as JSON pointers.
#[rstest]
#[case(&["status", "--json"], &["/version", "/host/cpu_percent", "/host/load_1m", "/host/ram_used_bytes", "/host/disks/0/mount", "/host/pressure/memory_some_avg10", "/economy/policy", "/economy/shed", "/pods/running", "/runs/queued", "/alerts/firing", "/store/outbox"])]
#[case(&["economy", "--json"], &["/policy", "/active", "/since", "/reason", "/rules/ram/enter_percent", "/rules/hold_seconds", "/gauges/0/trigger", "/gauges/0/enter_percent", "/gauges/0/short_for_seconds", "/taken/0/pod", "/taken/0/rung", "/taken/0/returns", "/next"])]
#[case(&["economy", "plan", "--json"], &["/verdict", "/gauges/0/value_percent", "/steps/0/frees_memory_bytes", "/enough", "/ram_percent_after", "/restores"])]
#[case(&["economy", "backtest", "--json"], &["/since", "/samples", "/gaps_seconds", "/outcomes/0/rules/ram/leave_percent", "/outcomes/0/active_seconds", "/outcomes/0/over_seconds", "/outcomes/0/entered", "/outcomes/0/sheds", "/outcomes/0/restores", "/outcomes/0/acts/0/at"])]
#[case(&["pods", "list", "--json"], &["/pods/0/name", "/pods/0/network_bytes_per_second", "/pods/0/category", "/pods/0/since", "/pods/0/ports/0/host_ip", "/pods/0/changed"])]
#[case(&["ps", "--json"], &["/pods/0/name"])]
#[case(&["pod", "show", "llama", "--json"], &["/name", "/manifest", "/containers/0/image", "/declared_memory_bytes", "/expected/observed/runs", "/freeze", "/idle_timeout_seconds", "/idle_since", "/reserved_memory_bytes", "/runs/0"])]
#[case(&["pods", "stats", "--json"], &["/pods/0/ram_bytes"])]
#[case(&["resources", "--json"], &["/host/ram_percent", "/ram_threshold_percent"])]
#[case(&["resources", "--since", "1h", "--json"], &["/points/5/cpu_percent"])]
#[case(&["events", "--json"], &["/events/1/kind", "/events/1/run"])]
#[case(&["alerts", "list", "--json"], &["/alerts/0/id", "/alerts/0/condition", "/alerts/0/object", "/alerts/0/severity", "/alerts/1/message", "/alerts/1/created_at", "/alerts/1/resolved_at", "/alerts/0/state", "/alerts/1/peak_percent", "/alerts/1/culprits/0/ram_bytes", "/alerts/1/flapping", "/alerts/2/silenced", "/alerts/1/acknowledged_at"])]
#[case(&["audit", "--json"], &["/audit/0/id", "/audit/0/at", "/audit/0/user", "/audit/0/uid", "/audit/0/pid", "/audit/0/verb", "/audit/0/object", "/audit/0/outcome", "/audit/0/message"])]
#[case(&["export", "--json"], &["/manifests/0/text"])]
fn one_document_with_the_promised_keys(#[case] arguments: &[&str], #[case] keys: &[&str]) {
    let document = Fake::start().run(arguments).exits(0).document();
    for key in keys {
        assert!(
            document.pointer(key).is_some(),
            "{key} is missing in {document:#}"
        );
    }
}

#[rstest]
#[case(&["status"], "Pods      3 of 5 running, 1 in error, 2 unmanaged\n")]
#[case(&["pods", "list"], "llama    optional     60  running*  yes    103%  6.0 GiB  127.0.0.1:8905       2h\n")]
#[case(&["pods", "list", "--all"], "stranger  unmanaged     -  running   yes ")]
#[case(&["pods", "show", "llama"], "Memory   6.0 GiB   6.0 GiB   6.6 GiB  observed   6.6 GiB\n")]
#[case(&["pods", "stats"], "llama    running  103%  6.0 GiB  1.0 GiB  5.0 GiB  4.8 GiB\n")]
#[case(&["resources"], "Pods are admitted while RAM stays below 80.0% and CPU below 70.0%.\n")]
#[case(&["resources", "--since", "1h"], "CPU        0.0%  50.0%   100%  ▁▂▄▅▇█\n")]
#[case(&["events", "n8n"], "  pod_failed           n8n           crashed 5 times")]
#[case(&["alert", "list"], "019a2f30-2222  pod_down         mariadb  critical  firing             3m\n  since ")]
#[case(&["audit", "--denied"], "65534  alerts unsilence  llama   denied\n  uid 65534: takes the role operator\n")]
#[case(&["export"], "metadata: {name: llama}\n---\nkind: Pod\n")]
fn people_get_text_without_colour_in_a_pipe(#[case] arguments: &[&str], #[case] expected: &str) {
    let ran = Fake::start().run(arguments).exits(0);
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn unmanaged_pods_are_listed_only_when_asked_for() {
    let fake = Fake::start();
    assert!(!fake.run(&["ps"]).exits(0).stdout.contains("stranger"));
    assert!(
        fake.run(&["ps", "--all"])
            .exits(0)
            .stdout
            .contains("stranger")
    );
}

#[test]
fn past_alerts_are_listed_only_when_asked_for() {
    let fake = Fake::start();
    let resolved = |ran: Ran| ran.exits(0).stdout.matches("resolved").count();
    assert_eq!(resolved(fake.run(&["alerts", "list"])), 0);
    assert_eq!(
        resolved(fake.run(&["alerts", "list", "--all", "--limit", "7"])),
        1
    );
    assert_eq!(
        fake.requests(),
        [
            "ListAlertsRequest { all: false, limit: 100, since: None, severity: Unspecified }",
            "ListAlertsRequest { all: true, limit: 7, since: None, severity: Unspecified }"
        ]
    );
}

#[rstest]
#[case(&["pods", "show", "nosuch"])]
#[case(&["pods", "stats", "nosuch"])]
#[case(&["pods", "logs", "nosuch"])]
#[case(&["export", "nosuch"])]
fn no_such_thing_exits_with_3(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    let ran = fake.run(arguments).exits(3);
    assert!(
        ran.stdout.is_empty() && ran.stderr.contains("no pod named nosuch"),
        "{ran:?}"
    );
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    fake.run(&with_json).fails(3, "not_found");
}

#[test]
fn doctor_fails_when_a_check_fails() {
    let fake = Fake::start();
    let ran = fake.run(&["doctor"]).exits(1);
    assert!(
        ran.stdout.contains("socket    ok ") && ran.stdout.contains("mariadb   failed"),
        "{ran:?}"
    );
    assert_eq!(ran.stderr, "error: 1 check of 5 failed\n");
    let document = fake.run(&["doctor", "--json"]).exits(1).document();
    assert_eq!(document["error"]["code"], "unhealthy");
    assert_eq!(document["checks"].as_array().unwrap().len(), 5);
}

#[test]
fn apply_sends_files_in_order() {
    let fake = Fake::start();
    for (name, kind) in [
        ("b.yml", "Workflow"),
        ("a.yaml", "Pod"),
        ("skipped.json", "Pod"),
    ] {
        fs::write(fake.folder().join(name), format!("kind: {kind}")).unwrap();
    }
    let folder = fake.folder().to_str().unwrap();
    let ran = fake.run(&["apply", "-f", folder]).exits(0);
    assert_eq!(ran.stdout, "pod a.yaml created\nworkflow b.yml created\n");
    let ran = fake.run(&["apply", "-f", folder, "--dry-run"]).exits(0);
    assert_eq!(
        ran.stdout,
        "pod a.yaml created (dry run)\nworkflow b.yml created (dry run)\n"
    );
    assert_eq!(ran.stderr, "nothing was changed\n");
    let document = fake
        .run(&["apply", "-f", folder, "--json"])
        .exits(0)
        .document();
    assert_eq!(document["objects"][1]["change"], "created");
}

#[test]
fn apply_reads_standard_input() {
    let fake = Fake::start();
    let mut child = fake
        .command(&["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"kind: Pod\n")
        .unwrap();
    Ran::from(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(
        fake.requests(),
        [
            r#"ApplyRequest { files: [ManifestFile { name: "-", text: "kind: Pod\n" }], dry_run: false }"#
        ]
    );
}

#[test]
fn a_bad_manifest_exits_with_1() {
    let fake = Fake::start();
    let file = fake.folder().join("pod.yml");
    fs::write(&file, "bad").unwrap();
    let message = fake
        .run(&["apply", "-f", file.to_str().unwrap(), "--json"])
        .fails(1, "invalid");
    assert!(
        message.ends_with("pod.yml:1:3: this is no manifest"),
        "{message}"
    );
}

/// Nothing of it is sent.
#[rstest]
#[case("missing.yml", None, "cannot read")]
#[case("empty", Some(""), "has no *.yml or *.yaml files")]
#[case("big.yml", Some("#"), "larger than 1 MiB")]
fn unreadable_files_are_refused_here(
    #[case] name: &str,
    #[case] content: Option<&str>,
    #[case] expected: &str,
) {
    let fake = Fake::start();
    let path = fake.folder().join(name);
    match content {
        None => {}
        Some("") => fs::create_dir(&path).unwrap(),
        Some(character) => fs::write(&path, character.repeat(10 << 20)).unwrap(),
    }
    let message = fake
        .run(&["apply", "-f", path.to_str().unwrap(), "--json"])
        .fails(1, "file");
    assert!(message.contains(expected), "{message}");
    assert!(fake.requests().is_empty());
}

#[test]
fn the_present_and_the_past_are_asked_for_apart() {
    let fake = Fake::start();
    fake.run(&["resources", "--since", "1h"]).exits(0);
    fake.run(&["events", "--since", "10m", "--limit", "5", "n8n"])
        .exits(0);
    let requests = fake.requests();
    assert!(
        requests[0].starts_with("GetHistoryRequest { since: Some("),
        "{requests:?}"
    );
    assert!(
        requests[1].contains("object: Some(\"n8n\"), limit: 5"),
        "{requests:?}"
    );
}

#[test]
fn who_asked_for_what_is_asked_as_it_is_written() {
    let fake = Fake::start();
    let arguments = ["--user", "bertha", "--object", "llama", "--limit", "7"];
    let ran = fake.run(&[&["audit", "--since", "1d"], &arguments[..]].concat());
    let ran = ran.exits(0);
    assert_eq!(ran.stdout, "");
    assert_eq!(ran.stderr, "nobody asked for such a thing\n");
    let asked = fake.requests().concat();
    assert!(
        asked.contains(r#"user: Some("bertha"), object: Some("llama"), denied: false, limit: 7"#)
            && asked.contains("since: Some("),
        "{asked}"
    );
}
