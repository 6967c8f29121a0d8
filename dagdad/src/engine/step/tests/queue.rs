//! Runs that wait until they fit.

use super::runs::{run, stop_workflow};
use super::world::{sized, told};
use super::*;
use crate::domain::pod::Priority;
use crate::domain::run::{RunId, RunState};

fn queued(workflow: &str) -> Command {
    Command::Run {
        workflow: workflow.to_owned(),
        admission: Admission::Fit,
        queue: true,
        timeout: None,
    }
}

/// `x` of 600 MiB fills a machine of 1000; workflows `a` to `d` of one pod each, of 600, 600,
/// 300 and 5000 MiB, of which `b` is the most important.
fn bench() -> Bench {
    let sizes = [("a", 600), ("b", 600), ("c", 300), ("d", 5_000), ("x", 600)];
    let pods = sizes.map(|(name, mib)| sized(always(name), mib));
    let workflows = ["a", "b", "c", "d"].map(|name| {
        let mut workflow = workflow(name, &[(name, &[])]);
        workflow.spec.priority = Priority::new(if name == "b" { 90 } else { 50 }).unwrap();
        workflow
    });
    let mut bench = Bench::with_workflows(&pods, &workflows, &["x"]);
    bench.measure(1_000, 0);
    bench
}

fn phases(bench: &Bench, runs: &[RunId]) -> Vec<RunState> {
    runs.iter().map(|id| bench.phase(*id)).collect()
}

#[test]
fn one_that_fits_does_not_wait() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("c"));
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn it_starts_as_soon_as_there_is_room() {
    let mut bench = bench();
    let (id, effects) = bench.run_accepted(queued("a"));
    assert_eq!(bench.phase(id), RunState::Queued);
    let said = told(&effects, EventKind::RunQueued);
    assert!(
        said[0].starts_with("run of a waits in the queue: a does not fit"),
        "{said:?}"
    );
    assert_eq!(bench.held("a"), None);
    bench.order(stop("x"));
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_sample_that_shows_room_starts_it() {
    let mut bench = bench();
    bench.order(stop("x"));
    bench.measure(1_000, 500);
    let (id, _) = bench.run_accepted(queued("a"));
    assert_eq!(bench.phase(id), RunState::Queued);
    bench.measure(1_000, 300);
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn the_most_important_comes_first_then_the_first_come() {
    let mut bench = bench();
    let (a, _) = bench.run_accepted(queued("a"));
    bench.wait(1);
    let (b, _) = bench.run_accepted(queued("b"));
    bench.order(stop("x"));
    assert_eq!(
        phases(&bench, &[a, b]),
        [RunState::Queued, RunState::Running]
    );
    let snapshot = bench.state.snapshot(bench.now);
    let place = snapshot.run(a).unwrap().place.clone().unwrap();
    assert_eq!((place.place, place.length), (1, 1));
    bench.order(stop_workflow("b"));
    assert_eq!(bench.phase(a), RunState::Running);
}

#[test]
fn a_small_one_does_not_overtake() {
    let mut bench = bench();
    bench.measure(1_000, 200);
    let (a, _) = bench.run_accepted(queued("a"));
    let (c, _) = bench.run_accepted(queued("c"));
    assert_eq!(phases(&bench, &[a, c]), [RunState::Queued; 2]);
    bench.measure(1_000, 100);
    assert_eq!(phases(&bench, &[a, c]), [RunState::Queued; 2]);
    let snapshot = bench.state.snapshot(bench.now);
    let place = snapshot.run(c).unwrap().place.clone().unwrap();
    assert_eq!((place.place, place.length), (2, 2));
    assert_eq!(place.waits_for, "1 before it, first a");
}

#[test]
fn room_for_two_starts_two() {
    let mut bench = bench();
    bench.measure(1_000, 200);
    let (a, _) = bench.run_accepted(queued("a"));
    let (c, _) = bench.run_accepted(queued("c"));
    bench.measure(1_000, 0);
    bench.order(stop("x"));
    assert_eq!(phases(&bench, &[a, c]), [RunState::Running; 2]);
}

#[test]
fn what_can_never_fit_is_refused_at_once() {
    let mut bench = bench();
    let (reply, _) = bench.order(queued("d"));
    super::admission::denial(&reply);
}

#[test]
fn what_can_never_fit_any_more_fails_and_lets_the_next_go() {
    let mut bench = bench();
    let (a, _) = bench.run_accepted(queued("a"));
    bench.measure(1_000, 200);
    let (c, _) = bench.run_accepted(queued("c"));
    bench.order(stop("x"));
    assert_eq!(
        phases(&bench, &[a, c]),
        [RunState::Running, RunState::Queued]
    );
    bench.order(stop_workflow("a"));
    let (a, _) = {
        bench.measure(1_000, 900);
        bench.run_accepted(queued("a"))
    };
    bench.measure(500, 0);
    assert_eq!(
        phases(&bench, &[a, c]),
        [RunState::Failed, RunState::Running]
    );
    assert_eq!(bench.run_failure(a).code, "insufficient_resources");
}

#[test]
fn one_that_waits_is_taken_out_of_the_queue() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("a"));
    let (reply, effects) = bench.order(stop_workflow("a"));
    assert_eq!(reply, Reply::Run(id));
    assert_eq!(bench.phase(id), RunState::Cancelled);
    assert_eq!(
        told(&effects, EventKind::RunStopped),
        ["a is taken out of the queue"]
    );
    bench.order(stop("x"));
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn one_that_waits_is_joined() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("a"));
    assert_eq!(bench.run_accepted(queued("a")).0, id);
    let (reply, _) = bench.order(run("a"));
    super::admission::denial(&reply);
    assert_eq!(bench.phase(id), RunState::Queued, "it keeps its place");
}

