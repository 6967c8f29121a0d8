//! Runs after `kill -9`, in each phase.

use super::runs::{diamond, run, run_as, stop_workflow};
use super::world::asked;
use super::*;
use crate::domain::run::RunState;
use crate::domain::workflow::OnFailure;

impl Bench {
    /// Kills the daemon; the next one measures and lists.
    fn again(&mut self) -> Vec<Effect> {
        self.reborn();
        let mut effects = self.measure(1_000, 0);
        effects.extend(self.look());
        effects
    }
}

#[test]
fn a_run_that_starts_goes_on_where_it_was() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.let_go("play", "b");
    let effects = bench.again();
    assert_eq!(asked(&effects, "play"), ["b", "d"]);
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_pod_that_came_up_meanwhile_is_not_started_again() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.runs("b");
    let effects = bench.again();
    assert_eq!(asked(&effects, "play"), ["d"]);
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_step_without_its_intent_is_taken_again() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("render", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.state.pods.get_mut("b").unwrap().operation = None;
    bench.let_go("render", "b");
    bench.again();
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn its_places_are_held_at_once() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "a");
    bench.run_accepted(run("w"));
    bench.reborn();
    assert_eq!(bench.held("d"), Some(100));
}

#[test]
fn a_run_whose_time_is_over_is_rolled_back() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.wait(400);
    bench.again();
    assert_eq!(bench.phase(id), RunState::RollingBack);
    assert_eq!(bench.run_failure(id).code, "timed_out");
    let play = bench.state.pods["b"].operation.as_ref().unwrap().id;
    bench.runs("b");
    let effects = bench.result(play, EffectResult::Played(Ok(())));
    bench.carry_out(effects);
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn a_start_that_failed_while_nobody_looked_fails_the_run() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.let_go("play", "b");
    bench.has_fail("play", "b");
    bench.again();
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn a_failure_that_was_written_for_the_pod_alone_still_fails_the_run() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    // Its row says so, the run's not yet.
    let pod = bench.state.pods.get_mut("b").unwrap();
    pod.operation = None;
    pod.wanted = Wanted::Down;
    let failed = super::super::super::pod::Life::Failed {
        message: "no image".to_owned(),
        log: Vec::new(),
    };
    pod.become_life(failed, bench.now);
    bench.again();
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.run_failure(id).message, "no image");
}

#[test]
fn a_run_that_makes_room_goes_on_with_it() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("x"));
    bench.measure(450, 0);
    bench.hold("stop", "x");
    let (id, _) = bench.run_accepted(run_as("w", Admission::Evict));
    bench.let_go("stop", "x");
    bench.reborn();
    bench.look();
    assert_eq!(
        bench.phase(id),
        RunState::Evicting,
        "nothing is measured yet"
    );
    bench.measure(450, 0);
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(bench.ups(), ["a", "b", "c", "d"]);
}

#[test]
fn a_running_run_whose_pods_run_is_running() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    let effects = bench.again();
    assert_eq!(bench.phase(id), RunState::Running);
    let told_of_it = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Announce { event, .. } if event.run == Some(id)));
    assert!(!told_of_it, "nothing happened");
}

#[test]
fn a_running_run_after_a_reboot_is_whole_once_its_pods_are_up_again() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    for pod in ["a", "b", "c", "d"] {
        bench.exited(pod, 137);
    }
    bench.reborn();
    bench.look();
    assert_eq!(bench.phase(id), RunState::Running, "they will be up again");
    bench.measure(1_000, 0);
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(bench.ups(), ["a", "b", "c", "d"]);
}

#[test]
fn a_pod_that_died_while_nobody_looked_degrades_its_run() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.state.pods.get_mut("b").unwrap().wanted = Wanted::Down;
    bench.exited("b", 137);
    bench.again();
    assert_eq!(bench.phase(id), RunState::Degraded);
}

#[test]
fn a_rollback_goes_on() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.has_fail("play", "d");
    bench.hold("stop", "b");
    let (id, _) = bench.run_accepted(run("w"));
    assert_eq!(bench.phase(id), RunState::RollingBack);
    bench.let_go("stop", "b");
    bench.again();
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn a_stop_goes_on_even_where_its_intent_was_lost() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    bench.hold("stop", "d");
    bench.order(stop_workflow("w"));
    bench.let_go("stop", "d");
    bench.state.pods.get_mut("d").unwrap().operation = None;
    bench.again();
    assert_eq!(bench.phase(id), RunState::Stopped);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn a_run_whose_pod_is_gone_from_the_catalogue_comes_to_an_end() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.state.pods.remove("d");
    bench.let_go("play", "b");
    bench.again();
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn what_somebody_stopped_while_it_was_started_is_not_started_again() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.order(stop("b"));
    bench.let_go("play", "b");
    let effects = bench.again();
    assert_eq!(asked(&effects, "play"), [""; 0]);
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(
        bench.run_failure(id).message,
        "the start of b was cancelled by a later stop"
    );
}

#[test]
fn a_workflow_whose_row_was_not_written_in_time_is_shown_as_active() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.run_accepted(run("w"));
    // As it was before the run.
    bench.reborn();
    let effects = bench.tell(Event::Tick);
    let shown = effects.iter().any(|effect| {
        matches!(effect, Effect::Persist(Persist::Fact { records, .. })
            if records.iter().any(|record| matches!(record, Record::PutWorkflow(row) if row.active)))
    });
    assert!(shown, "{effects:?}");
}

#[test]
fn nothing_is_done_before_pods_were_listed() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "b");
    let (id, _) = bench.run_accepted(run("w"));
    bench.reborn();
    let sample = bench.sample(1_000, 0, &[]);
    bench.tell(sample);
    bench.wait(400);
    let effects = bench.tell(Event::Tick);
    assert_eq!(asked(&effects, "play"), [""; 0]);
    assert_eq!(bench.phase(id), RunState::Starting);
    assert!(bench.state.next_deadline() > bench.now);
}

#[test]
fn a_member_that_fails_before_pods_were_listed_keeps_no_clock_running() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("render", "a");
    let (id, _) = bench.run_accepted(run("w"));
    bench.state.pods.get_mut("a").unwrap().operation = None;
    bench.reborn();
    let sample = bench.sample(1_000, 0, &[]);
    bench.tell(sample);
    let (operation, _) = bench.unstored(start_command("a"));
    bench.result(operation, EffectResult::NotStored(store_error()));
    assert!(bench.state.next_deadline() > bench.now);
    bench.look();
    assert_eq!(bench.phase(id), RunState::RolledBack);
}
