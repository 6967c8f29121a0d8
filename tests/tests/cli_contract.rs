//! What scripts rely on: exit codes, what goes where, the shapes of JSON.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;

use dagda_tests::TestHost;
use dagda_tests::cli::{self, Watch, code};
use dagda_tests::manifest::{NEVER_READY, Pod, documents};
use dagda_tests::ports;
use dagda_tests::process::copy_program;
use serde_json::Value;

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .map(|object| object.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

#[test]
fn status_has_the_shape_of_the_contract() {
    let host = TestHost::ready();
    host.await_status("the host is sampled", |status| status.host.is_some());
    host.apply(&documents(&[Pod::waiting("a"), Pod::waiting("b")]));
    host.run(["pods", "start", "a"]).done();
    let status = host.run(["status", "--json"]).done().json();
    for key in [
        "version", "host", "economy", "pods", "runs", "alerts", "store",
    ] {
        assert!(keys(&status).contains(&key), "{key} is missing: {status}");
    }
    let sampled = &status["host"];
    for key in ["cpu_percent", "load_1m", "ram_percent", "disk_percent"] {
        assert!(sampled[key].is_number(), "{key}: {status}");
    }
    for key in ["ram_used_bytes", "ram_total_bytes"] {
        assert!(sampled[key].is_u64(), "{key} is an integer: {status}");
    }
    assert!(
        sampled["disks"][0]["mount"].is_string() && sampled["disks"][0]["used_percent"].is_number()
    );
    let total = sampled["ram_total_bytes"].as_u64().unwrap();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
    let kibibytes: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert_eq!(total, kibibytes * 1024);
    assert_eq!(status["economy"]["active"], false);
    assert_eq!(status["economy"]["shed"], serde_json::json!([]));
    assert!(status["economy"]["reason"].is_null());
    assert_eq!(status["pods"]["running"], 1);
    assert_eq!(status["pods"]["total"], 2);
    assert_eq!(status["pods"]["error"], 0);
    assert_eq!(status["runs"]["active"], 0);
    assert_eq!(status["alerts"]["firing"], 0);
}

#[test]
fn each_exit_code_means_what_it_says() {
    let mut host = TestHost::ready();
    host.apply(
        &Pod::script("bad", "exit 1")
            .restart_policy("Never")
            .readiness(NEVER_READY),
    );
    host.run(["status"]).ended_with(code::DONE);
    host.run(["pods", "start", "bad"]).ended_with(code::FAILED);
    host.run(["no-such-verb"]).ended_with(code::USAGE);
    host.run(["pods", "start"]).ended_with(code::USAGE);
    host.run(["--timeout", "soon", "status"])
        .ended_with(code::USAGE);
    host.run(["pods", "show", "nobody"])
        .ended_with(code::NOT_FOUND);
    host.daemon().freeze();
    host.run(["--timeout", "500ms", "status"])
        .failed_saying(code::TIMED_OUT, ["500ms"]);
    host.daemon().thaw();
    host.stop();
    let socket = host.configuration.socket.display().to_string();
    host.run(["status"])
        .failed_saying(code::UNREACHABLE, [&socket]);
}

#[test]
fn a_socket_that_is_not_ours_is_not_permitted() {
    let host = TestHost::ready();
    // Where everyone can run it.
    let program = host.scratch.join("dagdactl");
    copy_program(&dagda_tests::binaries::path("dagdactl"), &program);
    let mut command = std::process::Command::new(&program);
    command
        .arg("--socket")
        .arg(&host.configuration.socket)
        .arg("status");
    if rustix::process::getuid().is_root() {
        let nobody = 65_534;
        command.uid(nobody).gid(nobody);
    } else {
        let closed = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(&host.configuration.socket, closed).unwrap();
    }
    let socket = host.configuration.socket.display().to_string();
    cli::run(&mut command, None).failed_saying(code::NOT_PERMITTED, [&socket]);
}

#[test]
fn with_json_a_failure_is_a_document_on_standard_output() {
    let mut host = TestHost::ready();
    for (arguments, exit, name) in [
        (
            &["pods", "show", "nobody"][..],
            code::NOT_FOUND,
            "not_found",
        ),
        (&["apply", "-f", "/nowhere/at-all.yml"], code::FAILED, ""),
        (&["pods", "start", "a/b"], code::USAGE, ""),
    ] {
        let output = cli::run(host.dagdactl().arg("--json").args(arguments), None).ended_with(exit);
        let error = &output.json()["error"];
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{output:?}"
        );
        let code = error["code"].as_str().unwrap_or_default();
        assert!(
            !code.is_empty() && (name.is_empty() || code == name),
            "{output:?}"
        );
    }
    host.stop();
    let output = host.run(["--json", "status"]).ended_with(code::UNREACHABLE);
    assert!(output.json()["error"]["code"].is_string(), "{output:?}");
}

