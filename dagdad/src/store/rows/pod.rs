//! `pods`: what is kept of a pod of the catalogue.

use sqlx::SqliteConnection;

use super::value::{
    BadValue, bad, bytes, cores, manifest, mebibytes, millicpu, name, priority, rounded, timestamp,
    unsigned, uuid,
};
use crate::domain::catalogue::Digest;
use crate::domain::pod::{Category, Footprint};
use crate::domain::quantity::Bytes;
use crate::domain::sample::PodUsage;
use crate::domain::state::{PodStatus, Wanted};
use crate::ports::PodRecord;

macro_rules! bind_pod {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, name, category, priority, wanted, status,
            message, port, cpu_limit, ram_limit, ram_limit_bytes, current_cpu, current_ram,
            current_ram_bytes, current_ram_anon_bytes, current_ram_file_bytes,
            current_ram_mapped_bytes, manifest, manifest_digest, started_digest, created_at,
            updated_at)
    };
}

pub(in crate::store) use bind_pod;

/// A row of `pods`.
#[derive(Debug, Clone, sqlx::FromRow)]
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
    pub current_ram_mapped_bytes: i64,
    pub manifest: String,
    pub manifest_digest: String,
    pub started_digest: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl From<&PodRecord> for PodRow {
    fn from(record: &PodRecord) -> Self {
        let PodRecord {
            id,
            name,
            manifest,
            category,
            priority,
            port,
            footprint:
                Footprint {
                    memory: ram_limit,
                    cpu,
                },
            wanted,
            status,
            message,
            started_digest,
            usage,
            created_at,
            updated_at,
        } = record;
        let PodUsage {
            cpu_percent,
            memory,
            anon,
            file,
            mapped,
            network_per_second: _, // of the moment only
        } = *usage;
        Self {
            uuid: id.to_string(),
            name: name.to_string(),
            category: category_text(*category).to_owned(),
            priority: priority.get().into(),
            wanted: wanted_text(*wanted).to_owned(),
            status: status.as_str().to_owned(),
            message: message.clone(),
            port: port.map(i64::from),
            cpu_limit: cores(*cpu),
            ram_limit: mebibytes(*ram_limit),
            ram_limit_bytes: bytes(*ram_limit),
            current_cpu: rounded(cpu_percent, 2),
            current_ram: mebibytes(memory),
            current_ram_bytes: bytes(memory),
            current_ram_anon_bytes: bytes(anon),
            current_ram_file_bytes: bytes(file),
            current_ram_mapped_bytes: bytes(mapped),
            manifest: manifest.text.clone(),
            manifest_digest: manifest.digest.0.clone(),
            started_digest: started_digest.as_ref().map(|digest| digest.0.clone()),
            created_at: created_at.as_microsecond(),
            updated_at: updated_at.as_microsecond(),
        }
    }
}

impl TryFrom<PodRow> for PodRecord {
    type Error = BadValue;

    fn try_from(row: PodRow) -> Result<Self, BadValue> {
        Ok(Self {
            id: uuid("pods.uuid", &row.uuid)?,
            name: name("pods.name", &row.name)?,
            manifest: manifest(
                "pods.manifest",
                &row.name,
                row.manifest,
                row.manifest_digest,
            )?,
            category: match row.category.as_str() {
                "essential" => Category::Essential,
                "optional" => Category::Optional,
                other => return Err(bad("pods.category", other)),
            },
            priority: priority("pods.priority", row.priority)?,
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
                mapped: Bytes(unsigned(
                    "pods.current_ram_mapped_bytes",
                    row.current_ram_mapped_bytes,
                )?),
                network_per_second: 0.0,
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
                current_ram_bytes, current_ram_anon_bytes, current_ram_file_bytes,
                current_ram_mapped_bytes, manifest, manifest_digest, started_digest, created_at,
                updated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, category = excluded.category,
                priority = excluded.priority, wanted = excluded.wanted, status = excluded.status,
                message = excluded.message, port = excluded.port, cpu_limit = excluded.cpu_limit,
                ram_limit = excluded.ram_limit, ram_limit_bytes = excluded.ram_limit_bytes,
                current_cpu = excluded.current_cpu, current_ram = excluded.current_ram,
                current_ram_bytes = excluded.current_ram_bytes,
                current_ram_anon_bytes = excluded.current_ram_anon_bytes,
                current_ram_file_bytes = excluded.current_ram_file_bytes,
                current_ram_mapped_bytes = excluded.current_ram_mapped_bytes,
                manifest = excluded.manifest, manifest_digest = excluded.manifest_digest,
                started_digest = excluded.started_digest, created_at = excluded.created_at,
                updated_at = excluded.updated_at",
        );
        bind_pod!(query, self).execute(conn).await.map(drop)
    }

    /// Every row, by name.
    pub async fn all(conn: &mut SqliteConnection) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM pods ORDER BY name")
            .fetch_all(conn)
            .await
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
