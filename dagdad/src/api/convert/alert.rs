//! What is amiss.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::alert::{Alert, AlertState, Culprit, Severity};

pub fn alert(alert: &Alert) -> v1::Alert {
    let Alert {
        id,
        condition,
        object,
        severity,
        message,
        created_at,
        updated_at,
        acknowledged_at,
        resolved_at,
        peak,
        culprits,
        flapping,
    } = alert;
    let state = match alert.state() {
        AlertState::Firing => v1::AlertState::Firing,
        AlertState::Acknowledged => v1::AlertState::Acknowledged,
        AlertState::Resolved => v1::AlertState::Resolved,
    };
    let severity = match severity {
        Severity::Info => v1::AlertSeverity::Info,
        Severity::Warning => v1::AlertSeverity::Warning,
        Severity::Critical => v1::AlertSeverity::Critical,
    };
    v1::Alert {
        id: id.to_string(),
        condition: condition.as_str().to_owned(),
        object: object.clone(),
        severity: severity.into(),
        message: message.clone(),
        created_at: Some(timestamp(*created_at)),
        updated_at: Some(timestamp(*updated_at)),
        resolved_at: resolved_at.map(timestamp),
        state: state.into(),
        acknowledged_at: acknowledged_at.map(timestamp),
        peak_percent: *peak,
        culprits: culprits.iter().map(culprit).collect(),
        flapping: *flapping,
        silenced: false,
    }
}

fn culprit(culprit: &Culprit) -> v1::Culprit {
    let Culprit {
        pod,
        cpu_percent,
        memory,
    } = culprit;
    v1::Culprit {
        pod: pod.clone(),
        cpu_percent: *cpu_percent,
        ram_bytes: memory.0,
    }
}

/// What a caller asks for; `None` where it is not said, or said by a later dagdactl.
pub fn from_severity(severity: v1::AlertSeverity) -> Option<Severity> {
    match severity {
        v1::AlertSeverity::Unspecified => None,
        v1::AlertSeverity::Info => Some(Severity::Info),
        v1::AlertSeverity::Warning => Some(Severity::Warning),
        v1::AlertSeverity::Critical => Some(Severity::Critical),
    }
}
