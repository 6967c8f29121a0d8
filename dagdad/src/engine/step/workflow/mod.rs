//! What callers ask for of workflows: a run, its end, the workflow's removal.

mod ending;
mod joining;
mod lookup;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::effect::{Effect, Persist};
use super::super::event::{Command, Reply, Ticket};
use super::super::eviction::Eviction;
use super::super::run::ActiveRun;
use super::super::snapshot::MemberView;
use super::super::state::State;
use super::admission::Decision;
use super::{later, tell};
use crate::domain::admission::{Admission, Remedy};
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, Subject};
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::run::{Phase, Run, RunId, RunMember, Step};
use crate::domain::workflow::WorkflowSpec;
use crate::ports::Record;

/// How a run is asked for.
#[derive(Debug, Clone, Copy)]
struct Terms {
    admission: Admission,
    queue: bool,
    timeout: Option<Duration>,
}

impl State {
    pub(super) fn workflow_command(
        &mut self,
        ticket: Ticket,
        command: Command,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let (verb, asked, answer) = match command {
            Command::Run {
                workflow,
                admission,
                queue,
                timeout,
            } => {
                let terms = Terms {
                    admission,
                    queue,
                    timeout,
                };
                let answer = self.run_workflow(&workflow, terms, now, out);
                ("run", workflow, answer)
            }
            Command::StopWorkflow { workflow } => {
                let answer = self.stop_workflow(&workflow, now, out);
                ("stop", workflow, answer)
            }
            Command::RemoveWorkflow { workflow } => {
                match self.remove_workflow(ticket, &workflow, now, out) {
                    Ok(()) => return,
                    Err(error) => ("remove", workflow, Err(error)),
                }
            }
            Command::Apply { .. }
            | Command::Start { .. }
            | Command::Stop { .. }
            | Command::Restart { .. }
            | Command::Remove { .. }
            | Command::AcknowledgeAlerts { .. }
            | Command::ResolveAlert { .. }
            | Command::SetEconomy { .. }
            | Command::Silence { .. }
            | Command::LiftSilence { .. } => return,
        };
        let reply = answer.unwrap_or_else(|error| {
            let message = format!("{verb} of workflow {asked} refused: {error}");
            let object = asked.parse::<WorkflowName>().ok();
            let object = object.as_ref().map(WorkflowName::as_str);
            let event = self.event_about(EventKind::Refused, object, None, message, now);
            tell(event, Subject::Workflow, out);
            Reply::Refused(error)
        });
        out.push(Effect::Answer { ticket, reply });
    }

    fn run_workflow(
        &mut self,
        asked: &str,
        terms: Terms,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, CommandError> {
        let name = self.find_workflow(asked)?;
        if let Some(id) = self.active_run(&name) {
            return self.join_run(id, terms, now, out);
        }
        let workflow = &self.workflows[&name];
        let order = workflow.order.clone();
        let spec = workflow.entry.spec.clone();
        self.check_beginning(&name, &order)?;
        let mut run = self.new_run(&spec, &order, terms, now);
        let asked = self.asked_for_run(&run);
        let mut eviction = None;
        let mut remark = None;
        let timeout = run.timeout;
        match self.decide(&asked, terms.admission, now) {
            Ok(Decision::Admitted(about)) => {
                self.reserve_all(&asked);
                run.admitted_at = Some(now);
                run.phase = starting(timeout, now);
                if run.admission == Admission::Force {
                    run.admission = Admission::Fit;
                }
                remark = about;
            }
            Ok(Decision::Forced(why)) => {
                self.reserve_all(&asked);
                run.admitted_at = Some(now);
                run.phase = starting(timeout, now);
                let message = format!("run of {name} {why}");
                self.note_run(EventKind::Forced, &run, message, now, out);
            }
            Ok(Decision::After(victims)) => {
                run.phase = Phase::Evicting {
                    victims: victims.clone(),
                };
                eviction = Some(Eviction::of(victims));
            }
            Err(CommandError::Insufficient(denial))
                if terms.queue && denial.remedy != Remedy::Never =>
            {
                run.phase = Phase::Queued;
                remark = Some(denial.to_string());
            }
            Err(error) => return Err(error),
        }
        let message = match (&run.phase, remark) {
            (Phase::Queued, Some(why)) => format!("run of {name} waits in the queue: {why}"),
            (Phase::Evicting { victims }, _) => {
                let names: Vec<&str> = victims.iter().map(PodName::as_str).collect();
                format!("run of {name}, once {} made room for it", names.join(", "))
            }
            (_, Some(remark)) => format!("run of {name}, {remark}"),
            (_, None) => format!("run of {name}"),
        };
        let kind = match run.phase {
            Phase::Queued => EventKind::RunQueued,
            _ => EventKind::RunStarted,
        };
        Ok(Reply::Run(
            self.accept_run(run, eviction, kind, message, now, out),
        ))
    }

    /// Writes a new run; it begins once it is on disk.
    fn accept_run(
        &mut self,
        run: Run,
        eviction: Option<Eviction>,
        kind: EventKind,
        message: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> RunId {
        let id = run.id;
        let event = self.event_about(kind, Some(run.workflow.as_str()), Some(id), message, now);
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Workflow,
        });
        let records = vec![Record::PutRun(Box::new(run.clone())), Record::Event(event)];
        let mut active = ActiveRun::new(run, false);
        active.eviction = eviction;
        self.runs.insert(id, active);
        out.push(Effect::Persist(Persist::Run { run: id, records }));
        id
    }

    fn new_run(
        &mut self,
        spec: &WorkflowSpec,
        order: &[MemberView],
        terms: Terms,
        now: Timestamp,
    ) -> Run {
        let members = order
            .iter()
            .map(|MemberView { pod, level, after }| RunMember {
                pod: pod.clone(),
                level: *level,
                after: after.clone(),
                step: Step::Waiting,
                since: now,
                started_by_run: false,
            });
        Run {
            id: RunId(self.identities.next(now)),
            workflow: spec.name.clone(),
            priority: spec.priority,
            on_failure: spec.on_failure,
            timeout: terms.timeout.unwrap_or(spec.timeout),
            admission: terms.admission,
            accepted_at: now,
            admitted_at: None,
            ready_at: None,
            phase: Phase::Queued,
            members: members.collect(),
        }
    }
}

/// A run's pods may take that long from now on.
fn starting(timeout: Duration, now: Timestamp) -> Phase {
    let timeout = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::from_hours(24));
    Phase::Starting {
        deadline: later(now, timeout),
    }
}
