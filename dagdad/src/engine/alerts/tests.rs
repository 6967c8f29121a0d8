//! Each transition of the diagram.

use super::*;
use crate::domain::alert::{AlertState, HOST};
use crate::domain::quantity::Bytes;

mod chance;

const FIRE: f64 = 80.0;
const CLEAR: f64 = 70.0;
const CRITICAL: f64 = 95.0;
const TICK: u64 = 5;

const PACE: Pace = Pace {
    hold: Duration::from_secs(30),
    clear_hold: Duration::from_mins(1),
    severity: Severity::Warning,
};

fn key() -> Key {
    (Condition::RamHigh, HOST.to_owned())
}

fn sight(value: f64) -> Sight {
    let level = if value >= FIRE {
        Level::Over
    } else if value >= CLEAR {
        Level::Between
    } else {
        Level::Below
    };
    Sight {
        level,
        severity: if value >= CRITICAL {
            Severity::Critical
        } else {
            Severity::Warning
        },
        value: Some(value),
        message: format!("at {value}"),
        culprits: vec![Culprit {
            pod: format!("pod at {value}"),
            cpu_percent: 0.0,
            memory: Bytes(0),
        }],
    }
}

/// Episodes, their clock, and the rows as a store would have them.
struct Bench {
    episodes: Episodes,
    now: Timestamp,
    made: u128,
    rows: BTreeMap<Uuid, Alert>,
}

impl Bench {
    fn new() -> Self {
        Self {
            episodes: Episodes::default(),
            now: Timestamp::from_second(1_800_000_000).unwrap(),
            made: 0,
            rows: BTreeMap::new(),
        }
    }

    /// Looks once, so many seconds later; `trusted` says whether they count.
    fn look(&mut self, value: f64, seconds: i64, trusted: bool) -> Option<Change> {
        self.now = Timestamp::from_second(self.now.as_second() + seconds).unwrap();
        let passed = u64::try_from(seconds).ok().filter(|_| trusted);
        let passed = passed.map_or(Passed::Unwatched, |it| {
            Passed::Sampled(Duration::from_secs(it))
        });
        let made = &mut self.made;
        let id = || {
            *made += 1;
            Uuid::from_u128(*made)
        };
        let change = self
            .episodes
            .see(key(), PACE, sight(value), passed, self.now, id);
        match &change {
            Some(Change::Raised(alert)) => {
                assert!(self.rows.insert(alert.id, alert.clone()).is_none());
            }
            Some(Change::Worsened(alert) | Change::Updated(alert) | Change::Resolved(alert)) => {
                self.write(alert);
            }
            None => {}
        }
        self.check();
        change
    }

    fn write(&mut self, alert: &Alert) {
        let row = self.rows.insert(alert.id, alert.clone());
        assert_eq!(
            row.expect("a row").resolved_at,
            None,
            "what is over stays so"
        );
    }

    fn unresolved(&self) -> Vec<&Alert> {
        let going_on = |alert: &&Alert| alert.resolved_at.is_none();
        self.rows.values().filter(going_on).collect()
    }

    /// I5.
    fn check(&self) {
        let stored: Vec<Uuid> = self.unresolved().iter().map(|alert| alert.id).collect();
        let known: Vec<Uuid> = self.episodes.alerts().map(|alert| alert.id).collect();
        assert_eq!(stored, known);
        assert!(stored.len() <= 1, "two episodes at a time");
        for alert in self.rows.values() {
            let end = alert.resolved_at.unwrap_or(alert.created_at);
            assert!(end >= alert.created_at, "it ended before it began");
        }
    }

    /// As many samples as take `seconds`.
    fn hold(&mut self, value: f64, seconds: u64) -> Vec<Change> {
        let looks = (0..seconds / TICK).filter_map(|_| self.look(value, 5, true));
        looks.collect()
    }

    fn restart(&mut self) {
        let left = self.unresolved().into_iter().cloned().collect();
        self.episodes = Episodes::restored(left);
        self.check();
    }

    fn raised() -> Self {
        let mut bench = Self::new();
        bench.look(85.0, 5, true);
        assert_eq!(bench.hold(85.0, 30).len(), 1);
        bench
    }

    fn only(&self) -> &Alert {
        assert_eq!(self.rows.len(), 1);
        self.rows.values().next().unwrap()
    }
}

