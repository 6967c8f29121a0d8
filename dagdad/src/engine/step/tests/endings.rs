//! Pods that end without being asked, and those that are asked from outside.

use rstest::rstest;

use super::*;

#[test]
fn a_crash_loop_during_a_start_is_stopped_with_its_last_words() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    for _ in 0..4 {
        bench.wait(2);
        assert_eq!(actions(&bench.died("a", 7)), [""; 0]);
    }
    assert_eq!(actions(&bench.died("a", 7)), ["diagnose"]);
    let last_words = vec!["no model found".to_owned()];
    let effects = bench.result(id, EffectResult::Diagnosed(last_words.clone()));
    assert_eq!(actions(&effects), ["stop"]);
    assert_eq!(bench.status("a"), PodStatus::Stopping);
    let error = failure(&bench.result(id, EffectResult::Stopped(Ok(()))), id);
    assert_eq!(error.log(), last_words);
    assert!(error.to_string().contains("crashes in a loop"), "{error}");
    assert_eq!(bench.status("a"), PodStatus::Error);
    // The runtime reports our own stop a moment later.
    bench.stop_requested("a");
    bench.exited("a", 7);
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Error);
    assert!(bench.message("a").contains("no model found"));
}

#[test]
fn a_crash_loop_that_is_not_stopped_in_time_is_stopped_again() {
    let a = always("a");
    let timed_out = || crate::ports::RuntimeError::TimedOut {
        what: "stop the pod".to_owned(),
        after: Duration::from_secs(12),
    };
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    for _ in 0..5 {
        bench.died("a", 7);
    }
    bench.result(
        id,
        EffectResult::Diagnosed(vec!["no model found".to_owned()]),
    );
    for _ in 0..2 {
        let effects = bench.result(id, EffectResult::Stopped(Err(timed_out())));
        assert_eq!(actions(&effects), ["stop"]);
        assert_eq!(bench.status("a"), PodStatus::Stopping);
    }
    // Not for ever.
    let effects = bench.result(id, EffectResult::Stopped(Err(timed_out())));
    let error = failure(&effects, id);
    assert!(
        error.to_string().contains("it could not be stopped"),
        "{error}"
    );
    assert_eq!(error.log(), ["no model found"]);
    assert_eq!(bench.status("a"), PodStatus::Error);
}

#[test]
fn a_crash_loop_of_a_pod_at_rest_is_stopped_too() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    let mut effects = Vec::new();
    for _ in 0..5 {
        effects = bench.died("a", 1);
    }
    let Some(Effect::Persist(Persist::Intent { operation, .. })) = effects
        .iter()
        .find(|effect| matches!(effect, Effect::Persist(Persist::Intent { .. })))
    else {
        panic!("no intent: {effects:?}");
    };
    let id = *operation;
    assert_eq!(
        actions(&bench.result(id, EffectResult::Stored)),
        ["diagnose"]
    );
    bench.result(id, EffectResult::Diagnosed(Vec::new()));
    bench.result(id, EffectResult::Stopped(Ok(())));
    assert_eq!(bench.status("a"), PodStatus::Error);
    assert_eq!(bench.wanted("a"), Wanted::Down, "it is not tried again");
}

#[rstest]
#[case::far_between(RestartPolicy::Always, "server", 1, 100)]
#[case::never_restarted(RestartPolicy::Never, "server", 1, 1)]
#[case::ended_well(RestartPolicy::OnFailure, "server", 0, 1)]
#[case::init_containers_end(RestartPolicy::Always, "init", 0, 1)]
fn what_is_no_crash_loop(
    #[case] policy: RestartPolicy,
    #[case] container: &str,
    #[case] code: i32,
    #[case] pause: i64,
) {
    let mut a = entry("a", policy);
    let mut init = a.spec.containers[0].clone();
    init.name = "init".to_owned();
    a.spec.init_containers.push(init);
    let mut bench = Bench::with_running(&[a], &["a"]);
    for _ in 0..10 {
        bench.wait(pause);
        let effects = bench.signal(RuntimeSignal::Died {
            pod: "a".to_owned(),
            container: container.to_owned(),
            code,
        });
        assert!(
            !effects
                .iter()
                .any(|e| matches!(e, Effect::Persist(Persist::Intent { .. })))
        );
    }
}

