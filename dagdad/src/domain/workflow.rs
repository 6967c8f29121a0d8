//! A workflow: a named set of pods with an order between them.

use std::time::Duration;

use super::catalogue::Manifest;
use super::name::{PodName, WorkflowName};
use super::pod::Priority;

/// How long a run's pods may take to become ready where the manifest does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// What a workflow's manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowSpec {
    /// `metadata.name`.
    pub name: WorkflowName,
    /// `spec.description`.
    pub description: Option<String>,
    /// `spec.pods`: at least one, each once, in the order written.
    pub members: Vec<Member>,
    /// `spec.priority`: while a run is active, its pods count with it where it is higher than
    /// their own; queued runs start by it.
    pub priority: Priority,
    /// `spec.timeout`: from admission until all pods are ready; else [`DEFAULT_TIMEOUT`].
    pub timeout: Duration,
    /// `spec.onFailure`.
    pub on_failure: OnFailure,
}

/// A pod of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `name`.
    pub pod: PodName,
    /// `after`: other members that must be ready before it starts. The pod's own
    /// `dagda/after` counts too, where it names members.
    pub after: Vec<PodName>,
}

/// What becomes of a run's pods when one of them fails (`spec.onFailure`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnFailure {
    /// The default: what the run started is stopped again, in reverse order.
    #[default]
    Rollback,
    /// What runs is left running.
    Keep,
}

impl OnFailure {
    /// Lower case, as in manifests, in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Keep => "keep",
        }
    }
}

/// A workflow of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueWorkflow {
    /// What it asks for.
    pub spec: WorkflowSpec,
    /// How its owner wrote it: one `dagda/v1` `Workflow` document.
    pub manifest: Manifest,
}
