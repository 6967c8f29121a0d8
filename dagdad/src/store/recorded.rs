//! The host's past with its pods, as fine as it is kept: what economy mode is tried out on.
//!
//! Each stretch comes once, from the finest tier of [`super::history`] that still holds it: ten
//! minutes, then minutes, then single samples. It belongs to the moment at which it began, so
//! that `[a, b)` and `[b, c)` are together `[a, c)`, and a long time can be read bit by bit.
//!
//! Rows come one by one out of three ranges of the index `system_resources_by_time`, in one
//! read transaction: SQLite's writer goes on meanwhile, and nothing but the answer is kept in
//! memory.

use std::time::Duration;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use super::history::{MINUTE, RAW, TEN_MINUTES, seams};
use super::rows::{BadValue, ReadError, bad, pods_of_stretch, timestamp, unsigned};
use crate::domain::economy::RecordedSample;
use crate::domain::quantity::Bytes;

/// The finest that seams can be asked for, in microseconds: coarse tiers only stand in.
const FINEST: i64 = 1;

/// Answers [`crate::ports::Store::samples`].
pub(super) async fn read(
    conn: &mut SqliteConnection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<RecordedSample>, ReadError> {
    let (since, until) = (since.as_microsecond(), until.as_microsecond());
    let mut snapshot = conn.begin().await?;
    let seams = seams(&mut snapshot, FINEST, until).await?;
    let mut samples = Vec::new();
    for (tier, from, to) in [
        (TEN_MINUTES, i64::MIN, seams.ten_minutes_end),
        (MINUTE, seams.ten_minutes_end, seams.minutes_end),
        (RAW, seams.minutes_end, i64::MAX),
    ] {
        let mut rows = sqlx::query_as::<_, RecordedRow>(READ)
            .bind(tier)
            .bind(from.max(since))
            .bind(to.min(until))
            .fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            samples.push(row.try_into()?);
            // A month of rows is not to keep a thread from everything else.
            tokio::task::consume_budget().await;
        }
    }
    snapshot.commit().await?;
    Ok(samples)
}

/// Parameters: tier, from and to in microseconds.
const READ: &str = "
SELECT timestamp, resolution_seconds, samples, cpu_usage, ram_total_bytes, ram_used_bytes,
    memory_pressure, active_pods
FROM system_resources
WHERE resolution_seconds = ? AND timestamp >= ? AND timestamp < ?
ORDER BY timestamp";

#[derive(sqlx::FromRow)]
struct RecordedRow {
    timestamp: i64,
    resolution_seconds: i64,
    samples: i64,
    cpu_usage: f64,
    ram_total_bytes: i64,
    ram_used_bytes: i64,
    memory_pressure: Option<f64>,
    active_pods: String,
}

impl TryFrom<RecordedRow> for RecordedSample {
    type Error = BadValue;

    fn try_from(row: RecordedRow) -> Result<Self, BadValue> {
        let samples = unsigned("system_resources.samples", row.samples)?;
        if samples == 0 {
            return Err(bad("system_resources.samples", &samples));
        }
        Ok(Self {
            at: timestamp("system_resources.timestamp", row.timestamp)?,
            resolution: Duration::from_secs(unsigned(
                "system_resources.resolution_seconds",
                row.resolution_seconds,
            )?),
            cpu_percent: row.cpu_usage,
            ram_total: Bytes(unsigned(
                "system_resources.ram_total_bytes",
                row.ram_total_bytes,
            )?),
            ram_used: Bytes(unsigned(
                "system_resources.ram_used_bytes",
                row.ram_used_bytes,
            )?),
            pressure: row.memory_pressure,
            pods: pods_of_stretch(&row.active_pods, samples)?,
        })
    }
}
