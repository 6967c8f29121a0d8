//! Runs that fail, are stopped, or take too long: what is stopped, in which order, and what stays.

use rstest::rstest;

use super::runs::{diamond, run, run_as, run_rows, stop_workflow};
use super::world::{asked, sized, told};
use super::*;
use crate::domain::pod::{Category, Priority};
use crate::domain::run::{RunState, Step};
use crate::domain::workflow::OnFailure;

#[test]
fn a_pod_that_fails_rolls_the_run_back_in_reverse_order() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.has_fail("play", "d");
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "stop"), ["c", "b", "a"]);
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.ups(), [""; 0]);
    assert_eq!(bench.steps(id)[3], ("d", "failed"));
    assert!(told(&effects, EventKind::RunFailed)[0].contains("cannot start d"));
    let phases: Vec<RunState> = run_rows(&effects)
        .iter()
        .map(|run| run.phase.state())
        .collect();
    assert!(phases.contains(&RunState::RollingBack));
}

#[test]
fn a_pod_is_stopped_only_after_those_that_come_after_it() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.has_fail("play", "d");
    bench.hold("stop", "b");
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "stop"), ["c", "b"]);
    assert_eq!(bench.steps(id)[0], ("a", "ready"));
}

#[test]
fn a_failed_run_that_keeps_leaves_all_as_it_is() {
    let mut bench = diamond(OnFailure::Keep);
    bench.has_fail("play", "d");
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "stop"), [""; 0]);
    assert_eq!(bench.phase(id), RunState::Failed);
    assert_eq!(bench.ups(), ["a", "b", "c"]);
    assert_eq!(bench.held("d"), None);
}

#[test]
fn a_rollback_stops_only_what_the_run_started() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("a"));
    bench.has_fail("play", "d");
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "stop"), ["c", "b"]);
    assert_eq!(bench.ups(), ["a"]);
    assert_eq!(bench.steps(id)[0], ("a", "kept"));
    let said = told(&effects, EventKind::RunStopped);
    assert_eq!(
        said,
        ["w is rolled back; still up: a (it ran before this run)"]
    );
}

#[test]
fn a_crash_while_it_starts_fails_the_run_with_its_last_lines() {
    let pods = [sized(entry("a", RestartPolicy::Never), 100)];
    let mut bench = Bench::with_workflows(&pods, &[workflow("w", &[("a", &[])])], &[]);
    bench.hold("play", "a");
    let (id, _) = bench.run_accepted(run("w"));
    let operation = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.exited("a", 3);
    let effects = bench.result(operation, EffectResult::Played(Ok(())));
    bench.carry_out(effects);
    assert_eq!(bench.phase(id), RunState::RolledBack);
    let failure = bench.run_failure(id);
    assert_eq!(failure.code, "pod_failed");
    assert_eq!(failure.log, ["last words of a"]);
}

/// A workflow with a pod that never becomes ready.
fn never_ready() -> Bench {
    let pods = [sized(publishing("a", 80), 100)];
    Bench::with_workflows(&pods, &[workflow("w", &[("a", &[])])], &[])
}

