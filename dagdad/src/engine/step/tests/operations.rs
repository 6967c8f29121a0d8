//! What callers ask for, from the answer to the end.

use rstest::rstest;

use super::*;
use crate::domain::operation::OperationKind;
use crate::domain::pod::Readiness;
use crate::ports::{ProbeFailure, RuntimeError};

fn lost() -> RuntimeError {
    RuntimeError::Unreachable {
        reason: "gone".to_owned(),
    }
}

#[test]
fn a_start_goes_through_every_stage() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, effects) = bench.unstored(Command::Start { pod: "a".into() });
    assert_eq!(
        actions(&effects),
        [""; 0],
        "nothing is asked before the intent is stored"
    );
    assert_eq!(bench.status("a"), PodStatus::Starting);
    assert_eq!(actions(&bench.result(id, EffectResult::Stored)), ["render"]);
    assert_eq!(actions(&bench.reach_pulling(id, &a)), ["pull"]);
    assert_eq!(
        actions(&bench.result(id, EffectResult::Images(Ok(())))),
        ["play"]
    );
    let effects = bench.result(id, EffectResult::Played(Ok(())));
    assert!(ending(&effects, id).is_none());
    bench.runs("a");
    let effects = bench.list();
    assert_eq!(success(&effects, id), "a is running");
    assert_eq!(written(&effects, "a").unwrap().status, PodStatus::Running);
    assert_eq!(bench.wanted("a"), Wanted::Up);
}

#[test]
fn a_pod_that_ends_at_once_is_not_called_running() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.runs("a");
    let listed = |bench: &Bench| Event::Listed(Ok(bench.pods.clone()));
    let effects = bench.tell(listed(&bench));
    assert!(ending(&effects, id).is_none(), "it may end at once");
    bench.died("a", 3);
    bench.exited("a", 3);
    assert!(ending(&bench.list(), id).is_none());
    bench.runs("a");
    assert!(ending(&bench.list(), id).is_none(), "it ended once already");
    bench.wait(5);
    assert_eq!(success(&bench.tell(Event::Tick), id), "a is running");
}

#[test]
fn what_is_done_already_is_said() {
    let mut bench = Bench::with_running(&[always("a"), always("b")], &["a"]);
    let (reply, effects) = bench.command(Command::Start { pod: "a".into() });
    assert!(
        matches!(reply, Reply::Done(done) if !done.changed && done.message == "a was already running")
    );
    assert_eq!(actions(&effects), [""; 0]);
    let (reply, _) = bench.command(stop("b"));
    assert!(matches!(reply, Reply::Done(done) if done.message == "b was already stopped"));
}

#[test]
fn an_unknown_pod_is_refused_with_the_nearest_name() {
    let mut bench = Bench::with(&[always("llama")]);
    let (reply, _) = bench.command(stop("lama"));
    let Reply::Refused(CommandError::NoSuchPod { nearest, .. }) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(nearest.unwrap().as_str(), "llama");
}

#[test]
fn an_intent_that_is_not_stored_leaves_all_as_it_was() {
    let mut bench = Bench::with(&[always("a")]);
    let (id, _) = bench.unstored(Command::Start { pod: "a".into() });
    let effects = bench.result(id, EffectResult::NotStored(store_error()));
    assert_eq!(failure(&effects, id).code(), "store_failed");
    assert_eq!(actions(&effects), [""; 0]);
    assert_eq!(bench.status("a"), PodStatus::Stopped);
    assert_eq!(bench.wanted("a"), Wanted::Down);
}

#[test]
fn a_stop_that_is_not_stored_does_not_cut_a_start_short() {
    let a = publishing("a", 80);
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (start, _) = bench.start("a");
    bench.reach_awaiting(start, &a);
    let (id, effects) = bench.unstored(stop("a"));
    assert_eq!(actions(&effects), [""; 0]);
    let effects = bench.result(id, EffectResult::NotStored(store_error()));
    assert_eq!(failure(&effects, id).code(), "store_failed");
    assert!(ending(&effects, start).is_none(), "the start goes on");
    assert_eq!(bench.wanted("a"), Wanted::Up);
}

#[test]
fn a_stop_behind_a_failed_start_and_not_stored_wants_nothing_up() {
    let mut bench = Bench::with(&[always("a")]);
    let (start, _) = bench.unstored(Command::Start { pod: "a".into() });
    let (id, _) = bench.unstored(stop("a"));
    bench.result(start, EffectResult::NotStored(store_error()));
    bench.result(id, EffectResult::NotStored(store_error()));
    assert_eq!(bench.wanted("a"), Wanted::Down);
    assert_eq!(bench.status("a"), PodStatus::Stopped);
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
fn a_start_given_while_stopping_comes_after() {
    let a = always("a");
    let mut bench = Bench::with_running(std::slice::from_ref(&a), &["a"]);
    let (down, _) = bench.stop("a");
    let (up, effects) = bench.start("a");
    assert_eq!(actions(&effects), [""; 0]);
    let effects = bench.result(down, EffectResult::Stopped(Ok(())));
    assert_eq!(success(&effects, down), "a is stopped");
    assert_eq!(actions(&effects), ["render"]);
    assert_eq!(bench.wanted("a"), Wanted::Up);
    bench.reach_awaiting(up, &a);
    bench.runs("a");
    assert_eq!(success(&bench.list(), up), "a is running");
}

#[test]
fn the_same_command_joins_the_one_under_way() {
    let mut bench = Bench::with(&[always("a")]);
    let (first, _) = bench.start("a");
    let (reply, _) = bench.command(Command::Start { pod: "a".into() });
    assert_eq!(reply, Reply::Operation(first));
}

#[test]
fn a_third_command_takes_the_place_of_the_second() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (start, _) = bench.start("a");
    bench.reach_creating(start, &a);
    let (second, _) = bench.stop("a");
    let (_, effects) = bench.unstored(restart("a"));
    assert_eq!(failure(&effects, second).code(), "cancelled");
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
    assert!(bench.state.snapshot().pod("a").is_none());
}

