//! `audit`: who asked for what, and what became of it.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::value::{BadValue, bad, timestamp, uuid};
use crate::domain::audit::{AuditEntry, AuditOutcome, AuditQuery};
use crate::domain::operation::OperationId;

macro_rules! bind_audit {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, timestamp, uid, user, pid, verb, object,
            operation, outcome, message)
    };
}

pub(in crate::store) use bind_audit;

/// A row of `audit`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditRow {
    pub uuid: String,
    pub timestamp: i64,
    pub uid: i64,
    pub user: Option<String>,
    pub pid: Option<i64>,
    pub verb: String,
    pub object: Option<String>,
    pub operation: Option<String>,
    pub outcome: String,
    pub message: String,
}

impl From<&AuditEntry> for AuditRow {
    fn from(entry: &AuditEntry) -> Self {
        let AuditEntry {
            id,
            at,
            uid,
            user,
            pid,
            verb,
            object,
            operation,
            outcome,
            message,
        } = entry;
        Self {
            uuid: id.to_string(),
            timestamp: at.as_microsecond(),
            uid: i64::from(*uid),
            user: user.clone(),
            pid: pid.map(i64::from),
            verb: verb.clone(),
            object: object.clone(),
            operation: operation.map(|operation| operation.to_string()),
            outcome: outcome.as_str().to_owned(),
            message: message.clone(),
        }
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = BadValue;

    fn try_from(row: AuditRow) -> Result<Self, BadValue> {
        let pid = |pid: i64| i32::try_from(pid).map_err(|_| bad("audit.pid", &pid));
        let operation = |text: String| uuid("audit.operation", &text).map(OperationId);
        Ok(Self {
            id: uuid("audit.uuid", &row.uuid)?,
            at: timestamp("audit.timestamp", row.timestamp)?,
            uid: u32::try_from(row.uid).map_err(|_| bad("audit.uid", &row.uid))?,
            user: row.user,
            pid: row.pid.map(pid).transpose()?,
            verb: row.verb,
            object: row.object,
            operation: row.operation.map(operation).transpose()?,
            outcome: AuditOutcome::ALL
                .into_iter()
                .find(|outcome| outcome.as_str() == row.outcome)
                .ok_or_else(|| bad("audit.outcome", &row.outcome))?,
            message: row.message,
        })
    }
}

impl AuditRow {
    /// Inserts or replaces the row, by its uuid. What has come to its end stays so, however late
    /// a write of what was before comes.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO audit (uuid, timestamp, uid, user, pid, verb, object, operation, outcome,
                message)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET timestamp = excluded.timestamp, uid = excluded.uid,
                user = excluded.user, pid = excluded.pid, verb = excluded.verb,
                object = excluded.object, operation = excluded.operation,
                outcome = excluded.outcome, message = excluded.message
             WHERE audit.outcome = 'asked'
                OR (audit.outcome = 'accepted' AND excluded.outcome <> 'asked')
                OR excluded.outcome NOT IN ('asked', 'accepted')",
        );
        bind_audit!(query, self).execute(conn).await.map(drop)
    }

    /// Ends the rows of an operation that came to its end, where nobody did who knows more: the
    /// dagdad that took it was another. `outcome` is the intent's. Returns their uuids.
    pub async fn close(
        conn: &mut SqliteConnection,
        operation: OperationId,
        outcome: &str,
    ) -> Result<Vec<String>, sqlx::Error> {
        let (ended, message) = if outcome == "done" {
            (AuditOutcome::Done, "")
        } else {
            (AuditOutcome::Failed, outcome)
        };
        sqlx::query_scalar(
            "UPDATE audit SET outcome = ?, message = ?
             WHERE operation = ? AND outcome IN ('asked', 'accepted') RETURNING uuid",
        )
        .bind(ended.as_str())
        .bind(message)
        .bind(operation.to_string())
        .fetch_all(conn)
        .await
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM audit WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }

    /// The newest rows that `query` asks for, newest first. One call may be about several
    /// objects, with a comma between them.
    pub async fn newest(
        conn: &mut SqliteConnection,
        query: &AuditQuery,
    ) -> Result<Vec<Self>, sqlx::Error> {
        let AuditQuery {
            since,
            user,
            object,
            denied,
            limit,
        } = query;
        let found: Vec<Self> = sqlx::query_as(
            "SELECT * FROM audit
             WHERE timestamp > ?1 AND (?2 IS NULL OR user = ?2 OR CAST(uid AS TEXT) = ?2)
                 AND (?3 IS NULL OR instr(', ' || object || ', ', ', ' || ?3 || ', ') > 0)
                 AND (NOT ?4 OR outcome = 'denied')
             ORDER BY timestamp DESC, uuid DESC LIMIT ?5",
        )
        .bind(since.map_or(i64::MIN, Timestamp::as_microsecond))
        .bind(user)
        .bind(object)
        .bind(denied)
        .bind(limit)
        .fetch_all(conn)
        .await?;
        Ok(found)
    }
}
