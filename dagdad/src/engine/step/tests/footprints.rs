//! What pods are expected to use, as they have shown.

use super::world::sized;
use super::*;
use crate::domain::footprint::{Basis, PodRun};
use crate::domain::name::PodName;

/// One life of `a`, in which it used so many MiB.
fn live(bench: &mut Bench, mib: u64) -> Vec<Effect> {
    bench.order(start_command("a"));
    bench.wait(5);
    let mut effects = bench.measure_pods(10_000, 0, &[("a", mib)]);
    effects.extend(bench.order(stop("a")).1);
    effects
}

fn expected(bench: &Bench) -> (u64, Basis) {
    let snapshot = bench.state.snapshot(bench.now);
    let pod = snapshot.pod("a").unwrap().managed.as_ref().unwrap().clone();
    let expected = pod.expected;
    (expected.footprint.memory.0 >> 20, expected.memory_basis())
}

fn lives(effects: &[Effect]) -> Vec<PodRun> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Persist::Fact { records, .. } | Persist::Measurement(records)) => {
            Some(records)
        }
        _ => None,
    });
    let lives = records.flatten().filter_map(|record| match record {
        Record::PutPodRun(run) => Some((**run).clone()),
        _ => None,
    });
    lives.collect()
}

#[test]
fn after_three_runs_a_pod_is_expected_to_use_what_it_used_and_a_tenth_more() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    live(&mut bench, 1_000);
    live(&mut bench, 900);
    assert_eq!(expected(&bench), (500, Basis::Declared));
    live(&mut bench, 800);
    assert_eq!(expected(&bench), (1_100, Basis::Observed));
    bench.unstored(start_command("a"));
    assert_eq!(bench.held("a"), Some(1_100));
}

#[test]
fn a_pod_that_uses_less_than_it_declares_is_expected_as_declared() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    for _ in 0..3 {
        live(&mut bench, 100);
    }
    assert_eq!(expected(&bench), (500, Basis::Declared));
}

#[test]
fn what_a_run_used_is_written_when_it_ends() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    let effects = live(&mut bench, 300);
    let ended: Vec<PodRun> = lives(&effects)
        .into_iter()
        .filter(|run| run.ended_at.is_some())
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].memory_peak, Bytes::mib(300));
    assert!(ended[0].ready_after.is_some());
    assert!(!ended[0].completed);
}

#[test]
fn what_was_seen_before_a_restart_counts() {
    let a = sized(always("a"), 500);
    let pod: PodName = a.spec.name.clone();
    let run = |n: i64| PodRun {
        id: Uuid::from_u128(u128::try_from(n).unwrap()),
        pod: pod.clone(),
        started_at: start() - SignedDuration::from_hours(n),
        ready_after: Some(Duration::from_secs(3)),
        ended_at: Some(start() - SignedDuration::from_hours(n) + SignedDuration::from_mins(1)),
        completed: false,
        memory_peak: Bytes::mib(1_000),
        cpu_peak: crate::domain::quantity::Millicpu(100),
    };
    let bench = Bench::remembering(Remembered {
        pods: vec![(row(&a, Wanted::Down, PodStatus::Stopped), a)],
        pod_runs: (1..=3).map(run).collect(),
        ..Remembered::default()
    });
    assert_eq!(expected(&bench), (1_100, Basis::Observed));
}

#[test]
fn a_life_is_one_life_over_a_restart_of_dagdad() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    bench.order(start_command("a"));
    bench.wait(120);
    let effects = bench.measure_pods(10_000, 0, &[("a", 700)]);
    let open = lives(&effects).pop().expect("a life that goes on");
    let a = sized(always("a"), 500);
    let pods = std::mem::take(&mut bench.pods);
    let mut bench = Bench::remembering(Remembered {
        pods: vec![(row(&a, Wanted::Up, PodStatus::Running), a)],
        pod_runs: vec![open.clone()],
        ..Remembered::default()
    });
    bench.pods = pods;
    bench.wait(300);
    bench.look();
    bench.measure_pods(10_000, 0, &[("a", 600)]);
    let effects = bench.order(stop("a")).1;
    let ended = lives(&effects).pop().unwrap();
    assert_eq!(ended.id, open.id);
    assert_eq!(ended.memory_peak, Bytes::mib(700));
}

#[test]
fn what_a_pod_used_before_it_was_stopped_is_not_shown_of_its_next_life() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    live(&mut bench, 900);
    bench.order(start_command("a"));
    let snapshot = bench.state.snapshot(bench.now);
    assert_eq!(snapshot.pod("a").unwrap().usage, None);
    assert_eq!(bench.held("a"), Some(500));
    bench.wait(1);
    bench.measure_pods(10_000, 0, &[("a", 100)]);
    let snapshot = bench.state.snapshot(bench.now);
    let usage = snapshot.pod("a").unwrap().usage.expect("measured");
    assert_eq!(usage.anon, Bytes::mib(100));
}

#[test]
fn a_sample_that_was_taken_before_a_pod_was_started_anew_says_nothing_of_it() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    live(&mut bench, 900);
    let late = bench.sample(10_000, 0, &[("a", 900)]);
    bench.wait(2);
    bench.order(start_command("a"));
    bench.go(late);
    let snapshot = bench.state.snapshot(bench.now);
    assert_eq!(snapshot.pod("a").unwrap().usage, None);
    assert_eq!(bench.held("a"), Some(500));
}

#[test]
fn a_clock_that_was_set_back_an_hour_hides_no_use() {
    let mut bench = Bench::with(&[sized(always("a"), 500)]);
    bench.measure(10_000, 0);
    bench.order(start_command("a"));
    bench.wait(-3600);
    bench.measure_pods(10_000, 0, &[("a", 900)]);
    let snapshot = bench.state.snapshot(bench.now);
    assert_eq!(
        snapshot.pod("a").unwrap().usage.unwrap().anon,
        Bytes::mib(900)
    );
}
