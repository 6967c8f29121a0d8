//! The state before a step, as far as it is compared with what is after.

use std::sync::Arc;

use super::super::super::pod::Life;
use super::super::super::state::State;
use crate::domain::catalogue::CataloguePod;
use crate::domain::name::PodName;
use crate::domain::run::RunId;
use crate::domain::workflow::CatalogueWorkflow;

pub(in crate::engine::simulation) struct Before {
    pods: Vec<PodBefore>,
    workflows: Vec<Arc<CatalogueWorkflow>>,
    /// Runs that needed their pods.
    pub(super) needing: Vec<RunId>,
}

pub(super) struct PodBefore {
    entry: Arc<CataloguePod>,
    pub(super) held: bool,
    pub(super) up: bool,
    pub(super) unseen: bool,
}

impl Before {
    pub(in crate::engine::simulation) fn of(state: &State) -> Self {
        let pods = state.pods.values().map(|pod| PodBefore {
            entry: Arc::clone(&pod.entry),
            held: pod.reserved.is_some(),
            up: matches!(pod.life, Life::Up { .. }),
            unseen: matches!(pod.life, Life::Unseen { .. }),
        });
        let workflows = state.workflows.values();
        let runs = state.runs.values().map(|active| &active.run);
        Self {
            pods: pods.collect(),
            workflows: workflows
                .map(|workflow| Arc::clone(&workflow.entry))
                .collect(),
            needing: runs
                .filter(|run| run.needs_pods())
                .map(|run| run.id)
                .collect(),
        }
    }

    pub(super) fn pod(&self, name: &PodName) -> Option<&PodBefore> {
        self.pods.iter().find(|pod| pod.entry.spec.name == *name)
    }

    pub(super) fn is_catalogue_of(&self, state: &State) -> bool {
        let pods = state.pods.values().map(|pod| &pod.entry);
        let workflows = state.workflows.values().map(|workflow| &workflow.entry);
        self.pods.len() == state.pods.len()
            && self.workflows.len() == state.workflows.len()
            && (self.pods.iter().zip(pods)).all(|(before, entry)| Arc::ptr_eq(&before.entry, entry))
            && (self.workflows.iter().zip(workflows))
                .all(|(before, entry)| Arc::ptr_eq(before, entry))
    }
}