#[rstest]
#[case::ended_well(0, PodStatus::Stopped)]
#[case::ended_badly(1, PodStatus::Error)]
fn a_pod_that_is_never_restarted_ends_its_start(#[case] code: i32, #[case] status: PodStatus) {
    let a = entry("a", RestartPolicy::Never);
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.exited("a", code);
    let effects = bench.list();
    if code == 0 {
        assert_eq!(success(&effects, id), "a ran to its end");
    } else {
        assert_eq!(actions(&effects), ["diagnose"]);
        let effects = bench.result(id, EffectResult::Diagnosed(vec!["why".into()]));
        assert_eq!(failure(&effects, id).log(), ["why"]);
    }
    assert_eq!(bench.status("a"), status);
    assert_eq!(bench.wanted("a"), Wanted::Down);
}

#[rstest]
#[case::crash(false, 139, PodStatus::Error, Wanted::Up)]
#[case::stop(true, 143, PodStatus::Stopped, Wanted::Down)]
#[case::stop_with_good_manners(true, 0, PodStatus::Stopped, Wanted::Down)]
fn a_crash_is_told_from_a_stop(
    #[case] asked: bool,
    #[case] code: i32,
    #[case] status: PodStatus,
    #[case] wanted: Wanted,
    #[values(false, true)] asked_late: bool,
) {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    if asked && !asked_late {
        bench.stop_requested("a");
    }
    bench.exited("a", code);
    let effects = bench.list();
    assert!(written(&effects, "a").is_some());
    if asked && asked_late {
        assert!(written(&bench.stop_requested("a"), "a").is_some());
    }
    assert_eq!(bench.status("a"), status);
    assert_eq!(bench.wanted("a"), wanted);
}

#[test]
fn an_old_request_to_stop_explains_no_crash() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    // `podman kill --signal HUP`, say.
    bench.stop_requested("a");
    bench.wait(3600);
    bench.exited("a", 139);
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Error);
}

#[test]
fn a_pod_stopped_outside_while_it_is_started_is_not_waited_for() {
    let a = publishing("a", 80);
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.runs("a");
    bench.list();
    bench.stop_requested("a");
    bench.exited("a", 143);
    let error = failure(&bench.list(), id);
    assert!(error.to_string().contains("stopped outside"), "{error}");
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn a_pod_removed_outside_is_stopped() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    bench.gone("a");
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Stopped);
    assert_eq!(bench.wanted("a"), Wanted::Down);
}

#[test]
fn a_pod_created_anew_outside_and_not_started_does_not_run() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    bench.becomes("a", ContainerState::Created);
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn a_pod_started_outside_is_wanted() {
    let mut bench = Bench::with(&[always("a")]);
    bench.runs("a");
    bench.signal(RuntimeSignal::Changed);
    bench.wait(1);
    bench.tell(Event::Tick);
    let effects = bench.list();
    assert_eq!(bench.status("a"), PodStatus::Running);
    assert_eq!(written(&effects, "a").unwrap().status, PodStatus::Running);
    assert_eq!(bench.wanted("a"), Wanted::Up);
}

#[test]
fn a_stop_that_timed_out_and_is_done_later_leaves_no_error() {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    let (id, _) = bench.stop("a");
    let error = crate::ports::RuntimeError::TimedOut {
        what: "stop the pod".into(),
        after: Duration::from_secs(25),
    };
    let effects = bench.result(id, EffectResult::Stopped(Err(error)));
    assert_eq!(failure(&effects, id).code(), "timed_out");
    assert_eq!(bench.status("a"), PodStatus::Running);
    bench.exited("a", 137);
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn a_stop_right_after_a_start_is_somebodys() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_creating(id, &a);
    // It is listed while it is still being made, which is nothing that was replaced.
    bench.runs("a");
    bench.list();
    bench.result(id, EffectResult::Played(Ok(())));
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Running);
    bench.stop_requested("a");
    bench.exited("a", 137);
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Stopped);
    assert_eq!(bench.wanted("a"), Wanted::Down);
}

#[test]
fn what_is_told_of_a_pod_that_was_replaced_is_old_however_late() {
    let a = entry("a", RestartPolicy::Never);
    let mut bench = Bench::with(std::slice::from_ref(&a));
    bench.exited("a", 0);
    bench.list();
    let (id, _) = bench.start("a");
    bench.reach_creating(id, &a);
    bench.runs("a");
    bench.pods[0].id = "another".to_owned();
    bench.result(id, EffectResult::Played(Ok(())));
    bench.list();
    bench.wait(30);
    bench.stop_requested_of("a", "a");
    bench.exited("a", 0);
    bench.list();
    assert_eq!(bench.status("a"), PodStatus::Stopped);
    assert!(
        bench.state.pods[&a.spec.name].completed,
        "it ran to its end"
    );
}
