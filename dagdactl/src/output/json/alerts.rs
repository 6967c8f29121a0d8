//! `dagdactl alerts list --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::{time, word};

word! {
    /// How bad it is.
    SeverityView from AlertSeverity {
        Info = "info",
        Warning = "warning",
        Critical = "critical",
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
    /// What is amiss: `pod_down`, `workflow_failed`, …
    pub condition: String,
    /// The pod or other object that it is about.
    pub object: String,
    /// `info`, `warning` or `critical`.
    pub severity: SeverityView,
    /// One line, with the numbers it was decided on.
    pub message: String,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// When it ended; `null` while it goes on.
    pub resolved_at: Option<Timestamp>,
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
        } = wire;
        Self {
            id,
            condition,
            object,
            severity: SeverityView::from_wire(severity),
            message,
            created_at: created_at.and_then(time),
            updated_at: updated_at.and_then(time),
            resolved_at: resolved_at.and_then(time),
        }
    }
}
