//! Up, watched, down: what the two commands of every day do with real pods.

use dagda_proto::v1::{self, PodState};
use dagda_tests::cli::code;
use dagda_tests::manifest::{NEVER_READY, Pod, WAIT};
use dagda_tests::{TestHost, http, ports, wire};

#[test]
fn a_web_server_goes_up_serves_and_goes_down() {
    let host = TestHost::ready();
    let port = ports::free();
    host.apply(&Pod::http("web", port).annotation("dagda/priority", "60"));
    let before = host.pod("web");
    assert_eq!(
        (before.state(), before.ready, before.priority),
        (PodState::Stopped, false, 60)
    );

    host.run(["pods", "start", "web"]).done();
    assert!(http::get(port).unwrap().contains("hello from web"));
    let list = host.run(["--json", "pods", "list"]).done().json();
    let web = &list["pods"][0];
    assert_eq!(web["name"], "web");
    assert_eq!(web["category"], "optional");
    assert_eq!(web["priority"], 60);
    assert_eq!(web["state"], "running");
    assert_eq!(web["ready"], true);
    assert_eq!(web["changed"], false);
    assert_eq!(web["ports"][0]["host_ip"], "127.0.0.1");
    assert_eq!(web["ports"][0]["host_port"], port);
    assert_eq!(web["ports"][0]["container_port"], 8080);
    let since: jiff::Timestamp = web["since"].as_str().unwrap().parse().unwrap();
    assert!(since <= jiff::Timestamp::now());

    host.run(["pods", "stop", "web"]).done();
    assert_eq!(host.pod("web").state(), PodState::Stopped);
    assert!(http::get(port).is_err());
    assert!(
        host.podman
            .pods()
            .iter()
            .all(|(_, state)| state != "running")
    );
}

#[test]
fn doing_again_what_is_done_succeeds_and_says_so() {
    let host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    let id = host
        .podman
        .run(["pod", "inspect", "--format", "{{.Id}}", "a"]);
    let again = host.run(["pods", "start", "a"]).done();
    assert!((again.stdout + &again.stderr).contains("already"));
    assert_eq!(
        host.podman
            .run(["pod", "inspect", "--format", "{{.Id}}", "a"]),
        id,
        "it was left alone"
    );

    host.run(["pods", "stop", "a"]).done();
    let again = host.run(["pods", "stop", "a"]).done();
    assert!((again.stdout + &again.stderr).contains("already"));
}

#[test]
fn restart_makes_a_new_pod() {
    let host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    let id = |host: &TestHost| {
        host.podman.run([
            "ps",
            "--filter",
            "pod=a",
            "--format",
            "{{.StartedAt}} {{.ID}}",
        ])
    };
    let first = id(&host);
    host.run(["pods", "restart", "a"]).done();
    assert_ne!(id(&host), first);
    assert_eq!(host.pod("a").state(), PodState::Running);
    // Of a stopped pod it is a start.
    host.run(["pods", "stop", "a"]).done();
    host.run(["pods", "restart", "a"]).done();
    assert_eq!(host.pod("a").state(), PodState::Running);
}

/// Starts a pod whose probe cannot pass yet, lets it pass, and takes that back.
fn becomes_ready_when(pod: &Pod, make_ready: &str, unmake: &str) {
    let host = TestHost::ready();
    host.apply(pod);
    let start = host.start_until_awaiting("p");
    let _ = host.await_pod("p", "p runs", |pod| pod.state() == PodState::Running);
    assert!(!host.pod("p").ready, "it runs, and is not ready");
    let shell = |script: &str| {
        host.podman.run(["exec", "p-main", "/bin/sh", "-c", script]);
    };
    shell(make_ready);
    let outcome = host.block_on(wire::outcome(start));
    assert!(outcome.is_ok(), "{outcome:?}");
    let pod = host.await_pod("p", "p is ready", |pod| pod.ready);
    assert_eq!(pod.state(), PodState::Running);
    shell(unmake);
    let pod = host.await_pod("p", "p is not ready any more", |pod| !pod.ready);
    assert_eq!(pod.state(), PodState::Running, "unready is not down");
}

#[test]
fn an_exec_probe_decides_readiness() {
    let probe = "{exec: {command: [/bin/busybox, test, -f, /ready]}, periodSeconds: 1, \
        failureThreshold: 1, timeoutSeconds: 30}";
    becomes_ready_when(
        &Pod::waiting("p").readiness(probe),
        "busybox touch /ready",
        "busybox rm /ready",
    );
}

#[test]
fn an_http_probe_decides_readiness() {
    let probe = "{httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}";
    becomes_ready_when(
        &Pod::http("p", ports::free()).readiness(probe),
        "busybox touch /www/ready",
        "busybox rm /www/ready",
    );
}

