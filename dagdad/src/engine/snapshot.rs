//! The state as readers see it: immutable, shared, replaced after each step.

use std::sync::Arc;

use jiff::Timestamp;

use super::admission::{Budget, decide};
use super::economy::{Economy, Situation, missed};
use super::pod::Life;
use super::state::{RuntimeLink, State, Thresholds};
use crate::domain::admission::Earliest;
use crate::domain::alert::Alert;
use crate::domain::catalogue::CataloguePod;
use crate::domain::economy::EconomyView;
use crate::domain::footprint::Expectation;
use crate::domain::name::PodName;
use crate::domain::observed::{ObservedPod, PodCondition};
use crate::domain::operation::{OperationKind, Progress};
use crate::domain::pod::{Footprint, PublishedPort};
use crate::domain::run::{Run, RunId, RunMember};
use crate::domain::sample::{HostSample, PodUsage};
use crate::domain::silence::Silence;
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
    /// Alerts that go on.
    pub alerts: Vec<Alert>,
    /// Alerts that ended a short while ago: their rows may not say so yet.
    pub ended_alerts: Vec<Alert>,
    /// Economy mode.
    pub economy: EconomyView,
    /// Its memory, to think through what it would do.
    pub economy_mode: Economy,
    /// What economy mode would decide on now; `None` until the first sample.
    pub situation: Option<Arc<Situation>>,
    /// Silences that hold.
    pub silences: Vec<Silence>,
    /// What a start would be decided on now; `None` until the first sample.
    pub budget: Option<Arc<Budget>>,
    /// The share of the machine that may be given out.
    pub thresholds: Thresholds,
    /// How often the configuration was read again.
    pub reloads: u64,
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
    /// Since when it has done nothing, where it runs and is idle.
    pub idle_since: Option<Timestamp>,
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

impl From<&RunMember> for MemberView {
    fn from(member: &RunMember) -> Self {
        Self {
            pod: member.pod.clone(),
            level: member.level,
            after: member.after.clone(),
        }
    }
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
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let budget = self.budget(now);
        let economy = self.economy_view();
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
                    progress: pod
                        .operation
                        .as_ref()
                        .map(|operation| operation.progress.clone()),
                    expected: self.expected(pod),
                    reserved: pod.reserved.map(|held| self.need(name, pod, held)),
                    runs: self
                        .runs
                        .values()
                        .filter(|active| {
                            active.run.needs_pods() && active.run.member(name).is_some()
                        })
                        .map(|active| active.run.id)
                        .collect(),
                    idle_since: pod
                        .usage
                        .idle_since(pod.entry.spec.idle_timeout, now)
                        .filter(|_| up),
                }),
                status: pod.status(),
                ready: pod.ready(),
                since: Some(pod.since),
                usage: self.usage.get(name.as_str()).copied().filter(|_| up),
                ports,
                changed: pod.changed(),
                message: {
                    let mut taken = economy.taken.iter();
                    let missed = taken.find(|view| view.taken.pod == *name).map(missed);
                    let lines: Vec<String> = missed.into_iter().chain(pod.message()).collect();
                    (!lines.is_empty()).then(|| lines.join("\n"))
                },
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
            workflows: self.workflow_views(),
            runs: self.run_views(budget.as_ref()),
            alerts: self.episodes.alerts().cloned().collect(),
            ended_alerts: self.episodes.ended().to_vec(),
            economy,
            economy_mode: self.economy.clone(),
            silences: self
                .silences
                .values()
                .filter(|silence| silence.holds(now))
                .cloned()
                .collect(),
            situation: self.situation.clone(),
            budget: budget.map(Arc::new),
            thresholds: self.settings.thresholds,
            reloads: self.reloads,
            unmanaged: unmanaged.collect(),
            runtime: self.runtime.clone(),
            mirror: self.mirror.clone(),
            settled: self.settled || matches!(self.runtime, RuntimeLink::Down { .. }),
        }
    }

    fn workflow_views(&self) -> Vec<WorkflowView> {
        let views = self.workflows.iter().map(|(name, workflow)| WorkflowView {
            entry: Arc::clone(&workflow.entry),
            members: workflow.order.clone(),
            run: self.active_run(name),
        });
        views.collect()
    }

    fn run_views(&self, budget: Option<&Budget>) -> Vec<RunView> {
        let queue = self.queue();
        let place_of = |id: RunId| queue.iter().position(|queued| *queued == id);
        let views = self.runs.values().map(|active| RunView {
            run: Arc::new(active.run.clone()),
            place: place_of(active.run.id).map(|place| self.place(&queue, place, budget)),
        });
        views.collect()
    }

    /// A queued run's place. Only of the first is it known what it waits for; the others wait
    /// for it.
    fn place(&self, queue: &[RunId], place: usize, budget: Option<&Budget>) -> QueuePlace {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let first = queue.first().and_then(|id| self.runs.get(id));
        let denial = first
            .zip(budget)
            .and_then(|(first, budget)| decide(budget, &self.asked_for_run(&first.run)).err());
        let (waits_for, earliest) = match (place, denial, first) {
            (0, Some(denial), _) => (denial.to_string(), denial.earliest.clone()),
            (0, None, _) | (_, _, None) => ("it starts as soon as it can".to_owned(), None),
            (_, _, Some(first)) => (
                format!("{place} before it, first {}", first.run.workflow),
                None,
            ),
        };
        QueuePlace {
            place: number(place + 1),
            length: number(queue.len()),
            waits_for,
            earliest,
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
