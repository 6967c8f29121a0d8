//! After `kill -9`, and after the machine was switched off.

use rstest::rstest;

use super::*;
use crate::domain::operation::OperationKind;

fn killed_during(
    kind: OperationKind,
    status: PodStatus,
    seen: Option<ContainerState>,
) -> (Bench, OperationId, Vec<Effect>) {
    let a = always("a");
    let id = OperationId(uuid::Uuid::from_u128(7));
    let intent = Intent {
        id,
        pod: a.spec.name.clone(),
        kind,
        accepted_at: start(),
        admission: Admission::Fit,
        run: None,
    };
    let row = row(&a, kind.wants(), status);
    let mut bench = Bench::restored(vec![(row, a)], vec![intent]);
    if let Some(state) = seen {
        bench.becomes("a", state);
    }
    let effects = bench.list();
    (bench, id, effects)
}

fn running() -> ContainerState {
    ContainerState::Running { since: start() }
}

#[test]
fn a_start_that_came_up_is_waited_for() {
    let (bench, id, effects) =
        killed_during(OperationKind::Start, PodStatus::Starting, Some(running()));
    assert_eq!(actions(&effects), [""; 0]);
    assert_eq!(success(&effects, id), "a is running");
    assert!(!bench.state.snapshot(bench.now).pod("a").unwrap().changed);
}

#[rstest]
#[case::start(OperationKind::Start, None, "render")]
#[case::half_created(OperationKind::Start, Some(ContainerState::Created), "render")]
#[case::stop(OperationKind::Stop, Some(running()), "stop")]
#[case::stop_that_was_done(OperationKind::Stop, None, "stop")]
#[case::restart(OperationKind::Restart, Some(running()), "stop")]
#[case::restart_half_done(OperationKind::Restart, None, "stop")]
#[case::remove(OperationKind::Remove, None, "remove")]
#[case::forced_remove(OperationKind::Remove, Some(running()), "stop")]
fn what_was_open_is_done_again(
    #[case] kind: OperationKind,
    #[case] seen: Option<ContainerState>,
    #[case] action: &str,
) {
    let (_, _, effects) = killed_during(kind, PodStatus::Running, seen);
    assert_eq!(actions(&effects), [action]);
}

#[rstest]
#[case::stop(OperationKind::Stop)]
#[case::restart(OperationKind::Restart)]
#[case::forced_remove(OperationKind::Remove)]
fn what_is_on_its_way_down_keeps_its_place_until_it_is_down(#[case] kind: OperationKind) {
    let (bench, _, effects) =
        killed_during(kind, PodStatus::Stopping, Some(ContainerState::Stopping));
    assert_eq!(actions(&effects), ["stop"]);
    let pod = bench.state.pods.values().next().unwrap();
    assert!(pod.reserved.is_some(), "it still has its memory: {pod:?}");
    assert_eq!(bench.status("a"), PodStatus::Stopping);
}

#[test]
fn of_two_intents_the_newer_counts() {
    let a = always("a");
    let intent = |id, kind| Intent {
        id: OperationId(uuid::Uuid::from_u128(id)),
        pod: a.spec.name.clone(),
        kind,
        accepted_at: start(),
        admission: Admission::Fit,
        run: None,
    };
    let intents = vec![
        intent(2, OperationKind::Stop),
        intent(1, OperationKind::Start),
    ];
    let rows = vec![(row(&a, Wanted::Down, PodStatus::Starting), a.clone())];
    let remembered = Remembered {
        pods: rows,
        intents,
        ..Remembered::default()
    };
    let (state, superseded) = State::restore(settings(), 1, remembered, start());
    assert_eq!(superseded, [intent(1, OperationKind::Start)]);
    let operation = state.pods["a"].operation.as_ref().unwrap();
    assert_eq!(operation.kind, OperationKind::Stop);
}

#[rstest]
#[case::always(RestartPolicy::Always, Wanted::Up, PodStatus::Running, true)]
#[case::never(RestartPolicy::Never, Wanted::Up, PodStatus::Running, false)]
#[case::unwanted(RestartPolicy::Always, Wanted::Down, PodStatus::Running, false)]
#[case::stopped(RestartPolicy::Always, Wanted::Down, PodStatus::Stopped, false)]
#[case::ended_before_dagdad(RestartPolicy::Always, Wanted::Up, PodStatus::Error, true)]
#[case::crash_loop(RestartPolicy::Always, Wanted::Down, PodStatus::Error, false)]
fn after_a_reboot_wanted_pods_start_again(
    #[case] policy: RestartPolicy,
    #[case] wanted: Wanted,
    #[case] status: PodStatus,
    #[case] starts: bool,
) {
    let a = entry("a", policy);
    let mut bench = Bench::restored(vec![(row(&a, wanted, status), a)], Vec::new());
    bench.exited("a", 137);
    let effects = bench.list();
    let accepted = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Persist(Persist::Intent { .. })));
    assert_eq!(accepted, starts);
}

#[rstest]
#[case::stopped(PodStatus::Stopped, Wanted::Down, PodStatus::Stopped)]
#[case::stop_had_failed(PodStatus::Running, Wanted::Down, PodStatus::Stopped)]
#[case::in_error(PodStatus::Error, Wanted::Down, PodStatus::Error)]
fn a_stopped_pod_is_no_failure_because_of_its_exit_code(
    #[case] stored: PodStatus,
    #[case] wanted: Wanted,
    #[case] status: PodStatus,
) {
    let a = always("a");
    let mut bench = Bench::restored(vec![(row(&a, wanted, stored), a)], Vec::new());
    bench.exited("a", 137);
    let effects = bench.list();
    assert_eq!(bench.status("a"), status);
    let announced = effects.iter().any(
        |effect| matches!(effect, Effect::Announce { event, .. } if event.kind != EventKind::AlertRaised),
    );
    assert!(!announced, "nothing happened");
    if stored != status {
        assert_eq!(written(&effects, "a").unwrap().status, status);
    }
}

#[test]
fn a_pod_started_while_no_daemon_looked_is_wanted() {
    let a = always("a");
    let rows = vec![(row(&a, Wanted::Down, PodStatus::Stopped), a)];
    let mut bench = Bench::restored(rows, Vec::new());
    bench.runs("a");
    let effects = bench.list();
    let row = written(&effects, "a").unwrap();
    assert_eq!((row.status, row.wanted), (PodStatus::Running, Wanted::Up));
}

#[test]
fn a_stop_given_before_the_first_listing_cancels_a_recovered_start() {
    let a = always("a");
    let id = OperationId(uuid::Uuid::from_u128(7));
    let intent = Intent {
        id,
        pod: a.spec.name.clone(),
        kind: OperationKind::Start,
        accepted_at: start(),
        admission: Admission::Fit,
        run: None,
    };
    let rows = vec![(row(&a, Wanted::Up, PodStatus::Starting), a)];
    let mut bench = Bench::restored(rows, vec![intent]);
    bench.stop("a");
    let effects = bench.list();
    assert_eq!(failure(&effects, id).code(), "cancelled");
    assert_eq!(actions(&effects), ["stop"]);
}
