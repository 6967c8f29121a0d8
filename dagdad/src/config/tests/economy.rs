//! `[economy]`.

use super::*;
use crate::domain::economy::{Band, EconomyRules, Policy};

#[test]
fn without_a_word_it_acts_by_itself_on_the_thresholds_of_admission() {
    let config = resolve("", &[]).unwrap();
    assert_eq!(config.economy, EconomyRules::of(80.0, 70.0));
    assert_eq!(config.economy_policy, Policy::Auto);

    let variables = [("ALERT_RAM_THRESHOLD", "60"), ("ALERT_CPU_THRESHOLD", "50")];
    let rules = resolve("[economy]\nhysteresis = 10", &variables)
        .unwrap()
        .economy;
    let [ram, cpu] = [(60.0, 50.0), (50.0, 40.0)].map(|(enter, leave)| Band { enter, leave });
    assert_eq!((rules.ram, rules.cpu), (ram, cpu));
}

#[test]
fn everything_can_be_said() {
    let file = r#"
        [economy]
        policy = "off"
        hysteresis = 7.5
        pressure_percent = 30
        pressure_hysteresis = 12
        hold = "0s"
        recovery = "5s"
        grace = "1d"
        sheds_per_hour = 0
    "#;
    let config = resolve(file, &[]).unwrap();
    let expected = EconomyRules {
        ram: Band {
            enter: 80.0,
            leave: 72.5,
        },
        cpu: Band {
            enter: 70.0,
            leave: 62.5,
        },
        pressure: Band {
            enter: 30.0,
            leave: 18.0,
        },
        hold: Duration::ZERO,
        recovery: Duration::from_secs(5),
        grace: Duration::from_hours(24),
        sheds_per_hour: 0,
    };
    assert_eq!(config.economy, expected);
    assert_eq!(config.economy_policy, Policy::Off);
}

#[rstest]
#[case("auto", Policy::Auto)]
#[case("on", Policy::On)]
#[case("off", Policy::Off)]
fn a_policy_is_a_word(#[case] word: &str, #[case] expected: Policy) {
    let config = resolve(&format!("[economy]\npolicy = \"{word}\""), &[]).unwrap();
    assert_eq!(config.economy_policy, expected);
}

/// What nobody asked for is not in the way of a threshold.
#[rstest]
#[case(100.0)]
#[case(4.0)]
#[case(0.1)]
fn any_threshold_makes_sense_by_itself(#[case] percent: f64) {
    let file = format!(
        "[thresholds]\nram_percent = {percent}\ncpu_percent = {percent}\n[economy]\npressure_percent = {percent}"
    );
    let rules = resolve(&file, &[]).unwrap().economy;
    for band in [rules.ram, rules.cpu, rules.pressure] {
        assert_eq!(band.enter, percent);
        assert!(band.leave > 0.0 && band.leave < band.enter, "{band:?}");
    }
}

/// A box that is looked at once in half an hour knows of room no sooner.
#[test]
fn what_is_given_back_waits_for_a_sample_at_least() {
    let file = "[sampler]\ninterval = \"30m\"";
    let rules = resolve(file, &[]).unwrap().economy;
    assert_eq!(rules.recovery, Duration::from_mins(30));
}

#[rstest]
#[case::wider_than_memory_allows(
    "[economy]\nhysteresis = 80",
    &[],
    "`economy.hysteresis` is 80, which is not below `thresholds.ram_percent` (80); give a number below it"
)]
#[case::wider_than_cpu_allows(
    "[thresholds]\ncpu_percent = 30\n[economy]\nhysteresis = 40",
    &[],
    "`economy.hysteresis` is 40, which is not below `thresholds.cpu_percent` (30); give a number below it"
)]
#[case::wider_than_the_seeds_threshold_allows(
    "[economy]\nhysteresis = 12",
    &[("ALERT_RAM_THRESHOLD", "10")],
    "`economy.hysteresis` is 12, which is not below `thresholds.ram_percent` (10); give a number below it"
)]
#[case::wider_than_pressure_allows(
    "[economy]\npressure_hysteresis = 20.5",
    &[],
    "`economy.pressure_hysteresis` is 20.5, which is not below `economy.pressure_percent` (20); give a number below it"
)]
#[case::no_hysteresis(
    "[economy]\nhysteresis = 0",
    &[],
    "`economy.hysteresis` cannot be 0 (/etc/dagda/dagdad.toml line 2); give a number above 0 and at most 100, such as 80"
)]
#[case::no_recovery(
    "[economy]\nrecovery = \"0s\"",
    &[],
    "`economy.recovery` cannot be \"0s\" (/etc/dagda/dagdad.toml line 2); give a duration from 1s to 1d, such as \"2m\""
)]
#[case::recovery_within_a_sample(
    "[economy]\nrecovery = \"59s\"",
    &[("MONITORING_INTERVAL", "60")],
    "`economy.recovery` is 59s, which is shorter than `sampler.interval` (1m): what is given back would be taken again at the next sample; give at least 1m"
)]
#[case::policy(
    "[economy]\npolicy = \"On\"",
    &[],
    "`economy.policy` cannot be \"On\" (/etc/dagda/dagdad.toml line 2); give \"auto\", \"on\" or \"off\""
)]
#[case::a_boolean_is_no_policy(
    "[economy]\npolicy = true",
    &[],
    "`economy.policy` cannot be true (/etc/dagda/dagdad.toml line 2); give \"auto\", \"on\" or \"off\""
)]
#[case::sheds(
    "[economy]\nsheds_per_hour = 61",
    &[],
    "`economy.sheds_per_hour` cannot be 61 (/etc/dagda/dagdad.toml line 2); give a whole number from 0 to 60, such as 3"
)]
#[case::fewer_than_none(
    "[economy]\nsheds_per_hour = -1",
    &[],
    "`economy.sheds_per_hour` cannot be -1 (/etc/dagda/dagdad.toml line 2); give a whole number from 0 to 60, such as 3"
)]
#[case::a_key_of_another_name(
    "[economy]\nhysteresys = 5",
    &[],
    "unknown key `economy.hysteresys` in /etc/dagda/dagdad.toml line 2; did you mean `hysteresis`?"
)]
fn contradictions_and_faults_name_the_key(
    #[case] file: &str,
    #[case] variables: &[(&str, &str)],
    #[case] expected: &str,
) {
    assert_eq!(message(file, variables), expected);
}
