#![allow(clippy::float_cmp)] // thresholds are taken over as they are, not computed

mod access;
mod alerts;
mod difference;
mod economy;
mod example;
mod mariadb;
mod notifications;

use std::collections::HashMap;
use std::fs;

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use secrecy::SecretString;

use super::secret::SecretFileError;

const FILE: &str = "/etc/dagda/dagdad.toml";

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    Environment::from_lookup(move |name| variables.get(name).cloned())
}

fn no_secrets(path: &Path) -> Result<SecretString, SecretFileError> {
    panic!("{} was read without need", path.display())
}

fn resolve(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = FileConfig::parse(file, Path::new(FILE))?;
    Config::resolve(
        Some(file),
        &environment(variables),
        Identity::Root,
        &no_secrets,
    )
}

fn message(file: &str, variables: &[(&str, &str)]) -> String {
    resolve(file, variables).unwrap_err().to_string()
}

#[test]
fn without_a_word_root_has_the_machines_places() {
    let config = Config::resolve(None, &environment(&[]), Identity::Root, &no_secrets).unwrap();
    assert_eq!(config.state_dir, Path::new("/var/lib/dagda"));
    assert_eq!(config.socket, Path::new("/run/dagda/dagdad.sock"));
    assert_eq!(config.variables_file, Path::new("/etc/dagda/variables.env"));
    assert_eq!(config.podman_socket, None);
    assert_eq!(config.sample_interval, Duration::from_secs(5));
    assert_eq!(config.history_retention, Duration::from_hours(7 * 24));
    assert_eq!(config.event_retention, Duration::from_hours(30 * 24));
    assert_eq!(config.audit_retention, Duration::from_hours(90 * 24));
    assert_eq!(config.access, Access::default());
    assert_eq!(config.start_timeout, Duration::from_mins(5));
    assert_eq!(
        [config.ram_threshold_percent, config.cpu_threshold_percent],
        [80.0, 70.0]
    );
    assert_eq!(config.cpu_admission, CpuAdmission::Warn);
    assert!(config.mariadb.is_none());
}

#[rstest]
#[case("warn", CpuAdmission::Warn)]
#[case("enforce", CpuAdmission::Enforce)]
fn a_lack_of_cpu_warns_or_refuses(#[case] word: &str, #[case] expected: CpuAdmission) {
    let config = resolve(&format!("[admission]\ncpu = \"{word}\""), &[]).unwrap();
    assert_eq!(config.cpu_admission, expected);
}

#[rstest]
#[case(
    &[("HOME", "/home/u"), ("XDG_RUNTIME_DIR", "/run/user/1000")],
    ["/home/u/.local/state/dagda", "/run/user/1000/dagda/dagdad.sock", "/home/u/.config/dagda/variables.env"]
)]
#[case(
    &[("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r"), ("XDG_CONFIG_HOME", "/c")],
    ["/s/dagda", "/r/dagda/dagdad.sock", "/c/dagda/variables.env"]
)]
#[case::relative_base_directories_are_ignored(
    &[("HOME", "/home/u"), ("XDG_RUNTIME_DIR", "/r"), ("XDG_STATE_HOME", "state")],
    ["/home/u/.local/state/dagda", "/r/dagda/dagdad.sock", "/home/u/.config/dagda/variables.env"]
)]
#[case::systemd(
    &[("HOME", "/home/u"), ("STATE_DIRECTORY", "/var/lib/private/dagda:/other"), ("RUNTIME_DIRECTORY", "/run/d")],
    ["/var/lib/private/dagda", "/run/d/dagdad.sock", "/home/u/.config/dagda/variables.env"]
)]
#[case::a_service_account(
    &[("STATE_DIRECTORY", "/var/lib/dagda"), ("RUNTIME_DIRECTORY", "/run/dagda")],
    ["/var/lib/dagda", "/run/dagda/dagdad.sock", "/etc/dagda/variables.env"]
)]
#[case::a_service_account_with_its_own_configuration(
    &[("STATE_DIRECTORY", "/s"), ("RUNTIME_DIRECTORY", "/r"), ("CONFIGURATION_DIRECTORY", "/etc/d"), ("HOME", "/")],
    ["/s", "/r/dagdad.sock", "/etc/d/variables.env"]
)]
fn a_user_has_his_own_places(#[case] variables: &[(&str, &str)], #[case] expected: [&str; 3]) {
    let config =
        Config::resolve(None, &environment(variables), Identity::User, &no_secrets).unwrap();
    assert_eq!(
        [config.state_dir, config.socket, config.variables_file],
        expected.map(PathBuf::from)
    );
}

