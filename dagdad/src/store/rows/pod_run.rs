//! `pod_runs`: what one life of a pod used at most.

use sqlx::SqliteConnection;

use super::value::{
    BadValue, bytes, cores, millicpu, name, seconds, span, timestamp, unsigned, uuid,
};
use crate::domain::footprint::PodRun;
use crate::domain::quantity::Bytes;

macro_rules! bind_pod_run {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, pod, started_at, ready_after_seconds,
            ended_at, completed, memory_peak_bytes, cpu_peak)
    };
}

pub(in crate::store) use bind_pod_run;

/// A row of `pod_runs`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PodRunRow {
    pub uuid: String,
    pub pod: String,
    pub started_at: i64,
    pub ready_after_seconds: Option<f64>,
    pub ended_at: Option<i64>,
    pub completed: bool,
    pub memory_peak_bytes: i64,
    pub cpu_peak: f64,
}

impl From<&PodRun> for PodRunRow {
    fn from(run: &PodRun) -> Self {
        let PodRun {
            id,
            pod,
            started_at,
            ready_after,
            ended_at,
            completed,
            memory_peak,
            cpu_peak,
        } = run;
        Self {
            uuid: id.to_string(),
            pod: pod.to_string(),
            started_at: started_at.as_microsecond(),
            ready_after_seconds: ready_after.map(seconds),
            ended_at: ended_at.map(jiff::Timestamp::as_microsecond),
            completed: *completed,
            memory_peak_bytes: bytes(*memory_peak),
            cpu_peak: cores(*cpu_peak),
        }
    }
}

impl TryFrom<PodRunRow> for PodRun {
    type Error = BadValue;

    fn try_from(row: PodRunRow) -> Result<Self, BadValue> {
        Ok(Self {
            id: uuid("pod_runs.uuid", &row.uuid)?,
            pod: name("pod_runs.pod", &row.pod)?,
            started_at: timestamp("pod_runs.started_at", row.started_at)?,
            ready_after: row
                .ready_after_seconds
                .map(|seconds| span("pod_runs.ready_after_seconds", seconds))
                .transpose()?,
            ended_at: row
                .ended_at
                .map(|micros| timestamp("pod_runs.ended_at", micros))
                .transpose()?,
            completed: row.completed,
            memory_peak: Bytes(unsigned(
                "pod_runs.memory_peak_bytes",
                row.memory_peak_bytes,
            )?),
            cpu_peak: millicpu("pod_runs.cpu_peak", row.cpu_peak)?,
        })
    }
}

impl PodRunRow {
    /// Inserts or replaces the row, by its uuid.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO pod_runs (uuid, pod, started_at, ready_after_seconds, ended_at,
                completed, memory_peak_bytes, cpu_peak)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET pod = excluded.pod,
                started_at = excluded.started_at,
                ready_after_seconds = excluded.ready_after_seconds,
                ended_at = excluded.ended_at, completed = excluded.completed,
                memory_peak_bytes = excluded.memory_peak_bytes, cpu_peak = excluded.cpu_peak",
        );
        bind_pod_run!(query, self).execute(conn).await.map(drop)
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM pod_runs WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }

    /// The latest `kept` of each pod, by pod, oldest first.
    pub async fn latest(conn: &mut SqliteConnection, kept: i64) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as(
            "SELECT * FROM (SELECT *, row_number() OVER newest AS place FROM pod_runs
                            WINDOW newest AS (PARTITION BY pod ORDER BY started_at DESC, uuid DESC))
             WHERE place <= ? ORDER BY pod, started_at, uuid",
        )
        .bind(kept)
        .fetch_all(conn)
        .await
    }
}
