//! A pod of the model, what becomes of it, and how it looks from outside.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::observed::{ContainerState, ObservedContainer, ObservedPod, PodCondition};
use crate::domain::pod::PodSpec;
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

    /// What it uses, while it uses anything.
    pub(in crate::engine::simulation) fn usage(&self, now: Timestamp) -> Option<PodUsage> {
        self.alive().then(|| self.appetite.at(self.started_at, now))
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
