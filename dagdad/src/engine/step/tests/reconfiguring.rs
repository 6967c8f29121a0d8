//! The configuration is read again while things go on.

use super::world::{sized, told};
use super::*;
use crate::domain::economy::Trigger;

/// What is given out of the machine's memory, in MiB: 80 %.
const CEILING: u64 = 10_000;

fn reconfigure(bench: &mut Bench, change: impl FnOnce(&mut Settings)) -> Vec<Effect> {
    let mut settings = bench.state.settings.clone();
    change(&mut settings);
    bench.tell(Event::Reconfigured {
        settings: Box::new(settings),
        message: "the configuration was read again: something".to_owned(),
    })
}

/// One pod that runs and may be shed, in a box that is in use.
fn one() -> Bench {
    let mut bench = Bench::with_running(&[sized(always("low"), 1_000)], &["low"]);
    bench.wait(120);
    bench
}

fn sample(bench: &mut Bench, others: u64) -> Vec<Effect> {
    bench.wait(5);
    bench.measure_pods(CEILING, others, &[("low", 1_000)])
}

fn active(bench: &Bench) -> bool {
    bench.state.economy.record().active.is_some()
}

#[test]
fn it_is_an_event_and_readers_see_it() {
    let mut bench = Bench::with(&[]);
    let before = bench.state.snapshot(bench.now);
    let effects = reconfigure(&mut bench, |settings| {
        settings.thresholds.ram_percent = 50.0;
    });
    let after = bench.state.snapshot(bench.now);
    assert_eq!(
        told(&effects, EventKind::Reloaded),
        ["the configuration was read again: something"]
    );
    assert_eq!(after.reloads, before.reloads + 1);
    assert!((after.thresholds.ram_percent - 50.0).abs() < 1e-9);
    let ceiling = |budget: &super::super::super::admission::Budget| budget.memory.ceiling.0;
    let (before, after) = (before.budget.unwrap(), after.budget.unwrap());
    assert!(ceiling(&after) * 8 / 5 <= ceiling(&before) + 8, "{after:?}");
}

#[test]
fn one_that_is_not_good_changes_nothing_but_is_an_event() {
    let mut bench = one();
    sample(&mut bench, 1_000);
    let before = format!("{:?}", bench.state.snapshot(bench.now));
    let effects = bench.tell(Event::NotReconfigured {
        reason: "unknown key `x`".to_owned(),
    });
    assert_eq!(
        told(&effects, EventKind::ReloadFailed),
        ["the configuration was not reloaded, the one before stays: unknown key `x`"]
    );
    assert_eq!(format!("{:?}", bench.state.snapshot(bench.now)), before);
}

#[test]
fn twice_the_same_is_as_good_as_once() {
    for others in [1_000, 9_500] {
        let mut bench = one();
        for _ in 0..8 {
            sample(&mut bench, others);
        }
        let change = |settings: &mut Settings| {
            settings.thresholds.ram_percent = 70.0;
            settings.economy_policy = Policy::Auto;
            settings.economy = EconomyRules::of(70.0, 60.0);
        };
        reconfigure(&mut bench, change);
        let shown = |bench: &Bench| {
            let mut snapshot = bench.state.snapshot(bench.now);
            snapshot.reloads = 0;
            format!("{snapshot:?}")
        };
        let once = shown(&bench);
        let effects = reconfigure(&mut bench, change);
        assert_eq!(shown(&bench), once);
        let told: Vec<_> = effects
            .iter()
            .filter(|effect| !matches!(effect, Effect::Announce { .. } | Effect::Persist(_)))
            .collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

#[test]
fn the_policy_of_the_configuration_counts_while_nobody_has_set_one() {
    let mut bench = one();
    sample(&mut bench, 1_000);
    assert!(!active(&bench));
    reconfigure(&mut bench, |settings| settings.economy_policy = Policy::On);
    assert!(active(&bench), "it begins at once");
    reconfigure(&mut bench, |settings| settings.economy_policy = Policy::Off);
    assert!(!active(&bench));
    let set = Command::SetEconomy {
        policy: Policy::Off,
    };
    bench.tell(Event::Command {
        ticket: Ticket(77),
        command: set,
    });
    reconfigure(&mut bench, |settings| settings.economy_policy = Policy::On);
    assert!(!active(&bench), "somebody has said off");
}

#[test]
fn what_was_short_for_a_while_by_the_new_threshold_too_has_been_so_all_along() {
    let mut bench = one();
    reconfigure(&mut bench, |settings| {
        settings.economy_policy = Policy::Auto;
    });
    // 85 % with the pod's own; held for 25 s of 30 s.
    for _ in 0..6 {
        sample(&mut bench, 9_600);
    }
    assert!(!active(&bench));
    reconfigure(&mut bench, |settings| {
        settings.economy.ram = crate::domain::economy::Band::below(82.0, 5.0);
    });
    assert!(!active(&bench));
    let mut later = bench.state.clone();
    sample(&mut bench, 9_600);
    assert!(active(&bench), "held for 30 s under both");

    // By this one it is not short: what was held is forgotten, and nothing begins.
    std::mem::swap(&mut bench.state, &mut later);
    reconfigure(&mut bench, |settings| {
        settings.economy.ram = crate::domain::economy::Band::below(95.0, 5.0);
    });
    bench.wait(5);
    bench.tell(Event::Tick);
    assert!(!active(&bench));
    let gauges = bench.state.snapshot(bench.now).economy.gauges;
    let ram = gauges.iter().find(|gauge| gauge.trigger == Trigger::Ram);
    assert_eq!(ram.unwrap().short_for, None);
}

#[test]
fn an_active_economy_goes_on_and_an_alert_goes_by_the_new_rule() {
    let mut bench = one();
    reconfigure(&mut bench, |settings| {
        settings.economy_policy = Policy::Auto;
        settings.alerts.ram_high.pace.hold = Duration::from_secs(10);
        settings.alerts.ram_high.pace.clear_hold = Duration::from_secs(10);
    });
    for _ in 0..10 {
        sample(&mut bench, 9_600);
    }
    assert!(active(&bench));
    let alerts = |bench: &Bench| bench.state.snapshot(bench.now).alerts.len();
    assert_eq!(alerts(&bench), 1);
    let effects = reconfigure(&mut bench, |settings| {
        settings.start_timeout = Duration::from_secs(7);
    });
    assert!(active(&bench));
    assert_eq!(alerts(&bench), 1);
    assert_eq!(told(&effects, EventKind::AlertResolved), [""; 0]);
    // The same use, and a higher threshold.
    reconfigure(&mut bench, |settings| {
        let limit = &mut settings.alerts.ram_high;
        (limit.percent, limit.clear_percent) = (95.0, 90.0);
    });
    for _ in 0..4 {
        sample(&mut bench, 9_600);
    }
    assert_eq!(alerts(&bench), 0);
}

#[test]
fn a_shorter_interval_of_records_does_not_wait_for_the_end_of_a_longer_one() {
    let mut bench = one();
    reconfigure(&mut bench, |settings| {
        settings.record_interval = Duration::from_hours(1);
    });
    sample(&mut bench, 1_000);
    let records = |effects: &[Effect]| {
        let measured = |effect: &Effect| matches!(effect, Effect::Persist(Persist::Measurement(_)));
        effects.iter().any(measured)
    };
    assert!(!records(&sample(&mut bench, 1_000)));
    reconfigure(&mut bench, |settings| {
        settings.record_interval = Duration::from_secs(5);
    });
    assert!(records(&sample(&mut bench, 1_000)));
}
