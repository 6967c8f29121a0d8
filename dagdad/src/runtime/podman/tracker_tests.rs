use rstest::rstest;

use super::*;

/// Pod `duo` with the containers `a` and `b-c`, both running.
fn duo() -> Tracker {
    Tracker::new(&Listing {
        pods: serde_json::from_slice(include_bytes!("fixtures/pods_4.json")).unwrap(),
        containers: serde_json::from_slice(include_bytes!("fixtures/containers_4.json")).unwrap(),
    })
}

fn nothing() -> Tracker {
    Tracker::default()
}

/// Replays recorded events; `Changed` is left out, since it surrounds everything.
fn replay(mut tracker: Tracker, events: &str) -> Vec<String> {
    events
        .lines()
        .flat_map(|line| tracker.apply(&serde_json::from_str(line).unwrap()))
        .filter_map(|signal| match signal {
            RuntimeSignal::Died {
                pod,
                container,
                code,
            } => Some(format!("died {pod}/{container} {code}")),
            RuntimeSignal::StopRequested { pod, id: _ } => Some(format!("stop requested {pod}")),
            RuntimeSignal::Changed => None,
            other => panic!("a tracker does not say {other:?}"),
        })
        .collect()
}

#[rstest]
#[case::start_with_init(
    nothing(),
    include_str!("fixtures/events_4/start_with_init.jsonl"),
    &["died duo/prep 0"]
)]
#[case::pod_stop(
    duo(),
    include_str!("fixtures/events_4/pod_stop.jsonl"),
    &["stop requested duo", "stop requested duo", "died duo/a 137", "died duo/b-c 137",
      "stop requested duo", "stop requested duo"]
)]
#[case::pod_kill(
    duo(),
    include_str!("fixtures/events_4/pod_kill.jsonl"),
    &["stop requested duo", "stop requested duo", "died duo/b-c 137", "died duo/a 137"]
)]
#[case::pod_remove(
    duo(),
    include_str!("fixtures/events_4/pod_remove.jsonl"),
    &["died duo/b-c 137", "died duo/a 137", "stop requested duo", "stop requested duo"]
)]
#[case::pod_restart(
    duo(),
    include_str!("fixtures/events_4/pod_restart.jsonl"),
    &["stop requested duo", "died duo/b-c 137", "died duo/a 137", "stop requested duo"]
)]
#[case::one_of_two_containers_stopped(
    duo(),
    include_str!("fixtures/events_4/container_stop_one.jsonl"),
    &["died duo/a 137"]
)]
#[case::ended_by_itself(
    nothing(),
    include_str!("fixtures/events_4/ended_by_itself.jsonl"),
    &["died crash/c 3"]
)]
#[case::ended_by_itself_on_a_busy_machine(
    nothing(),
    include_str!("fixtures/events_4/busy_ended_by_itself.jsonl"),
    &["died frail/main 3"]
)]
#[case::last_container_stopped_on_a_busy_machine(
    nothing(),
    include_str!("fixtures/events_4/busy_container_stop_last.jsonl"),
    &["died frail/main 0", "stop requested frail"]
)]
#[case::crash_loop_then_removed(
    nothing(),
    include_str!("fixtures/events_4/crash_loop.jsonl"),
    &["died crash/c 3", "died crash/c 3", "died crash/c 3", "died crash/c 3",
      "stop requested crash", "died crash/c 3", "stop requested crash", "stop requested crash"]
)]
fn recorded_events_are_understood(
    #[case] tracker: Tracker,
    #[case] events: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(replay(tracker, events), expected);
}

fn event(kind: &str, action: &str, id: &str, attributes: &[(&str, &str)]) -> wire::Event {
    let attributes: HashMap<_, _> = attributes.iter().copied().collect();
    serde_json::from_value(serde_json::json!({
        "Type": kind, "Action": action, "Actor": { "ID": id, "Attributes": attributes }, "novel": 1,
    }))
    .unwrap()
}

#[test]
fn what_changes_no_pod_is_silent() {
    let mut tracker = duo();
    let running = tracker
        .containers
        .iter()
        .find(|(_, c)| c.name == "duo-a")
        .unwrap()
        .0
        .clone();
    for action in [
        "exec",
        "exec_died",
        "health_status",
        "init",
        "restart",
        "attach",
        "mount",
    ] {
        assert_eq!(
            tracker.apply(&event("container", action, &running, &[])),
            []
        );
    }
}

#[test]
fn containers_outside_of_pods_are_nobodys_business() {
    let mut tracker = nothing();
    for action in [
        "create", "start", "stop", "kill", "died", "cleanup", "remove",
    ] {
        let attributes = [
            ("name", "lonely"),
            ("podId", ""),
            ("containerExitCode", "1"),
        ];
        assert_eq!(
            tracker.apply(&event("container", action, "x", &attributes)),
            []
        );
    }
}

/// A pod with one container that runs.
fn single() -> Tracker {
    let mut tracker = nothing();
    tracker.apply(&event("pod", "create", POD, &[("name", "p")]));
    let container = [("name", "p-c"), ("podId", POD)];
    tracker.apply(&event("container", "create", "c", &container));
    tracker.apply(&event("container", "start", "c", &container));
    tracker
}

