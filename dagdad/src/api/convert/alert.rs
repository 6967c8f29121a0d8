//! What is amiss.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::alert::{Alert, AlertState, Condition, Culprit, Severity};
use crate::domain::silence::{Silence, Silenced};

/// `silenced`: whether a silence covers it.
pub fn alert(alert: &Alert, silenced: bool) -> v1::Alert {
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
        silenced,
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

pub fn silence(silence: &Silence) -> v1::SilenceView {
    let Silence {
        id,
        of,
        created_at,
        until,
    } = silence;
    let (condition, object) = match of {
        Silenced::Condition(condition) => (Some(condition.as_str().to_owned()), None),
        Silenced::Object(object) => (None, Some(object.clone())),
    };
    v1::SilenceView {
        id: id.to_string(),
        condition,
        object,
        created_at: Some(timestamp(*created_at)),
        until: Some(timestamp(*until)),
    }
}

/// A condition where `what` is one's name, else what alerts are about.
pub fn silenced(what: String) -> Silenced {
    let mut conditions = Condition::ALL.into_iter();
    match conditions.find(|condition| condition.as_str() == what) {
        Some(condition) => Silenced::Condition(condition),
        None => Silenced::Object(what),
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
