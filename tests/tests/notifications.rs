//! People are told of alerts by their own program or webhook, and nobody waits for either.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};

use dagda_tests::manifest::Pod;
use dagda_tests::{PATIENCE, TestHost};
use serde_json::Value;

const DOWN: (&str, &str) = ("pod_down", "frail");
/// A rule by which a pod is missed at once, and not any more soon after it is back.
const QUICK: &str = "[alerts.pod_down]\nclear_for = '1s'\n";

/// A box whose `[alerts]` say what `settings` makes of its directory.
fn host(settings: impl Fn(&TestHost) -> String) -> TestHost {
    let mut host = TestHost::builder().without_daemon();
    host.configuration.settings = format!("[alerts]\n{}\n{QUICK}", settings(&host));
    host.start();
    host
}

/// A program of somebody who is to be told.
fn program(host: &TestHost, script: &str) -> PathBuf {
    let path = host
        .scratch
        .write("told.sh", format!("#!/bin/sh\n{script}\n"));
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, executable).expect("make it executable");
    path
}

fn ail(host: &TestHost) {
    host.up("frail", &Pod::frail("frail"));
    host.podman.signal("frail-main", "USR1");
    host.await_raised(DOWN);
}

fn heal(host: &TestHost) {
    host.run(["pods", "start", "frail"]).done();
    host.await_resolved(DOWN);
}

/// Asserts that a document tells of an occasion what the list says of the alert.
fn assert_told(document: &Value, occasion: &str, alert: &Value) {
    let mut told = document.clone();
    let of = told.as_object_mut().expect("an object").remove("occasion");
    assert_eq!(of, Some(Value::from(occasion)));
    for (field, listed) in alert.as_object().expect("an object") {
        // The list's times are to the millisecond.
        let same = match (told[field].as_str(), listed.as_str()) {
            (Some(told), Some(listed)) if field.ends_with("_at") => {
                let time = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
                time(told).as_millisecond() == time(listed).as_millisecond()
            }
            _ => told[field] == *listed,
        };
        assert!(same, "{field} of {told:#} and {alert:#}");
    }
}

/// Each line of a FIFO that the hook writes to.
fn lines_of(fifo: PathBuf) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let pass_on = move || -> Option<()> {
        loop {
            // Writers come and go, one at each occasion.
            let file = std::fs::File::open(&fifo).ok()?;
            for line in BufReader::new(file).lines() {
                sender.send(line.ok()?).ok()?;
            }
        }
    };
    std::thread::spawn(pass_on);
    lines
}

fn next_document(lines: &Receiver<String>) -> Value {
    let line = lines.recv_timeout(PATIENCE).expect("somebody is told");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON: {error}: {line}"))
}

/// A box whose hook passes on what it is told, and that.
fn passing_on() -> (TestHost, Receiver<String>) {
    let box_of = host(|host| {
        let fifo = host.scratch.join("told");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("run mkfifo").success());
        let script = format!("exec cat >> '{}'", fifo.display());
        format!("on_alert = ['{}']", program(host, &script).display())
    });
    let lines = lines_of(box_of.scratch.join("told"));
    (box_of, lines)
}

#[test]
fn a_hook_is_told_of_the_beginning_and_the_end() {
    let (host, lines) = passing_on();
    ail(&host);
    assert_told(
        &next_document(&lines),
        "raised",
        &host.alerts_of("pod_down")[0],
    );
    heal(&host);
    assert_told(
        &next_document(&lines),
        "resolved",
        &host.alerts_of("pod_down")[0],
    );
}

#[test]
fn of_what_is_silenced_no_hook_is_told_and_it_is_recorded_all_the_same() {
    let (host, lines) = passing_on();
    let silence = ["--json", "alerts", "silence", "pod_down", "--for", "2h"];
    let silence = host.run(silence).done().json();
    assert_eq!(silence["silences"][0]["condition"], "pod_down");
    ail(&host);
    let alert = &host.alerts_of("pod_down")[0];
    assert_eq!(alert["silenced"], true, "{alert:#}");
    assert_eq!(alert["state"], "firing", "{alert:#}");
    // What goes on is told once the silence is lifted: that it is the first says that nothing
    // was told before.
    host.run(["alerts", "unsilence", "pod_down"]).done();
    let told = next_document(&lines);
    assert_told(&told, "raised", &host.alerts_of("pod_down")[0]);
    heal(&host);
    assert_eq!(next_document(&lines)["occasion"], "resolved");
}

#[test]
fn a_hook_that_hangs_delays_nobody_and_that_is_recorded() {
    let host = host(|host| {
        let script = "echo it hangs >&2; busybox sleep 1000 || sleep 1000";
        let program = program(host, script);
        format!(
            "on_alert = ['{}']\non_alert_timeout = '3s'",
            program.display()
        )
    });
    ail(&host);
    host.run(["--timeout", "2s", "status"]).done();
    let event = host.await_event("the hook is given up", |event| {
        event.kind == "notification_failed"
    });
    for fragment in ["pod_down of frail", "longer than 3s", "it hangs"] {
        assert!(event.message.contains(fragment), "{event:#?}");
    }
}

#[test]
fn a_hook_that_does_not_exist_is_recorded() {
    let host = host(|host| {
        let program = host.scratch.join("absent");
        format!("on_alert = ['{}']", program.display())
    });
    ail(&host);
    let event = host.await_event("there is no hook", |event| {
        event.kind == "notification_failed"
    });
    assert!(event.message.contains("absent cannot be run"), "{event:#?}");
}

#[test]
fn a_webhook_is_posted_the_same() {
    let server = TcpListener::bind(("127.0.0.1", 0)).expect("listen");
    let port = server.local_addr().expect("an address").port();
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut reader = BufReader::new(stream.ok()?);
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).ok()? > 2 {
                let last = head.lines().last()?.to_ascii_lowercase();
                if let Some(value) = last.strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            reader.get_mut().write_all(answer).ok()?;
            assert!(head.starts_with("POST /alerts "), "{head}");
            sender.send(String::from_utf8(body).ok()?).ok()?;
        }
        Some(())
    });
    let host = host(|_| format!("webhook = 'http://127.0.0.1:{port}/alerts'"));
    ail(&host);
    let raised = next_document(&lines);
    assert_told(&raised, "raised", &host.alerts_of("pod_down")[0]);
    heal(&host);
    let resolved = next_document(&lines);
    assert_told(&resolved, "resolved", &host.alerts_of("pod_down")[0]);
}
