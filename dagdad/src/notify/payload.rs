//! What is told: one JSON document, whose fields are those of a row of
//! `dagdactl alerts list --json`, and `occasion`.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::alert::{Alert, AlertState, Culprit};
use crate::domain::notification::Notification;

#[derive(Serialize)]
struct Document<'a> {
    occasion: &'static str,
    id: String,
    condition: &'static str,
    object: &'a str,
    severity: &'static str,
    state: &'static str,
    message: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    acknowledged_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    peak_percent: Option<f64>,
    culprits: Vec<UsedBy<'a>>,
    flapping: bool,
    /// Of what is silenced nobody is told.
    silenced: bool,
}

#[derive(Serialize)]
struct UsedBy<'a> {
    pod: &'a str,
    cpu_percent: f64,
    ram_bytes: u64,
}

/// The document, on one line that ends.
pub fn document(notification: &Notification) -> Vec<u8> {
    let Notification { occasion, alert } = notification;
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
    let document = Document {
        occasion: occasion.as_str(),
        id: id.to_string(),
        condition: condition.as_str(),
        object,
        severity: severity.as_str(),
        state: match alert.state() {
            AlertState::Firing => "firing",
            AlertState::Acknowledged => "acknowledged",
            AlertState::Resolved => "resolved",
        },
        message,
        created_at: *created_at,
        updated_at: *updated_at,
        acknowledged_at: *acknowledged_at,
        resolved_at: *resolved_at,
        peak_percent: peak.map(rounded),
        culprits: culprits.iter().map(used_by).collect(),
        flapping: *flapping,
        silenced: false,
    };
    // Text and numbers only: there is nothing in it that could fail.
    let mut line = serde_json::to_vec(&document).unwrap_or_default();
    line.push(b'\n');
    line
}

fn used_by(culprit: &Culprit) -> UsedBy<'_> {
    let Culprit {
        pod,
        cpu_percent,
        memory,
    } = culprit;
    UsedBy {
        pod,
        cpu_percent: rounded(*cpu_percent),
        ram_bytes: memory.0,
    }
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
