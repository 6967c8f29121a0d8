//! A catalogued workflow as the engine keeps it, and the order of its pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::pod::Pod;
use super::snapshot::MemberView;
use crate::domain::name::PodName;
use crate::domain::order::{After, Cycle, levels};
use crate::domain::pod::Footprint;
use crate::domain::workflow::{CatalogueWorkflow, WorkflowSpec};
use crate::ports::WorkflowRecord;

/// A catalogued workflow.
#[derive(Debug, Clone)]
pub(super) struct Workflow {
    pub(super) id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) entry: Arc<CatalogueWorkflow>,
    /// Whether its row says that a run is active.
    pub(super) shown_active: bool,
    /// Its pods, level by level. Brought up to date whenever the catalogue changes.
    pub(super) order: Vec<MemberView>,
}

impl Workflow {
    pub(super) fn new(id: Uuid, entry: Arc<CatalogueWorkflow>, now: Timestamp) -> Self {
        Self {
            id,
            created_at: now,
            entry,
            shown_active: false,
            order: Vec::new(),
        }
    }

    pub(super) fn record(
        &self,
        estimated: Footprint,
        active: bool,
        now: Timestamp,
    ) -> WorkflowRecord {
        let spec = &self.entry.spec;
        WorkflowRecord {
            id: self.id,
            name: spec.name.clone(),
            manifest: self.entry.manifest.clone(),
            description: spec.description.clone(),
            pods: spec.members.iter().map(|m| m.pod.clone()).collect(),
            priority: spec.priority,
            estimated,
            active,
            created_at: self.created_at,
            updated_at: now,
        }
    }

    /// Sorts its pods anew.
    pub(super) fn sort(&mut self, pods: &BTreeMap<PodName, Pod>) {
        let spec = &self.entry.spec;
        let of_pod = |name: &PodName| pods.get(name).map(|pod| pod.entry.spec.after.as_slice());
        // `apply` refuses a circle. One that is there nevertheless, because a variable changed
        // what a stored manifest says, is cut by leaving the pods' own order out.
        self.order = sorted(spec, of_pod)
            .or_else(|_| sorted(spec, |_| None))
            .unwrap_or_default();
    }
}

/// A workflow's pods, level by level: by its own order, and by the order that the pods have
/// themselves (`after_of`), as far as that is between pods of the workflow.
///
/// # Errors
/// Pods that come after each other in a circle.
pub(super) fn sorted<'a>(
    spec: &'a WorkflowSpec,
    after_of: impl Fn(&PodName) -> Option<&'a [PodName]>,
) -> Result<Vec<MemberView>, Cycle> {
    let mut after: After = spec
        .members
        .iter()
        .map(|member| (member.pod.clone(), member.after.iter().cloned().collect()))
        .collect();
    let members: Vec<PodName> = after.keys().cloned().collect();
    for pod in &members {
        let of_pod = after_of(pod).unwrap_or_default().iter();
        let inside = of_pod.filter(|before| members.binary_search(before).is_ok());
        if let Some(set) = after.get_mut(pod) {
            set.extend(inside.cloned());
        }
    }
    let levels = levels(&after)?;
    let mut order = Vec::with_capacity(members.len());
    for (level, pods) in levels.into_iter().enumerate() {
        for pod in pods {
            let before = after.remove(&pod).unwrap_or_default();
            order.push(MemberView {
                level: u32::try_from(level).unwrap_or(u32::MAX),
                after: before.into_iter().collect(),
                pod,
            });
        }
    }
    Ok(order)
}
