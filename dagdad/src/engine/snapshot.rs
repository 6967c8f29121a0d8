//! The state as readers see it: immutable, shared, replaced after each step.

use std::sync::Arc;

use jiff::Timestamp;

use super::pod::Life;
use super::state::{RuntimeLink, State};
use crate::domain::catalogue::CataloguePod;
use crate::domain::observed::{ObservedPod, PodCondition};
use crate::domain::operation::OperationKind;
use crate::domain::pod::PublishedPort;
use crate::domain::sample::{HostSample, PodUsage};
use crate::domain::state::PodStatus;
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