#[test]
fn a_tcp_probe_decides_readiness() {
    let probe = "{tcpSocket: {port: 9000}, periodSeconds: 1, failureThreshold: 1}";
    becomes_ready_when(
        &Pod::waiting("p").port(ports::free(), 9000).readiness(probe),
        "busybox httpd -f -p 9000 >/dev/null 2>&1 </dev/null & echo $! > /listener",
        "kill $(busybox cat /listener)",
    );
}

#[test]
fn without_waiting_start_returns_before_the_pod_is_ready() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("p").readiness(NEVER_READY));
    host.run(["pods", "start", "--no-wait", "p"]).done();
    // A second caller joins the start that is under way.
    drop(host.start_until_awaiting("p"));
    assert!(!host.pod("p").ready);
    // And a start under way can be stopped.
    host.run(["pods", "stop", "p"]).done();
    assert_eq!(host.pod("p").state(), PodState::Stopped);
}

#[test]
fn start_streams_its_progress_and_ends_with_the_outcome() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("a"));
    let stages = host.block_on(async {
        let request = v1::StartPodRequest {
            name: "a".to_owned(),
            ..v1::StartPodRequest::default()
        };
        let mut stream = host
            .pods_client()
            .start_pod(request)
            .await
            .unwrap()
            .into_inner();
        let mut stages = Vec::new();
        while let Some(update) = stream.message().await.unwrap() {
            match update.update.unwrap() {
                v1::operation_update::Update::Progress(progress) => stages.push(progress.stage()),
                v1::operation_update::Update::Done(done) => {
                    assert!(done.changed);
                    return stages;
                }
                v1::operation_update::Update::Error(error) => panic!("{error:?}"),
            }
        }
        panic!("no outcome after {stages:?}")
    });
    assert!(stages.contains(&v1::Stage::Creating), "{stages:?}");
}

#[test]
fn several_containers_and_init_containers_run_as_podman_has_them() {
    let host = TestHost::ready();
    let pod = Pod::script("many", &format!("echo one; {WAIT}"))
        .container("second", &format!("echo two; {WAIT}"))
        .init("prepare", "echo prepared");
    host.up("many", &pod);
    let detail = host.detail("many");
    let container = |name: &str| {
        detail
            .containers
            .iter()
            .find(|container| container.name == name)
            .unwrap()
    };
    assert_eq!(
        (container("main").init, container("main").state.as_str()),
        (false, "running")
    );
    assert_eq!(
        (container("second").init, container("second").state.as_str()),
        (false, "running")
    );
    // Podman removes an init container that has done its work.
    let prepare = container("prepare");
    assert!(
        prepare.init && ["exited", "absent"].contains(&prepare.state.as_str()),
        "{prepare:?}"
    );
    assert_eq!(detail.restart_policy, "always");
}

#[test]
fn a_failed_init_container_ends_in_error_with_its_last_lines() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("p").init("prepare", "echo no such volume; exit 4"));
    host.run(["pods", "start", "p"])
        .failed_saying(code::FAILED, ["prepare", "code 4"]);
    assert_eq!(host.pod("p").state(), PodState::Error);
}

#[test]
fn a_crash_loop_ends_in_error_with_its_last_lines() {
    let host = TestHost::ready();
    host.apply(&Pod::script("p", "echo cannot find model.gguf; exit 3"));
    // Whether the start itself sees it depends on when it looks: without a probe, running counts.
    let _ = host.run(["pods", "start", "--no-wait", "p"]);
    // Between two ends it is in error, too.
    let pod = host.await_pod("p", "the loop is stopped", |pod| {
        pod.state() == PodState::Error && pod.message().contains("it was stopped")
    });
    assert!(pod.message().contains("model.gguf"), "{pod:?}");
    assert!(!pod.ready);
    // An owner who mends it starts it again.
    host.apply(&Pod::waiting("p"));
    host.run(["pods", "start", "p"]).done();
    assert_eq!(host.pod("p").state(), PodState::Running);
}

#[test]
fn restart_policies_are_honoured() {
    let host = TestHost::ready();
    for (name, policy, script, expected) in [
        ("never-well", "Never", "exit 0", PodState::Stopped),
        (
            "never-badly",
            "Never",
            "echo out of luck; exit 5",
            PodState::Error,
        ),
        ("on-failure-well", "OnFailure", "exit 0", PodState::Stopped),
    ] {
        host.apply(&Pod::script(name, script).restart_policy(policy));
        let _ = host.run(["pods", "start", "--no-wait", name]);
        // The last lines are read once the pod has failed, and follow the state.
        let _ = host.await_pod(name, &format!("{name} is {expected:?}"), |pod| {
            pod.state() == expected
                && (expected == PodState::Stopped || pod.message().contains("out of luck"))
        });
        let restarts: u32 = host
            .detail(name)
            .containers
            .iter()
            .map(|container| container.restarts)
            .sum();
        assert_eq!(restarts, 0, "{name} was not restarted");
    }
    // Always comes back after a single end.
    host.up("always", &Pod::waiting("always").restart_policy("Always"));
    host.podman.signal("always-main", "TERM");
    let restarts = ["inspect", "--format", "{{.RestartCount}}", "always-main"];
    let pod = host.await_pod("always", "it runs again", |pod| {
        pod.ready && host.podman.run(restarts).trim() == "1"
    });
    assert_eq!(pod.state(), PodState::Running);
}

