//! Workflows run, are watched, and stop again, in order.

use dagda_proto::v1::{self, PodState, RunState};
use dagda_tests::TestHost;
use dagda_tests::cli::{Watch, code};
use dagda_tests::host::runs::{member, request, step};
use dagda_tests::manifest::{NEVER_READY, Pod, Workflow, documents};

/// A pod that runs and is not ready before [`let_be_ready`].
fn gated(name: &str) -> Pod {
    Pod::waiting(name).readiness(
        "{exec: {command: [/bin/busybox, test, -f, /ready]}, periodSeconds: 1, failureThreshold: 1, \
         timeoutSeconds: 30}",
    )
}

fn let_be_ready(host: &TestHost, pod: &str) {
    let container = format!("{pod}-main");
    host.podman
        .run(["exec", &container, "/bin/busybox", "touch", "/ready"]);
}

/// When each pod's container was started, by which one can tell that it was not started again.
fn container(host: &TestHost, pod: &str) -> String {
    let filter = format!("pod={pod}");
    let format = "{{.StartedAt}} {{.ID}}";
    host.podman
        .run(["ps", "--filter", &filter, "--format", format])
}

/// A timeline, to be read by people.
fn told(timeline: &[v1::Event]) -> Vec<String> {
    let line = |event: &v1::Event| format!("{} {}", event.kind, event.message);
    timeline.iter().map(line).collect()
}

/// Where each of the events stands in the run's timeline.
fn places<const N: usize>(timeline: &[v1::Event], wanted: [(&str, &str); N]) -> [usize; N] {
    wanted.map(|(kind, object)| {
        let found = timeline
            .iter()
            .position(|event| event.kind == kind && event.object.as_deref() == Some(object));
        found.unwrap_or_else(|| panic!("no {kind} of {object} in {:#?}", told(timeline)))
    })
}

/// A database, two that come after it (one by its own word, one by the workflow's), and a web
/// server that comes after both.
fn shop(host: &TestHost) {
    host.apply(&format!(
        "{}{}",
        documents(&[
            Pod::waiting("db"),
            gated("api"),
            gated("worker").after(&["db"]),
            Pod::waiting("web"),
        ]),
        documents(&[Workflow::new("shop")
            .description("A shop and all that it needs")
            .pod("web", &["api", "worker"])
            .pod("worker", &[])
            .pod("api", &["db"])
            .pod("db", &[])
            .priority(70)
            .timeout("90s")]),
    ));
}