#[test]
fn other_names_of_verbs_are_accepted() {
    let host = TestHost::ready();
    host.apply(&Pod::http("a", ports::free()));
    let list = host.run(["--json", "pods", "list"]).done().stdout;
    assert_eq!(host.run(["--json", "pod", "list"]).done().stdout, list);
    assert_eq!(host.run(["--json", "ps"]).done().stdout, list);
}

#[test]
fn no_colour_and_no_control_characters_leave_for_a_pipe() {
    let host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    for arguments in [
        &["status"][..],
        &["pods", "list"],
        &["pods", "show", "a"],
        &["resources"],
        &["events"],
        &["doctor"],
    ] {
        let output = cli::run(host.dagdactl().args(arguments), None).done();
        let clean = |text: &str| {
            text.chars()
                .all(|character| !character.is_control() || character == '\n')
        };
        assert!(clean(&output.stdout) && clean(&output.stderr), "{output:?}");
        assert!(!output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn a_pod_cannot_paint_the_terminal_through_its_own_failure() {
    let host = TestHost::ready();
    host.apply(
        &Pod::script("p", r"busybox printf '\033[2Jgone\007\n'; exit 1")
            .restart_policy("Never")
            .readiness(NEVER_READY),
    );
    let output = host.run(["pods", "start", "p"]).ended_with(code::FAILED);
    assert!(output.stderr.contains("gone"), "{output:?}");
    let list = host.run(["pods", "list"]).done();
    for text in [output.stderr, list.stdout] {
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text:?}"
        );
    }
}

#[test]
fn the_environment_names_the_socket_and_the_option_wins() {
    let host = TestHost::ready();
    let mut command = std::process::Command::new(dagda_tests::binaries::path("dagdactl"));
    command
        .env("DAGDA_SOCKET", &host.configuration.socket)
        .arg("status");
    cli::run(&mut command, None).done();
    let mut command = host.dagdactl();
    command
        .env("DAGDA_SOCKET", "/nowhere/at-all.sock")
        .arg("status");
    cli::run(&mut command, None).done();
}

#[test]
fn a_reader_that_goes_away_is_no_failure_to_speak_of() {
    let host = TestHost::ready();
    let mut command = host.dagdactl();
    command
        .args(["--json", "status", "--watch"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = dagda_tests::process::finish_child(child, "dagdactl status --watch");
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("panicked"),
        "{output:?}"
    );
}

#[test]
fn watching_gives_one_object_a_line() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("a"));
    let events = Watch::start(host.dagdactl().args(["--json", "events", "--follow"]));
    host.run(["pods", "start", "a"]).done();
    let event = events.await_object("the pod is ready", |event| event["kind"] == "pod_ready");
    assert_eq!(event["object"], "a");
    assert!(
        event["at"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok()
    );

    let statuses = Watch::start(host.dagdactl().args(["--json", "status", "--watch"]));
    statuses.await_object("one pod runs", |status| status["pods"]["running"] == 1);
    host.run(["pods", "stop", "a"]).done();
    statuses.await_object("no pod runs", |status| status["pods"]["running"] == 0);
}

#[test]
fn resources_now_and_then() {
    let host = TestHost::ready();
    host.await_status("the host is sampled", |status| status.host.is_some());
    let now = host.run(["--json", "resources"]).done().json();
    assert!(now.to_string().contains("ram_total_bytes"), "{now}");
    // What is told of now is written a moment later.
    host.await_status("a sample is on disk", |_| {
        let history = host.run(["--json", "resources", "--since", "1h"]).done();
        history.stdout.contains("ram_used_bytes")
    });
    host.run(["resources", "--since", "1h"]).done();
}
