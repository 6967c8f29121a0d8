//! What a run of a workflow would do, told from a snapshot. Pure; changes nothing.
//!
//! It asks [`admission::decide`] what the engine asks when the run really comes, so that a plan
//! and the run that follows it agree, as long as nothing happens in between.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::admission::{self, Asked};
use super::snapshot::{ManagedView, MemberView, PodView, Snapshot, WorkflowView};
use super::state::RuntimeLink;
use crate::domain::admission::{Admitted, Denial, Figures};
use crate::domain::error::CommandError;
use crate::domain::footprint::Expectation;
use crate::domain::name::{ObjectName, PodName};
use crate::domain::pod::{Footprint, PublishedPort};
use crate::domain::state::PodStatus;
use crate::domain::workflow::CatalogueWorkflow;

/// Whether a run fits, with its numbers, or why not.
pub type Decision = Result<Admitted, Box<Denial>>;

/// What a run would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Of this workflow.
    pub workflow: Arc<CatalogueWorkflow>,
    /// Its pods, level by level.
    pub pods: Vec<PlannedPod>,
    /// Whether it fits now.
    pub decision: Decision,
    /// How long it takes until all pods are ready: the longest that each pod has taken, added
    /// along the longest way through the order; a pod that is ready takes no time. `None`
    /// where that is not known of every pod.
    pub ready_after: Option<Duration>,
    /// What else should be known: what makes a run slow, and what it would be refused for
    /// besides a lack of room.
    pub warnings: Vec<String>,
}

/// A pod of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPod {
    /// Which, and where in the order.
    pub member: MemberView,
    /// What it is expected to use.
    pub expected: Expectation,
    /// It runs already: nothing is needed for it.
    pub running: bool,
}

impl Plan {
    /// The numbers it was decided on.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        match &self.decision {
            Ok(admitted) => &admitted.figures,
            Err(denial) => &denial.figures,
        }
    }
}

/// What a run of `workflow` would do now.
///
/// # Errors
/// Where a pod of it has left the catalogue, or the host has not been measured yet.
pub fn plan(snapshot: &Snapshot, workflow: &WorkflowView) -> Result<Plan, CommandError> {
    let decision = decide(snapshot, workflow)?;
    let mut pods = Vec::new();
    for member in &workflow.members {
        let (view, managed) = catalogued(snapshot, workflow, member)?;
        pods.push(PlannedPod {
            member: member.clone(),
            expected: managed.expected.clone(),
            running: view.status == PodStatus::Running,
        });
    }
    let ready_after = ready_after(snapshot, workflow);
    let mut warnings = match &decision {
        Ok(admitted) => admitted.warnings.clone(),
        Err(_) => Vec::new(),
    };
    warnings.extend(obstacles(snapshot, workflow));
    warnings.extend(late(workflow, ready_after));
    Ok(Plan {
        workflow: Arc::clone(&workflow.entry),
        pods,
        decision,
        ready_after,
        warnings,
    })
}

/// Whether a run of `workflow` fits now.
///
/// # Errors
/// Where that cannot be said: a pod of it has left the catalogue, or the host has not been
/// measured yet.
pub fn decide(snapshot: &Snapshot, workflow: &WorkflowView) -> Result<Decision, CommandError> {
    let spec = &workflow.entry.spec;
    let mut pods = Vec::new();
    for member in &workflow.members {
        let (_, managed) = catalogued(snapshot, workflow, member)?;
        pods.push((member.pod.clone(), managed.expected.footprint));
    }
    let budget = snapshot.budget.as_ref().ok_or(CommandError::NotMeasured)?;
    let asked = Asked {
        object: ObjectName::Workflow(spec.name.clone()),
        priority: spec.priority,
        pods,
    };
    Ok(admission::decide(budget, &asked))
}

/// What the workflow's pods are expected to use together; those that have left the catalogue
/// count as nothing.
#[must_use]
pub fn expected(snapshot: &Snapshot, workflow: &WorkflowView) -> Footprint {
    let pods = workflow.members.iter().filter_map(|member| {
        let managed = snapshot.pod(member.pod.as_str())?.managed.as_ref()?;
        Some(managed.expected.footprint)
    });
    pods.fold(Footprint::default(), |sum, part| Footprint {
        memory: sum.memory + part.memory,
        cpu: sum.cpu + part.cpu,
    })
}

fn catalogued<'a>(
    snapshot: &'a Snapshot,
    workflow: &WorkflowView,
    member: &MemberView,
) -> Result<(&'a PodView, &'a ManagedView), CommandError> {
    snapshot
        .pod(member.pod.as_str())
        .and_then(|view| Some((view, view.managed.as_ref()?)))
        .ok_or_else(|| CommandError::MissingPod {
            workflow: workflow.entry.spec.name.clone(),
            pod: member.pod.clone(),
        })
}

/// The longest way through the order. A pod of which no time is known may be on it, whichever
/// way the others go.
fn ready_after(snapshot: &Snapshot, workflow: &WorkflowView) -> Option<Duration> {
    let mut ready_at: BTreeMap<&PodName, Duration> = BTreeMap::new();
    for MemberView {
        pod,
        level: _,
        after,
    } in &workflow.members
    {
        let view = snapshot.pod(pod.as_str())?;
        let takes = if view.ready {
            Duration::ZERO
        } else {
            let observed = view.managed.as_ref()?.expected.observed.as_ref()?;
            observed.slowest_ready?
        };
        let begins = after.iter().filter_map(|before| ready_at.get(before)).max();
        let begins = begins.copied().unwrap_or_default();
        ready_at.insert(pod, begins.saturating_add(takes));
    }
    ready_at.into_values().max()
}

/// What a run would be refused for, apart from the room that it needs.
fn obstacles(snapshot: &Snapshot, workflow: &WorkflowView) -> Vec<String> {
    let mut obstacles = Vec::new();
    if let RuntimeLink::Down { reason } = &snapshot.runtime {
        obstacles.push(format!(
            "Podman does not answer, so nothing can be started: {reason}; run `dagdactl doctor`"
        ));
    }
    let down = |status: PodStatus| matches!(status, PodStatus::Stopped | PodStatus::Error);
    let members = workflow.members.iter();
    for pod in members.filter_map(|member| snapshot.pod(member.pod.as_str())) {
        let others = snapshot.pods.iter().chain(&snapshot.unmanaged);
        let holder = others
            .filter(|other| down(pod.status) && other.name != pod.name && !down(other.status))
            .find_map(|other| {
                let taken =
                    |port: &&PublishedPort| other.ports.iter().any(|o| o.collides_with(port));
                Some((other, pod.ports.iter().find(taken)?))
            });
        obstacles.extend(holder.map(|(other, port)| {
            format!(
                "{} cannot start while {} holds host port {}; stop it first: dagdactl pods stop {}",
                pod.name, other.name, port.host_port, other.name
            )
        }));
    }
    obstacles
}

/// That the timeout is shorter than what the pods are known to take.
fn late(workflow: &WorkflowView, ready_after: Option<Duration>) -> Option<String> {
    let timeout = workflow.entry.spec.timeout;
    let after = ready_after.filter(|after| *after > timeout)?;
    Some(format!(
        "its pods have taken up to {} to become ready, and the timeout is {}; raise spec.timeout, or run it with --timeout",
        humantime::format_duration(whole_seconds(after)),
        humantime::format_duration(timeout),
    ))
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
