//! `system_resources`: one sample of the host, or a stretch of them rolled up.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::value::{BadValue, bad, bytes, from_json, mebibytes, rounded, timestamp, unsigned};
use crate::domain::quantity::Bytes;
use crate::ports::SampleRecord;

const ACTIVE_PODS: &str = "system_resources.active_pods";
const SAMPLES: &str = "system_resources.samples";

macro_rules! bind_sample {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, timestamp, resolution_seconds, samples,
            cpu_usage, load_1m, load_5m, load_15m, ram_usage, ram_total, ram_total_bytes,
            ram_used_bytes, ram_cached_bytes, swap_total_bytes, swap_used_bytes, disk_usage,
            cpu_pressure, memory_pressure, memory_pressure_full, io_pressure, active_pods)
    };
}

pub(in crate::store) use bind_sample;

/// A row of `system_resources`.
#[derive(Debug, sqlx::FromRow)]
pub struct SampleRow {
    pub uuid: String,
    pub timestamp: i64,
    pub resolution_seconds: i64,
    pub samples: i64,
    pub cpu_usage: f64,
    pub load_1m: f64,
    pub load_5m: f64,
    pub load_15m: f64,
    pub ram_usage: f64,
    pub ram_total: i64,
    pub ram_total_bytes: i64,
    pub ram_used_bytes: i64,
    pub ram_cached_bytes: i64,
    pub swap_total_bytes: i64,
    pub swap_used_bytes: i64,
    pub disk_usage: f64,
    pub cpu_pressure: Option<f64>,
    pub memory_pressure: Option<f64>,
    pub memory_pressure_full: Option<f64>,
    pub io_pressure: Option<f64>,
    pub active_pods: String,
}

/// One pod in `system_resources.active_pods`. Rolled-up rows carry `samples` too: in how
/// many samples of the stretch the pod was seen.
#[derive(Serialize, Deserialize)]
struct ActivePod<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    cpu_percent: f64,
    ram_bytes: i64,
    #[serde(default = "once", skip_serializing)]
    samples: u64,
}

const fn once() -> u64 {
    1
}

/// What pods used on average over a stretch of `of` samples, as `active_pods` says: percent of
/// one core, and bytes. The column's numbers are means over those samples in which the pod was
/// seen; in the others it used nothing, as in the host's own means. So one that was up for half
/// of the stretch counts half, and the pods' sum is part of what the host used.
pub fn pods_of_stretch(text: &str, of: u64) -> Result<Vec<(String, f64, Bytes)>, BadValue> {
    let pods: Vec<ActivePod<'_>> = from_json(ACTIVE_PODS, text)?;
    // Many of these are in memory at once: each has as much room as it needs.
    let mut used = Vec::with_capacity(pods.len());
    for pod in pods {
        let ActivePod {
            name,
            cpu_percent,
            ram_bytes,
            samples,
        } = pod;
        let memory = u128::from(unsigned(ACTIVE_PODS, ram_bytes)?);
        let memory = memory * u128::from(samples) / u128::from(of);
        used.push((
            name.into_owned(),
            cpu_percent * samples as f64 / of as f64,
            Bytes(u64::try_from(memory).unwrap_or(u64::MAX)),
        ));
    }
    Ok(used)
}

impl From<&SampleRecord> for SampleRow {
    fn from(record: &SampleRecord) -> Self {
        let host = &record.sample.host;
        let pods: Vec<_> = record
            .sample
            .pods
            .iter()
            .map(|(name, usage)| ActivePod {
                name: Cow::Borrowed(name),
                cpu_percent: rounded(usage.cpu_percent, 2),
                ram_bytes: bytes(usage.memory),
                samples: once(),
            })
            .collect();
        let pressure = host.pressure.as_ref();
        Self {
            uuid: record.id.to_string(),
            timestamp: host.at.as_microsecond(),
            resolution_seconds: 0,
            samples: 1,
            cpu_usage: rounded(host.cpu_percent, 2),
            load_1m: rounded(host.load_1m, 2),
            load_5m: rounded(host.load_5m, 2),
            load_15m: rounded(host.load_15m, 2),
            ram_usage: rounded(host.memory.used_percent(), 2),
            ram_total: mebibytes(host.memory.total),
            ram_total_bytes: bytes(host.memory.total),
            ram_used_bytes: bytes(host.memory.used),
            ram_cached_bytes: bytes(host.memory.cached),
            swap_total_bytes: bytes(host.memory.swap_total),
            swap_used_bytes: bytes(host.memory.swap_used),
            disk_usage: rounded(host.disk_percent(), 2),
            cpu_pressure: pressure.map(|p| rounded(p.cpu_some_avg10, 2)),
            memory_pressure: pressure.map(|p| rounded(p.memory_some_avg10, 2)),
            memory_pressure_full: pressure.map(|p| rounded(p.memory_full_avg10, 2)),
            io_pressure: pressure.map(|p| rounded(p.io_some_avg10, 2)),
            active_pods: serde_json::to_string(&pods).unwrap_or_else(|_| "[]".to_owned()),
        }
    }
}

impl SampleRow {
    /// Inserts the row; one that is there already stays as it is.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO system_resources (uuid, timestamp, resolution_seconds, samples,
                cpu_usage, load_1m, load_5m, load_15m, ram_usage, ram_total, ram_total_bytes,
                ram_used_bytes, ram_cached_bytes, swap_total_bytes, swap_used_bytes, disk_usage,
                cpu_pressure, memory_pressure, memory_pressure_full, io_pressure, active_pods)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO NOTHING",
        );
        bind_sample!(query, self).execute(conn).await.map(drop)
    }

    /// Whether it can be read.
    pub fn check(&self) -> Result<(), BadValue> {
        let samples = unsigned(SAMPLES, self.samples)?;
        if samples == 0 {
            return Err(bad(SAMPLES, &samples));
        }
        timestamp("system_resources.timestamp", self.timestamp)?;
        unsigned("system_resources.ram_total_bytes", self.ram_total_bytes)?;
        unsigned("system_resources.ram_used_bytes", self.ram_used_bytes)?;
        pods_of_stretch(&self.active_pods, samples).map(drop)
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM system_resources WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }
}