#[test]
fn one_that_waits_can_be_forced() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("a"));
    let (again, effects) = bench.run_accepted(super::runs::run_as("a", Admission::Force));
    assert_eq!(again, id);
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(told(&effects, EventKind::Forced).len(), 1);
}

#[test]
fn one_that_waits_can_be_evicted_for() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("a"));
    let (again, _) = bench.run_accepted(super::runs::run_as("a", Admission::Evict));
    assert_eq!(again, id);
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(bench.ups(), ["a"]);
}

#[test]
fn a_pod_that_leaves_the_catalogue_fails_the_one_that_waits_for_it() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("a"));
    let (reply, _) = bench.order(remove("a", false));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    assert_eq!(bench.phase(id), RunState::Failed);
    assert_eq!(bench.run_failure(id).code, "not_found");
}

#[test]
fn the_queue_survives_a_restart() {
    let mut bench = bench();
    let (a, _) = bench.run_accepted(queued("a"));
    bench.wait(1);
    let (b, _) = bench.run_accepted(queued("b"));
    bench.reborn();
    bench.look();
    assert_eq!(phases(&bench, &[a, b]), [RunState::Queued; 2]);
    bench.measure(1_000, 0);
    assert_eq!(phases(&bench, &[a, b]), [RunState::Queued; 2]);
    bench.order(stop("x"));
    assert_eq!(
        phases(&bench, &[a, b]),
        [RunState::Queued, RunState::Running]
    );
}

#[test]
fn a_taken_port_is_waited_for() {
    let pods = [
        sized(publishing("a", 80), 600),
        sized(publishing("b", 80), 100),
        sized(always("x"), 600),
    ];
    let mut bench = Bench::with_workflows(&pods, &[workflow("a", &[("a", &[])])], &["b", "x"]);
    bench.pods[0].ports = pods[1].spec.published_ports().collect();
    bench.list();
    bench.measure(1_000, 0);
    let (reply, _) = bench.order(queued("a"));
    assert!(
        matches!(reply, Reply::Refused(CommandError::PortTaken { .. })),
        "{reply:?}"
    );
    bench.order(stop("b"));
    let (id, _) = bench.run_accepted(queued("a"));
    bench.order(start_command("b"));
    bench.order(stop("x"));
    assert_eq!(bench.phase(id), RunState::Queued);
    bench.order(stop("b"));
    assert_eq!(bench.phase(id), RunState::Starting);
}

#[test]
fn one_that_waits_is_not_begun_where_its_port_is_taken() {
    let pods = [
        sized(publishing("a", 80), 600),
        sized(publishing("b", 80), 100),
        sized(always("x"), 600),
    ];
    let mut bench = Bench::with_workflows(&pods, &[workflow("a", &[("a", &[])])], &["x"]);
    bench.measure(1_000, 0);
    let (id, _) = bench.run_accepted(queued("a"));
    bench.order(start_command("b"));
    let (reply, _) = bench.order(super::runs::run_as("a", Admission::Force));
    assert!(
        matches!(reply, Reply::Refused(CommandError::PortTaken { .. })),
        "{reply:?}"
    );
    assert_eq!(bench.phase(id), RunState::Queued);
}

#[test]
fn one_taken_out_before_anything_was_listed_keeps_no_clock_running() {
    let mut bench = bench();
    let (id, _) = bench.run_accepted(queued("a"));
    bench.reborn();
    bench.order(stop_workflow("a"));
    assert_eq!(bench.phase(id), RunState::Cancelled);
    bench.wait(400);
    bench.tell(Event::Tick);
    assert!(bench.state.next_deadline() > bench.now);
}

#[test]
fn a_run_does_not_wait_for_a_port_when_one_of_its_pods_is_gone() {
    let pods = [
        sized(publishing("a", 80), 500),
        sized(always("z"), 500),
        sized(publishing("x", 80), 10),
    ];
    let workflow = workflow("w", &[("a", &[]), ("z", &[])]);
    let mut bench = Bench::with_workflows(&pods, &[workflow], &[]);
    bench.measure(2_000, 1_500);
    let (run, _) = bench.run_accepted(queued("w"));
    assert_eq!(bench.phase(run), RunState::Queued);
    bench.order(start_command("x"));
    assert_eq!(bench.ups(), ["x"]);
    bench.order(remove("z", true));
    bench.measure(2_000, 0);
    assert_eq!(bench.phase(run), RunState::Failed);
}
