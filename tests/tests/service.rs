//! dagdad and its service manager: the status line, the watchdog, reloads, the socket that is
//! handed over. The unit itself, and the journal, are tested in a booted systemd.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

use dagda_proto::v1::PodState;
use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::manifest::Pod;
use dagda_tests::process::finish;
use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::Value;

const STATUS: &str = "STATUS=";
const BEAT: &str = "WATCHDOG=1";

/// The messages of events of a kind, oldest first.
fn events(host: &TestHost, kind: &str) -> Vec<String> {
    let document = host.run(["--json", "events"]).done().json();
    let events = document["events"].as_array().expect("events").clone();
    let of_kind = events.into_iter().filter(|event| event["kind"] == kind);
    let message = |event: Value| event["message"].as_str().expect("a message").to_owned();
    of_kind.map(message).collect()
}

fn ram_threshold(host: &TestHost) -> f64 {
    let document = host.run(["--json", "resources"]).done().json();
    document["ram_threshold_percent"]
        .as_f64()
        .expect("a threshold")
}

/// Has dagdad read its configuration as it is now; returns what it told meanwhile, up to READY.
fn reload(host: &mut TestHost) -> Vec<String> {
    let _ = host.configuration.write();
    let daemon = host.daemon();
    let before = daemon.reload();
    let begun = daemon.await_notified(before, |line| line == "RELOADING=1");
    let ready = daemon.await_notified(begun, |line| line == "READY=1");
    // It comes in one message with what is said then.
    let end = daemon.await_notified(ready, |line| line.starts_with(STATUS));
    daemon.notifications()[before..end].to_vec()
}

