//! Stops, restarts and removals, and what they cut short.

use super::*;
use crate::domain::catalogue::Entries;
use crate::ports::RuntimeError;

fn lost() -> RuntimeError {
    RuntimeError::Unreachable {
        reason: "gone".to_owned(),
    }
}

#[test]
fn a_stop_aborts_a_pull() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (start, _) = bench.start("a");
    bench.reach_pulling(start, &a);
    let (id, effects) = bench.stop("a");
    assert_eq!(actions(&effects), ["abort", "stop"]);
    assert_eq!(failure(&effects, start).code(), "cancelled");
    let effects = bench.result(id, EffectResult::Stopped(Ok(())));
    assert_eq!(success(&effects, id), "a is stopped");
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn a_stop_waits_for_a_play() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (start, _) = bench.start("a");
    bench.reach_creating(start, &a);
    let (_, effects) = bench.stop("a");
    assert_eq!(actions(&effects), [""; 0]);
    let effects = bench.result(start, EffectResult::Played(Ok(())));
    assert_eq!(failure(&effects, start).code(), "cancelled");
    assert_eq!(actions(&effects), ["stop"]);
}

#[test]
fn a_stop_given_while_a_restart_stops_keeps_it_from_starting() {
    let a = always("a");
    let mut bench = Bench::with_running(std::slice::from_ref(&a), &["a"]);
    let (again, effects) = bench.accepted(restart("a"));
    assert_eq!(actions(&effects), ["stop"]);
    bench.stop("a");
    let effects = bench.result(again, EffectResult::Stopped(Ok(())));
    assert_eq!(failure(&effects, again).code(), "cancelled");
    assert_eq!(actions(&effects), ["stop"]);
}

#[test]
fn a_listing_older_than_a_stop_does_not_bring_the_pod_back() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    let (id, _) = bench.stop("a");
    bench.signal(RuntimeSignal::Connected {
        version: "5".into(),
    });
    bench.result(id, EffectResult::Stopped(Ok(())));
    let effects = bench.tell(Event::Listed(Ok(bench.pods.clone())));
    assert_eq!(bench.status("a"), PodStatus::Stopped);
    assert_eq!(bench.wanted("a"), Wanted::Down);
    assert!(
        effects.contains(&Effect::List),
        "it is listed again at once"
    );
}

#[test]
fn a_restart_goes_down_and_up() {
    let a = always("a");
    let mut bench = Bench::with_running(std::slice::from_ref(&a), &["a"]);
    let (id, effects) = bench.accepted(restart("a"));
    assert_eq!(actions(&effects), ["stop"]);
    assert_eq!(bench.status("a"), PodStatus::Stopping);
    let effects = bench.result(id, EffectResult::Stopped(Ok(())));
    assert_eq!(actions(&effects), ["render"]);
    bench.reach_awaiting(id, &a);
    bench.runs("a");
    assert_eq!(success(&bench.list(), id), "a is running again");
}

#[test]
fn a_restart_of_a_stopped_pod_that_fails_leaves_it_unwanted() {
    let mut bench = Bench::with(&[always("a")]);
    let (id, _) = bench.accepted(restart("a"));
    bench.result(id, EffectResult::Stopped(Err(lost())));
    assert_eq!(bench.wanted("a"), Wanted::Down);
}

#[test]
fn a_running_pod_is_removed_with_force_only() {
    let a = always("a");
    let mut bench = Bench::with_running(std::slice::from_ref(&a), &["a"]);
    let (reply, _) = bench.command(remove("a", false));
    assert!(matches!(reply, Reply::Refused(CommandError::Busy { .. })));
    let (id, effects) = bench.accepted(remove("a", true));
    assert_eq!(actions(&effects), ["stop"]);
    let effects = bench.result(id, EffectResult::Stopped(Ok(())));
    assert_eq!(actions(&effects), ["remove"]);
    let effects = bench.result(id, EffectResult::Removed(Ok(())));
    assert_eq!(success(&effects, id), "a is removed from the catalogue");
    assert!(bench.state.snapshot(bench.now).pod("a").is_none());
}

#[test]
fn a_pod_applied_again_after_its_removal_does_not_run() {
    let a = always("a");
    let mut bench = Bench::with_running(std::slice::from_ref(&a), &["a"]);
    let (id, _) = bench.accepted(remove("a", true));
    bench.result(id, EffectResult::Stopped(Ok(())));
    bench.result(id, EffectResult::Removed(Ok(())));
    let ticket = Ticket(99);
    let command = Command::Apply {
        entries: Entries {
            pods: vec![a],
            ..Entries::default()
        },
        dry_run: false,
    };
    bench.tell(Event::Command { ticket, command });
    bench.tell(Event::ChangeStored {
        ticket,
        result: Ok(()),
    });
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn a_pod_whose_start_was_cancelled_too_late_has_its_place_until_it_is_down() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (started, _) = bench.start("a");
    bench.reach_creating(started, &a);
    let (stopping, _) = bench.stop("a");
    let effects = bench.result(started, EffectResult::Played(Ok(())));
    assert_eq!(failure(&effects, started).code(), "cancelled");
    assert_eq!(actions(&effects), ["stop"]);
    assert!(bench.state.pods[&a.spec.name].reserved.is_some(), "it runs");
    assert_eq!(bench.status("a"), PodStatus::Stopping);
    bench.result(stopping, EffectResult::Stopped(Ok(())));
    assert_eq!(bench.state.pods[&a.spec.name].reserved, None);
}
