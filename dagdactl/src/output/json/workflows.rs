//! `dagdactl workflow list|show --json`.

use std::time::Duration;

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::ErrorView;
use super::admission::DenialView;
use super::pods::{PodStateView, PodView};
use super::runs::RunView;

/// `{"workflows":[…]}`, by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkflowListView {
    /// The workflows.
    pub workflows: Vec<WorkflowView>,
    /// With `workflow run` without a name: that one is needed. Left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// A workflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkflowView {
    /// Its name.
    pub name: String,
    /// What its owner says it is.
    pub description: Option<String>,
    /// 0 to 100.
    pub priority: u32,
    /// Its pods, none before one that it comes after.
    pub pods: Vec<String>,
    /// Its active run, where there is one.
    pub run: Option<RunView>,
    /// Memory that its pods are expected to use together.
    pub expected_memory_bytes: u64,
    /// CPU, in thousandths of a core.
    pub expected_cpu_millicores: u64,
    /// Whether a run would be admitted now.
    pub fits: bool,
    /// Why it would not be.
    pub denial: Option<DenialView>,
}

/// All that is known of a workflow: the keys of [`WorkflowView`] and these.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkflowDetailView {
    /// As in `workflow list`.
    #[serde(flatten)]
    pub workflow: WorkflowView,
    /// How long its pods may take to become ready.
    pub timeout_seconds: f64,
    /// What becomes of its pods when one fails: `rollback` or `keep`.
    pub on_failure: String,
    /// Its pods with their order and state.
    pub members: Vec<MemberView>,
    /// The manifest as its owner wrote it, YAML.
    pub manifest: String,
    /// Changes whenever the manifest's meaning may have.
    pub manifest_digest: String,
}

/// A pod of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberView {
    /// Its name.
    pub pod: String,
    /// 0 starts first; pods of one level start together.
    pub level: u32,
    /// The pods of the workflow that it comes after.
    pub after: Vec<String>,
    /// As in `pods list`; `null` where the pod has left the catalogue.
    pub state: Option<PodStateView>,
    /// Whether it runs and does its work.
    pub ready: bool,
    /// Since when it has been in this state.
    pub since: Option<Timestamp>,
    /// Why it is in this state, where there is more to say.
    pub message: Option<String>,
}

impl From<v1::ListWorkflowsResponse> for WorkflowListView {
    fn from(wire: v1::ListWorkflowsResponse) -> Self {
        let v1::ListWorkflowsResponse { workflows } = wire;
        Self {
            workflows: workflows.into_iter().map(WorkflowView::from).collect(),
            error: None,
        }
    }
}

impl From<v1::Workflow> for WorkflowView {
    fn from(wire: v1::Workflow) -> Self {
        let v1::Workflow {
            name,
            description,
            priority,
            pods,
            run,
            expected_memory_bytes,
            expected_cpu_millicores,
            fits,
            denial,
        } = wire;
        Self {
            name,
            description,
            priority,
            pods,
            run: run.map(RunView::from),
            expected_memory_bytes,
            expected_cpu_millicores,
            fits,
            denial: denial.map(DenialView::from),
        }
    }
}

impl From<v1::WorkflowDetail> for WorkflowDetailView {
    fn from(wire: v1::WorkflowDetail) -> Self {
        let v1::WorkflowDetail {
            workflow,
            timeout,
            on_failure,
            members,
            manifest,
            manifest_digest,
        } = wire;
        let timeout = timeout.and_then(|timeout| Duration::try_from(timeout).ok());
        Self {
            workflow: workflow.unwrap_or_default().into(),
            timeout_seconds: timeout.unwrap_or_default().as_secs_f64(),
            on_failure,
            members: members.into_iter().map(MemberView::from).collect(),
            manifest,
            manifest_digest,
        }
    }
}

impl From<v1::Member> for MemberView {
    fn from(wire: v1::Member) -> Self {
        let v1::Member {
            pod,
            level,
            after,
            state,
        } = wire;
        let state = state.map(PodView::from);
        Self {
            pod,
            level,
            after,
            state: state.as_ref().map(|state| state.state),
            ready: state.as_ref().is_some_and(|state| state.ready),
            since: state.as_ref().and_then(|state| state.since),
            message: state.and_then(|state| state.message),
        }
    }
}
