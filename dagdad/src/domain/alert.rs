//! An alert: one episode of one condition, from its beginning to its end.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::quantity::Bytes;

/// The object of conditions of the whole machine.
pub const HOST: &str = "host";
/// The object of [`Condition::StoreDown`].
pub const MARIADB: &str = "mariadb";

/// What is amiss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The cores are busy.
    CpuHigh,
    /// Memory is short.
    RamHigh,
    /// A disk is full; one alert for each mount point.
    DiskHigh,
    /// Tasks wait for memory.
    PressureHigh,
    /// A pod that should run does not.
    PodDown,
    /// A run of a workflow failed.
    WorkflowFailed,
    /// MariaDB takes no records.
    StoreDown,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 7] = [
        Self::CpuHigh,
        Self::RamHigh,
        Self::DiskHigh,
        Self::PressureHigh,
        Self::PodDown,
        Self::WorkflowFailed,
        Self::StoreDown,
    ];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CpuHigh => "cpu_high",
            Self::RamHigh => "ram_high",
            Self::DiskHigh => "disk_high",
            Self::PressureHigh => "pressure_high",
            Self::PodDown => "pod_down",
            Self::WorkflowFailed => "workflow_failed",
            Self::StoreDown => "store_down",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it some time.
    Warning,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One episode of one condition: one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// UUIDv7.
    pub id: Uuid,
    /// What is amiss.
    pub condition: Condition,
    /// With what: a pod, a workflow, a mount point, [`HOST`] or [`MARIADB`].
    pub object: String,
    /// How bad it is.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// When it was raised: once it had held for as long as its rule says.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// When somebody took note of it.
    pub acknowledged_at: Option<Timestamp>,
    /// When it ended; `None` while it goes on.
    pub resolved_at: Option<Timestamp>,
    /// The highest value that was measured, in percent, where the condition has one.
    pub peak: Option<f64>,
    /// The pods that used most at the peak, the greatest first.
    pub culprits: Vec<Culprit>,
    /// Whether it comes and goes all the time.
    pub flapping: bool,
}

impl Alert {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> AlertState {
        match (self.resolved_at, self.acknowledged_at) {
            (Some(_), _) => AlertState::Resolved,
            (None, Some(_)) => AlertState::Acknowledged,
            (None, None) => AlertState::Firing,
        }
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertState {
    /// Nobody has taken note of it.
    Firing,
    /// Somebody has.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// What a pod used at an alert's peak.
#[derive(Debug, Clone, PartialEq)]
pub struct Culprit {
    /// The runtime's name for it, also where it is not in the catalogue.
    pub pod: String,
    /// In percent of one core.
    pub cpu_percent: f64,
    /// What it cannot do without.
    pub memory: Bytes,
}

/// When a condition is an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long it has to hold before it is raised.
    pub hold: Duration,
    /// How long it has to be over before it is resolved.
    pub clear_hold: Duration,
    /// How bad it is.
    pub severity: Severity,
}

/// When a measured condition is an alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// From this value on it holds, in percent.
    pub percent: f64,
    /// Below this value it is over; lower than `percent`.
    pub clear_percent: f64,
    /// From this value on it is critical.
    pub critical_percent: Option<f64>,
    /// For how long, and how bad.
    pub pace: Pace,
}

/// When what is an alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Use of all cores together.
    pub cpu_high: Limit,
    /// Use of memory.
    pub ram_high: Limit,
    /// Use of each disk.
    pub disk_high: Limit,
    /// Memory pressure, `some avg10`.
    pub pressure_high: Limit,
    /// A pod that should run and does not; an essential one is always critical.
    pub pod_down: Pace,
    /// A failed run: told of at once, since it is no condition that lasts.
    pub workflow_failed: Severity,
    /// MariaDB away.
    pub store_down: Pace,
}

impl Rules {
    /// What holds where nothing else is said, for these thresholds of CPU and memory in percent.
    #[must_use]
    pub fn of(cpu_percent: f64, ram_percent: f64) -> Self {
        let warning = |hold: u64, clear_hold: u64| Pace {
            hold: Duration::from_secs(hold),
            clear_hold: Duration::from_secs(clear_hold),
            severity: Severity::Warning,
        };
        Self {
            cpu_high: Limit::of(cpu_percent, None, warning(300, 300)),
            ram_high: Limit::of(ram_percent, Some(95.0), warning(60, 300)),
            disk_high: Limit::of(90.0, Some(97.0), warning(60, 300)),
            pressure_high: Limit::of(20.0, Some(60.0), warning(30, 300)),
            // Told at once, and once: a pod that comes and goes is one episode.
            pod_down: warning(0, 30),
            workflow_failed: Severity::Warning,
            store_down: warning(60, 60),
        }
    }
}

impl Limit {
    /// A limit that clears a little below its threshold, and is critical from another on where
    /// that is above it.
    #[must_use]
    pub fn of(percent: f64, critical: Option<f64>, pace: Pace) -> Self {
        Self {
            percent,
            clear_percent: (percent - 5.0).max(percent / 2.0),
            critical_percent: critical.filter(|critical| *critical > percent),
            pace,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(70.0, 80.0)
    }
}

/// Which alerts are wanted, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertQuery {
    /// Also those that have ended.
    pub resolved: bool,
    /// Only those that were raised or changed later.
    pub since: Option<Timestamp>,
    /// At least as bad.
    pub severity: Option<Severity>,
    /// At most so many.
    pub limit: u32,
}

impl AlertQuery {
    /// Whether `alert` is one of those asked for, the limit aside. Times count in microseconds,
    /// as they are stored.
    #[must_use]
    pub fn wants(&self, alert: &Alert) -> bool {
        let Self {
            resolved,
            since,
            severity,
            limit: _,
        } = self;
        (*resolved || alert.resolved_at.is_none())
            && since.is_none_or(|since| alert.updated_at.as_microsecond() > since.as_microsecond())
            && severity.is_none_or(|severity| alert.severity >= severity)
    }
}
