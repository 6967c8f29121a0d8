//! `intents`: what was about to be done, and is to be finished or undone after a crash.

use sqlx::SqliteConnection;

use super::value::{BadValue, admission, bad, name, timestamp, uuid};
use crate::domain::operation::{Intent, OperationId, OperationKind};
use crate::domain::run::RunId;

/// A row of `intents`, as far as an open one is concerned.
#[derive(Debug, sqlx::FromRow)]
pub struct IntentRow {
    pub uuid: String,
    pub pod: String,
    pub kind: String,
    pub admission: String,
    pub run: Option<String>,
    pub accepted_at: i64,
}

impl From<&Intent> for IntentRow {
    fn from(intent: &Intent) -> Self {
        let Intent {
            id,
            pod,
            kind,
            accepted_at,
            admission,
            run,
        } = intent;
        Self {
            uuid: id.to_string(),
            pod: pod.to_string(),
            kind: kind.to_string(),
            admission: admission.as_str().to_owned(),
            run: run.map(|run| run.to_string()),
            accepted_at: accepted_at.as_microsecond(),
        }
    }
}

impl TryFrom<IntentRow> for Intent {
    type Error = BadValue;

    fn try_from(row: IntentRow) -> Result<Self, BadValue> {
        Ok(Self {
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
            admission: admission("intents.admission", &row.admission)?,
            run: row
                .run
                .map(|run| uuid("intents.run", &run).map(RunId))
                .transpose()?,
        })
    }
}

impl IntentRow {
    /// Inserts the row; one that is there already stays as it is.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO intents (uuid, pod, kind, admission, run, accepted_at)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (uuid) DO NOTHING",
        );
        super::bind!(query, self; uuid, pod, kind, admission, run, accepted_at)
            .execute(conn)
            .await
            .map(drop)
    }

    /// Every open intent, oldest first.
    pub async fn open(conn: &mut SqliteConnection) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as(
            "SELECT uuid, pod, kind, admission, run, accepted_at FROM intents
             WHERE closed_at IS NULL ORDER BY accepted_at, uuid",
        )
        .fetch_all(conn)
        .await
    }
}
