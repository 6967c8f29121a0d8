//! A workflow that is stopped, or taken out of the catalogue.

use jiff::Timestamp;

use super::super::super::effect::{Effect, Persist};
use super::super::super::event::{Reply, Ticket};
use super::super::super::state::State;
use super::super::run::at_rest_and_down;
use super::Terms;
use crate::domain::admission::Admission;
use crate::domain::alert::Condition;
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, Subject};
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::operation::Done;
use crate::domain::run::{Phase, Step};
use crate::ports::Record;

impl State {
    pub(super) fn stop_workflow(
        &mut self,
        asked: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, CommandError> {
        let name = match self.find_workflow(asked) {
            Ok(name) => name,
            // A workflow that left the catalogue may still have a run.
            Err(error) => self
                .runs
                .values()
                .find(|active| active.run.active() && active.run.workflow.as_str() == asked)
                .map(|active| active.run.workflow.clone())
                .ok_or(error)?,
        };
        self.members_are_given_up(&name, out);
        if let Some(id) = self.active_run(&name) {
            self.stop_run(id, now, out);
            return Ok(Reply::Run(id));
        }
        let workflow = &self.workflows[&name];
        let order = workflow.order.clone();
        let spec = workflow.entry.spec.clone();
        let up: Vec<PodName> = order
            .iter()
            .map(|member| member.pod.clone())
            .filter(|pod| self.pods.get(pod).is_some_and(|pod| !at_rest_and_down(pod)))
            .collect();
        if up.is_empty() {
            return Ok(Reply::Done(Done {
                message: format!("{name} has no active run, and none of its pods runs"),
                changed: false,
            }));
        }
        // Its pods were started one by one, or left by a run that failed.
        let terms = Terms {
            admission: Admission::Fit,
            queue: false,
            timeout: None,
        };
        let mut run = self.new_run(&spec, &order, terms, now);
        run.phase = Phase::Stopping;
        for member in &mut run.members {
            member.step = if up.contains(&member.pod) {
                Step::Ready
            } else {
                Step::Stopped
            };
        }
        let message = format!("stop of workflow {name}");
        Ok(Reply::Run(self.accept_run(
            run,
            None,
            EventKind::RunStopped,
            message,
            now,
            out,
        )))
    }

    /// What economy mode has stopped of a workflow that is stopped now does not come back, save
    /// for another run that needs it.
    fn members_are_given_up(&mut self, name: &WorkflowName, out: &mut Vec<Effect>) {
        let active = self.active_run(name);
        let of_run = active.and_then(|id| self.runs.get(&id));
        let members: Vec<PodName> = match (of_run, self.workflows.get(name)) {
            (Some(active), _) => {
                let members = active.run.members.iter();
                members.map(|member| member.pod.clone()).collect()
            }
            (None, Some(workflow)) => {
                let members = workflow.order.iter();
                members.map(|member| member.pod.clone()).collect()
            }
            (None, None) => Vec::new(),
        };
        for pod in members {
            let mut others = self
                .runs
                .values()
                .filter(|other| Some(other.run.id) != active);
            if !others.any(|other| other.run.needs_pods() && other.run.member(&pod).is_some()) {
                self.person_decides(&pod, out);
            }
        }
    }

    pub(super) fn remove_workflow(
        &mut self,
        ticket: Ticket,
        asked: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let name = self.find_workflow(asked)?;
        if let Some(id) = self.active_run(&name) {
            return Err(CommandError::RunActive {
                state: self.runs[&id].run.phase.state().as_str(),
                advice: format!("stop it first: dagdactl workflow stop {name}"),
                workflow: name,
                run: id,
            });
        }
        let Some(workflow) = self.workflows.remove(&name) else {
            return Ok(());
        };
        let message = format!("workflow {name} is removed from the catalogue");
        let event = self.event_about(
            EventKind::Removed,
            Some(name.as_str()),
            None,
            message.clone(),
            now,
        );
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Workflow,
        });
        let gone = "the workflow was removed".to_owned();
        self.resolve(Condition::WorkflowFailed, name.as_str(), &gone, now, out);
        let done = Done {
            message,
            changed: true,
        };
        out.push(Effect::Persist(Persist::Fact {
            records: vec![Record::DeleteWorkflow(workflow.id), Record::Event(event)],
            then: vec![Effect::Answer {
                ticket,
                reply: Reply::Done(done),
            }],
        }));
        Ok(())
    }
}
