//! Who asked for what.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::audit::AuditEntry;

pub fn audit_entry(entry: &AuditEntry) -> v1::AuditEntry {
    let AuditEntry {
        id,
        at,
        uid,
        user,
        pid,
        verb,
        object,
        // The operation's own rows and events tell of it.
        operation: _,
        outcome,
        message,
    } = entry;
    v1::AuditEntry {
        id: id.to_string(),
        at: Some(timestamp(*at)),
        user: user.clone(),
        uid: *uid,
        pid: *pid,
        verb: verb.clone(),
        object: object.clone(),
        outcome: outcome.as_str().to_owned(),
        message: message.clone(),
    }
}
