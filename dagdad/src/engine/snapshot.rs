//! The state as readers see it: immutable, shared, replaced after each step.

use std::sync::Arc;

use jiff::Timestamp;

use super::admission::Budget;
use super::pod::Life;
use super::state::{RuntimeLink, State};
use crate::domain::admission::Earliest;
use crate::domain::catalogue::CataloguePod;
use crate::domain::footprint::Expectation;
use crate::domain::name::PodName;
use crate::domain::observed::{ObservedPod, PodCondition};
use crate::domain::operation::{OperationKind, Progress};
use crate::domain::pod::{Footprint, PublishedPort};
use crate::domain::run::{Run, RunId};
use crate::domain::sample::{HostSample, PodUsage};
use crate::domain::state::PodStatus;
use crate::domain::workflow::CatalogueWorkflow;
use crate::ports::MirrorStatus;

/// Everything there is to read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When dagdad began.
    pub started_at: Timestamp,
    /// The last sample; `None` until the first.
    pub host: Option<Arc<HostSample>>,
    /// The catalogue, by name.
    pub pods: Vec<PodView>,
    /// The catalogue's workflows, by name.
    pub workflows: Vec<WorkflowView>,
    /// Runs that are active, or ended a short while ago, oldest first.
    pub runs: Vec<RunView>,
    /// What a start would be decided on now; `None` until the first sample.
    pub budget: Option<Arc<Budget>>,
    /// Pods that only the runtime knows, by name.
    pub unmanaged: Vec<PodView>,
    /// Whether the runtime answers.
    pub runtime: RuntimeLink,
    /// How records reach MariaDB.
    pub mirror: MirrorStatus,
    /// Whether pods were listed, or could not be: until then, states are what an earlier
    /// daemon wrote.
    pub settled: bool,
}

/// One pod.
#[derive(Debug, Clone)]
pub struct PodView {
    /// Its name in the runtime, and in the catalogue where it is there.
    pub name: String,
    /// `None` for a pod outside the catalogue.
    pub managed: Option<ManagedView>,
    /// Its state.
    pub status: PodStatus,
    /// Whether it runs and passed its checks.
    pub ready: bool,
    /// Since when it has been in this state.
    pub since: Option<Timestamp>,
    /// Its last measured use, while it runs.
    pub usage: Option<PodUsage>,
    /// The ports it holds, or would hold.
    pub ports: Vec<PublishedPort>,
    /// Its manifest changed after it was started.
    pub changed: bool,
    /// Why it is in this state.
    pub message: Option<String>,
    /// What the runtime has of it.
    pub observed: Option<Arc<ObservedPod>>,
}

/// What only a catalogued pod has.
#[derive(Debug, Clone)]
pub struct ManagedView {
    /// Its entry.
    pub entry: Arc<CataloguePod>,
    /// What is being done with it.
    pub operation: Option<OperationKind>,
    /// How far that is.
    pub progress: Option<Progress>,
    /// What it is expected to use.
    pub expected: Expectation,
    /// What is held for it, while it runs or starts.
    pub reserved: Option<Footprint>,
    /// Active runs that need it.
    pub runs: Vec<RunId>,
}

/// A workflow of the catalogue.
#[derive(Debug, Clone)]
pub struct WorkflowView {
    /// Its entry.
    pub entry: Arc<CatalogueWorkflow>,
    /// Its pods in order, level by level.
    pub members: Vec<MemberView>,
    /// Its active run.
    pub run: Option<RunId>,
}

/// A pod of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Which.
    pub pod: PodName,
    /// 0 starts first; members of one level start together.
    pub level: u32,
    /// The members that it comes after: the workflow's own order and the pod's.
    pub after: Vec<PodName>,
}

/// A run.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The run.
    pub run: Arc<Run>,
    /// Its place, while it is queued.
    pub place: Option<QueuePlace>,
}

/// A run's place in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePlace {
    /// 1 is next.
    pub place: u32,
    /// How many runs wait.
    pub length: u32,
    /// Why it does not start now, for people.
    pub waits_for: String,
    /// The earliest time that can be justified.
    pub earliest: Option<Earliest>,
}

impl Snapshot {
    /// The catalogued pod of this name.
    #[must_use]
    pub fn pod(&self, name: &str) -> Option<&PodView> {
        let index = self
            .pods
            .binary_search_by(|pod| pod.name.as_str().cmp(name))
            .ok()?;
        self.pods.get(index)
    }

    /// The catalogued workflow of this name.
    #[must_use]
    pub fn workflow(&self, name: &str) -> Option<&WorkflowView> {
        let of = |workflow: &WorkflowView| workflow.entry.spec.name.clone();
        let index = self
            .workflows
            .binary_search_by(|workflow| of(workflow).as_str().cmp(name))
            .ok()?;
        self.workflows.get(index)
    }

    /// The run of this id, while it is active and a short while after.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&RunView> {
        self.runs.iter().find(|view| view.run.id == id)
    }
}

impl State {
    /// The state as readers see it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let pods = self.pods.iter().map(|(name, pod)| {
            let observed = self.observed.get(name.as_str()).map(Arc::clone);
            let up = matches!(pod.life, Life::Up { .. });
            let ports = match &observed {
                Some(observed) if up => observed.ports.clone(),
                _ => pod.entry.spec.published_ports().collect(),
            };
            PodView {
                name: name.to_string(),
                managed: Some(ManagedView {
                    entry: Arc::clone(&pod.entry),
                    operation: pod.operation.as_ref().map(|operation| operation.kind),
                    progress: None,
                    expected: Expectation::declared(pod.entry.spec.footprint),
                    reserved: None,
                    runs: Vec::new(),
                }),
                status: pod.status(),
                ready: pod.ready(),
                since: Some(pod.since),
                usage: self.usage.get(name.as_str()).copied().filter(|_| up),
                ports,
                changed: pod.changed(),
                message: pod.message(),
                observed,
            }
        });
        let unmanaged = self
            .observed
            .values()
            .filter(|observed| !self.pods.contains_key(observed.name.as_str()))
            .map(|observed| self.unmanaged(observed));
        Snapshot {
            started_at: self.started_at,
            host: self.host.clone(),
            pods: pods.collect(),
            workflows: Vec::new(),
            runs: Vec::new(),
            budget: None,
            unmanaged: unmanaged.collect(),
            runtime: self.runtime.clone(),
            mirror: self.mirror.clone(),
            settled: self.settled || matches!(self.runtime, RuntimeLink::Down { .. }),
        }
    }

    fn unmanaged(&self, observed: &Arc<ObservedPod>) -> PodView {
        let condition = observed.condition();
        let (status, since, ready) = match &condition {
            PodCondition::Running { since, whole } => (PodStatus::Running, *since, *whole),
            PodCondition::Paused => (PodStatus::Running, observed.created_at, false),
            PodCondition::Stopping => (PodStatus::Stopping, observed.created_at, false),
            PodCondition::Created | PodCondition::Completed => {
                (PodStatus::Stopped, observed.created_at, false)
            }
            PodCondition::Failed { .. } => (PodStatus::Error, observed.created_at, false),
        };
        let message = match condition {
            PodCondition::Failed {
                container, code, ..
            } => Some(format!("container {container} exited with {code}")),
            _ => None,
        };
        PodView {
            name: observed.name.clone(),
            managed: None,
            status,
            ready,
            since: Some(since),
            usage: self.usage.get(&observed.name).copied(),
            ports: observed.ports.clone(),
            changed: false,
            message,
            observed: Some(Arc::clone(observed)),
        }
    }
}
