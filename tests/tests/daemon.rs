//! dagdad's own life: ready, alone on its state, gone in time, and back with all it knew.

use std::time::Duration;

use dagda_proto::v1::{self, PodState};
use dagda_tests::cli::code;
use dagda_tests::host::PodmanService;
use dagda_tests::manifest::{NEVER_READY, Pod, documents};
use dagda_tests::{TestHost, rows, wire};

#[test]
fn ready_means_that_the_socket_answers() {
    let mut host = TestHost::ready();
    let status = host
        .run(["--json", "--timeout", "5s", "status"])
        .done()
        .json();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        host.daemon()
            .notifications()
            .iter()
            .any(|line| line == "READY=1")
    );
    host.stop();
    host.run(["status"])
        .failed_saying(code::UNREACHABLE, ["dagda.sock"]);
}

#[test]
fn a_clean_stop_tells_the_service_manager_and_leaves_running_pods_alone() {
    let mut host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    let started = |host: &TestHost| {
        host.podman
            .run(["ps", "--format", "{{.Names}} {{.StartedAt}} {{.ID}}"])
    };
    let before = started(&host);
    let status = host
        .daemon()
        .terminate(Duration::from_secs(5))
        .expect("it ends within 5 s");
    assert!(status.success(), "{status}");
    assert!(
        host.daemon()
            .notifications()
            .iter()
            .any(|line| line == "STOPPING=1")
    );
    assert_eq!(started(&host), before);
    host.start();
    let pod = host.await_pod("a", "a is known to run", |pod| pod.ready);
    assert_eq!(pod.state(), PodState::Running);
    assert_eq!(started(&host), before);
}

#[test]
fn it_ends_in_time_while_clients_watch_and_a_start_is_under_way() {
    let mut host = TestHost::ready();
    host.apply(&Pod::waiting("p").readiness(NEVER_READY));
    drop(host.start_until_awaiting("p"));
    let mut watchers = [
        host.spawn(["status", "--watch"]),
        host.spawn(["events", "--follow"]),
        host.spawn(["pods", "logs", "p", "--follow"]),
        host.spawn(["pods", "start", "p"]),
    ];
    host.stop();
    for watcher in &mut watchers {
        let _ = watcher.wait().unwrap();
    }
    assert_eq!(host.podman.pods(), [("p".to_owned(), "running".to_owned())]);
    // What was accepted is taken up again.
    host.start();
    host.await_pod("p", "p runs or starts", |pod| {
        matches!(pod.state(), PodState::Starting | PodState::Running)
    });
    host.run(["pods", "stop", "p"]).done();
    host.stop();
    assert_eq!(
        host.block_on(rows::open_intents(&host.database())),
        [] as [String; 0]
    );
}

#[test]
fn a_second_instance_refuses_and_names_the_holder() {
    let mut host = TestHost::ready();
    let holder = host.daemon().pid().as_raw_nonzero().to_string();
    let ended = host
        .spawn_daemon()
        .expect_err("a second dagdad must not run on the same state");
    assert!(!ended.status.success());
    assert!(
        ended.log.contains(&holder),
        "{holder} is not named in:\n{}",
        ended.log
    );
    host.run(["status"]).done();
    // The lock goes with its holder, however that ended.
    host.kill9();
    host.start();
}

#[test]
fn the_catalogue_and_what_was_wanted_survive() {
    let mut host = TestHost::ready();
    let pods = [
        Pod::waiting("up"),
        Pod::waiting("down"),
        Pod::script("bad", "exit 7").restart_policy("Never"),
    ];
    host.apply(&documents(&pods));
    host.run(["pods", "start", "up"]).done();
    let _ = host.run(["pods", "start", "--no-wait", "bad"]);
    host.await_state("bad", PodState::Error);
    let exported = host.run(["export"]).done().stdout;
    for kill in [false, true] {
        if kill {
            host.kill9();
            host.start();
        } else {
            host.restart();
        }
        host.await_pod("up", "up runs", |pod| {
            pod.state() == PodState::Running && pod.ready
        });
        assert_eq!(host.pod("down").state(), PodState::Stopped);
        assert_eq!(host.pod("bad").state(), PodState::Error);
        assert_eq!(host.run(["export"]).done().stdout, exported);
    }
}

#[test]
fn it_runs_podman_itself_where_nothing_answers_and_again_when_that_dies() {
    let mut host = TestHost::builder()
        .podman_service(PodmanService::Nobody)
        .start();
    host.up("a", &Pod::waiting("a"));
    let service = |host: &TestHost| {
        host.scratch.processes().into_iter().find(|pid| {
            let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
            std::fs::read(path)
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains("system\0service"))
        })
    };
    let first = service(&host).expect("dagdad runs a Podman service");
    rustix::process::kill_process(first, rustix::process::Signal::KILL).unwrap();
    host.await_event("Podman is back", |event| {
        event.kind == "runtime_up" && service(&host).is_some_and(|pid| pid != first)
    });
    host.run(["pods", "stop", "a"]).done();
    host.run(["pods", "start", "a"]).done();
    // Podman, too, knows sd_notify: it must not speak for dagdad.
    let foreign: Vec<_> = host
        .daemon()
        .notifications()
        .iter()
        .filter(|line| line.starts_with("MAINPID="))
        .cloned()
        .collect();
    assert_eq!(foreign, [] as [String; 0]);
    host.stop();
    assert_eq!(service(&host), None, "its own child went with it");
    assert_eq!(
        host.podman.pods(),
        [("a".to_owned(), "running".to_owned())],
        "the pods did not"
    );
}

#[test]
fn what_is_done_behind_its_back_shows_up() {
    let host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    host.podman.run(["pod", "stop", "--time", "0", "a"]);
    host.await_pod("a", "a was stopped by podman", |pod| {
        pod.state() == PodState::Stopped
    });
    host.podman.run(["pod", "start", "a"]);
    host.await_pod("a", "a was started by podman", |pod| {
        pod.state() == PodState::Running
    });
    host.podman
        .run(["pod", "rm", "--force", "--time", "0", "a"]);
    host.await_pod("a", "a was removed by podman", |pod| {
        pod.state() == PodState::Stopped
    });

    let file = host
        .scratch
        .write("foreign.yml", Pod::waiting("foreign").to_string());
    host.podman.run(["play", "kube", file.to_str().unwrap()]);
    let foreign = host.await_pod("foreign", "the foreign pod is listed", |pod| {
        pod.state() == PodState::Running
    });
    assert!(!foreign.managed);
    let shown = host.run(["--json", "pods", "list"]).done().json();
    assert_eq!(
        shown["pods"].as_array().unwrap().len(),
        1,
        "only --all shows unmanaged pods: {shown}"
    );
    let status = host.await_status("the foreign pod is counted", |status| {
        status.pods.is_some_and(|pods| pods.unmanaged == 1)
    });
    assert_eq!(status.pods.unwrap().total, 1);
}

#[test]
fn a_follower_is_told_what_is_still_on_its_way_to_the_disk() {
    let host = TestHost::ready();
    host.up("frail", &Pod::frail("frail"));
    let lock = host.block_on(rows::lock(&host.database()));
    host.podman.signal("frail-main", "USR1");
    host.await_state("frail", PodState::Error);
    let death = host.block_on(async {
        let request = v1::ListEventsRequest::default();
        let followed = host.events_client().follow_events(request).await;
        let mut events = followed.unwrap().into_inner();
        drop(lock);
        wire::first(&mut events, "its death is told", |event| {
            (event.kind == "pod_failed").then(|| event.clone())
        })
        .await
    });
    assert_eq!(death.object.as_deref(), Some("frail"));
}
