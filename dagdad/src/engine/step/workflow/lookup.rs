//! What there is of workflows and runs, what stands in a run's way, and their rows.

use jiff::Timestamp;

use super::super::super::effect::{Effect, Persist};
use super::super::super::pod::Life;
use super::super::super::snapshot::MemberView;
use super::super::super::state::{RuntimeLink, State};
use crate::domain::error::CommandError;
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::run::{Phase, Run, RunId};
use crate::ports::Record;

impl State {
    pub(in crate::engine::step) fn find_workflow(
        &self,
        asked: &str,
    ) -> Result<WorkflowName, CommandError> {
        if let Some((name, _)) = self.workflows.get_key_value(asked) {
            return Ok(name.clone());
        }
        Err(CommandError::no_such_workflow(asked, self.workflows.keys()))
    }

    /// A workflow's run that has not ended; there is at most one.
    pub(in crate::engine) fn active_run(&self, name: &WorkflowName) -> Option<RunId> {
        self.runs
            .values()
            .find(|active| active.run.active() && active.run.workflow == *name)
            .map(|active| active.run.id)
    }

    /// Refuses a run that could not start its pods now.
    pub(super) fn check_beginning(
        &self,
        workflow: &WorkflowName,
        order: &[MemberView],
    ) -> Result<(), CommandError> {
        if let RuntimeLink::Down { reason } = &self.runtime {
            return Err(CommandError::RuntimeDown {
                reason: reason.clone(),
            });
        }
        self.check_members(workflow, order)
    }

    /// Refuses a run whose pods are not all in the catalogue, or whose host ports are taken.
    pub(in crate::engine) fn check_members(
        &self,
        workflow: &WorkflowName,
        order: &[MemberView],
    ) -> Result<(), CommandError> {
        // A pod that is gone stands in the way for good, a port that is taken only for now.
        let gone = order
            .iter()
            .find(|member| !self.pods.contains_key(&member.pod));
        if let Some(member) = gone {
            return Err(CommandError::MissingPod {
                workflow: workflow.clone(),
                pod: member.pod.clone(),
            });
        }
        for pod in order.iter().filter_map(|member| self.pods.get(&member.pod)) {
            if pod.operation.is_none() && !matches!(pod.life, Life::Up { .. }) {
                self.check_ports(&pod.entry.spec)?;
            }
        }
        Ok(())
    }

    /// Refuses to take a pod away that an active run needs.
    pub(in crate::engine::step) fn check_runs(&self, pod: &PodName) -> Result<(), CommandError> {
        let needs = |run: &Run| {
            run.active() && run.member(pod).is_some() && !matches!(run.phase, Phase::Queued)
        };
        match self.runs.values().find(|active| needs(&active.run)) {
            None => Ok(()),
            Some(active) => Err(CommandError::NeededByRun {
                pod: pod.clone(),
                workflow: active.run.workflow.clone(),
                run: active.run.id,
            }),
        }
    }

    /// Writes a run as it is now.
    pub(in crate::engine::step) fn put_run(&self, id: RunId, out: &mut Vec<Effect>) {
        if let Some(active) = self.runs.get(&id) {
            out.push(Effect::Persist(Persist::Fact {
                records: vec![Record::PutRun(Box::new(active.run.clone()))],
                then: Vec::new(),
            }));
        }
    }

    /// Writes the rows that do not say truly whether a run is active: one began or ended, or a
    /// daemon was killed before it had written that.
    pub(in crate::engine::step) fn show_active_workflows(
        &mut self,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let untrue: Vec<WorkflowName> = self
            .workflows
            .iter()
            .filter(|(name, workflow)| workflow.shown_active != self.active_run(name).is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for name in untrue {
            self.put_workflow_row(&name, now, out);
        }
    }

    /// Writes a workflow's row as it is now.
    pub(in crate::engine::step) fn put_workflow_row(
        &mut self,
        name: &WorkflowName,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let changing = self.applying.as_ref().is_some_and(|applying| {
            let changed = &applying.changed_workflows;
            changed.iter().any(|(_, entry)| entry.spec.name == *name)
        });
        let Some(workflow) = self.workflows.get(name).filter(|_| !changing) else {
            return;
        };
        let active = self.active_run(name).is_some();
        let record = workflow.record(self.estimate(&workflow.entry.spec), active, now);
        if let Some(workflow) = self.workflows.get_mut(name) {
            workflow.shown_active = active;
        }
        out.push(Effect::Persist(Persist::Fact {
            records: vec![Record::PutWorkflow(Box::new(record))],
            then: Vec::new(),
        }));
    }
}
