//! Podman dead, hung or flickering: reads wait for nobody, commands end, and what is true is
//! found out afterwards.

use dagda_proto::v1::PodState;
use dagda_tests::cli::code;
use dagda_tests::host::PodmanService;
use dagda_tests::manifest::{Pod, documents};
use dagda_tests::{TestHost, rows};

/// Reads that must be answered whatever Podman does.
fn reads_are_answered(host: &TestHost) {
    for arguments in [
        &["status"][..],
        &["pods", "list", "--all"],
        &["pods", "show", "up"],
        &["events"],
        &["resources"],
        &["export"],
    ] {
        let output = dagda_tests::cli::run(
            host.dagdactl().args(["--timeout", "5s"]).args(arguments),
            None,
        );
        output.done();
    }
    host.apply(&Pod::waiting("applied-meanwhile"));
}

#[test]
fn a_hung_podman_delays_no_read_and_heals() {
    let mut host = TestHost::ready();
    host.up("up", &Pod::waiting("up"));
    host.apply(&Pod::waiting("late"));
    host.podman.freeze_service();
    reads_are_answered(&host);
    // The caller's patience ends, the command stays accepted.
    host.run(["--timeout", "1s", "pods", "start", "late"])
        .failed_saying(code::TIMED_OUT, ["late"]);
    reads_are_answered(&host);
    host.podman.thaw_service();
    let settled = host.await_pod("late", "the start went on or failed in order", |pod| {
        matches!(pod.state(), PodState::Running | PodState::Error)
    });
    if settled.state() == PodState::Error {
        host.run(["pods", "start", "late"]).done();
    }
    host.await_pod("up", "up runs", |pod| pod.ready);
    let mut running = host.podman.pods();
    running.retain(|(_, state)| state == "running");
    assert_eq!(running.len(), 2, "{running:?}");
}

#[test]
fn podman_missing_altogether_is_said_and_nothing_else_suffers() {
    let empty = TestHost::builder().without_daemon();
    let mut host = TestHost::builder()
        .podman_service(PodmanService::Nobody)
        .environment("PATH", empty.scratch.path().to_str().unwrap())
        .start();
    host.await_status("Podman is known to be away", |status| {
        status
            .runtime
            .as_ref()
            .is_some_and(|runtime| !runtime.connected && runtime.reason.is_some())
    });
    host.apply(&Pod::waiting("up"));
    reads_are_answered(&host);
    host.run(["pods", "start", "up"])
        .failed_saying(code::FAILED, ["Podman", "dagdactl doctor"]);
    let error = host
        .run(["--json", "pods", "start", "up"])
        .ended_with(code::FAILED)
        .json();
    assert_eq!(error["error"]["code"], "runtime_unavailable", "{error}");
    let doctor = host.run(["doctor"]).ended_with(code::FAILED);
    assert!(
        doctor.stdout.to_lowercase().contains("podman"),
        "{doctor:?}"
    );

    host.podman.start_service();
    host.await_status("Podman is back", |status| {
        status
            .runtime
            .as_ref()
            .is_some_and(|runtime| runtime.connected)
    });
    host.run(["pods", "start", "up"]).done();
    host.run(["doctor"]).done();
}

#[test]
fn pods_run_on_while_podman_restarts_and_what_happened_meanwhile_is_seen() {
    let mut host = TestHost::ready();
    host.apply(&documents(&[
        Pod::waiting("up"),
        Pod::waiting("stopped-meanwhile"),
    ]));
    host.run(["pods", "start", "up", "stopped-meanwhile"])
        .done();
    host.podman.kill_service();
    host.podman.run(["pod", "stop", "stopped-meanwhile"]);
    host.podman.start_service();
    host.await_state("stopped-meanwhile", PodState::Stopped);
    assert_eq!(
        host.await_pod("up", "up runs", |pod| pod.ready).state(),
        PodState::Running
    );
    host.run(["pods", "stop", "up"]).done();
}

#[test]
fn podman_killed_during_a_start_leaves_a_true_and_settled_state() {
    let mut host = TestHost::ready();
    let names = ["a", "b", "c"];
    host.apply(&documents(&names.map(Pod::waiting)));
    let mut starts = names.map(|name| host.spawn(["pods", "start", name]));
    host.await_pods("a start is under way", |pods| {
        pods.iter().any(|pod| pod.state() == PodState::Starting)
    });
    host.podman.kill_service();
    host.podman.start_service();
    for start in &mut starts {
        let _ = start.wait().unwrap();
    }
    host.assert_settled_and_true();
    // Whatever became of them, they can be started now.
    host.run(["pods", "start", "a", "b", "c"]).done();
    host.assert_settled_and_true();
    host.stop();
    assert_eq!(
        host.block_on(rows::open_intents(&host.database())),
        [] as [String; 0]
    );
}
