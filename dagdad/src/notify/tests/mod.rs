//! With programs that run and servers that answer.

mod hooks;
mod queueing;
mod server;
mod webhooks;

use uuid::Uuid;

use crate::domain::alert::{Alert, Condition, Culprit, Severity};
use crate::domain::notification::{Notification, Occasion};
use crate::domain::quantity::Bytes;
use crate::engine::example;

fn alert(number: u128) -> Alert {
    Alert {
        id: Uuid::from_u128(number),
        condition: Condition::RamHigh,
        object: "host".to_owned(),
        severity: Severity::Critical,
        message: "RAM at 96.5 %, the threshold is 80 %; most by \"llama\"".to_owned(),
        created_at: example::at(0),
        updated_at: example::at(5),
        acknowledged_at: None,
        resolved_at: None,
        peak: Some(96.456_789),
        culprits: vec![Culprit {
            pod: "llama".to_owned(),
            cpu_percent: 12.345_6,
            memory: Bytes::gib(6),
        }],
        flapping: false,
    }
}

fn told(number: u128, occasion: Occasion) -> Notification {
    let alert = alert(number);
    Notification { occasion, alert }
}

#[test]
fn the_document_is_a_row_of_the_list_and_the_occasion() {
    let document = super::payload::document(&told(7, Occasion::Worsened));
    let text = String::from_utf8(document).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let at = |second| example::at(second).to_string();
    let expected = serde_json::json!({
        "occasion": "worsened",
        "id": "00000000-0000-0000-0000-000000000007",
        "condition": "ram_high",
        "object": "host",
        "severity": "critical",
        "state": "firing",
        "message": "RAM at 96.5 %, the threshold is 80 %; most by \"llama\"",
        "created_at": at(0),
        "updated_at": at(5),
        "acknowledged_at": null,
        "resolved_at": null,
        "peak_percent": 96.46,
        "culprits": [{"pod": "llama", "cpu_percent": 12.35, "ram_bytes": 6_442_450_944_u64}],
        "flapping": false,
        "silenced": false,
    });
    assert_eq!(document, expected);
}
