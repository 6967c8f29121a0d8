//! `events`: what happened, and why.

use sqlx::SqliteConnection;

use super::value::{BadValue, bad, timestamp, uuid};
use crate::domain::event::{EventKind, EventRecord};

macro_rules! bind_event {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, timestamp, kind, object, message)
    };
}

pub(in crate::store) use bind_event;

/// A row of `events`.
#[derive(Debug, sqlx::FromRow)]
pub struct EventRow {
    pub uuid: String,
    pub timestamp: i64,
    pub kind: String,
    pub object: Option<String>,
    pub message: String,
}

impl From<&EventRecord> for EventRow {
    fn from(event: &EventRecord) -> Self {
        Self {
            uuid: event.id.to_string(),
            timestamp: event.at.as_microsecond(),
            kind: event.kind.as_str().to_owned(),
            object: event.object.clone(),
            message: event.message.clone(),
        }
    }
}

impl TryFrom<EventRow> for EventRecord {
    type Error = BadValue;

    fn try_from(row: EventRow) -> Result<Self, BadValue> {
        Ok(Self {
            id: uuid("events.uuid", &row.uuid)?,
            at: timestamp("events.timestamp", row.timestamp)?,
            kind: EventKind::parse(&row.kind).ok_or_else(|| bad("events.kind", &row.kind))?,
            object: row.object,
            run: None,
            message: row.message,
        })
    }
}

impl EventRow {
    /// Inserts the row; one that is there already stays as it is.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO events (uuid, timestamp, kind, object, message) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO NOTHING",
        );
        bind_event!(query, self).execute(conn).await.map(drop)
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM events WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }
}
