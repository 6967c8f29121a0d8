//! A pod of the model, what becomes of it, and how it looks from outside.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::observed::{ContainerState, ObservedContainer, ObservedPod, PodCondition};
use crate::domain::pod::PodSpec;
use crate::domain::quantity::Millicpu;
use crate::domain::sample::PodUsage;
use crate::engine::simulation::host::Appetite;

#[derive(Debug)]
pub(in crate::engine::simulation) struct ModelPod {
    pub(super) generation: u64,
    pub(super) created_at: Timestamp,
    pub(super) spec: PodSpec,
    pub(super) fate: Fate,
    pub(super) appetite: Appetite,
    /// When it last began to run.
    pub(super) started_at: Timestamp,
    pub(super) containers: Vec<ModelContainer>,
    /// Told to stop: Podman does not restart its containers any more.
    pub(super) stopping: bool,
    /// What it may use at most of the CPU.
    pub(in crate::engine::simulation) throttled: Option<Millicpu>,
    /// Its checks hold from here on.
    pub(super) ready_at: Option<Timestamp>,
    pub(in crate::engine::simulation) changed_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct ModelContainer {
    pub(super) name: String,
    pub(super) state: ContainerState,
    pub(super) run: u64,
}

/// What becomes of a pod's containers each time they are started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) ready_after: Option<Duration>,
    pub(super) ends: Option<(Duration, i32)>,
    /// Ignores the stop signal.
    pub(super) stubborn: bool,
}

impl ModelPod {
    pub(in crate::engine::simulation) fn runs(&self) -> bool {
        self.containers.iter().any(|container| {
            matches!(
                container.state,
                ContainerState::Running { .. } | ContainerState::Paused
            )
        })
    }

    /// Whether it has any process.
    pub(super) fn alive(&self) -> bool {
        self.containers.iter().any(|container| {
            matches!(
                container.state,
                ContainerState::Running { .. } | ContainerState::Paused | ContainerState::Stopping
            )
        })
    }

    /// Whether nothing of it runs, and something is paused.
    pub(in crate::engine::simulation) fn frozen(&self) -> bool {
        let running = |container: &ModelContainer| {
            matches!(
                container.state,
                ContainerState::Running { .. } | ContainerState::Stopping
            )
        };
        let mut containers = self.containers.iter();
        containers.any(|container| container.state == ContainerState::Paused)
            && !self.containers.iter().any(running)
    }

    /// What it uses, while it uses anything.
    pub(in crate::engine::simulation) fn usage(&self, now: Timestamp) -> Option<PodUsage> {
        self.alive().then(|| {
            let mut usage = self.appetite.at(self.started_at, now);
            if self.frozen() {
                usage.cpu_percent = 0.0;
            } else if let Some(Millicpu(most)) = self.throttled {
                usage.cpu_percent = usage.cpu_percent.min(most as f64 / 10.0);
            }
            usage
        })
    }

    pub(in crate::engine::simulation) fn ready(&self, now: Timestamp) -> bool {
        self.condition_running_whole() && self.ready_at.is_some_and(|at| at <= now)
    }

    pub(in crate::engine::simulation) fn condition_running_whole(&self) -> bool {
        matches!(
            self.observed("").condition(),
            PodCondition::Running { whole: true, .. }
        )
    }

    pub(super) fn observed(&self, name: &str) -> ObservedPod {
        ObservedPod {
            id: self.generation.to_string(),
            name: name.to_owned(),
            created_at: self.created_at,
            containers: self
                .containers
                .iter()
                .map(|container| ObservedContainer {
                    id: format!("{}-{}", self.generation, container.name),
                    name: container.name.clone(),
                    image: "model".to_owned(),
                    init: false,
                    state: container.state.clone(),
                    restarts: u32::try_from(container.run).unwrap_or(u32::MAX),
                })
                .collect(),
            ports: self.spec.published_ports().collect(),
            cgroup: None,
        }
    }
}