#[test]
fn a_run_starts_level_by_level_and_stops_in_reverse() {
    let host = TestHost::ready();
    shop(&host);
    let mut following = host.follow(request("shop"));
    let id = following.id.clone();
    // The whole second level is under way before any of it is ready.
    let run = host.await_run(&id, "the second level is started", |run| {
        ["api", "worker"]
            .iter()
            .all(|pod| step(run, pod) == "starting")
    });
    assert_eq!(run.state(), RunState::Starting);
    assert_eq!((step(&run, "db"), step(&run, "web")), ("ready", "waiting"));
    for (pod, level, after) in [
        ("db", 0, &[][..]),
        ("api", 1, &["db"]),
        ("worker", 1, &["db"]),
        ("web", 2, &["api", "worker"]),
    ] {
        let member = member(&run, pod);
        assert_eq!(
            (
                member.level,
                member.after.iter().map(String::as_str).collect()
            ),
            (level, after.to_vec())
        );
    }
    for pod in ["api", "worker"] {
        host.await_state(pod, PodState::Running);
    }
    assert_eq!(host.podman.running(), ["api", "db", "worker"]);
    let_be_ready(&host, "api");
    let run = host.await_run(&id, "api is ready", |run| step(run, "api") == "ready");
    assert_eq!(
        step(&run, "web"),
        "waiting",
        "worker is not ready yet: {run:#?}"
    );
    let status = host.run(["--json", "status"]).done().json();
    assert_eq!(status["runs"]["active"], 1, "{status:#}");
    let_be_ready(&host, "worker");
    host.outcome(&mut following).unwrap();
    let run = host.run_now(&id);
    assert_eq!(run.state(), RunState::Running);
    assert!(
        run.pods
            .iter()
            .all(|pod| pod.step == "ready" && pod.started_by_run),
        "{run:#?}"
    );
    assert!(run.ready_at.is_some() && run.admitted_at.is_some() && run.ended_at.is_none());
    assert_eq!(host.podman.running(), ["api", "db", "web", "worker"]);

    host.stop_workflow("shop").unwrap();
    assert_eq!(host.podman.running(), [] as [String; 0]);
    let detail = host.run_detail(&id);
    let run = detail.run.unwrap();
    assert_eq!(run.state(), RunState::Stopped);
    assert!(run.ended_at.is_some() && run.failure.is_none());
    let events = &detail.events;
    let started = places(
        events,
        [
            ("run_started", "shop"),
            ("pod_ready", "db"),
            ("accepted", "api"),
            ("pod_ready", "api"),
            ("pod_ready", "worker"),
            ("accepted", "web"),
            ("run_ready", "shop"),
            ("pod_stopped", "web"),
            ("pod_stopped", "api"),
            ("pod_stopped", "db"),
        ],
    );
    assert!(started.is_sorted(), "{started:?} in {:#?}", told(events));
    let [web, worker, db] = places(
        events,
        [
            ("pod_stopped", "web"),
            ("pod_stopped", "worker"),
            ("pod_stopped", "db"),
        ],
    );
    assert!(web < worker && worker < db, "{:#?}", told(events));
    assert!(
        events.iter().all(|event| event.run.as_deref() == Some(&id)),
        "{events:#?}"
    );
}

/// Three pods in a row, and a workflow beside theirs.
fn plain_shop(host: &TestHost) {
    host.apply(&documents(&["db", "api", "web"].map(Pod::waiting)));
    host.apply(&documents(&[
        Workflow::new("shop")
            .description("All of it")
            .pod("db", &[])
            .pod("api", &["db"])
            .pod("web", &["api"])
            .priority(70),
        Workflow::of("small", &["db"]),
    ]));
}

