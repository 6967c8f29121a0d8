//! Runs that lose a pod, and get it back.

use super::runs::{diamond, run, run_as, stop_workflow};
use super::world::{asked, told};
use super::*;
use crate::domain::run::{RunId, RunState, Step};
use crate::domain::workflow::OnFailure;

#[test]
fn a_pod_that_dies_degrades_its_run_until_it_is_back() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.exited("b", 1);
    let effects = bench.look();
    assert_eq!(bench.phase(id), RunState::Degraded);
    assert_eq!(bench.steps(id)[1], ("b", "lost"));
    let said = told(&effects, EventKind::RunDegraded);
    assert!(
        said[0].contains("b failed: container server exited with 1"),
        "{said:?}"
    );
    bench.runs("b");
    bench.look();
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_run_whose_pods_were_stopped_one_by_one_has_ended() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    for pod in ["d", "c", "b"] {
        bench.order(stop(pod));
        assert_eq!(bench.phase(id), RunState::Degraded);
    }
    bench.order(stop("a"));
    assert_eq!(bench.phase(id), RunState::Stopped);
}

#[test]
fn a_degraded_run_is_mended_by_running_it_again() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.exited("b", 1);
    bench.look();
    let (again, effects) = bench.run_accepted(run("w"));
    assert_eq!(again, id);
    assert_eq!(asked(&effects, "play"), ["b"]);
    assert_eq!(bench.phase(id), RunState::Running);
}

/// `w` has lost `b`, and `x` has taken its room.
fn degraded_and_crowded() -> (Bench, RunId) {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.order(stop("b"));
    bench.order(start_command("x"));
    bench.measure(400, 0);
    (bench, id)
}

#[test]
fn a_degraded_run_is_not_mended_where_that_does_not_fit() {
    let (mut bench, id) = degraded_and_crowded();
    let (reply, _) = bench.order(run("w"));
    super::admission::denial(&reply);
    assert_eq!(bench.phase(id), RunState::Degraded);
}

#[test]
fn a_degraded_run_is_mended_with_room_that_others_make() {
    let (mut bench, id) = degraded_and_crowded();
    bench.run_accepted(run_as("w", Admission::Evict));
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(bench.ups(), ["a", "b", "c", "d"]);
}

#[test]
fn a_run_that_cannot_be_mended_is_degraded_as_before() {
    let (mut bench, id) = degraded_and_crowded();
    bench.has_fail("stop", "x");
    bench.run_accepted(run_as("w", Admission::Evict));
    assert_eq!(bench.phase(id), RunState::Degraded);
    assert_eq!(bench.steps(id)[1], ("b", "lost"));
}

#[test]
fn a_stop_while_room_is_made_to_mend_a_run_brings_its_pods_down() {
    let (mut bench, id) = degraded_and_crowded();
    bench.hold("stop", "x");
    bench.run_accepted(run_as("w", Admission::Evict));
    assert_eq!(bench.phase(id), RunState::Evicting);
    bench.order(stop_workflow("w"));
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.ups(), ["x"]);
}

#[test]
fn the_pods_of_a_run_that_is_being_mended_are_needed() {
    let (mut bench, id) = degraded_and_crowded();
    bench.hold("stop", "x");
    bench.run_accepted(run_as("w", Admission::Evict));
    assert!(bench.run(id).needs_pods());
}

#[test]
fn forced_mending_is_recorded_as_such() {
    let (mut bench, _) = degraded_and_crowded();
    let (_, effects) = bench.run_accepted(run_as("w", Admission::Force));
    assert_eq!(told(&effects, EventKind::Forced).len(), 1);
}

#[test]
fn a_pod_that_loses_one_of_its_containers_degrades_its_run_until_it_is_whole_again() {
    let mut bench = diamond(OnFailure::Keep);
    let (run, _) = bench.run_accepted(run("w"));
    bench.look();
    assert_eq!(bench.phase(run), RunState::Running);
    let b = bench.pods.iter_mut().find(|pod| pod.name == "b").unwrap();
    let mut sidecar = b.containers[0].clone();
    (sidecar.id, sidecar.name) = ("s".to_owned(), "sidecar".to_owned());
    sidecar.state = ContainerState::Exited {
        code: 3,
        at: start(),
        oom_killed: false,
    };
    b.containers.push(sidecar);
    bench.look();
    assert_eq!(bench.phase(run), RunState::Degraded);
    let member = bench
        .run(run)
        .members
        .iter()
        .find(|it| it.pod.as_str() == "b");
    let Step::Lost { message } = &member.unwrap().step else {
        panic!("{member:?}");
    };
    assert_eq!(message, "container sidecar of b exited with 3");
    let b = bench.pods.iter_mut().find(|pod| pod.name == "b").unwrap();
    b.containers.pop();
    bench.look();
    assert_eq!(bench.phase(run), RunState::Running);
}
