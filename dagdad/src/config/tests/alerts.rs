//! `[alerts.CONDITION]`.

use super::*;
use crate::domain::alert::{Limit, Pace, Rules, Severity};

#[test]
fn the_seeds_thresholds_hold_for_alerts_too() {
    let variables = [("ALERT_RAM_THRESHOLD", "60"), ("ALERT_CPU_THRESHOLD", "50")];
    let rules = resolve("", &variables).unwrap().alerts;
    assert_eq!(rules, Rules::of(50.0, 60.0));
    assert_eq!(
        [rules.ram_high.percent, rules.ram_high.clear_percent],
        [60.0, 55.0]
    );
    assert_eq!(
        [rules.cpu_high.percent, rules.cpu_high.clear_percent],
        [50.0, 45.0]
    );
    assert_eq!(resolve("", &[]).unwrap().alerts, Rules::default());

    // What is said of the alert itself goes before.
    let file = "[alerts.ram_high]\npercent = 90\n";
    let rules = resolve(file, &variables).unwrap().alerts;
    assert_eq!(
        [rules.ram_high.percent, rules.ram_high.clear_percent],
        [90.0, 85.0]
    );
}

#[test]
fn everything_can_be_said() {
    let file = r#"
        [alerts.disk_high]
        percent = 50
        clear_percent = 20.5
        critical_percent = 60
        for = "0s"
        clear_for = "1d"
        severity = "info"
        [alerts.pod_down]
        for = "2m"
        [alerts.workflow_failed]
        severity = "critical"
        [alerts]
        store_down = { for = "3m", clear_for = "4m", severity = "critical" }
    "#;
    let rules = resolve(file, &[]).unwrap().alerts;
    let expected = Limit {
        percent: 50.0,
        clear_percent: 20.5,
        critical_percent: Some(60.0),
        pace: Pace {
            hold: Duration::ZERO,
            clear_hold: Duration::from_hours(24),
            severity: Severity::Info,
        },
    };
    assert_eq!(rules.disk_high, expected);
    assert_eq!(rules.pod_down.hold, Duration::from_mins(2));
    assert_eq!(rules.workflow_failed, Severity::Critical);
    let store = Pace {
        hold: Duration::from_mins(3),
        clear_hold: Duration::from_mins(4),
        severity: Severity::Critical,
    };
    assert_eq!(rules.store_down, store);
    assert_eq!(rules.cpu_high, Rules::default().cpu_high);
}

/// A low threshold is above where it clears, and a critical one that nobody asked for is not in
/// its way.
#[rstest]
#[case(100.0)]
#[case(96.0)]
#[case(4.0)]
#[case(0.1)]
fn any_threshold_makes_sense_by_itself(#[case] percent: f64) {
    let file = format!("[thresholds]\nram_percent = {percent}\n");
    let limit = resolve(&file, &[]).unwrap().alerts.ram_high;
    assert!(limit.clear_percent > 0.0 && limit.clear_percent < limit.percent);
    assert!(
        limit
            .critical_percent
            .is_none_or(|critical| critical > percent)
    );
}

#[rstest]
#[case::clear_above(
    "[alerts.cpu_high]\npercent = 60\nclear_percent = 60.5",
    &[],
    "`alerts.cpu_high.clear_percent` is 60.5, which is not below `alerts.cpu_high.percent` (60); give a number below it"
)]
#[case::clear_at_the_seeds_threshold(
    "[alerts.ram_high]\nclear_percent = 75",
    &[("ALERT_RAM_THRESHOLD", "75")],
    "`alerts.ram_high.clear_percent` is 75, which is not below `alerts.ram_high.percent` (75); give a number below it"
)]
#[case::critical_below(
    "[alerts.disk_high]\ncritical_percent = 90",
    &[],
    "`alerts.disk_high.critical_percent` is 90, which is not above `alerts.disk_high.percent` (90); give a number above it"
)]
#[case::severity(
    "[alerts.pod_down]\nseverity = \"dire\"",
    &[],
    "`alerts.pod_down.severity` cannot be \"dire\" (/etc/dagda/dagdad.toml line 2); give \"info\", \"warning\" or \"critical\""
)]
#[case::span(
    "[alerts.pod_down]\nfor = \"2d\"",
    &[],
    "`alerts.pod_down.for` cannot be \"2d\" (/etc/dagda/dagdad.toml line 2); give a duration from 0d to 1d, such as \"1m\""
)]
#[case::key_that_a_condition_does_not_have(
    "[alerts.workflow_failed]\nfor = \"1m\"",
    &[],
    "unknown key `alerts.workflow_failed.for` in /etc/dagda/dagdad.toml line 2; did you mean `alerts.store_down.for`?"
)]
#[case::condition(
    "[alerts.ram_hihg]\n",
    &[],
    "unknown key `alerts.ram_hihg` in /etc/dagda/dagdad.toml line 1; did you mean `alerts.ram_high`?"
)]
#[case::no_table(
    "[alerts]\nram_high = 80\n",
    &[],
    "`alerts.ram_high` in /etc/dagda/dagdad.toml line 2 is a table; write [alerts.ram_high] on a line of its own and its keys below"
)]
fn contradictions_and_faults_name_the_key(
    #[case] file: &str,
    #[case] variables: &[(&str, &str)],
    #[case] expected: &str,
) {
    assert_eq!(message(file, variables), expected);
}
