//! Runs that wait until they fit, and runs that are cancelled, wherever they are.

use dagda_proto::v1::{self, PodState, RunState};
use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::host::runs::{queued, request, step};
use dagda_tests::manifest::{NEVER_READY, Pod, Workflow, documents};
use dagda_tests::process::finish_child;

/// Runs until it is killed: stops only when its grace period is over.
const STUBBORN: &str = "trap '' TERM; while :; do busybox sleep 1000; done";

/// A pod that holds most of the room, and two workflows of a pod each that need as much.
fn full(host: &TestHost, holder: &Pod) {
    let most = host.room().percent(60);
    host.apply(&documents(&[
        holder.clone().memory(most).priority(90),
        Pod::waiting("first").memory(most),
        Pod::waiting("second").memory(most),
    ]));
    host.apply(&documents(&[
        Workflow::of("low", &["first"]).priority(20),
        Workflow::of("high", &["second"]).priority(80),
    ]));
    host.run(["pods", "start", "holder"]).done();
}

fn place(run: &v1::Run) -> (u32, u32) {
    let queue = run.queue.as_ref();
    let queue = queue.unwrap_or_else(|| panic!("{run:#?} is not queued"));
    assert!(
        !queue.waits_for.is_empty(),
        "it says why it waits: {run:#?}"
    );
    (queue.place, queue.length)
}

#[test]
fn a_queued_run_shows_its_place_survives_a_kill_and_starts_when_there_is_room() {
    let mut host = TestHost::builder().measured().start();
    full(&host, &Pod::waiting("holder"));
    host.run(["workflow", "run", "low"])
        .failed_saying(code::REFUSED, ["low", "holder"]);
    let waiting = host.spawn(["workflow", "run", "low", "--queue"]);
    host.await_status("it is queued", |status| {
        status.runs.as_ref().is_some_and(|runs| runs.queued == 1)
    });
    let low = host.runs("low").remove(0).id;
    let high = host.follow(queued("high")).id;
    // Priority comes before being first.
    let at = |host: &TestHost, id: &str| place(&host.await_run_state(id, RunState::Queued));
    assert_eq!((at(&host, &high), at(&host, &low)), ((1, 2), (2, 2)));
    let status = host.run(["--json", "status"]).done().json();
    assert_eq!(status["runs"]["queued"], 2, "{status:#}");
    let runs = host.run(["workflow", "runs"]).done().stdout;
    assert!(runs.contains("queued"), "{runs}");

    host.kill9();
    let cut_off = finish_child(waiting, "the waiting run");
    assert_eq!(
        cut_off.status.code(),
        Some(code::UNREACHABLE),
        "{cut_off:?}"
    );
    let shown = String::from_utf8_lossy(&cut_off.stderr).into_owned()
        + &String::from_utf8_lossy(&cut_off.stdout);
    assert!(shown.contains("queue"), "it showed its place: {shown}");
    host.start();
    host.await_pod("holder", "the holder is seen again", |pod| pod.ready);
    assert_eq!((at(&host, &high), at(&host, &low)), ((1, 2), (2, 2)));

    host.run(["pods", "stop", "holder"]).done();
    host.await_run_state(&high, RunState::Running);
    assert_eq!(host.podman.running(), ["second"]);
    assert_eq!(at(&host, &low), (1, 1));
    host.stop_workflow("high").unwrap();
    host.await_run_state(&low, RunState::Running);
    assert_eq!(host.podman.running(), ["first"]);
    let detail = host.run_detail(&low);
    assert!(
        detail.events.iter().any(|event| event.kind == "run_queued"),
        "{detail:#?}"
    );
}

#[test]
fn the_earliest_time_is_told_where_it_is_known_by_something() {
    let host = TestHost::builder().measured().start();
    let holder = Pod::script("holder", STUBBORN);
    full(&host, &holder);
    let low = host.follow(queued("low")).id;
    let run = host.await_run_state(&low, RunState::Queued);
    let queue = run.queue.unwrap();
    assert!(
        queue.earliest_at.is_none(),
        "nothing ends by itself: {queue:?}"
    );
    let stop = host.spawn(["pods", "stop", "holder", "--grace", "40s"]);
    let run = host.await_run(&low, "an end is in sight", |run| {
        run.queue
            .as_ref()
            .is_some_and(|queue| queue.earliest_at.is_some())
    });
    let queue = run.queue.unwrap();
    assert!(
        queue
            .earliest_reason
            .is_some_and(|reason| reason.contains("holder"))
    );
    let now = jiff::Timestamp::now().as_second();
    assert!((now..now + 60).contains(&queue.earliest_at.unwrap().seconds));
    host.podman.run(["kill", "--signal", "KILL", "holder-main"]);
    let _ = finish_child(stop, "the stop");
    host.await_run_state(&low, RunState::Running);
}

