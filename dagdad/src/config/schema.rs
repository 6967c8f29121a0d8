//! The one table of what can be set. File, environment and advice on unknown keys all read it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::CpuAdmission;
use super::access::AccessDraft;
use super::alerts::AlertsDraft;
use super::defaults;
use super::economy::EconomyDraft;
use super::environment::Environment;
use super::error::{ConfigError, Origin};
use super::mariadb::MariaDbDraft;
use super::notifications::NotificationDraft;
use super::value::{
    Parsed, Value, command, count, cpu_admission, duration, host, members, name, path, percent,
    policy, port, severity, socket_path, webhook,
};

/// One thing that can be set.
pub struct Setting {
    /// The TOML table it stands in.
    pub table: &'static str,
    /// Its key there.
    pub key: &'static str,
    /// The environment variable that overrides the file.
    pub variable: Option<&'static str>,
    /// Checks a value and puts it in its place; else says what is allowed.
    pub set: fn(&Value, &mut Draft) -> Parsed<()>,
}

impl Setting {
    /// `value` as it is told in an error: a webhook's URL may hold a token.
    pub fn shown(&self, value: &Value) -> String {
        if (self.table, self.key) == ("alerts", "webhook") {
            "what it is set to".to_owned()
        } else {
            value.to_string()
        }
    }

