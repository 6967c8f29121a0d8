//! Starts, from the answer to the end.

use super::*;
use crate::domain::pod::Readiness;
use crate::ports::{ProbeFailure, RuntimeError};

#[test]
fn a_start_goes_through_every_stage() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, effects) = bench.unstored(start_command("a"));
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
    bench.becomes("a", ContainerState::Stopping);
    assert!(ending(&bench.list(), id).is_none(), "its process is gone");
    bench.died("a", 3);
    bench.exited("a", 3);
    assert!(ending(&bench.list(), id).is_none());
    bench.runs("a");
    assert!(ending(&bench.list(), id).is_none(), "it ended once already");
    bench.wait(5);
    assert_eq!(success(&bench.tell(Event::Tick), id), "a is running");
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