/// What `doctor` says of the configuration: its verdict, what it found, and how to mend that.
fn examined(host: &TestHost) -> [String; 3] {
    let doctor = host.run(["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().expect("checks");
    let check = checks.iter().find(|it| it["name"] == "configuration");
    let check = check.unwrap_or_else(|| panic!("{doctor:#}"));
    ["verdict", "finding", "remedy"].map(|key| check[key].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_status_line_follows_what_happens() {
    let mut host = TestHost::ready();
    let told = host.daemon().notifications().to_vec();
    let ready = told.iter().position(|line| line == "READY=1").unwrap();
    let status = &told[ready + 1];
    assert!(
        status.starts_with("STATUS=0/0 pods running · RAM ")
            && status.ends_with(" % · economy off · 0 alerts"),
        "{status}"
    );
    host.apply(&Pod::waiting("a"));
    let from = told.len();
    let known = |line: &str| line.starts_with("STATUS=0/1 pod running · ");
    let from = host.daemon().await_notified(from, known);
    host.run(["pods", "start", "a"]).done();
    let runs = |line: &str| line.starts_with("STATUS=1/1 pod running · ");
    let from = host.daemon().await_notified(from, runs);
    host.run(["pods", "stop", "a"]).done();
    host.daemon().await_notified(from, known);
    host.run(["pods", "start", "a"]).done();

    let end = host
        .daemon()
        .terminate(Duration::from_secs(5))
        .expect("it ends in time");
    assert!(end.success());
    let words = "pods are left to Podman's own policy";
    let daemon = host.daemon();
    let told = daemon.notifications().to_vec();
    assert!(!told.iter().any(|line| line == BEAT), "nobody asked for it");
    let last = told.last().expect("something was told");
    assert_eq!(*last, format!("STATUS=stopping; {words}"));
    let log = daemon.log();
    assert!(log.contains(&format!("dagdad stopped; {words}")), "{log}");
    assert!(!log.contains("message_id"), "it is for the journal: {log}");
    assert!(log.contains("event=\"pod_ready\" pod=\"a\""), "{log}");
    host.start();
    host.await_pod("a", "a goes on", |pod| pod.state() == PodState::Running);
    let stopped = events(&host, "daemon_stopped");
    assert_eq!(stopped, [format!("dagdad stopped; {words}")]);
}

#[test]
fn the_watchdog_is_fed_while_dagdad_runs_and_not_while_it_is_stopped() {
    let timeout = Duration::from_millis(900);
    let mut host = TestHost::builder()
        .environment("WATCHDOG_USEC", &timeout.as_micros().to_string())
        .start();
    let beat = |line: &str| line == BEAT;
    let daemon = host.daemon();
    let mut told = daemon.notifications().len();
    for _ in 0..5 {
        assert!(
            daemon.notifies_within(told, beat, timeout * 10),
            "{:?}",
            daemon.notifications()
        );
        told = daemon.await_notified(told, beat);
    }
    daemon.freeze();
    let told = daemon.notifications().len();
    assert!(!daemon.notifies_within(told, beat, timeout * 3));
    daemon.thaw();
    daemon.await_notified(told, beat);
    host.stop();
}

#[test]
fn a_good_configuration_is_in_force_and_told_of() {
    let mut host = TestHost::ready();
    assert!((ram_threshold(&host) - 80.0).abs() < 1e-6);
    host.configuration.ram_percent = Some(55.0);
    host.configuration.settings = "[history]\nretention = '1d'\n".to_owned();
    let _ = host.configuration.write();
    let [verdict, finding, remedy] = examined(&host);
    assert_eq!(verdict, "warning");
    assert!(
        finding.contains("thresholds.ram_percent: 80 → 55"),
        "{finding}"
    );
    assert_eq!(
        remedy,
        "systemctl restart dagdad (where it runs for one user: systemctl --user restart dagdad)",
        "for the retention's sake"
    );
    let told = reload(&mut host);
    let clock = |line: &&String| line.starts_with("MONOTONIC_USEC=");
    assert_eq!(told.iter().filter(clock).count(), 1, "{told:?}");
    // At once: READY comes when it is in force.
    assert!((ram_threshold(&host) - 55.0).abs() < 1e-6);
    let expected = "the configuration was read again: thresholds.ram_percent: 80 → 55, \
        alerts.ram_high.percent: 80 → 55, alerts.ram_high.clear_percent: 75 → 50; \
        after a restart: history.retention: 7days → 1day";
    let reloaded = |host: &TestHost| events(host, "reloaded");
    assert_eq!(reloaded(&host), [expected]);
    assert!(host.daemon().log().contains(expected));

    // Once more: nothing more changes, and what waits is said again.
    reload(&mut host);
    let again = "the configuration was read again: nothing changed; \
        after a restart: history.retention: 7days → 1day";
    assert_eq!(reloaded(&host), [expected, again]);
    let [_, finding, _] = examined(&host);
    assert!(
        finding.ends_with("since dagdad read it: history.retention: 7days → 1day"),
        "{finding}"
    );
    host.restart();
    assert_eq!(examined(&host)[0], "ok");
    reload(&mut host);
    let last = "the configuration was read again: nothing changed";
    assert_eq!(reloaded(&host), [expected, again, last]);
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_told_until_it_is_mended() {
    let mut host = TestHost::ready();
    host.configuration.ram_percent = Some(55.0);
    host.configuration.settings = "[sampler]\nintervall = '7s'\n".to_owned();
    let told = reload(&mut host);
    let status = told.last().expect("a status");
    let reason = "unknown key `sampler.intervall` in ";
    assert!(
        status.starts_with(&format!("STATUS=configuration not reloaded: {reason}"))
            && status.contains(" · 0/0 pods running · "),
        "{status}"
    );
    assert!(
        (ram_threshold(&host) - 80.0).abs() < 1e-6,
        "the old one stays"
    );
    let failed = events(&host, "reload_failed");
    assert_eq!(failed.len(), 1);
    let [verdict, finding, _] = examined(&host);
    assert_eq!(verdict, "failed");
    assert!(finding.contains(reason), "{finding}");
    assert!(
        failed[0].starts_with("the configuration was not reloaded, the one before stays: ")
            && failed[0].contains(reason)
            && failed[0].contains("did you mean `interval`?"),
        "{failed:?}"
    );
    let log = host.daemon().log();
    let line = log.lines().find(|line| line.contains("reload_failed"));
    assert!(line.is_some_and(|line| line.contains("ERROR")), "{log}");

    host.configuration.settings = String::new();
    let told = reload(&mut host);
    let status = told.last().expect("a status");
    assert!(status.starts_with("STATUS=0/0 pods running · "), "{status}");
    assert!((ram_threshold(&host) - 55.0).abs() < 1e-6);
    assert_eq!(events(&host, "reload_failed").len(), 1);
}

#[test]
fn a_hangup_before_dagdad_is_ready_ends_nothing() {
    let mut host = TestHost::builder().without_daemon();
    let daemon = host.configuration.command();
    // As soon as it has begun to make its state, long before it is ready.
    let script = r#"(until [ -e "$0" ]; do :; done; kill -HUP $$) & exec "$@""#;
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(&host.configuration.state);
    let environment = daemon.get_envs();
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.arg(daemon.get_program()).args(daemon.get_args());
    host.start_with(command);
    let daemon = host.daemon();
    let begun = daemon.await_notified(0, |line| line == "RELOADING=1");
    let told = daemon.notifications();
    assert!(
        told[..begun].iter().any(|line| line == "READY=1"),
        "{told:?}"
    );
    daemon.await_notified(begun, |line| line == "READY=1");
    host.run(["status"]).done();
}

#[test]
fn the_socket_that_is_handed_over_is_served_and_stays() {
    let mut host = TestHost::builder().without_daemon();
    let socket = host.configuration.socket.clone();
    let listener = UnixListener::bind(&socket).unwrap();
    fcntl_setfd(&listener, FdFlags::empty()).unwrap();
    // It comes before there is a dagdad.
    let early = host.spawn(["--json", "--timeout", "60s", "status"]);
    let daemon = host.configuration.command();
    // Another one is handed over too, and comes first.
    let script = format!(
        r#"export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=other:dagdad.socket
        exec "$@" 4<&{} 3</dev/null"#,
        listener.as_raw_fd()
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script, "bash"]);
    for (name, value) in daemon.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.arg(daemon.get_program()).args(daemon.get_args());
    host.start_with(command);
    let answer = early.wait_with_output().unwrap();
    assert!(answer.status.success(), "{answer:?}");
    host.run(["status"]).done();
    host.stop();
    assert!(socket.exists(), "it is systemd's");
    // Whoever comes now waits for the next dagdad.
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
}

#[test]
fn check_says_whether_a_reload_would_be_good() {
    let mut host = TestHost::builder().without_daemon();
    let check = |host: &TestHost| {
        let output = finish(host.configuration.command().arg("check"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (end, stdout, stderr) = check(&host);
    let file = host.configuration.directory.join("dagdad.toml");
    let good = format!("the configuration is good (read from {})\n", file.display());
    assert_eq!(
        (end, stdout.as_str(), stderr.as_str()),
        (Some(0), good.as_str(), "")
    );

    // The service may well have it.
    host.configuration.settings =
        "[mariadb]\nhost = 'db'\npassword_file = '/nonexistent/secret'\n".to_owned();
    let (end, stdout, stderr) = check(&host);
    assert_eq!((end, stdout.as_str()), (Some(0), good.as_str()));
    let not_checked =
        "dagdad: not checked: cannot take the MariaDB password from /nonexistent/secret: ";
    assert!(stderr.starts_with(not_checked), "{stderr}");

    let secret = host.scratch.join("secret");
    fs::write(&secret, "").unwrap();
    host.configuration.settings = format!(
        "[mariadb]\nhost = 'db'\npassword_file = '{}'\n",
        secret.display()
    );
    let (end, stdout, _) = check(&host);
    assert_eq!((end, stdout.as_str()), (Some(code::USAGE), ""));

    host.configuration.settings = "[thresholds]\nram = 7\n".to_owned();
    let (end, stdout, stderr) = check(&host);
    assert_eq!((end, stdout.as_str()), (Some(code::USAGE), ""));
    assert!(
        stderr.starts_with("dagdad: unknown key `thresholds.ram` in "),
        "{stderr}"
    );
    assert!(!host.configuration.state.exists(), "nothing is started");
}
