//! `dagdactl audit --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::time;

/// `{"audit":[…]}`, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditView {
    /// What was asked.
    pub audit: Vec<AuditEntryView>,
}

/// One thing that somebody asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntryView {
    /// UUIDv7: sorts by time.
    pub id: String,
    /// When it was asked.
    pub at: Option<Timestamp>,
    /// Who asked; `null` where the user has no name.
    pub user: Option<String>,
    /// Their user id.
    pub uid: u32,
    /// The process that asked, where that is known.
    pub pid: Option<i32>,
    /// What was asked: `pods start`.
    pub verb: String,
    /// Of what, as it was written; several with a comma between them.
    pub object: Option<String>,
    /// What became of it: `asked`, `accepted`, `done`, `refused`, `failed`, `denied`.
    pub outcome: String,
    /// More about that; empty where there is no more to say.
    pub message: String,
}

impl From<v1::ListAuditResponse> for AuditView {
    fn from(wire: v1::ListAuditResponse) -> Self {
        let v1::ListAuditResponse { entries } = wire;
        Self {
            audit: entries.into_iter().map(AuditEntryView::from).collect(),
        }
    }
}

impl From<v1::AuditEntry> for AuditEntryView {
    fn from(wire: v1::AuditEntry) -> Self {
        let v1::AuditEntry {
            id,
            at,
            user,
            uid,
            pid,
            verb,
            object,
            outcome,
            message,
        } = wire;
        Self {
            id,
            at: at.and_then(time),
            user,
            uid,
            pid,
            verb,
            object,
            outcome,
            message,
        }
    }
}