#[test]
fn a_user_without_a_place_is_told_which_one_is_missing() {
    let resolve = |variables: &[(&str, &str)]| {
        Config::resolve(None, &environment(variables), Identity::User, &no_secrets)
    };
    assert!(matches!(
        resolve(&[("HOME", "/h")]),
        Err(ConfigError::NoRuntimeDirectory)
    ));
    assert!(resolve(&[("HOME", "/h"), ("DAGDA_SOCKET", "/s")]).is_ok());
    let error = resolve(&[("XDG_RUNTIME_DIR", "/r")]).unwrap_err();
    assert!(matches!(error, ConfigError::NoStateDirectory), "{error}");
}

#[test]
fn the_file_goes_over_defaults_and_the_environment_over_the_file() {
    let file = "[daemon]\nstate_dir = \"/f/state\"\nsocket = \"/f/sock\"\n[sampler]\ninterval = \"2m\"\n[thresholds]\nram_percent = 61.5\ncpu_percent = 62\n";
    let config = resolve(file, &[("RUNTIME_DIRECTORY", "/systemd")]).unwrap();
    assert_eq!(config.socket, Path::new("/f/sock"));
    assert_eq!(config.sample_interval, Duration::from_mins(2));
    assert_eq!(
        [config.ram_threshold_percent, config.cpu_threshold_percent],
        [61.5, 62.0]
    );

    let variables = [
        ("DAGDA_STATE_DIR", "relative/state"),
        ("DAGDA_SOCKET", "/e/sock"),
        ("DAGDA_VARIABLES_FILE", "/e/variables"),
        ("DAGDA_PODMAN_SOCKET", "/e/podman"),
        ("MONITORING_INTERVAL", "30"),
        ("ALERT_RAM_THRESHOLD", "90"),
        ("ALERT_CPU_THRESHOLD", "91%"),
    ];
    let config = resolve(file, &variables).unwrap();
    assert_eq!(config.state_dir, Path::new("relative/state"));
    assert_eq!(config.socket, Path::new("/e/sock"));
    assert_eq!(config.variables_file, Path::new("/e/variables"));
    assert_eq!(
        config.podman_socket.as_deref(),
        Some(Path::new("/e/podman"))
    );
    assert_eq!(config.sample_interval, Duration::from_secs(30));
    assert_eq!(
        [config.ram_threshold_percent, config.cpu_threshold_percent],
        [90.0, 91.0]
    );

    let empty = variables.map(|(name, _)| (name, ""));
    assert_eq!(
        resolve(file, &empty).unwrap().socket,
        Path::new("/f/sock"),
        "empty is unset"
    );
}

