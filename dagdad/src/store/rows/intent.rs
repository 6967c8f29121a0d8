//! `intents`: what was about to be done, and is to be finished or undone after a crash.

use super::value::{BadValue, bad, name, timestamp, uuid};
use crate::domain::operation::{Intent, OperationId, OperationKind};

/// A row of `intents`, as far as an open one is concerned.
#[derive(Debug, sqlx::FromRow)]
pub struct IntentRow {
    pub uuid: String,
    pub pod: String,
    pub kind: String,
    pub accepted_at: i64,
}

impl TryFrom<IntentRow> for Intent {
    type Error = BadValue;

    fn try_from(row: IntentRow) -> Result<Self, BadValue> {
        Ok(Self {
            admission: crate::domain::admission::Admission::Fit,
            run: None,
            id: OperationId(uuid("intents.uuid", &row.uuid)?),
            pod: name("intents.pod", &row.pod)?,
            kind: match row.kind.as_str() {
                "start" => OperationKind::Start,
                "stop" => OperationKind::Stop,
                "restart" => OperationKind::Restart,
                "remove" => OperationKind::Remove,
                other => return Err(bad("intents.kind", other)),
            },
            accepted_at: timestamp("intents.accepted_at", row.accepted_at)?,
        })
    }
}