    /// `table.key`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.table, self.key)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// What was said so far; `None` for what was not.
#[derive(Debug, Default)]
pub struct Draft {
    pub state_dir: Option<PathBuf>,
    pub socket: Option<PathBuf>,
    pub variables_file: Option<PathBuf>,
    pub podman_socket: Option<PathBuf>,
    pub sample_interval: Option<Duration>,
    pub history_retention: Option<Duration>,
    pub event_retention: Option<Duration>,
    pub audit_retention: Option<Duration>,
    pub access: AccessDraft,
    pub start_timeout: Option<Duration>,
    pub ram_threshold_percent: Option<f64>,
    pub cpu_threshold_percent: Option<f64>,
    pub cpu_admission: Option<CpuAdmission>,
    pub economy: EconomyDraft,
    pub alerts: AlertsDraft,
    pub notifications: NotificationDraft,
    pub mariadb: MariaDbDraft,
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const TEN_YEARS: Duration = Duration::from_hours(3650 * 24);

/// Account names have at most so many characters:
/// <https://mariadb.com/kb/en/identifier-names/#maximum-length>
const LONGEST_USER: usize = 80;
/// Names of databases, likewise.
const LONGEST_DATABASE: usize = 64;

/// A span for which something has to hold.
fn watch(value: &Value) -> Parsed<Duration> {
    duration(value, Duration::ZERO..=DAY, Duration::from_mins(1))
}

/// A span from one thing that is given back to the next; none at all would be a swing.
fn recovery(value: &Value) -> Parsed<Duration> {
    duration(value, SECOND..=DAY, Duration::from_mins(2))
}

/// How often a pod may be stopped within an hour; more than once a minute is no limit.
fn sheds(value: &Value) -> Parsed<u32> {
    count(value, 0..=60, 3)
}

/// A setting of `[alerts.CONDITION]`.
macro_rules! alert {
    ($condition:ident, $key:literal, $field:ident, $parse:ident) => {
        Setting {
            table: concat!("alerts.", stringify!($condition)),
            key: $key,
            variable: None,
            set: |value, draft| put(&mut draft.alerts.$condition.$field, $parse(value)),
        }
    };
}

/// A setting of `[economy]`.
macro_rules! economy {
    ($key:ident, $parse:ident) => {
        Setting {
            table: "economy",
            key: stringify!($key),
            variable: None,
            set: |value, draft| put(&mut draft.economy.$key, $parse(value)),
        }
    };
}

/// A setting of `[access]`.
macro_rules! access {
    ($key:ident) => {
        Setting {
            table: "access",
            key: stringify!($key),
            variable: None,
            set: |value, draft| put(&mut draft.access.$key, members(value)),
        }
    };
}

/// Everything that can be set, tables together, in the order of the example file.
pub static SETTINGS: &[Setting] = &[
    Setting {
        table: "daemon",
        key: "state_dir",
        variable: Some("DAGDA_STATE_DIR"),
        set: |value, draft| put(&mut draft.state_dir, path(value)),
    },
    Setting {
        table: "daemon",
        key: "socket",
        variable: Some("DAGDA_SOCKET"),
        set: |value, draft| put(&mut draft.socket, socket_path(value)),
    },
    Setting {
        table: "daemon",
        key: "variables_file",
        variable: Some("DAGDA_VARIABLES_FILE"),
        set: |value, draft| put(&mut draft.variables_file, path(value)),
    },
    Setting {
        table: "podman",
        key: "socket",
        variable: Some("DAGDA_PODMAN_SOCKET"),
        set: |value, draft| put(&mut draft.podman_socket, socket_path(value)),
    },
    Setting {
        table: "sampler",
        key: "interval",
        variable: Some("MONITORING_INTERVAL"),
        set: |value, draft| {
            put(
                &mut draft.sample_interval,
                duration(value, SECOND..=HOUR, defaults::SAMPLE_INTERVAL),
            )
        },
    },
    Setting {
        table: "history",
        key: "retention",
        variable: None,
        set: |value, draft| {
            put(
                &mut draft.history_retention,
                duration(value, HOUR..=TEN_YEARS, defaults::HISTORY_RETENTION),
            )
        },
    },
    Setting {
        table: "events",
        key: "retention",
        variable: None,
        set: |value, draft| {
            put(
                &mut draft.event_retention,
                duration(value, HOUR..=TEN_YEARS, defaults::EVENT_RETENTION),
            )
        },
    },
    Setting {
        table: "audit",
        key: "retention",
        variable: None,
        set: |value, draft| {
            put(
                &mut draft.audit_retention,
                duration(value, HOUR..=TEN_YEARS, defaults::AUDIT_RETENTION),
            )
        },
    },
    access!(viewers),
    access!(operators),
    access!(admins),
    Setting {
        table: "start",
        key: "timeout",
        variable: None,
        set: |value, draft| {
            put(
                &mut draft.start_timeout,
                duration(value, SECOND..=DAY, defaults::START_TIMEOUT),
            )
        },
    },
    Setting {
        table: "thresholds",
        key: "ram_percent",
        variable: Some("ALERT_RAM_THRESHOLD"),
        set: |value, draft| put(&mut draft.ram_threshold_percent, percent(value)),
    },
    Setting {
        table: "thresholds",
        key: "cpu_percent",
        variable: Some("ALERT_CPU_THRESHOLD"),
        set: |value, draft| put(&mut draft.cpu_threshold_percent, percent(value)),
    },
    Setting {
        table: "admission",
        key: "cpu",
        variable: None,
        set: |value, draft| put(&mut draft.cpu_admission, cpu_admission(value)),
    },
    economy!(policy, policy),
    economy!(hysteresis, percent),
    economy!(pressure_percent, percent),
    economy!(pressure_hysteresis, percent),
    economy!(hold, watch),
    economy!(recovery, recovery),
    economy!(grace, watch),
    economy!(sheds_per_hour, sheds),
    Setting {
        table: "alerts",
        key: "on_alert",
        variable: None,
        set: |value, draft| put(&mut draft.notifications.on_alert, command(value)),
    },
    Setting {
        table: "alerts",
        key: "on_alert_timeout",
        variable: None,
        set: |value, draft| {
            put(
                &mut draft.notifications.on_alert_timeout,
                duration(value, SECOND..=HOUR, defaults::ON_ALERT_TIMEOUT),
            )
        },
    },
    Setting {
        table: "alerts",
        key: "webhook",
        variable: None,
        set: |value, draft| put(&mut draft.notifications.webhook, webhook(value)),
    },
    Setting {
        table: "alerts",
        key: "webhook_file",
        variable: None,
        set: |value, draft| put(&mut draft.notifications.webhook_file, path(value)),
    },
    alert!(cpu_high, "percent", percent, percent),
    alert!(cpu_high, "clear_percent", clear_percent, percent),
    alert!(cpu_high, "critical_percent", critical_percent, percent),
    alert!(cpu_high, "for", hold, watch),
    alert!(cpu_high, "clear_for", clear_hold, watch),
    alert!(cpu_high, "severity", severity, severity),
    alert!(ram_high, "percent", percent, percent),
    alert!(ram_high, "clear_percent", clear_percent, percent),
    alert!(ram_high, "critical_percent", critical_percent, percent),
    alert!(ram_high, "for", hold, watch),
    alert!(ram_high, "clear_for", clear_hold, watch),
    alert!(ram_high, "severity", severity, severity),
    alert!(disk_high, "percent", percent, percent),
    alert!(disk_high, "clear_percent", clear_percent, percent),
    alert!(disk_high, "critical_percent", critical_percent, percent),
    alert!(disk_high, "for", hold, watch),
    alert!(disk_high, "clear_for", clear_hold, watch),
    alert!(disk_high, "severity", severity, severity),
    alert!(pressure_high, "percent", percent, percent),
    alert!(pressure_high, "clear_percent", clear_percent, percent),
    alert!(pressure_high, "critical_percent", critical_percent, percent),
    alert!(pressure_high, "for", hold, watch),
    alert!(pressure_high, "clear_for", clear_hold, watch),
    alert!(pressure_high, "severity", severity, severity),
    alert!(pod_down, "for", hold, watch),
    alert!(pod_down, "clear_for", clear_hold, watch),
    alert!(pod_down, "severity", severity, severity),
    alert!(workflow_failed, "severity", severity, severity),
    alert!(store_down, "for", hold, watch),
    alert!(store_down, "clear_for", clear_hold, watch),
    alert!(store_down, "severity", severity, severity),
    Setting {
        table: "mariadb",
        key: "host",
        variable: Some("DB_HOST"),
        set: |value, draft| {
            put(&mut draft.mariadb.host, host(value))?;
            // A host in the environment leads elsewhere than a socket in the file.
            if matches!(value, Value::Variable(_)) {
                draft.mariadb.socket = None;
            }
            Ok(())
        },
    },
    Setting {
        table: "mariadb",
        key: "port",
        variable: Some("DB_PORT"),
        set: |value, draft| put(&mut draft.mariadb.port, port(value)),
    },
    Setting {
        table: "mariadb",
        key: "socket",
        variable: None,
        set: |value, draft| put(&mut draft.mariadb.socket, socket_path(value)),
    },
    Setting {
        table: "mariadb",
        key: "user",
        variable: Some("MYSQL_API_USER"),
        set: |value, draft| put(&mut draft.mariadb.user, name(value, LONGEST_USER)),
    },
    Setting {
        table: "mariadb",
        key: "password_file",
        variable: None,
        set: |value, draft| put(&mut draft.mariadb.password_file, path(value)),
    },
    Setting {
        table: "mariadb",
        key: "database",
        variable: None,
        set: |value, draft| put(&mut draft.mariadb.database, name(value, LONGEST_DATABASE)),
    },
];

fn put<T>(place: &mut Option<T>, parsed: Parsed<T>) -> Parsed<()> {
    parsed.map(|value| *place = Some(value))
}

/// The names of all tables, each once.
pub fn tables() -> impl Iterator<Item = &'static str> {
    SETTINGS
        .chunk_by(|a, b| a.table == b.table)
        .filter_map(|group| group.first())
        .map(|setting| setting.table)
}

/// Puts what the environment says into `draft`, over what the file said.
pub fn apply_environment(environment: &Environment, draft: &mut Draft) -> Result<(), ConfigError> {
    for setting in SETTINGS {
        let Some(variable) = setting.variable else {
            continue;
        };
        let Some(text) = environment.get(variable)? else {
            continue;
        };
        let value = Value::Variable(text);
        (setting.set)(&value, draft).map_err(|allowed| ConfigError::Invalid {
            key: setting.path(),
            value: setting.shown(&value),
            origin: Origin::Variable(variable),
            allowed,
        })?;
    }
    Ok(())
}