/// The same with its infra container.
fn with_infra() -> Tracker {
    let mut tracker = single();
    let infra = [("name", "0123456789ab-infra"), ("podId", POD)];
    for action in ["create", "start"] {
        tracker.apply(&event("container", action, "i", &infra));
    }
    tracker
}

const POD: &str = "0123456789abcdef";

fn is_told_to_stop(tracker: &mut Tracker, kind: &str, action: &str) -> bool {
    let (kind, id) = match kind {
        "pod" => (kind, POD),
        "infra" => ("container", "i"),
        _ => (kind, "c"),
    };
    let attributes = [("name", "p"), ("containerExitCode", "137")];
    let signals = tracker.apply(&event(kind, action, id, &attributes));
    let (pod, id) = ("p".to_owned(), POD.to_owned());
    signals.contains(&RuntimeSignal::StopRequested { pod, id })
}

#[test]
fn a_container_that_is_cleaned_up_behind_twice_was_told_to_stop() {
    // Of a busy machine: `podman pod stop` reports only while its containers end.
    let mut tracker = single();
    assert!(!is_told_to_stop(&mut tracker, "container", "died"));
    assert!(!is_told_to_stop(&mut tracker, "pod", "stop"));
    assert!(!is_told_to_stop(&mut tracker, "container", "cleanup"));
    assert!(is_told_to_stop(&mut tracker, "container", "cleanup"));
    assert!(
        !is_told_to_stop(&mut tracker, "pod", "stop"),
        "one of the several behind it"
    );
}

#[test]
fn podman_may_report_its_own_stop_before_the_cleanup_that_led_to_it() {
    // Of a busy machine: twice in 24 ends of a container by itself.
    let mut tracker = with_infra();
    assert!(!is_told_to_stop(&mut tracker, "container", "died"));
    assert!(!is_told_to_stop(&mut tracker, "pod", "stop"));
    assert!(!is_told_to_stop(&mut tracker, "infra", "died"));
    assert!(!is_told_to_stop(&mut tracker, "container", "cleanup"));
    assert!(!is_told_to_stop(&mut tracker, "pod", "stop"));
    // It is started again, and the same happens: each end has a cleanup of its own.
    for action in ["start", "died", "cleanup"] {
        assert!(!is_told_to_stop(&mut tracker, "container", action));
    }
}

#[test]
fn the_cleanup_behind_an_end_that_was_not_seen_says_nothing() {
    let mut listing = Listing {
        pods: serde_json::from_slice(include_bytes!("fixtures/pods_4.json")).unwrap(),
        containers: serde_json::from_slice(include_bytes!("fixtures/containers_4.json")).unwrap(),
    };
    for container in &mut listing.containers {
        "exited".clone_into(&mut container.state);
    }
    let mut tracker = Tracker::new(&listing);
    for container in &listing.containers {
        let cleanup = event("container", "cleanup", &container.id, &[]);
        let requests = tracker.apply(&cleanup);
        assert!(
            !requests
                .iter()
                .any(|signal| matches!(signal, RuntimeSignal::StopRequested { .. })),
            "{requests:?}"
        );
    }
}

#[test]
fn a_pod_whose_infra_container_ends_first_is_told_to_stop() {
    let mut tracker = with_infra();
    assert!(is_told_to_stop(&mut tracker, "infra", "died"));
    for action in ["died", "cleanup"] {
        assert!(!is_told_to_stop(&mut tracker, "container", action));
    }
    assert!(
        !is_told_to_stop(&mut tracker, "pod", "stop"),
        "it was told already"
    );
}

#[test]
fn podman_stops_a_pod_by_itself_once_it_cleaned_up_behind_the_last_container() {
    let mut tracker = single();
    for action in ["died", "cleanup"] {
        assert!(!is_told_to_stop(&mut tracker, "container", action));
    }
    assert!(!is_told_to_stop(&mut tracker, "pod", "stop"));
    // It is started again, and the same happens.
    for action in ["start", "died", "cleanup"] {
        assert!(!is_told_to_stop(&mut tracker, "container", action));
    }
    assert!(!is_told_to_stop(&mut tracker, "pod", "stop"));
}

#[test]
fn stopping_the_last_container_is_a_stop_of_the_pod() {
    let mut tracker = nothing();
    let pod = [("name", "p")];
    tracker.apply(&event("pod", "create", "0123456789abcdef", &pod));
    let container = [("name", "p-c"), ("podId", "0123456789abcdef")];
    tracker.apply(&event("container", "create", "c", &container));
    tracker.apply(&event("container", "start", "c", &container));
    assert_eq!(
        tracker.apply(&event("container", "stop", "c", &container)),
        [RuntimeSignal::StopRequested {
            pod: "p".to_owned(),
            id: POD.to_owned(),
        }]
    );
}

#[test]
fn an_infra_container_is_known_by_its_name() {
    let attributes = [
        ("name", "0123456789ab-infra"),
        ("podId", "0123456789abcdef"),
    ];
    assert!(
        Tracked::new(&event("container", "create", "i", &attributes))
            .unwrap()
            .infra
    );
    let attributes = [("name", "p-infra"), ("podId", "0123456789abcdef")];
    assert!(
        !Tracked::new(&event("container", "create", "c", &attributes))
            .unwrap()
            .infra
    );
}
