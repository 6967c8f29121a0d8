//! What an entry of the outbox says: which row of which table, and what is to be done with it.

use crate::store::rows::{
    AlertRow, AuditRow, EventRow, PodRow, PodRunRow, RunRow, SampleRow, WorkflowRow,
};

/// A table that is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `pods`
    Pods,
    /// `workflows`
    Workflows,
    /// `workflow_runs`
    WorkflowRuns,
    /// `pod_runs`
    PodRuns,
    /// `resource_alerts`
    ResourceAlerts,
    /// `events`
    Events,
    /// `audit`
    Audit,
    /// `system_resources`
    SystemResources,
}

impl Relation {
    /// Every mirrored table, in the order of a full sync.
    pub const ALL: [Self; 8] = [
        Self::Pods,
        Self::Workflows,
        Self::WorkflowRuns,
        Self::PodRuns,
        Self::ResourceAlerts,
        Self::Events,
        Self::Audit,
        Self::SystemResources,
    ];

    /// The table's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Workflows => "workflows",
            Self::WorkflowRuns => "workflow_runs",
            Self::PodRuns => "pod_runs",
            Self::ResourceAlerts => "resource_alerts",
            Self::Events => "events",
            Self::Audit => "audit",
            Self::SystemResources => "system_resources",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|relation| relation.as_str() == text)
    }
}

/// What is to be done in MariaDB.
#[derive(Debug)]
pub enum Change {
    /// Upsert.
    PutPod(Box<PodRow>),
    /// Upsert.
    PutWorkflow(Box<WorkflowRow>),
    /// Upsert.
    PutRun(Box<RunRow>),
    /// Upsert.
    PutPodRun(PodRunRow),
    /// Upsert.
    PutAlert(Box<AlertRow>),
    /// Upsert.
    PutSample(Box<SampleRow>),
    /// Upsert.
    PutEvent(EventRow),
    /// Upsert.
    PutAudit(Box<AuditRow>),
    /// Delete the row with this uuid.
    Delete(String),
    /// Delete rows before a time, in microseconds.
    Prune {
        /// Of which tier, in `system_resources`.
        resolution_seconds: Option<i64>,
        /// Exclusive.
        before: i64,
    },
    /// Delete the rows that are not in SQLite.
    Reconcile,
}

impl Change {
    /// About how many bytes the statement takes on the wire.
    pub fn size(&self) -> usize {
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        512 + match self {
            Self::PutPod(row) => row.manifest.len() + len(&row.message),
            Self::PutWorkflow(row) => {
                row.manifest.len() + row.required_pods.len() + len(&row.description)
            }
            Self::PutRun(row) => {
                row.pods.len()
                    + len(&row.victims)
                    + len(&row.failure_message)
                    + len(&row.failure_log)
            }
            Self::PutSample(row) => row.active_pods.len(),
            Self::PutAlert(row) => row.message.len() + row.culprits.len(),
            Self::PutEvent(row) => row.message.len(),
            Self::PutAudit(row) => row.message.len() + len(&row.object),
            Self::PutPodRun(_) | Self::Delete(_) | Self::Prune { .. } | Self::Reconcile => 0,
        }
    }
}

/// One entry of the queue with its content.
#[derive(Debug)]
pub struct Entry {
    /// Its place.
    pub seq: i64,
    /// The table.
    pub relation: Relation,
    /// What it is about: a uuid for rows.
    pub key: String,
    /// What is to be done.
    pub change: Change,
}

/// An entry that MariaDB refused for what it contains.
#[derive(Debug)]
pub struct Rejected {
    /// The table.
    pub relation: Relation,
    /// The row's uuid.
    pub key: String,
    /// MariaDB's words.
    pub error: String,
}
