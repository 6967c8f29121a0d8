//! What is amiss.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::alert::{Alert, Severity};

pub fn alert(alert: &Alert) -> v1::Alert {
    let Alert {
        id,
        condition,
        object,
        severity,
        message,
        created_at,
        updated_at,
        resolved_at,
    } = alert;
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
    }
}