#[test]
fn a_run_can_be_cancelled_wherever_it_is() {
    let host = TestHost::builder().measured().start();
    full(
        &host,
        &Pod::script("holder", STUBBORN).restart_policy("Never"),
    );
    let most = host.room().percent(60);
    host.apply(&documents(&[
        Pod::waiting("db"),
        Pod::waiting("never").readiness(NEVER_READY),
        Pod::frail("frail"),
        Pod::script("stubborn", STUBBORN),
        Pod::waiting("large").memory(most),
    ]));
    let absent = Pod::waiting("absent").image("localhost/absent:latest");
    host.apply(&absent.to_string().replace("IfNotPresent", "Never"));
    host.apply(&documents(&[
        Workflow::new("slow").pod("db", &[]).pod("never", &["db"]),
        Workflow::of("frail", &["db", "frail"]),
        Workflow::new("broken")
            .pod("stubborn", &[])
            .pod("absent", &["stubborn"]),
        Workflow::of("large", &["large"]),
    ]));

    // Queued: the caller is told, nothing was started.
    let mut caller = host.follow(queued("low"));
    host.await_run_state(&caller.id, RunState::Queued);
    host.run(["workflow", "stop", "low"]).done();
    let error = host.outcome(&mut caller).unwrap_err();
    assert_eq!(error.code, "cancelled", "{error:?}");
    assert_eq!(host.run_now(&caller.id).state(), RunState::Cancelled);

    // Evicting: the victim goes, what it was for does not come.
    let mut caller = host.follow(v1::RunWorkflowRequest {
        admission: v1::AdmissionMode::Evict.into(),
        ..request("large")
    });
    let run = host.await_run_state(&caller.id, RunState::Evicting);
    assert_eq!(run.victims, ["holder"]);
    host.run(["workflow", "stop", "large"]).done();
    assert!(host.outcome(&mut caller).is_err());
    assert_eq!(host.run_now(&caller.id).state(), RunState::Stopped);
    host.await_state("holder", PodState::Stopped);
    assert_eq!(host.podman.running(), [] as [String; 0]);

    // Starting.
    let mut caller = host.follow(request("slow"));
    host.await_run(&caller.id, "never is started", |run| {
        step(run, "never") == "starting"
    });
    host.run(["workflow", "stop", "slow"]).done();
    let error = host.outcome(&mut caller).unwrap_err();
    assert_eq!(error.code, "cancelled", "{error:?}");
    assert_eq!(host.run_now(&caller.id).state(), RunState::Stopped);
    assert_eq!(host.podman.running(), [] as [String; 0]);

    // Degraded.
    let id = host.run_up("frail");
    host.podman.signal("frail-main", "USR1");
    host.await_run_state(&id, RunState::Degraded);
    host.run(["workflow", "stop", "frail"]).done();
    assert_eq!(host.run_now(&id).state(), RunState::Stopped);
    assert_eq!(host.podman.running(), [] as [String; 0]);

    // Rolling back: it goes on to its end, which is no pods either.
    let mut caller = host.follow(request("broken"));
    host.await_run_state(&caller.id, RunState::RollingBack);
    host.run(["workflow", "stop", "broken"]).done();
    assert!(host.outcome(&mut caller).is_err());
    assert_eq!(host.run_now(&caller.id).state(), RunState::RolledBack);
    assert_eq!(host.podman.running(), [] as [String; 0]);

    // What was cancelled can be run, and a stop of what does not run changes nothing.
    host.run(["workflow", "stop", "low"]).done();
    let id = host.run_up("low");
    assert_eq!(host.run_now(&id).state(), RunState::Running);

    // A run of a higher priority may take its place, and says so.
    host.run(["workflow", "run", "high", "--evict"]).done();
    assert_eq!(host.podman.running(), ["second"]);
    assert!(
        matches!(
            host.run_now(&id).state(),
            RunState::Degraded | RunState::Stopped
        ),
        "{:#?}",
        host.run_now(&id)
    );
    // The other way round it may not.
    host.run(["workflow", "run", "low", "--evict"])
        .failed_saying(code::REFUSED, ["low", "No pod may be stopped"]);
}