#[test]
fn it_has_to_hold_before_it_is_raised() {
    let mut bench = Bench::new();
    bench.look(85.0, 5, true);
    assert_eq!(bench.hold(85.0, 25), []);
    let Some(Change::Raised(alert)) = bench.look(81.0, 5, true) else {
        panic!("nothing is raised");
    };
    assert_eq!(
        (alert.created_at, alert.severity),
        (bench.now, Severity::Warning)
    );
    // What was worst meanwhile, and who was to blame then.
    assert_eq!(alert.peak, Some(85.0));
    assert_eq!(alert.culprits[0].pod, "pod at 85");
    assert_eq!(bench.hold(84.0, 3600), []);
}

#[test]
fn what_falls_below_its_threshold_meanwhile_begins_anew() {
    for value in [79.9, 10.0] {
        let mut bench = Bench::new();
        for _ in 0..50 {
            assert_eq!(bench.hold(85.0, 25), []);
            bench.look(value, 5, true);
        }
        assert!(bench.rows.is_empty());
    }
}

#[test]
fn time_that_nobody_watched_does_not_count() {
    // Asleep for a minute; the clock an hour ahead, or back.
    for jump in [60, 3600, -3600] {
        let mut bench = Bench::new();
        bench.look(85.0, 5, true);
        assert_eq!(bench.look(85.0, jump, false), None);
        assert_eq!(bench.hold(85.0, 25), []);
        assert_eq!(bench.hold(85.0, 5).len(), 1);

        bench.look(60.0, 5, true);
        assert_eq!(bench.look(60.0, jump, false), None);
        assert_eq!(bench.hold(60.0, 55), []);
        assert_eq!(bench.hold(60.0, 5).len(), 1);
        assert!(bench.only().resolved_at.is_some());
    }
}

#[test]
fn what_begins_between_two_samples_counts_from_its_beginning() {
    let mut bench = Bench::new();
    let begins = Passed::Between(Duration::from_secs(4));
    let id = || Uuid::from_u128(1);
    let (episodes, now) = (&mut bench.episodes, bench.now);
    assert_eq!(
        episodes.see(key(), PACE, sight(85.0), begins, now, id),
        None
    );
    // A second of the first sample's five is its own.
    for _ in 0..6 {
        bench.look(85.0, 5, true);
    }
    assert!(bench.rows.is_empty());
    assert!(bench.look(85.0, 5, true).is_some());

    let (episodes, now) = (&mut bench.episodes, bench.now);
    assert_eq!(
        episodes.see(key(), PACE, sight(60.0), begins, now, id),
        None
    );
    assert_eq!(bench.hold(60.0, 60), []);
    assert_eq!(bench.hold(60.0, 5).len(), 1);

    // What needs no time is told at once.
    let at_once = Pace {
        hold: Duration::ZERO,
        ..PACE
    };
    let id = || Uuid::from_u128(2);
    let (episodes, now) = (&mut bench.episodes, bench.now);
    let change = episodes.see(key(), at_once, sight(85.0), begins, now, id);
    assert!(matches!(change, Some(Change::Raised(_))), "{change:?}");
}

#[test]
fn it_is_over_from_when_it_cleared() {
    let mut bench = Bench::raised();
    // Between the thresholds it goes on.
    assert_eq!(bench.hold(75.0, 3600), []);
    bench.look(60.0, 5, true);
    let cleared = bench.now;
    assert_eq!(bench.hold(60.0, 55), []);
    let Some(Change::Resolved(alert)) = bench.look(60.0, 5, true) else {
        panic!("it goes on");
    };
    assert_eq!(alert.resolved_at, Some(cleared));
    assert_eq!(alert.state(), AlertState::Resolved);
    // The next time is another.
    bench.look(85.0, 5, true);
    assert_eq!(bench.hold(85.0, 30).len(), 1);
    assert_eq!(bench.rows.len(), 2);
}

#[test]
fn a_higher_peak_and_a_worse_severity_are_written() {
    let mut bench = Bench::raised();
    assert_eq!(bench.look(85.5, 5, true), None);
    assert!(matches!(
        bench.look(86.0, 5, true),
        Some(Change::Updated(_))
    ));
    let Some(Change::Worsened(alert)) = bench.look(96.0, 5, true) else {
        panic!("no worse");
    };
    assert_eq!(
        (alert.severity, alert.peak),
        (Severity::Critical, Some(96.0))
    );
    assert_eq!(alert.message, "at 96");
    // It does not get better before it is over.
    assert_eq!(bench.hold(85.0, 60), []);
    assert_eq!(bench.only().severity, Severity::Critical);
    assert_eq!(bench.only().culprits[0].pod, "pod at 96");
}

