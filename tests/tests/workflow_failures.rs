//! Runs that go wrong: rolled back or kept as their workflow says, and always told why.

use dagda_proto::v1::{PodState, RunState};
use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::host::runs::{member, request, step};
use dagda_tests::manifest::{NEVER_READY, Pod, WAIT, Workflow, documents};

/// A pod whose image is nowhere.
fn absent(name: &str) -> String {
    let pod = Pod::waiting(name).image("localhost/absent:latest");
    pod.to_string().replace("IfNotPresent", "Never")
}

#[test]
fn a_missing_image_takes_back_what_the_run_started_and_nothing_else() {
    let host = TestHost::ready();
    host.apply(&documents(&["mine", "db", "a"].map(Pod::waiting)));
    host.apply(&absent("absent"));
    let workflow = Workflow::new("shop")
        .pod("mine", &[])
        .pod("db", &[])
        .pod("absent", &["db", "mine"])
        .pod("a", &["absent"]);
    host.apply(&workflow);
    host.run(["pods", "start", "mine"]).done();

    let failed = host
        .run(["workflow", "run", "shop"])
        .ended_with(code::FAILED);
    assert!(
        failed.stderr.contains("absent") && failed.stderr.contains("localhost/absent:latest"),
        "{failed:?}"
    );
    assert_eq!(host.podman.running(), ["mine"], "what ran before stays");
    let run = host.runs("shop").remove(0);
    assert_eq!(run.state(), RunState::RolledBack);
    let steps = ["mine", "db", "absent", "a"].map(|pod| step(&run, pod));
    assert_eq!(steps[1..], ["stopped", "failed", "waiting"], "{run:#?}");
    let started = ["mine", "db"].map(|pod| member(&run, pod).started_by_run);
    assert_eq!(started, [false, true]);
    assert!(
        run.failure
            .as_ref()
            .is_some_and(|why| why.message.contains("localhost/absent:latest"))
    );
    let json = host
        .run(["--json", "workflow", "run", "shop"])
        .ended_with(code::FAILED)
        .json();
    assert!(
        json["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("localhost/absent:latest")),
        "{json:#}"
    );

    // Mended, it runs.
    host.apply(&Pod::waiting("absent"));
    host.run(["workflow", "run", "shop"]).done();
    assert_eq!(host.podman.running(), ["a", "absent", "db", "mine"]);

    // And with keep, what runs is left running.
    host.run(["workflow", "stop", "shop"]).done();
    host.apply(&absent("absent"));
    host.apply(&workflow.keep());
    host.run(["workflow", "run", "shop"])
        .failed_saying(code::FAILED, ["localhost/absent:latest"]);
    assert_eq!(host.podman.running(), ["db", "mine"]);
    let run = host.runs("shop").remove(0);
    assert_eq!(run.state(), RunState::Failed);
    assert_eq!(step(&run, "absent"), "failed");
}

#[test]
fn readiness_that_never_comes_times_out_and_shows_the_last_lines() {
    let host = TestHost::ready();
    host.apply(&documents(&[
        Pod::waiting("db"),
        Pod::script(
            "model",
            &format!("echo loading weights; echo out of patience >&2; {WAIT}"),
        )
        .readiness(NEVER_READY),
    ]));
    host.apply(&Workflow::new("ai").pod("db", &[]).pod("model", &["db"]));
    host.run(["pods", "start", "db"]).done();
    host.run(["workflow", "run", "ai", "--timeout", "15s"])
        .failed_saying(
            code::TIMED_OUT,
            ["model", "loading weights", "out of patience"],
        );
    // The answer comes with the end of the rollback, so nothing need be awaited.
    assert_eq!(host.podman.running(), ["db"]);
    let run = host.runs("ai").remove(0);
    assert_eq!(run.state(), RunState::RolledBack);
    let failure = run.failure.unwrap();
    assert_eq!(failure.code, "timed_out");
    assert!(
        failure
            .log
            .iter()
            .any(|line| line.contains("loading weights")),
        "{failure:#?}"
    );

    // One that ran before the run fails it as well, and stays.
    host.run(["pods", "start", "--no-wait", "model"]).done();
    host.await_state("model", PodState::Running);
    host.await_pods("it has written its lines", |_| {
        let logs = host.podman.run(["logs", "model-main"]);
        logs.contains("loading weights")
    });
    let json = host
        .run(["--json", "workflow", "run", "ai", "--timeout", "2s"])
        .ended_with(code::TIMED_OUT)
        .json();
    assert_eq!(json["error"]["code"], "timed_out", "{json:#}");
    assert!(
        json["error"]["log"].to_string().contains("loading weights"),
        "{json:#}"
    );
    assert_eq!(host.podman.running(), ["db", "model"]);
}

#[test]
fn a_pod_that_dies_later_degrades_the_run_until_it_is_back() {
    let host = TestHost::builder()
        .settings("[alerts.pod_down]\nclear_for = '1s'\n")
        .start();
    host.apply(&documents(&[Pod::waiting("db"), Pod::frail("frail")]));
    host.apply(&Workflow::new("shop").pod("db", &[]).pod("frail", &["db"]));
    let id = host.run_up("shop");
    host.podman.signal("frail-main", "USR1");
    let run = host.await_run_state(&id, RunState::Degraded);
    assert_eq!((step(&run, "frail"), step(&run, "db")), ("lost", "ready"));
    assert!(member(&run, "frail").message.is_some(), "{run:#?}");
    let event = host.await_event("the loss is recorded", |event| event.kind == "run_degraded");
    assert_eq!(event.run.as_deref(), Some(id.as_str()));
    assert!(event.message.contains("frail"), "{event:?}");
    let firing = |host: &TestHost, wanted: u32| {
        host.await_status(&format!("{wanted} alerts are firing"), |status| {
            status
                .alerts
                .as_ref()
                .is_some_and(|alerts| alerts.firing == wanted)
        })
    };
    firing(&host, 1);
    let runs = host
        .run(["--json", "workflow", "runs", "shop"])
        .done()
        .json();
    assert_eq!(runs["runs"][0]["state"], "degraded", "{runs:#}");

    host.run(["pods", "start", "frail"]).done();
    let run = host.await_run_state(&id, RunState::Running);
    assert_eq!(step(&run, "frail"), "ready");
    firing(&host, 0);
    host.stop_workflow("shop").unwrap();
    assert_eq!(host.podman.running(), [] as [String; 0]);
}

#[test]
fn a_pod_removed_during_its_run_leaves_a_run_that_can_be_ended() {
    let host = TestHost::ready();
    host.apply(&documents(&[
        Pod::waiting("db"),
        Pod::waiting("a"),
        Pod::waiting("never").readiness(NEVER_READY),
    ]));
    host.apply(&documents(&[
        Workflow::new("shop").pod("db", &[]).pod("a", &["db"]),
        Workflow::new("slow").pod("db", &[]).pod("never", &["db"]),
    ]));
    let id = host.run_up("shop");
    host.run(["pods", "remove", "a"])
        .failed_saying(code::FAILED, ["a", "--force"]);
    host.run(["pods", "stop", "a"]).done();
    host.await_run_state(&id, RunState::Degraded);
    host.run(["pods", "remove", "a"])
        .failed_saying(code::FAILED, ["a", "workflow stop shop", "--force"]);
    host.run(["pods", "start", "a"]).done();
    host.run(["pods", "remove", "--force", "a"]).done();
    host.await_run_state(&id, RunState::Degraded);
    // What it was, it shows without its pod; and it cannot begin anew.
    let detail = host.workflow("shop");
    let gone = detail
        .members
        .iter()
        .find(|member| member.pod == "a")
        .unwrap();
    assert!(gone.state.is_none(), "{detail:#?}");
    host.run(["workflow", "show", "shop"]).done();
    host.stop_workflow("shop").unwrap();
    assert_eq!(host.run_now(&id).state(), RunState::Stopped);
    assert_eq!(host.podman.running(), [] as [String; 0]);
    host.run(["workflow", "run", "shop"])
        .failed_saying(code::NOT_FOUND, ["shop", "a"]);

    // While it starts: the run fails and is rolled back.
    let mut following = host.follow(request("slow"));
    host.await_run(&following.id, "its pod is started", |run| {
        step(run, "never") == "starting"
    });
    host.run(["pods", "remove", "--force", "never"]).done();
    let error = host.outcome(&mut following).unwrap_err();
    assert!(error.message.contains("never"), "{error:?}");
    assert_eq!(
        host.await_run_state(&following.id, RunState::RolledBack)
            .state(),
        RunState::RolledBack
    );
    assert_eq!(host.podman.running(), [] as [String; 0]);
}
