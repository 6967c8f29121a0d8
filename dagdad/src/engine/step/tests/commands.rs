//! Commands that are answered at once, and commands that meet one under way.

use rstest::rstest;

use super::*;
use crate::domain::operation::OperationKind;

#[test]
fn what_is_done_already_is_said() {
    let mut bench = Bench::with_running(&[always("a"), always("b")], &["a"]);
    let (reply, effects) = bench.command(start_command("a"));
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
        OperationKind::Start => start_command("b"),
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
fn two_pods_do_not_share_a_host_port() {
    let (a, b) = (publishing("a", 80), publishing("b", 80));
    let mut bench = Bench::with(&[a.clone(), b]);
    bench.start("a");
    let (reply, _) = bench.command(start_command("b"));
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
    let (reply, _) = bench.command(start_command("b"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
}

#[test]
fn an_intent_that_is_not_stored_leaves_all_as_it_was() {
    let mut bench = Bench::with(&[always("a")]);
    let (id, _) = bench.unstored(start_command("a"));
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
    let (start, _) = bench.unstored(start_command("a"));
    let (id, _) = bench.unstored(stop("a"));
    bench.result(start, EffectResult::NotStored(store_error()));
    bench.result(id, EffectResult::NotStored(store_error()));
    assert_eq!(bench.wanted("a"), Wanted::Down);
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn the_same_command_joins_the_one_under_way() {
    let mut bench = Bench::with(&[always("a")]);
    let (first, _) = bench.start("a");
    let (reply, _) = bench.command(start_command("a"));
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
fn what_waits_behind_a_removal_finds_no_pod() {
    let mut bench = Bench::with(&[always("a")]);
    let (gone, _) = bench.accepted(remove("a", false));
    let (start, _) = bench.start("a");
    let effects = bench.result(gone, EffectResult::Removed(Ok(())));
    assert_eq!(failure(&effects, start).code(), "not_found");
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
