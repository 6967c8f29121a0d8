//! Rows as both databases hold them, and their way from and to the domain's types.
//!
//! Numbers that MariaDB keeps as DECIMAL are rounded to its scale here, so that a row read
//! back from either database is the same.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::domain::catalogue::{Digest, Manifest};
use crate::domain::event::{EventKind, EventRecord};
use crate::domain::name::PodName;
use crate::domain::operation::{Intent, OperationId, OperationKind};
use crate::domain::pod::{Category, Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::sample::PodUsage;
use crate::domain::state::{PodStatus, Wanted};
use crate::ports::{PodRecord, SampleRecord};

/// A stored value that this program never writes.
#[derive(Debug, thiserror::Error)]
#[error("{column} holds {value:?}")]
pub struct BadValue {
    column: &'static str,
    value: String,
}

fn bad(column: &'static str, value: &(impl ToString + ?Sized)) -> BadValue {
    BadValue {
        column,
        value: value.to_string(),
    }
}

/// Binds the named fields of a row, in order, to a query of either database.
macro_rules! bind {
    ($query:expr, $row:expr; $($field:ident),+ $(,)?) => {
        $query$(.bind(&$row.$field))+
    };
}

macro_rules! bind_pod {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, name, category, priority, wanted, status,
            message, port, cpu_limit, ram_limit, ram_limit_bytes, current_cpu, current_ram,
            current_ram_bytes, current_ram_anon_bytes, current_ram_file_bytes, manifest,
            manifest_digest, started_digest, created_at, updated_at)
    };
}

macro_rules! bind_sample {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, timestamp, resolution_seconds, samples,
            cpu_usage, load_1m, load_5m, load_15m, ram_usage, ram_total, ram_total_bytes,
            ram_used_bytes, ram_cached_bytes, swap_total_bytes, swap_used_bytes, disk_usage,
            cpu_pressure, memory_pressure, memory_pressure_full, io_pressure, active_pods)
    };
}

macro_rules! bind_event {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, timestamp, kind, object, message)
    };
}

pub(super) use {bind, bind_event, bind_pod, bind_sample};

/// A row of `pods`.
#[derive(Debug, sqlx::FromRow)]
pub struct PodRow {
    pub uuid: String,
    pub name: String,
    pub category: String,
    pub priority: i64,
    pub wanted: String,
    pub status: String,
    pub message: Option<String>,
    pub port: Option<i64>,
    pub cpu_limit: f64,
    pub ram_limit: i64,
    pub ram_limit_bytes: i64,
    pub current_cpu: f64,
    pub current_ram: i64,
    pub current_ram_bytes: i64,
    pub current_ram_anon_bytes: i64,
    pub current_ram_file_bytes: i64,
    pub manifest: String,
    pub manifest_digest: String,
    pub started_digest: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl From<&PodRecord> for PodRow {
    fn from(pod: &PodRecord) -> Self {
        Self {
            uuid: pod.id.to_string(),
            name: pod.name.to_string(),
            category: category_text(pod.category).to_owned(),
            priority: pod.priority.get().into(),
            wanted: wanted_text(pod.wanted).to_owned(),
            status: pod.status.as_str().to_owned(),
            message: pod.message.clone(),
            port: pod.port.map(i64::from),
            cpu_limit: rounded(pod.footprint.cpu.0 as f64 / 1e3, 3),
            ram_limit: mebibytes(pod.footprint.memory),
            ram_limit_bytes: bytes(pod.footprint.memory),
            current_cpu: rounded(pod.usage.cpu_percent, 2),
            current_ram: mebibytes(pod.usage.memory),
            current_ram_bytes: bytes(pod.usage.memory),
            current_ram_anon_bytes: bytes(pod.usage.anon),
            current_ram_file_bytes: bytes(pod.usage.file),
            manifest: pod.manifest.text.clone(),
            manifest_digest: pod.manifest.digest.0.clone(),
            started_digest: pod.started_digest.as_ref().map(|digest| digest.0.clone()),
            created_at: pod.created_at.as_microsecond(),
            updated_at: pod.updated_at.as_microsecond(),
        }
    }
}

impl TryFrom<PodRow> for PodRecord {
    type Error = BadValue;