#[test]
fn a_run_that_takes_too_long_fails_with_the_last_lines_of_the_late_one() {
    let mut bench = never_ready();
    let (id, _) = bench.run_accepted(Command::Run {
        workflow: "w".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: Some(Duration::from_secs(20)),
    });
    assert_eq!(bench.ups(), ["a"]);
    bench.wait(21);
    bench.go(Event::Tick);
    assert_eq!(bench.phase(id), RunState::RolledBack);
    let failure = bench.run_failure(id);
    assert_eq!(failure.code, "timed_out");
    assert_eq!(failure.message, "w was not up after 20s: a is not ready");
    assert_eq!(failure.log, ["last words of a"]);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn last_lines_that_never_come_are_not_waited_for() {
    let mut bench = never_ready();
    bench.hold("diagnose", "a");
    let (id, _) = bench.run_accepted(Command::Run {
        workflow: "w".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: Some(Duration::from_secs(20)),
    });
    bench.wait(21);
    bench.go(Event::Tick);
    assert_eq!(bench.phase(id), RunState::Starting);
    bench.wait(11);
    bench.go(Event::Tick);
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert!(bench.run_failure(id).log.is_empty());
}

#[test]
fn a_run_has_all_the_time_that_its_workflow_gives_it() {
    // A pod by itself has a minute.
    let mut bench = never_ready();
    let (id, _) = bench.run_accepted(run("w"));
    bench.wait(290);
    bench.go(Event::Tick);
    assert_eq!(bench.phase(id), RunState::Starting);
    bench.wait(11);
    bench.go(Event::Tick);
    assert_eq!(bench.run_failure(id).code, "timed_out");
    assert_eq!(bench.run_failure(id).log, ["last words of a"]);
}

#[test]
fn the_last_lines_of_a_start_that_somebody_else_gave_are_read_too() {
    let mut bench = never_ready();
    bench.order(start_command("a"));
    let (id, _) = bench.run_accepted(run("w"));
    bench.wait(61);
    bench.go(Event::Tick);
    assert_eq!(bench.run_failure(id).code, "timed_out");
    assert_eq!(bench.run_failure(id).log, ["last words of a"]);
}

#[test]
fn a_stopped_run_stops_its_pods_in_reverse_order() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    let (reply, effects) = bench.order(stop_workflow("w"));
    assert_eq!(reply, Reply::Run(id));
    assert_eq!(asked(&effects, "stop"), ["d", "c", "b", "a"]);
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert!(
        bench
            .run(id)
            .members
            .iter()
            .all(|m| m.step == Step::Stopped)
    );
}

#[test]
fn a_stop_while_it_starts_cancels_the_starts() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("pull", "b");
    let (id, _) = bench.run_accepted(run("w"));
    assert_eq!(bench.ups(), ["a", "c"]);
    bench.order(stop_workflow("w"));
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.ups(), [""; 0]);
    assert_eq!(bench.held("d"), None);
}

#[test]
fn a_stop_while_room_is_made_ends_it_before_it_began() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("x"));
    bench.measure(450, 0);
    bench.hold("stop", "x");
    let (id, _) = bench.run_accepted(run_as("w", Admission::Evict));
    bench.order(stop_workflow("w"));
    assert_eq!(bench.phase(id), RunState::Stopped);
    let stop = bench.state.pods["x"].operation.as_ref().unwrap().id;
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    assert_eq!(asked(&effects, "render"), [""; 0]);
}

#[test]
fn a_stop_while_it_is_rolled_back_changes_nothing() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.has_fail("play", "d");
    bench.hold("stop", "b");
    let (id, _) = bench.run_accepted(run("w"));
    assert_eq!(bench.phase(id), RunState::RollingBack);
    let (reply, _) = bench.order(stop_workflow("w"));
    assert_eq!(reply, Reply::Run(id));
    assert_eq!(bench.phase(id), RunState::RollingBack);
}