#[rstest]
#[case::unknown_key(
    "# a\n[sampler]\nintervall = \"5s\"",
    "unknown key `sampler.intervall` in /etc/dagda/dagdad.toml line 3; did you mean `interval`?"
)]
#[case::unknown_table(
    "[sampelr]\ninterval = \"5s\"",
    "unknown key `sampelr` in /etc/dagda/dagdad.toml line 1; did you mean `sampler`?"
)]
#[case::dotted(
    "sampler.x = 1",
    "unknown key `sampler.x` in /etc/dagda/dagdad.toml line 1; [sampler] takes: interval"
)]
#[case::the_first_of_several(
    "[thresholds]\nb = 1\na = 1\n[daemon]\na = 1",
    "unknown key `thresholds.b` in /etc/dagda/dagdad.toml line 2; [thresholds] takes: ram_percent, cpu_percent"
)]
#[case::control_characters(
    "\"a\\u001b\" = 1",
    "unknown key `a\\u{1b}` in /etc/dagda/dagdad.toml line 1; the tables are: daemon, podman, sampler, history, events, audit, access, start, thresholds, admission, economy, alerts, alerts.cpu_high, alerts.ram_high, alerts.disk_high, alerts.pressure_high, alerts.pod_down, alerts.workflow_failed, alerts.store_down, mariadb"
)]
#[case::no_table(
    "sampler = 5",
    "`sampler` in /etc/dagda/dagdad.toml line 1 is a table; write [sampler] on a line of its own and its keys below"
)]
#[case::wrong_type(
    "[sampler]\ninterval = 5",
    "`sampler.interval` cannot be 5 (/etc/dagda/dagdad.toml line 2); give a duration from 1s to 1h, such as \"5s\""
)]
#[case::below_range(
    "[sampler]\ninterval = \"999ms\"",
    "`sampler.interval` cannot be \"999ms\" (/etc/dagda/dagdad.toml line 2); give a duration from 1s to 1h, such as \"5s\""
)]
#[case::above_range(
    "[history]\nretention = \"11years\"",
    "`history.retention` cannot be \"11years\" (/etc/dagda/dagdad.toml line 2); give a duration from 1h to 3650d, such as \"7d\""
)]
#[case::not_a_number(
    "[thresholds]\nram_percent = nan",
    "`thresholds.ram_percent` cannot be NaN (/etc/dagda/dagdad.toml line 2); give a number above 0 and at most 100, such as 80"
)]
#[case::a_list(
    "[start]\ntimeout = [1]",
    "`start.timeout` cannot be a list (/etc/dagda/dagdad.toml line 2); give a duration from 1s to 1d, such as \"5m\""
)]
#[case::a_relative_path(
    "[daemon]\nstate_dir = \"state\"",
    "`daemon.state_dir` cannot be \"state\" (/etc/dagda/dagdad.toml line 2); give an absolute path, such as \"/srv/dagda\""
)]
#[case::a_word(
    "[admission]\ncpu = \"Enforce\"",
    "`admission.cpu` cannot be \"Enforce\" (/etc/dagda/dagdad.toml line 2); give \"warn\" or \"enforce\""
)]
#[case::a_boolean(
    "[admission]\ncpu = true",
    "`admission.cpu` cannot be true (/etc/dagda/dagdad.toml line 2); give \"warn\" or \"enforce\""
)]
#[case::a_port(
    "[mariadb]\nport = 70000",
    "`mariadb.port` cannot be 70000 (/etc/dagda/dagdad.toml line 2); give a port from 1 to 65535, such as 3306"
)]
#[case::a_huge_number(
    "[mariadb]\nport = 99999999999999999999",
    "`mariadb.port` cannot be an integer that is too large (/etc/dagda/dagdad.toml line 2); give a port from 1 to 65535, such as 3306"
)]
#[case::two_addresses(
    "[mariadb]\nhost = \"db\"\nsocket = \"/s\"",
    "/etc/dagda/dagdad.toml sets both `mariadb.host` and `mariadb.socket`; keep the one that leads to the database"
)]
fn a_faulty_file_says_what_and_where(#[case] file: &str, #[case] expected: &str) {
    assert_eq!(message(file, &[]), expected);
}

#[test]
fn invalid_toml_has_its_line_and_column() {
    let error = message("[sampler]\ninterval = 5 s", &[]);
    assert!(
        error.starts_with("/etc/dagda/dagdad.toml is not valid TOML at line 2, column 12: "),
        "{error}"
    );
    assert!(!error.contains('\n'), "{error}");
}