#[test]
fn who_it_was_is_said_even_if_that_is_seen_after_the_peak() {
    for (before, after) in [(1, 8), (8, 1)] {
        let mut episodes = Episodes::default();
        let mut now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut last = None;
        let unseen = (0..before).map(|_| Vec::new());
        let seen = (0..after).map(|_| sight(84.0).culprits);
        for (looks, culprits) in unseen.chain(seen).enumerate() {
            let value = if looks == 0 { 85.0 } else { 84.0 };
            let sight = Sight {
                culprits,
                ..sight(value)
            };
            let passed = Passed::Sampled(Duration::from_secs(5));
            now += SignedDuration::from_secs(5);
            let change = episodes.see(key(), PACE, sight, passed, now, || Uuid::from_u128(1));
            last = change.or(last);
        }
        let Some(Change::Raised(alert) | Change::Updated(alert)) = last else {
            panic!("{last:?}")
        };
        assert_eq!(alert.culprits[0].pod, "pod at 84");
        assert_eq!(alert.peak, Some(85.0));
    }
}

#[test]
fn a_higher_peak_that_nobody_was_measured_at_does_not_forget_who_it_was() {
    let mut bench = Bench::new();
    bench.hold(85.0, 60);
    assert_eq!(bench.only().culprits[0].pod, "pod at 85");
    let unseen = Sight {
        culprits: Vec::new(),
        ..sight(90.0)
    };
    bench.now += SignedDuration::from_secs(5);
    let passed = Passed::Sampled(Duration::from_secs(5));
    let (episodes, now) = (&mut bench.episodes, bench.now);
    episodes.see(key(), PACE, unseen, passed, now, || Uuid::from_u128(9));
    let alert = episodes.alerts().next().unwrap();
    assert_eq!(alert.peak, Some(90.0));
    assert_eq!(alert.culprits[0].pod, "pod at 85");
}

#[test]
fn what_comes_and_goes_is_one_episode_marked_flapping() {
    let mut bench = Bench::raised();
    for round in 1..=50 {
        assert_eq!(bench.hold(60.0, 50), []);
        let change = bench.look(85.0, 5, true);
        assert_eq!(change.is_some(), round == 3, "round {round}");
        assert_eq!(bench.only().flapping, round >= 3);
    }
    // Then it has to be quiet for longer.
    bench.look(60.0, 5, true);
    assert_eq!(bench.hold(60.0, 175), []);
    assert_eq!(bench.hold(60.0, 5).len(), 1);
    assert!(bench.only().resolved_at.is_some());
}

#[test]
fn what_goes_on_goes_on_after_a_restart() {
    let mut bench = Bench::raised();
    bench.restart();
    assert_eq!(bench.hold(85.0, 3600), []);
    bench.look(60.0, 5, true);
    bench.hold(60.0, 55);
    bench.restart();
    // The time before does not count.
    assert_eq!(bench.hold(60.0, 60), []);
    assert_eq!(bench.hold(60.0, 5).len(), 1);
    bench.only();
}

#[test]
fn what_is_pending_begins_anew_after_a_restart() {
    let mut bench = Bench::new();
    bench.hold(85.0, 25);
    bench.restart();
    assert_eq!(bench.hold(85.0, 30), []);
    assert_eq!(bench.hold(85.0, 5).len(), 1);
}

#[test]
fn an_acknowledged_one_goes_on_and_ends_like_another() {
    let mut bench = Bench::raised();
    let id = bench.only().id;
    let alert = bench.episodes.acknowledge(id, bench.now).unwrap();
    assert_eq!(alert.state(), AlertState::Acknowledged);
    bench.write(&alert);
    assert_eq!(bench.episodes.acknowledge(id, bench.now), None);
    assert_eq!(
        bench.episodes.acknowledge(Uuid::from_u128(99), bench.now),
        None
    );
    bench.restart();
    assert_eq!(bench.hold(85.0, 600), []);
    assert_eq!(bench.only().state(), AlertState::Acknowledged);
    bench.hold(60.0, 65);
    assert_eq!(bench.only().state(), AlertState::Resolved);
}

#[test]
fn what_was_resolved_by_hand_is_not_raised_before_it_was_over() {
    let mut bench = Bench::raised();
    let id = bench.only().id;
    let alert = bench.episodes.put_down(id, true, bench.now).unwrap();
    assert_eq!(alert.resolved_at, Some(bench.now));
    bench.write(&alert);
    assert_eq!(bench.episodes.put_down(id, true, bench.now), None);
    assert_eq!(bench.hold(85.0, 3600), []);
    assert_eq!(bench.hold(75.0, 60), []);
    assert_eq!(bench.hold(85.0, 3600), []);
    bench.look(60.0, 5, true);
    assert_eq!(bench.hold(85.0, 35).len(), 1);
}
