//! `events`: what happened, and why.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::value::{BadValue, bad, timestamp, uuid};
use crate::domain::event::{EventKind, EventQuery, EventRecord};
use crate::domain::run::RunId;

macro_rules! bind_event {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, timestamp, kind, object, run, message)
    };
}

pub(in crate::store) use bind_event;

/// A row of `events`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventRow {
    pub uuid: String,
    pub timestamp: i64,
    pub kind: String,
    pub object: Option<String>,
    pub run: Option<String>,
    pub message: String,
}

impl From<&EventRecord> for EventRow {
    fn from(event: &EventRecord) -> Self {
        let EventRecord {
            id,
            at,
            kind,
            object,
            run,
            message,
        } = event;
        Self {
            uuid: id.to_string(),
            timestamp: at.as_microsecond(),
            kind: kind.as_str().to_owned(),
            object: object.clone(),
            run: run.map(|run| run.to_string()),
            message: message.clone(),
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
            run: row
                .run
                .map(|run| uuid("events.run", &run).map(RunId))
                .transpose()?,
            message: row.message,
        })
    }
}

impl EventRow {
    /// Inserts the row; one that is there already stays as it is.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO events (uuid, timestamp, kind, object, run, message)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (uuid) DO NOTHING",
        );
        bind_event!(query, self).execute(conn).await.map(drop)
    }

    /// Whether it can be read: also where only a later version knows of its kind.
    pub fn check(&self) -> Result<(), BadValue> {
        match EventKind::parse(&self.kind) {
            Some(_) => EventRecord::try_from(self.clone()).map(drop),
            None => Ok(()),
        }
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

    /// The newest rows that `query` asks for, newest first.
    pub async fn newest(
        conn: &mut SqliteConnection,
        query: &EventQuery,
    ) -> Result<Vec<Self>, sqlx::Error> {
        let EventQuery {
            since,
            object,
            run,
            limit,
        } = query;
        let since = since.map_or(i64::MIN, Timestamp::as_microsecond);
        match (run, object) {
            // An index each; those of one run are few enough to look at each for its object.
            (Some(run), object) => sqlx::query_as(
                "SELECT * FROM events WHERE run = ?1 AND (?2 IS NULL OR object = ?2)
                     AND timestamp > ?3
                 ORDER BY timestamp DESC, uuid DESC LIMIT ?4",
            )
            .bind(run.to_string())
            .bind(object),
            (None, Some(object)) => sqlx::query_as(
                "SELECT * FROM events WHERE object = ? AND timestamp > ?
                 ORDER BY timestamp DESC, uuid DESC LIMIT ?",
            )
            .bind(object),
            (None, None) => sqlx::query_as(
                "SELECT * FROM events WHERE timestamp > ?
                 ORDER BY timestamp DESC, uuid DESC LIMIT ?",
            ),
        }
        .bind(since)
        .bind(limit)
        .fetch_all(conn)
        .await
    }
}
