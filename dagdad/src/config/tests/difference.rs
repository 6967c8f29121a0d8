//! What is said of a configuration that was read again.

use std::fmt::Write as _;

use super::super::secret::ReadSecret;
use super::super::{Difference, Holds};
use super::*;

fn differences(old: &str, new: &str) -> Vec<Difference> {
    let resolve = |file: &str| resolve(file, &[]).unwrap();
    resolve(old).differences(&resolve(new))
}

fn told(differences: &[Difference], holds: Holds) -> Vec<String> {
    let those = differences.iter().filter(|it| it.holds == holds);
    those.map(ToString::to_string).collect()
}

#[rstest]
#[case("[sampler]\ninterval = '7s'", &["sampler.interval: 5s → 7s"])]
#[case("[start]\ntimeout = '90s'", &["start.timeout: 5m → 1m 30s"])]
#[case("[admission]\ncpu = 'enforce'", &["admission.cpu: warn → enforce"])]
#[case(
    "[thresholds]\nram_percent = 75",
    &[
        "thresholds.ram_percent: 80 → 75",
        "alerts.ram_high.percent: 80 → 75",
        "alerts.ram_high.clear_percent: 75 → 70",
    ]
)]
#[case(
    "[thresholds]\ncpu_percent = 66.6",
    &[
        "thresholds.cpu_percent: 70 → 66.6",
        "alerts.cpu_high.percent: 70 → 66.6",
        "alerts.cpu_high.clear_percent: 65 → 61.6",
    ]
)]
#[case(
    "[economy]\npolicy = 'on'\nhysteresis = 8\nhold = '10s'\nrecovery = '1m'\ngrace = '5s'\nsheds_per_hour = 1",
    &[
        "economy.policy: auto → on",
        "economy.hysteresis: 5 → 8",
        "economy.hold: 30s → 10s",
        "economy.recovery: 2m → 1m",
        "economy.grace: 1m → 5s",
        "economy.sheds_per_hour: 3 → 1",
    ]
)]
#[case(
    "[economy]\npressure_percent = 30\npressure_hysteresis = 12",
    &["economy.pressure_percent: 20 → 30", "economy.pressure_hysteresis: 10 → 12"]
)]
#[case(
    "[alerts]\non_alert = ['/bin/page', '--token', 'hush']",
    &["alerts.on_alert: none → /bin/page"]
)]
#[case("[alerts]\nwebhook = 'https://example.org/hush'", &["alerts.webhook changed"])]
#[case(
    "[alerts.disk_high]\npercent = 80\ncritical_percent = 85\nfor = '2m'\nclear_for = '0s'\nseverity = 'info'",
    &[
        "alerts.disk_high.percent: 90 → 80",
        "alerts.disk_high.clear_percent: 85 → 75",
        "alerts.disk_high.critical_percent: 97 → 85",
        "alerts.disk_high.for: 1m → 2m",
        "alerts.disk_high.clear_for: 5m → 0s",
        "alerts.disk_high.severity: warning → info",
    ]
)]
#[case(
    "[alerts.workflow_failed]\nseverity = 'critical'\n[alerts.store_down]\nfor = '5s'\n[alerts.pod_down]\nseverity = 'info'",
    &[
        "alerts.pod_down.severity: warning → info",
        "alerts.workflow_failed.severity: warning → critical",
        "alerts.store_down.for: 1m → 5s",
    ]
)]
fn what_holds_at_once_is_told_with_both_values(#[case] new: &str, #[case] expected: &[&str]) {
    let found = differences("", new);
    assert_eq!(told(&found, Holds::AtOnce), expected);
    assert_eq!(told(&found, Holds::AfterRestart), [""; 0]);
}

#[rstest]
#[case("[daemon]\nstate_dir = '/s'", &["daemon.state_dir: /var/lib/dagda → /s"])]
#[case("[daemon]\nsocket = '/s'", &["daemon.socket: /run/dagda/dagdad.sock → /s"])]
#[case(
    "[daemon]\nvariables_file = '/v'",
    &["daemon.variables_file: /etc/dagda/variables.env → /v"]
)]
#[case("[podman]\nsocket = '/p'", &["podman.socket: none → /p"])]
#[case("[history]\nretention = '1d'", &["history.retention: 7days → 1day"])]
#[case("[events]\nretention = '1d'", &["events.retention: 30days → 1day"])]
#[case(
    "[mariadb]\nhost = 'db'",
    &[
        "mariadb.host: none → db",
        "mariadb.port: none → 3306",
        "mariadb.user: none → dagda_api",
        "mariadb.database: none → dagda_orchestrator",
    ]
)]
fn what_needs_a_restart_is_told_with_both_values(#[case] new: &str, #[case] expected: &[&str]) {
    let found = differences("", new);
    assert_eq!(told(&found, Holds::AfterRestart), expected);
    assert_eq!(told(&found, Holds::AtOnce), [""; 0]);
}