#[test]
fn what_waits_behind_a_removal_finds_no_pod() {
    let mut bench = Bench::with(&[always("a")]);
    let (gone, _) = bench.accepted(remove("a", false));
    let (start, _) = bench.start("a");
    let effects = bench.result(gone, EffectResult::Removed(Ok(())));
    assert_eq!(failure(&effects, start).code(), "not_found");
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
        pods: vec![a],
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
fn two_pods_do_not_share_a_host_port() {
    let (a, b) = (publishing("a", 80), publishing("b", 80));
    let mut bench = Bench::with(&[a.clone(), b]);
    bench.start("a");
    let (reply, _) = bench.command(Command::Start { pod: "b".into() });
    let Reply::Refused(CommandError::PortTaken { holder, port, .. }) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!((holder.as_str(), port), ("a", 80));
}

#[test]
fn a_port_is_free_as_soon_as_its_holder_is_stopped() {
    let (a, b) = (publishing("a", 80), publishing("b", 80));
    let mut bench = Bench::with_running(&[a.clone(), b], &["a"]);
    bench.pods[0].ports = a.spec.published_ports().collect();
    bench.list();
    let (id, _) = bench.stop("a");
    bench.result(id, EffectResult::Stopped(Ok(())));
    // The runtime was not listed since.
    let (reply, _) = bench.command(Command::Start { pod: "b".into() });
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
}

#[test]
fn an_unready_pod_is_left_running_when_its_time_is_over() {
    let a = publishing("a", 80);
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.runs("a");
    assert!(ending(&bench.list(), id).is_none());
    bench.wait(61);
    let effects = bench.tell(Event::Tick);
    let error = failure(&effects, id);
    assert_eq!(error.code(), "timed_out");
    assert!(error.to_string().contains("left running"), "{error}");
    assert_eq!(actions(&effects), [""; 0]);
    assert_eq!(bench.status("a"), PodStatus::Running);
    assert_eq!(bench.wanted("a"), Wanted::Up);
}

#[test]
fn a_pod_that_does_not_run_when_its_time_is_over_is_in_error() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.exited("a", 1);
    bench.list();
    bench.wait(61);
    let error = failure(&bench.tell(Event::Tick), id);
    assert_eq!(error.code(), "timed_out");
    assert!(!error.to_string().contains("left running"), "{error}");
    assert_eq!(bench.status("a"), PodStatus::Error);
}

#[test]
fn a_check_that_holds_ends_the_wait() {
    let a = publishing("a", 80);
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.runs("a");
    let effects = bench.list();
    let Some(Effect::Probe {
        watch,
        check,
        readiness,
        ..
    }) = effects
        .iter()
        .find(|effect| matches!(effect, Effect::Probe { .. }))
    else {
        panic!("no probe");
    };
    assert!(matches!(readiness, Readiness::Accepts { .. }));
    let probed = |result| Event::Probed {
        pod: "a".parse().unwrap(),
        watch: *watch,
        check: *check,
        result,
    };
    let effects = bench.tell(probed(Err(ProbeFailure("refused".into()))));
    assert!(ending(&effects, id).is_none());
    assert_eq!(bench.message("a"), "refused");
    let effects = bench.tell(probed(Ok(())));
    assert_eq!(success(&effects, id), "a is running");
}

#[test]
fn a_pod_that_runs_already_when_it_is_played_is_waited_for() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_creating(id, &a);
    let error = RuntimeError::AlreadyRunning { pod: "a".into() };
    assert!(ending(&bench.result(id, EffectResult::Played(Err(error))), id).is_none());
    bench.runs("a");
    assert_eq!(success(&bench.list(), id), "a is running");
}

#[rstest]
#[case::start(OperationKind::Start)]
#[case::stop(OperationKind::Stop)]
#[case::restart(OperationKind::Restart)]
fn a_runtime_that_is_down_refuses_at_once(#[case] kind: OperationKind) {
    let mut bench = Bench::with_running(&[always("a"), always("b")], &["a"]);
    bench.signal(RuntimeSignal::Disconnected {
        reason: "gone".into(),
    });
    let command = match kind {
        OperationKind::Start => Command::Start { pod: "b".into() },
        OperationKind::Stop => stop("a"),
        _ => restart("a"),
    };
    let (reply, _) = bench.command(command);
    assert!(
        matches!(reply, Reply::Refused(CommandError::RuntimeDown { .. })),
        "{reply:?}"
    );
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
fn all_who_wait_are_told_when_the_daemon_ends() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (first, _) = bench.start("a");
    bench.reach_creating(first, &a);
    let (second, _) = bench.stop("a");
    let effects = bench.tell(Event::Shutdown);
    for id in [first, second] {
        assert_eq!(failure(&effects, id).code(), "shutting_down");
    }
}
