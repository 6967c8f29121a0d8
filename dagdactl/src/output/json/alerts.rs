//! `dagdactl alerts list --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::{rounded, time, word};

word! {
    /// How bad it is.
    SeverityView from AlertSeverity {
        Info = "info",
        Warning = "warning",
        Critical = "critical",
    }
}

word! {
    /// Where an alert stands.
    AlertStateView from AlertState {
        Firing = "firing",
        Acknowledged = "acknowledged",
        Resolved = "resolved",
    }
}

/// `{"alerts":[…]}`, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertListView {
    /// The alerts.
    pub alerts: Vec<AlertView>,
}

/// One episode of one condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertView {
    /// UUIDv7: sorts by time.
    pub id: String,
    /// What is amiss: `cpu_high`, `ram_high`, `disk_high`, `pressure_high`, `pod_down`,
    /// `workflow_failed` or `store_down`.
    pub condition: String,
    /// The pod, workflow or mount point that it is about; `host`, or `mariadb`.
    pub object: String,
    /// `info`, `warning` or `critical`.
    pub severity: SeverityView,
    /// `firing`, `acknowledged` or `resolved`.
    pub state: AlertStateView,
    /// One line, with the numbers it was decided on.
    pub message: String,
    /// When it was raised.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// When somebody took note of it.
    pub acknowledged_at: Option<Timestamp>,
    /// When it ended; `null` while it goes on.
    pub resolved_at: Option<Timestamp>,
    /// The highest value that was measured, where the condition has one.
    pub peak_percent: Option<f64>,
    /// The pods that used most at the peak, the greatest first.
    pub culprits: Vec<CulpritView>,
    /// Whether it comes and goes all the time.
    pub flapping: bool,
    /// Whether a silence covers it: nobody is notified of it.
    pub silenced: bool,
}

/// What a pod used at an alert's peak.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CulpritView {
    /// The pod.
    pub pod: String,
    /// Of one core.
    pub cpu_percent: f64,
    /// What it cannot do without.
    pub ram_bytes: u64,
}

/// What `ack` or `resolve` did: `{"changed":true,"alerts":[…]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertsChangedView {
    /// Whether any of them was changed.
    pub changed: bool,
    /// Those that were asked for, as they are now.
    pub alerts: Vec<AlertView>,
}

impl From<v1::AlertsChanged> for AlertsChangedView {
    fn from(wire: v1::AlertsChanged) -> Self {
        let v1::AlertsChanged { alerts, changed } = wire;
        Self {
            changed,
            alerts: alerts.into_iter().map(AlertView::from).collect(),
        }
    }
}

impl From<v1::Culprit> for CulpritView {
    fn from(wire: v1::Culprit) -> Self {
        let v1::Culprit {
            pod,
            cpu_percent,
            ram_bytes,
        } = wire;
        Self {
            pod,
            cpu_percent: rounded(cpu_percent),
            ram_bytes,
        }
    }
}

impl From<v1::ListAlertsResponse> for AlertListView {
    fn from(wire: v1::ListAlertsResponse) -> Self {
        let v1::ListAlertsResponse { alerts } = wire;
        Self {
            alerts: alerts.into_iter().map(AlertView::from).collect(),
        }
    }
}

impl From<v1::Alert> for AlertView {
    fn from(wire: v1::Alert) -> Self {
        let v1::Alert {
            id,
            condition,
            object,
            severity,
            message,
            created_at,
            updated_at,
            resolved_at,
            state,
            acknowledged_at,
            peak_percent,
            culprits,
            flapping,
            silenced,
        } = wire;
        Self {
            id,
            condition,
            object,
            severity: SeverityView::from_wire(severity),
            state: AlertStateView::from_wire(state),
            message,
            created_at: created_at.and_then(time),
            updated_at: updated_at.and_then(time),
            acknowledged_at: acknowledged_at.and_then(time),
            resolved_at: resolved_at.and_then(time),
            peak_percent: peak_percent.map(rounded),
            culprits: culprits.into_iter().map(CulpritView::from).collect(),
            flapping,
            silenced,
        }
    }
}
