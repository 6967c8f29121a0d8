//! The past, replayed.

use super::*;
use crate::domain::economy::{Backtest, RecordedSample, WhatIf};
use crate::domain::pod::{Category, PodSpec, RestartPolicy};

fn spec(text: &str, priority: u8, category: Category) -> PodSpec {
    PodSpec {
        name: name(text),
        category,
        priority: Priority::new(priority).unwrap(),
        after: Vec::new(),
        freeze: false,
        idle_timeout: Duration::from_mins(10),
        footprint: Footprint::default(),
        grace: Duration::from_secs(30),
        restart_policy: RestartPolicy::Always,
        host_network: false,
        init_containers: Vec::new(),
        containers: Vec::new(),
    }
}

/// Ten minutes each: at rest, squeezed by others, at rest.
fn squeeze() -> Vec<RecordedSample> {
    let sample = |index: i64| {
        let squeezed = (120..240).contains(&index);
        let others = if squeezed { 65 } else { 30 };
        RecordedSample {
            at: start() + SignedDuration::from_secs(index * 5),
            resolution: Duration::ZERO,
            cpu_percent: 5.0,
            ram_total: Bytes::gib(100),
            ram_used: Bytes::gib(others + 20),
            pressure: None,
            pods: vec![
                ("low".to_owned(), 1.0, Bytes::gib(10)),
                ("vital".to_owned(), 1.0, Bytes::gib(10)),
                ("stranger".to_owned(), 1.0, Bytes::gib(1)),
            ],
        }
    };
    (0..360).map(sample).collect()
}

fn replay(samples: &[RecordedSample], what_ifs: &[WhatIf]) -> Backtest {
    let pods = [
        spec("low", 10, Category::Optional),
        spec("vital", 1, Category::Essential),
    ];
    backtest(samples, &pods, 10, &rules(), what_ifs)
}

#[test]
fn a_squeeze_of_the_past_sheds_and_restores_once() {
    let result = replay(&squeeze(), &[]);
    assert_eq!(result.samples, 360);
    assert_eq!(result.gaps, Duration::ZERO);
    let [outcome] = &result.outcomes[..] else {
        panic!("{result:?}")
    };
    assert_eq!(
        (outcome.entered, outcome.sheds(), outcome.restores()),
        (1, 1, 1)
    );
    assert!(outcome.acts.iter().all(|act| act.pod.as_str() == "low"));
    // 30 s until it began; then it was down to 75 % and stayed there.
    assert_eq!(outcome.over, Duration::from_secs(35));
    assert!(
        outcome.active >= Duration::from_mins(9),
        "{:?}",
        outcome.active
    );
}

#[test]
fn another_threshold_has_another_outcome_beside_the_first() {
    let what_if = WhatIf {
        ram_percent: Some(90.0),
        ..WhatIf::default()
    };
    let result = replay(&squeeze(), &[what_if]);
    let [now, then] = &result.outcomes[..] else {
        panic!("{result:?}")
    };
    assert_eq!(now.sheds(), 1);
    assert_eq!((then.entered, then.sheds()), (0, 0));
    assert_eq!(then.over, Duration::ZERO);
    assert!((then.rules.ram.enter - 90.0).abs() < f64::EPSILON);
    assert!((then.rules.ram.leave - 85.0).abs() < f64::EPSILON);
}

#[test]
fn time_that_was_not_recorded_counts_for_nothing() {
    let mut samples = squeeze();
    samples.drain(125..235);
    let result = replay(&samples, &[]);
    assert_eq!(result.gaps, Duration::from_secs(555));
    let outcome = &result.outcomes[0];
    assert_eq!((outcome.entered, outcome.sheds()), (0, 0));
    assert!(outcome.over < Duration::from_mins(1));
}

#[test]
fn nothing_recorded_is_no_outcome_to_speak_of() {
    let result = replay(&[], &[]);
    assert_eq!(
        (result.since, result.until, result.samples),
        (None, None, 0)
    );
    assert_eq!(result.outcomes[0].acts, []);
}

#[test]
fn coarse_stretches_are_replayed_as_well() {
    let minutes: Vec<RecordedSample> = squeeze()
        .into_iter()
        .step_by(12)
        .map(|sample| RecordedSample {
            resolution: Duration::from_mins(1),
            ..sample
        })
        .collect();
    let result = replay(&minutes, &[]);
    assert_eq!(result.gaps, Duration::ZERO);
    assert_eq!(result.outcomes[0].sheds(), 1);
}