#[test]
fn a_degraded_run_is_stopped_too() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.exited("c", 1);
    bench.look();
    bench.order(stop_workflow("w"));
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn what_another_run_needs_stays_up() {
    let pods = ["a", "b", "c"].map(|name| sized(always(name), 100));
    let workflows = [
        workflow("v", &[("a", &[]), ("b", &["a"])]),
        workflow("w", &[("a", &[]), ("c", &["a"])]),
    ];
    let mut bench = Bench::with_workflows(&pods, &workflows, &[]);
    let (v, _) = bench.run_accepted(run("v"));
    let (w, _) = bench.run_accepted(run("w"));
    let (_, effects) = bench.order(stop_workflow("v"));
    assert_eq!(bench.steps(v), [("a", "kept"), ("b", "stopped")]);
    let said = told(&effects, EventKind::RunStopped);
    let end = format!("v is stopped; still up: a (workflow w needs it (run {w}))");
    assert_eq!(said.last(), Some(&end));
    bench.order(stop_workflow("w"));
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn what_an_essential_pod_comes_after_stays_up() {
    let mut essential = sized(always("e"), 100);
    essential.spec.category = Category::Essential;
    essential.spec.after = vec!["a".parse().unwrap()];
    let pods = [sized(always("a"), 100), essential];
    let mut bench = Bench::with_workflows(&pods, &[workflow("w", &[("a", &[])])], &["e"]);
    let (id, _) = bench.run_accepted(run("w"));
    let (_, effects) = bench.order(stop_workflow("w"));
    assert_eq!(bench.steps(id), [("a", "kept")]);
    let said = told(&effects, EventKind::RunStopped);
    assert!(
        said.last()
            .unwrap()
            .contains("essential pod e comes after it"),
        "{said:?}"
    );
    bench.order(stop("e"));
    bench.order(stop_workflow("w"));
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn an_essential_pod_that_ran_before_stays_up_and_so_does_what_it_comes_after() {
    let mut essential = sized(always("e"), 100);
    essential.spec.category = Category::Essential;
    let pods = [sized(always("a"), 100), essential];
    let mut bench = Bench::with_workflows(
        &pods,
        &[workflow("w", &[("a", &[]), ("e", &["a"])])],
        &["e"],
    );
    let (id, _) = bench.run_accepted(run("w"));
    let (_, effects) = bench.order(stop_workflow("w"));
    assert_eq!(bench.steps(id), [("a", "kept"), ("e", "kept")]);
    let said = told(&effects, EventKind::RunStopped).pop().unwrap();
    assert!(
        said.contains("a (e, which stays up, comes after it)"),
        "{said}"
    );
    assert!(
        said.contains("e (it is essential and ran before this run)"),
        "{said}"
    );
}

#[test]
fn a_pod_that_ran_before_and_was_never_reached_is_stopped_as_well() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("d"));
    bench.hold("play", "a");
    let (id, _) = bench.run_accepted(run("w"));
    assert_eq!(bench.steps(id)[3], ("d", "waiting"));
    bench.let_go("play", "a");
    bench.order(stop_workflow("w"));
    let operation = bench.state.pods["a"].operation.as_ref().unwrap().id;
    let effects = bench.result(operation, EffectResult::Played(Ok(())));
    bench.carry_out(effects);
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn pods_that_were_started_one_by_one_are_stopped_with_their_workflow() {
    let mut bench = diamond(OnFailure::Rollback);
    for pod in ["a", "b", "x"] {
        bench.order(start_command(pod));
    }
    let (_, effects) = bench.run_accepted(stop_workflow("w"));
    assert_eq!(asked(&effects, "stop"), ["b", "a"]);
    assert_eq!(bench.ups(), ["x"]);
    let (reply, _) = bench.order(stop_workflow("w"));
    let Reply::Done(done) = reply else {
        panic!("{reply:?}");
    };
    assert!(!done.changed);
}

#[test]
fn a_pod_that_cannot_be_stopped_does_not_hold_the_end_up() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.has_fail("stop", "d");
    bench.order(stop_workflow("w"));
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.steps(id)[3], ("d", "failed"));
    assert_eq!(bench.ups(), ["d"]);
}

#[test]
fn what_somebody_starts_again_while_a_run_ends_is_left_to_him() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.hold("stop", "d");
    bench.order(stop_workflow("w"));
    bench.order(start_command("d"));
    let stop = bench.state.pods["d"].operation.as_ref().unwrap().id;
    bench.exited("d", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.ups(), ["d"]);
}

#[test]
fn a_pod_that_leaves_the_catalogue_while_its_run_ends_is_stopped() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.hold("stop", "d");
    bench.hold("stop", "c");
    bench.order(stop_workflow("w"));
    bench.order(remove("d", true));
    for pod in ["d", "c"] {
        bench.let_go("stop", pod);
        let stop = bench.state.pods[pod].operation.as_ref().unwrap().id;
        bench.exited(pod, 143);
        let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
        bench.carry_out(effects);
    }
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert!(
        bench
            .run(id)
            .members
            .iter()
            .all(|m| m.step == Step::Stopped)
    );
}

#[rstest]
#[case::lower(10, true)]
#[case::same(50, true)]
#[case::higher(90, false)]
fn a_run_gives_its_pods_up_to_those_as_important(#[case] priority: u8, #[case] evicted: bool) {
    let pods = ["a", "b"].map(|name| sized(always(name), 100));
    let mut of_run = workflow("w", &[("a", &[])]);
    of_run.spec.priority = Priority::new(priority).unwrap();
    let mut bench = Bench::with_workflows(&pods, &[of_run], &[]);
    bench.measure(150, 0);
    let (id, _) = bench.run_accepted(run("w"));
    let (reply, _) = bench.order(super::admission::start_as("b", Admission::Evict));
    if evicted {
        assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
        assert_eq!(bench.ups(), ["b"]);
        assert_ne!(bench.phase(id), RunState::Running);
    } else {
        super::admission::denial(&reply);
        assert_eq!(bench.ups(), ["a"]);
    }
}