#[test]
fn a_secret_is_not_told_only_that_it_changed() {
    let with = |secret: &'static str| {
        let read: ReadSecret<'_> = &move |_| Ok(SecretString::from(secret));
        let file = "[alerts]\nwebhook_file = '/w'\n[mariadb]\nhost = 'db'\npassword_file = '/p'";
        let file = FileConfig::parse(file, Path::new(FILE)).unwrap();
        Config::resolve(Some(file), &environment(&[]), Identity::Root, read).unwrap()
    };
    let (old, new) = (with("http://h/hush"), with("http://h/hushhush"));
    let found = old.differences(&new);
    assert_eq!(told(&found, Holds::AtOnce), ["alerts.webhook changed"]);
    let later = told(&found, Holds::AfterRestart);
    assert_eq!(later, ["mariadb.password changed"]);
    assert!(!format!("{found:?}").contains("hush"));
    assert_eq!(old.differences(&old.clone()), []);

    let hook = |token: &str| format!("[alerts]\non_alert = ['/bin/page', '{token}']");
    let found = differences(&hook("hush"), &hook("hushhush"));
    assert_eq!(told(&found, Holds::AtOnce), ["alerts.on_alert changed"]);
    assert!(!format!("{found:?}").contains("hush"));
}

/// A file that says everything otherwise than the example: no setting is forgotten.
#[test]
fn every_setting_is_told() {
    let mut text = String::new();
    let mut keys = Vec::new();
    for setting in schema::SETTINGS {
        // These two are told as the secret in them, and the socket leads elsewhere than the host.
        let unlike = ["webhook_file", "password_file"];
        if unlike.contains(&setting.key) || (setting.table, setting.key) == ("mariadb", "socket") {
            continue;
        }
        let value = match (setting.table, setting.key) {
            ("daemon" | "podman", _) | ("mariadb", "socket") => "'/other'",
            (_, "interval" | "timeout" | "on_alert_timeout") => "'77s'",
            (_, "retention") => "'77h'",
            (_, "hold" | "for" | "clear_for" | "grace") => "'7s'",
            (_, "recovery") => "'111s'",
            (_, "policy") => "'on'",
            (_, "cpu") => "'enforce'",
            (_, "severity") => "'info'",
            (_, "clear_percent") => "7",
            (_, "critical_percent") => "99",
            (_, "hysteresis" | "pressure_hysteresis") => "3",
            (_, "percent" | "ram_percent" | "cpu_percent" | "pressure_percent") => "42",
            (_, "sheds_per_hour") => "7",
            ("access", _) => "['other']",
            (_, "on_alert") => "['/bin/true']",
            (_, "webhook") => "'http://h/'",
            ("mariadb", "port") => "7",
            ("mariadb", _) => "'other'",
            other => panic!("a value for {other:?}, please"),
        };
        writeln!(text, "[{}]\n{} = {value}", setting.table, setting.key).unwrap();
        keys.push(setting.path());
    }
    // Each table once.
    let mut merged = String::new();
    for table in schema::tables() {
        writeln!(merged, "[{table}]").unwrap();
        let mut blocks = text.split_inclusive('\n').peekable();
        while let Some(head) = blocks.next() {
            let line = blocks.next().unwrap();
            if head.trim_end() == format!("[{table}]") {
                merged += line;
            }
        }
    }
    let old = "[mariadb]\nhost = 'db'\n[alerts]\non_alert = ['/bin/false']\n";
    let found = differences(old, &merged);
    let told: Vec<&str> = found.iter().map(|it| it.key.as_str()).collect();
    for key in keys {
        assert!(told.contains(&key.as_str()), "{key} is not told: {told:?}");
    }
}

proptest! {
    /// What was taken over is in force; what needs a restart is as it was, and is told again.
    #[test]
    fn taking_over_twice_is_taking_over_once(ram in 1_u32..=100, interval in 1_u64..100, hold in 0_u64..600, days in 1_u64..100) {
        let old = resolve("", &[]).unwrap();
        let new = resolve(&format!(
            "[thresholds]\nram_percent = {ram}\n[sampler]\ninterval = '{interval}s'\n[economy]\nhold = '{hold}s'\n[history]\nretention = '{days}d'"
        ), &[]).unwrap();
        let in_force = old.taking_over(&new);
        let left = in_force.differences(&new);
        prop_assert_eq!(told(&left, Holds::AtOnce), Vec::<String>::new());
        let waiting = told(&old.differences(&new), Holds::AfterRestart);
        prop_assert_eq!(told(&left, Holds::AfterRestart), waiting);
        let again = in_force.taking_over(&new);
        prop_assert_eq!(in_force.differences(&again), vec![]);
        prop_assert_eq!(again.history_retention, old.history_retention);
        prop_assert!((again.ram_threshold_percent - f64::from(ram)).abs() < 1e-9);
    }
}
