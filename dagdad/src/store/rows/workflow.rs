//! `workflows`: what is kept of a workflow of the catalogue.

use sqlx::SqliteConnection;

use super::value::{
    BadValue, bytes, cores, from_json, from_names, json, manifest, mebibytes, millicpu, name,
    names, priority, timestamp, unsigned, uuid,
};
use crate::domain::catalogue::Manifest;
use crate::domain::pod::Footprint;
use crate::domain::quantity::Bytes;
use crate::ports::WorkflowRecord;

macro_rules! bind_workflow {
    ($query:expr, $row:expr) => {
        $crate::store::rows::bind!($query, $row; uuid, name, description, required_pods, priority,
            estimated_cpu, estimated_ram, estimated_ram_bytes, is_active, manifest,
            manifest_digest, created_at, updated_at)
    };
}

pub(in crate::store) use bind_workflow;

/// A row of `workflows`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct WorkflowRow {
    pub uuid: String,
    pub name: String,
    pub description: Option<String>,
    pub required_pods: String,
    pub priority: i64,
    pub estimated_cpu: f64,
    pub estimated_ram: i64,
    pub estimated_ram_bytes: i64,
    pub is_active: bool,
    pub manifest: String,
    pub manifest_digest: String,
    pub created_at: i64,
    pub updated_at: i64,
}

impl From<&WorkflowRecord> for WorkflowRow {
    fn from(record: &WorkflowRecord) -> Self {
        let WorkflowRecord {
            id,
            name,
            manifest: Manifest { text, digest },
            description,
            pods,
            priority,
            estimated: Footprint { memory, cpu },
            active,
            created_at,
            updated_at,
        } = record;
        Self {
            uuid: id.to_string(),
            name: name.to_string(),
            description: description.clone(),
            required_pods: json(&names(pods)),
            priority: priority.get().into(),
            estimated_cpu: cores(*cpu),
            estimated_ram: mebibytes(*memory),
            estimated_ram_bytes: bytes(*memory),
            is_active: *active,
            manifest: text.clone(),
            manifest_digest: digest.0.clone(),
            created_at: created_at.as_microsecond(),
            updated_at: updated_at.as_microsecond(),
        }
    }
}

impl TryFrom<WorkflowRow> for WorkflowRecord {
    type Error = BadValue;

    fn try_from(row: WorkflowRow) -> Result<Self, BadValue> {
        const PODS: &str = "workflows.required_pods";
        let pods: Vec<String> = from_json(PODS, &row.required_pods)?;
        Ok(Self {
            id: uuid("workflows.uuid", &row.uuid)?,
            name: name("workflows.name", &row.name)?,
            manifest: manifest(
                "workflows.manifest",
                &row.name,
                row.manifest,
                row.manifest_digest,
            )?,
            description: row.description,
            pods: from_names(PODS, &pods)?,
            priority: priority("workflows.priority", row.priority)?,
            estimated: Footprint {
                memory: Bytes(unsigned(
                    "workflows.estimated_ram_bytes",
                    row.estimated_ram_bytes,
                )?),
                cpu: millicpu("workflows.estimated_cpu", row.estimated_cpu)?,
            },
            active: row.is_active,
            created_at: timestamp("workflows.created_at", row.created_at)?,
            updated_at: timestamp("workflows.updated_at", row.updated_at)?,
        })
    }
}

impl WorkflowRow {
    /// Inserts or replaces the row, by its uuid.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO workflows (uuid, name, description, required_pods, priority,
                estimated_cpu, estimated_ram, estimated_ram_bytes, is_active, manifest,
                manifest_digest, created_at, updated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET name = excluded.name,
                description = excluded.description, required_pods = excluded.required_pods,
                priority = excluded.priority, estimated_cpu = excluded.estimated_cpu,
                estimated_ram = excluded.estimated_ram,
                estimated_ram_bytes = excluded.estimated_ram_bytes,
                is_active = excluded.is_active, manifest = excluded.manifest,
                manifest_digest = excluded.manifest_digest, created_at = excluded.created_at,
                updated_at = excluded.updated_at",
        );
        bind_workflow!(query, self).execute(conn).await.map(drop)
    }

    /// Every row, by name.
    pub async fn all(conn: &mut SqliteConnection) -> Result<Vec<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM workflows ORDER BY name")
            .fetch_all(conn)
            .await
    }

    /// The row as it is now.
    pub async fn read(
        conn: &mut SqliteConnection,
        uuid: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT * FROM workflows WHERE uuid = ?")
            .bind(uuid)
            .fetch_optional(conn)
            .await
    }
}