#[test]
fn the_command_line_lists_shows_and_plans_and_changes_nothing() {
    let host = TestHost::ready();
    plain_shop(&host);

    let list = host.run(["--json", "workflow", "list"]).done().json();
    let workflows = list["workflows"].as_array().unwrap();
    assert_eq!(workflows.len(), 2, "{list:#}");
    assert_eq!(
        (
            &workflows[0]["name"],
            &workflows[0]["priority"],
            &workflows[0]["fits"]
        ),
        (&"shop".into(), &70.into(), &true.into())
    );
    assert_eq!(
        workflows[0]["pods"],
        serde_json::json!(["db", "api", "web"])
    );
    let text = host.run(["workflows", "list"]).done().stdout;
    assert!(text.contains("shop") && text.contains("small"), "{text}");

    let tree = host.run(["workflow", "show", "shop"]).done().stdout;
    let at = |name: &str| {
        tree.lines()
            .position(|line| line.split_whitespace().any(|word| word == name))
    };
    assert!(at("db") < at("api") && at("api") < at("web"), "{tree}");
    let plan = host
        .run(["--json", "workflow", "plan", "shop"])
        .done()
        .json();
    assert_eq!(plan["fits"], true, "{plan:#}");
    let levels: Vec<_> = plan["pods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| (pod["pod"].as_str().unwrap(), pod["level"].as_u64().unwrap()))
        .collect();
    assert_eq!(levels, [("db", 0), ("api", 1), ("web", 2)]);
    host.run(["workflow", "plan", "shop"]).done();
    assert_eq!(
        host.podman.running(),
        [] as [String; 0],
        "a plan changes nothing"
    );

    // Without a name: what there is and whether it fits, and nothing is run.
    let unnamed = host.run(["workflow", "run"]).ended_with(code::USAGE);
    let text = unnamed.stdout + &unnamed.stderr;
    assert!(
        text.contains("shop") && text.contains("small") && text.contains("FITS NOW"),
        "{text}"
    );
    host.run(["workflow", "run", "shap"])
        .failed_saying(code::NOT_FOUND, ["shap", "did you mean shop?"]);
    for verb in ["show", "plan", "stop", "remove"] {
        host.run(["workflow", verb, "shap"])
            .failed_saying(code::NOT_FOUND, ["shap"]);
    }
    assert_eq!(host.podman.running(), [] as [String; 0]);
}

#[test]
fn the_command_line_runs_tells_stops_and_removes() {
    let host = TestHost::ready();
    plain_shop(&host);

    let ran = host.run(["workflow", "run", "shop"]).done();
    for pod in ["db", "api", "web"] {
        assert!((ran.stdout.clone() + &ran.stderr).contains(pod), "{ran:?}");
    }
    let runs = host
        .run(["--json", "workflow", "runs", "shop"])
        .done()
        .json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs:#}");
    assert_eq!(
        (&runs["runs"][0]["workflow"], &runs["runs"][0]["state"]),
        (&"shop".into(), &"running".into())
    );
    let id = runs["runs"][0]["id"].as_str().unwrap().to_owned();
    let shown = host
        .run(["--json", "workflow", "runs", "show", &id])
        .done()
        .json();
    assert!(
        shown["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["kind"] == "run_ready"),
        "{shown:#}"
    );
    let shown = host.run(["workflow", "runs", "show", &id]).done().stdout;
    assert!(shown.contains("db") && shown.contains("web"), "{shown}");
    host.run(["workflow", "runs", "show", "0000"])
        .failed_saying(code::NOT_FOUND, ["0000"]);

    // Once more while it runs: nothing is started, and the first is named.
    let again = host.run(["workflow", "run", "shop"]).done();
    let text = again.stdout + &again.stderr;
    assert!(text.contains(&id), "{text}");
    assert_eq!(host.runs("shop").len(), 1);
    host.run(["workflow", "remove", "shop"])
        .failed_saying(code::FAILED, ["shop", "dagdactl workflow stop shop"]);

    host.run(["workflow", "stop", "shop"]).done();
    assert_eq!(host.podman.running(), [] as [String; 0]);
    // What is done already is a success.
    host.run(["workflow", "stop", "shop"]).done();
    host.run(["workflow", "remove", "shop"]).done();
    host.run(["workflow", "show", "shop"])
        .failed_saying(code::NOT_FOUND, ["shop"]);
    assert_eq!(host.pod("db").state(), PodState::Stopped, "its pods stay");
    // What it did is still known.
    host.run(["workflow", "runs", "show", &id]).done();
    let exported = host.run(["export"]).done().stdout;
    assert!(
        exported.contains("kind: Workflow") && exported.contains("\"small\""),
        "{exported}"
    );
}

#[test]
fn progress_without_waiting_and_as_a_stream() {
    let host = TestHost::ready();
    host.apply(&documents(&[gated("a")]));
    host.apply(&Workflow::of("one", &["a"]));
    let begun = host
        .run(["--json", "workflow", "run", "one", "--no-wait"])
        .done()
        .json();
    let id = host.runs("one")[0].id.clone();
    assert!(begun.to_string().contains(&id), "{begun:#}");
    host.await_state("a", PodState::Running);
    let mut command = host.dagdactl();
    let events = Watch::start(command.args(["--json", "events", "--follow"]));
    let_be_ready(&host, "a");
    let ready = events.await_object("the run is ready", |event| event["kind"] == "run_ready");
    assert_eq!(ready["run"], id, "{ready:#}");
    host.await_run_state(&id, RunState::Running);
}

#[test]
fn a_pod_that_two_workflows_share_is_started_once_and_kept_for_the_other() {
    let host = TestHost::ready();
    host.apply(&documents(&[
        Pod::waiting("db"),
        Pod::waiting("a"),
        Pod::waiting("b"),
        Pod::waiting("clerk").essential().after(&["db"]),
    ]));
    host.apply(&documents(&[
        Workflow::new("one").pod("db", &[]).pod("a", &["db"]),
        Workflow::new("two").pod("db", &[]).pod("b", &["db"]),
    ]));
    // Both at the same time.
    let mut first = host.follow(request("one"));
    let mut second = host.follow(request("two"));
    host.outcome(&mut first).unwrap();
    host.outcome(&mut second).unwrap();
    assert_eq!(host.podman.running(), ["a", "b", "db"]);
    let started = container(&host, "db");
    assert_eq!(host.detail("db").runs.len(), 2);
    let both = [host.run_now(&first.id), host.run_now(&second.id)];
    let by: Vec<bool> = both
        .iter()
        .map(|run| member(run, "db").started_by_run)
        .collect();
    assert_eq!(
        by.iter().filter(|it| **it).count(),
        1,
        "one of them started it: {both:#?}"
    );

    let stop = host.run(["workflow", "stop", "one"]).done();
    let text = stop.stdout + &stop.stderr;
    assert!(text.contains("db") && text.contains("two"), "{text}");
    assert_eq!(host.podman.running(), ["b", "db"]);
    assert_eq!(container(&host, "db"), started, "it was left alone");
    let run = host.run_now(&first.id);
    assert_eq!(
        (run.state(), step(&run, "db"), step(&run, "a")),
        (RunState::Stopped, "kept", "stopped")
    );
    assert!(
        member(&run, "db")
            .message
            .as_deref()
            .is_some_and(|why| why.contains("two"))
    );
    // By hand neither, unless by force.
    host.run(["pods", "stop", "b"]).done();

    // An essential pod that comes after it keeps it as well.
    host.run(["pods", "start", "clerk"]).done();
    let stop = host.run(["workflow", "stop", "two"]).done();
    let text = stop.stdout + &stop.stderr;
    assert!(text.contains("db") && text.contains("clerk"), "{text}");
    assert_eq!(host.podman.running(), ["clerk", "db"]);
    assert_eq!(container(&host, "db"), started);
    assert_eq!(host.run_now(&second.id).state(), RunState::Stopped);
}

#[test]
fn a_job_counts_once_it_has_ended_well() {
    let host = TestHost::ready();
    let job = |name: &str, script: &str| Pod::script(name, script).restart_policy("Never");
    host.apply(&documents(&[
        job("migrate", "echo migrated; exit 0"),
        job("broken", "echo no such table; exit 3").readiness(NEVER_READY),
        Pod::waiting("web"),
    ]));
    host.apply(&documents(&[
        Workflow::new("good")
            .pod("migrate", &[])
            .pod("web", &["migrate"]),
        Workflow::new("bad")
            .pod("broken", &[])
            .pod("web", &["broken"]),
    ]));
    let id = host.run_up("good");
    let run = host.await_run(&id, "the job has ended", |run| {
        step(run, "migrate") == "completed"
    });
    assert_eq!(
        (run.state(), step(&run, "web")),
        (RunState::Running, "ready")
    );
    host.run(["workflow", "stop", "good"]).done();

    let failed = host
        .run(["workflow", "run", "bad"])
        .ended_with(code::FAILED);
    assert!(
        failed.stderr.contains("broken") && failed.stderr.contains("no such table"),
        "{failed:?}"
    );
    let run = &host.runs("bad")[0];
    assert_eq!(
        (run.state(), step(run, "web")),
        (RunState::RolledBack, "waiting")
    );
    assert_eq!(host.podman.running(), [] as [String; 0]);
}