    fn try_from(row: PodRow) -> Result<Self, BadValue> {
        Ok(Self {
            id: uuid("pods.uuid", &row.uuid)?,
            name: name("pods.name", &row.name)?,
            manifest: Manifest {
                text: row.manifest,
                digest: Digest(row.manifest_digest),
            },
            category: match row.category.as_str() {
                "essential" => Category::Essential,
                "optional" => Category::Optional,
                other => return Err(bad("pods.category", other)),
            },
            priority: u8::try_from(row.priority)
                .ok()
                .and_then(Priority::new)
                .ok_or_else(|| bad("pods.priority", &row.priority))?,
            port: row
                .port
                .map(|port| u16::try_from(port).map_err(|_| bad("pods.port", &port)))
                .transpose()?,
            footprint: Footprint {
                memory: Bytes(unsigned("pods.ram_limit_bytes", row.ram_limit_bytes)?),
                cpu: millicpu("pods.cpu_limit", row.cpu_limit)?,
            },
            wanted: match row.wanted.as_str() {
                "up" => Wanted::Up,
                "down" => Wanted::Down,
                other => return Err(bad("pods.wanted", other)),
            },
            status: status(&row.status)?,
            message: row.message,
            started_digest: row.started_digest.map(Digest),
            usage: PodUsage {
                cpu_percent: row.current_cpu,
                memory: Bytes(unsigned("pods.current_ram_bytes", row.current_ram_bytes)?),
                anon: Bytes(unsigned(
                    "pods.current_ram_anon_bytes",
                    row.current_ram_anon_bytes,
                )?),
                file: Bytes(unsigned(
                    "pods.current_ram_file_bytes",
                    row.current_ram_file_bytes,
                )?),
            },
            created_at: timestamp("pods.created_at", row.created_at)?,
            updated_at: timestamp("pods.updated_at", row.updated_at)?,
        })
    }
}

impl PodRow {
    /// Inserts or replaces the row, by its uuid.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO pods (uuid, name, category, priority, wanted, status, message, port,
                cpu_limit, ram_limit, ram_limit_bytes, current_cpu, current_ram,
                current_ram_bytes, current_ram_anon_bytes, current_ram_file_bytes, manifest,
                manifest_digest, started_digest, created_at, updated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, category = excluded.category,
                priority = excluded.priority, wanted = excluded.wanted, status = excluded.status,
                message = excluded.message, port = excluded.port, cpu_limit = excluded.cpu_limit,
                ram_limit = excluded.ram_limit, ram_limit_bytes = excluded.ram_limit_bytes,
                current_cpu = excluded.current_cpu, current_ram = excluded.current_ram,
                current_ram_bytes = excluded.current_ram_bytes,
                current_ram_anon_bytes = excluded.current_ram_anon_bytes,
                current_ram_file_bytes = excluded.current_ram_file_bytes,
                manifest = excluded.manifest, manifest_digest = excluded.manifest_digest,
                started_digest = excluded.started_digest, created_at = excluded.created_at,
                updated_at = excluded.updated_at",
        );
        bind_pod!(query, self).execute(conn).await.map(drop)
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM pods WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }
}

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
#[derive(serde::Serialize)]
struct ActivePod<'a> {
    name: &'a str,
    cpu_percent: f64,
    ram_bytes: i64,
}

impl From<&SampleRecord> for SampleRow {
    fn from(record: &SampleRecord) -> Self {
        let host = &record.sample.host;
        let pods: Vec<_> = record
            .sample
            .pods
            .iter()
            .map(|(name, usage)| ActivePod {
                name,
                cpu_percent: rounded(usage.cpu_percent, 2),
                ram_bytes: bytes(usage.memory),
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

const fn category_text(category: Category) -> &'static str {
    match category {
        Category::Essential => "essential",
        Category::Optional => "optional",
    }
}

const fn wanted_text(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Up => "up",
        Wanted::Down => "down",
    }
}

fn status(text: &str) -> Result<PodStatus, BadValue> {
    use PodStatus::{Error, Running, Starting, Stopped, Stopping};
    [Stopped, Starting, Running, Stopping, Error]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| bad("pods.status", text))
}

fn uuid(column: &'static str, text: &str) -> Result<Uuid, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

fn name(column: &'static str, text: &str) -> Result<PodName, BadValue> {
    text.parse().map_err(|_| bad(column, text))
}

fn unsigned(column: &'static str, value: i64) -> Result<u64, BadValue> {
    u64::try_from(value).map_err(|_| bad(column, &value))
}

/// From microseconds since 1970.
pub fn timestamp(column: &'static str, micros: i64) -> Result<Timestamp, BadValue> {
    Timestamp::from_microsecond(micros).map_err(|_| bad(column, &micros))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the range is checked
fn millicpu(column: &'static str, cores: f64) -> Result<Millicpu, BadValue> {
    let value = (cores * 1e3).round();
    if (0.0..9e15).contains(&value) {
        Ok(Millicpu(value as u64))
    } else {
        Err(bad(column, &cores))
    }
}

/// Sizes beyond what a BIGINT holds are stored as the largest one.
pub fn bytes(size: Bytes) -> i64 {
    i64::try_from(size.0).unwrap_or(i64::MAX)
}

fn mebibytes(size: Bytes) -> i64 {
    bytes(Bytes(size.0 >> 20))
}

/// Rounds to `scale` decimals, so that the value is exactly the DECIMAL that MariaDB
/// keeps. What is no number becomes 0, since neither database stores it.
fn rounded(value: f64, scale: i32) -> f64 {
    let factor = 10f64.powi(scale);
    let value = (value * factor).round() / factor;
    if value.is_finite() { value } else { 0.0 }
}