/// Running is not yet having written something.
fn await_lines(host: &TestHost, pod: &str, lines: &[&str]) {
    let _ = host.await_pods(&format!("{pod} has written {lines:?}"), |_| {
        let logs = host.run(["pods", "logs", pod]).done().stdout;
        lines.iter().all(|line| logs.contains(line))
    });
}

#[test]
fn logs_come_by_container_by_tail_and_as_they_are_written() {
    let host = TestHost::ready();
    let pod = Pod::script("p", &format!("echo one; echo two; echo bad >&2; {WAIT}"))
        .container("side", &format!("echo from the side; {WAIT}"));
    host.up("p", &pod);
    await_lines(&host, "p", &["one", "two", "bad", "from the side"]);
    let main = host
        .run(["pods", "logs", "p", "--container", "main", "--tail", "2"])
        .done()
        .stdout;
    assert!(
        !main.contains("one") && main.contains("two") && main.contains("bad"),
        "{main:?}"
    );
    let json = host
        .run(["--json", "pods", "logs", "p", "--container", "main"])
        .done()
        .json();
    assert!(
        json["lines"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["stream"] == "stderr" && line["text"] == "bad"),
        "{json:?}"
    );
    let none = host.run(["pods", "logs", "p", "--container", "nope"]);
    none.failed_saying(code::NOT_FOUND, ["nope", "main", "side"]);

    let text = host.block_on(async {
        let request = v1::ReadLogsRequest {
            name: "p".to_owned(),
            container: Some("main".to_owned()),
            tail: Some(0),
            since: None,
            follow: true,
        };
        let mut stream = host
            .pods_client()
            .read_logs(request)
            .await
            .unwrap()
            .into_inner();
        // Again and again: when the reading has begun is not told.
        let write = "while :; do echo written later > /proc/1/fd/1; busybox sleep 0.2; done";
        let exec = ["exec", "--detach", "p-main", "/bin/sh", "-c", write];
        host.podman.run(exec);
        wire::first(&mut stream, "the later line", |line| {
            Some(line.text.clone())
        })
        .await
    });
    assert_eq!(text, "written later");
}

#[test]
fn stats_show_what_a_running_pod_uses() {
    let host = TestHost::ready();
    host.up("busy", &Pod::script("busy", "while :; do :; done"));
    host.await_pod("busy", "its use is measured", |pod| {
        pod.usage
            .is_some_and(|usage| usage.cpu_percent > 1.0 && usage.ram_bytes > 0)
    });
    let stats = host.run(["pods", "stats", "busy"]).done().stdout;
    assert!(stats.contains("busy"), "{stats}");
    host.run(["pods", "stop", "busy"]).done();
    assert!(
        host.pod("busy").usage.is_none(),
        "a stopped pod uses nothing"
    );
}

#[test]
fn a_running_pod_is_removed_only_by_force() {
    let host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    host.run(["pods", "remove", "a"])
        .failed_saying(code::FAILED, ["a", "--force"]);
    assert_eq!(host.pod("a").state(), PodState::Running);
    host.run(["pods", "remove", "--force", "a"]).done();
    assert_eq!(host.podman.pods(), []);
    host.run(["pods", "show", "a"])
        .failed_saying(code::NOT_FOUND, ["a"]);
}

#[test]
fn a_changed_manifest_is_marked_and_used_at_the_next_restart() {
    let host = TestHost::ready();
    host.up("a", &Pod::script("a", &format!("echo first; {WAIT}")));
    let started = host.podman.run([
        "ps",
        "--filter",
        "pod=a",
        "--format",
        "{{.StartedAt}} {{.ID}}",
    ]);
    let applied = host.apply(&Pod::script("a", &format!("echo second; {WAIT}")));
    assert!(
        applied.stdout.contains("changed") && applied.stdout.contains("restart"),
        "{applied:?}"
    );
    assert!(host.pod("a").changed);
    assert_eq!(
        host.podman.run([
            "ps",
            "--filter",
            "pod=a",
            "--format",
            "{{.StartedAt}} {{.ID}}"
        ]),
        started
    );
    host.run(["pods", "restart", "a"]).done();
    assert!(!host.pod("a").changed);
    await_lines(&host, "a", &["second"]);
}