#[rstest]
#[case(
    "MONITORING_INTERVAL",
    "0",
    "`sampler.interval` cannot be \"0\" (environment variable MONITORING_INTERVAL); give a duration from 1s to 1h, such as \"5s\" (a bare number is in seconds)"
)]
#[case(
    "ALERT_RAM_THRESHOLD",
    "101",
    "`thresholds.ram_percent` cannot be \"101\" (environment variable ALERT_RAM_THRESHOLD); give a number above 0 and at most 100, such as 80"
)]
#[case(
    "ALERT_CPU_THRESHOLD",
    "inf",
    "`thresholds.cpu_percent` cannot be \"inf\" (environment variable ALERT_CPU_THRESHOLD); give a number above 0 and at most 100, such as 80"
)]
#[case(
    "DB_PORT",
    "mysql",
    "`mariadb.port` cannot be \"mysql\" (environment variable DB_PORT); give a port from 1 to 65535, such as 3306"
)]
#[case(
    "DB_HOST",
    "db:3306",
    "`mariadb.host` cannot be \"db:3306\" (environment variable DB_HOST); give a host name or IP address, such as \"127.0.0.1\" (the port has a key of its own)"
)]
fn a_faulty_variable_says_which(
    #[case] variable: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    assert_eq!(message("", &[(variable, value)]), expected);
}

#[test]
fn a_socket_path_that_the_kernel_cannot_take_is_refused() {
    let path = format!("/{}", "x".repeat(107));
    assert!(message("", &[("DAGDA_SOCKET", &path)]).contains("at most 107 bytes"));
    assert!(resolve("", &[("DAGDA_SOCKET", &path[..107])]).is_ok());
}

#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let environment = Environment::from_lookup(|name| {
        (name == "DAGDA_SOCKET").then(|| std::ffi::OsString::from_vec(vec![b'/', 0xff]))
    });
    let error = Config::resolve(None, &environment, Identity::Root, &no_secrets).unwrap_err();
    assert!(error.to_string().contains("DAGDA_SOCKET"), "{error}");
}

#[test]
fn a_file_asked_for_must_be_there_and_the_argument_beats_the_variable() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, interval: &str| {
        let path = dir.path().join(name);
        fs::write(&path, format!("[sampler]\ninterval = \"{interval}\"")).unwrap();
        path
    };
    let (argument, variable, missing) = (write("a", "7s"), write("b", "8s"), dir.path().join("c"));
    let load = |explicit: Option<&Path>, variable: &Path| {
        Config::load(
            explicit,
            &environment(&[("DAGDA_CONFIG", variable.to_str().unwrap())]),
            Identity::Root,
        )
    };
    assert_eq!(
        load(Some(&argument), &variable)
            .unwrap()
            .sample_interval
            .as_secs(),
        7
    );
    assert_eq!(load(None, &variable).unwrap().sample_interval.as_secs(), 8);
    for error in [
        load(None, &missing).unwrap_err(),
        load(Some(&missing), &variable).unwrap_err(),
    ] {
        assert!(error.to_string().contains("--config"), "{error}");
    }
    assert!(FileConfig::read_if_there(&missing).unwrap().is_none());
    assert!(
        FileConfig::read_if_there(dir.path()).is_err(),
        "a directory is no file"
    );
}

proptest! {
    #[test]
    fn any_allowed_interval_is_read_back(seconds in 1_u64..=3600) {
        let written = humantime::format_duration(Duration::from_secs(seconds));
        let file = format!("[sampler]\ninterval = \"{written}\"");
        prop_assert_eq!(resolve(&file, &[]).unwrap().sample_interval.as_secs(), seconds);
        let text = seconds.to_string();
        prop_assert_eq!(resolve("", &[("MONITORING_INTERVAL", &text)]).unwrap().sample_interval.as_secs(), seconds);
    }

    #[test]
    fn no_environment_makes_it_panic(values in prop::collection::vec(".{0,20}", 8)) {
        let names = ["DAGDA_SOCKET", "MONITORING_INTERVAL", "ALERT_RAM_THRESHOLD", "DB_HOST", "DB_PORT", "MYSQL_API_USER", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"];
        let pairs: Vec<_> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
        let _ = resolve("", &pairs);
    }
}
