//! What callers ask for of workflows: a run, its end, the workflow's removal.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::effect::{Effect, Persist};
use super::super::event::{Command, Reply, Ticket};
use super::super::eviction::Eviction;
use super::super::pod::Life;
use super::super::run::ActiveRun;
use super::super::snapshot::MemberView;
use super::super::state::{RuntimeLink, State};
use super::admission::Decision;
use super::later;
use super::run::at_rest_and_down;
use crate::domain::admission::{Admission, Remedy};
use crate::domain::alert::Condition;
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::operation::Done;
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
            | Command::ResolveAlert { .. } => return,
        };
        let reply = answer.unwrap_or_else(|error| {
            let message = format!("{verb} of workflow {asked} refused: {error}");
            let object = asked.parse::<WorkflowName>().ok();
            let object = object.as_ref().map(WorkflowName::as_str);
            self.note_about(EventKind::Refused, object, None, message, now, out);
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
        out.push(Effect::Announce(event.clone()));
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

    /// A run is asked for while another is active.
    fn join_run(
        &mut self,
        id: RunId,
        terms: Terms,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, CommandError> {
        let run = self.runs[&id].run.clone();
        match run.phase {
            Phase::Queued if !terms.queue => {
                // Somebody insists: it leaves the queue, or is refused as if it were new.
                let order: Vec<MemberView> = run.members.iter().map(MemberView::from).collect();
                self.check_beginning(&run.workflow, &order)?;
                let asked = self.asked_for_run(&run);
                let decision = self.decide(&asked, terms.admission, now)?;
                self.leave_queue(id, decision, terms.admission, now, out);
                Ok(Reply::Run(id))
            }
            Phase::Queued | Phase::Evicting { .. } | Phase::Starting { .. } => Ok(Reply::Run(id)),
            Phase::Running => Ok(Reply::Done(Done {
                message: format!("{} is running already: run {id}", run.workflow),
                changed: false,
            })),
            Phase::Degraded => self.mend_run(run, terms, now, out),
            Phase::RollingBack(_) | Phase::Stopping => Err(CommandError::RunActive {
                workflow: run.workflow,
                run: id,
                state: run.phase.state().as_str(),
                advice: "wait until it has ended, then run it again".to_owned(),
            }),
            Phase::Ended { .. } => Err(CommandError::NoSuchRun { id: id.to_string() }),
        }
    }

    /// Starts what a degraded run has lost.
    fn mend_run(
        &mut self,
        mut run: Run,
        terms: Terms,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, CommandError> {
        let id = run.id;
        let order: Vec<MemberView> = run.members.iter().map(MemberView::from).collect();
        self.check_beginning(&run.workflow, &order)?;
        let asked = self.asked_for_run(&run);
        let decision = self.decide(&asked, terms.admission, now)?;
        for member in &mut run.members {
            if matches!(member.step, Step::Lost { .. }) {
                member.step = Step::Waiting;
                member.since = now;
            }
        }
        run.timeout = terms.timeout.unwrap_or(run.timeout);
        run.admission = terms.admission;
        if let Some(active) = self.runs.get_mut(&id) {
            active.run = run;
        }
        self.leave_queue(id, decision, terms.admission, now, out);
        Ok(Reply::Run(id))
    }

    /// A run begins to start its pods, or to make room for them.
    pub(super) fn leave_queue(
        &mut self,
        id: RunId,
        decision: Decision,
        admission: Admission,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(active) = self.runs.get(&id) else {
            return;
        };
        let mut run = active.run.clone();
        let asked = self.asked_for_run(&run);
        let mut eviction = None;
        run.admission = admission;
        let message = match decision {
            Decision::Forced(why) => {
                self.reserve_all(&asked);
                run.admitted_at = Some(now);
                run.phase = starting(run.timeout, now);
                let message = format!("run of {} {why}", run.workflow);
                self.note_run(EventKind::Forced, &run, message, now, out);
                format!("{} begins, by force", run.workflow)
            }
            Decision::Admitted(remark) => {
                self.reserve_all(&asked);
                run.admitted_at = Some(now);
                run.phase = starting(run.timeout, now);
                if admission == Admission::Force {
                    run.admission = Admission::Fit;
                }
                let remark = remark.map(|remark| format!(", {remark}"));
                format!("{} begins{}", run.workflow, remark.unwrap_or_default())
            }
            Decision::After(victims) => {
                let names: Vec<&str> = victims.iter().map(PodName::as_str).collect();
                let message = format!(
                    "{} begins once {} made room for it",
                    run.workflow,
                    names.join(", ")
                );
                run.phase = Phase::Evicting {
                    victims: victims.clone(),
                };
                eviction = Some(Eviction::of(victims));
                message
            }
        };
        self.note_run(EventKind::RunStarted, &run, message, now, out);
        if let Some(active) = self.runs.get_mut(&id) {
            active.run = run;
            active.eviction = eviction;
        }
        self.put_run(id, out);
    }

    fn stop_workflow(
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

    fn remove_workflow(
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
        out.push(Effect::Announce(event.clone()));
        let gone = "the workflow was removed";
        self.resolve(Condition::WorkflowFailed, name.as_str(), gone, now, out);
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

    pub(super) fn find_workflow(&self, asked: &str) -> Result<WorkflowName, CommandError> {
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
    fn check_beginning(
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
        for member in order {
            let Some(pod) = self.pods.get(&member.pod) else {
                return Err(CommandError::MissingPod {
                    workflow: workflow.clone(),
                    pod: member.pod.clone(),
                });
            };
            if pod.operation.is_none() && !matches!(pod.life, Life::Up { .. }) {
                self.check_ports(&pod.entry.spec)?;
            }
        }
        Ok(())
    }

    /// Refuses to take a pod away that an active run needs.
    pub(super) fn check_runs(&self, pod: &PodName) -> Result<(), CommandError> {
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
    pub(super) fn put_run(&self, id: RunId, out: &mut Vec<Effect>) {
        if let Some(active) = self.runs.get(&id) {
            out.push(Effect::Persist(Persist::Fact {
                records: vec![Record::PutRun(Box::new(active.run.clone()))],
                then: Vec::new(),
            }));
        }
    }

    /// Writes the rows that do not say truly whether a run is active: one began or ended, or a
    /// daemon was killed before it had written that.
    pub(super) fn show_active_workflows(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
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
    pub(super) fn put_workflow_row(
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

/// A run's pods may take that long from now on.
fn starting(timeout: Duration, now: Timestamp) -> Phase {
    let timeout = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::from_hours(24));
    Phase::Starting {
        deadline: later(now, timeout),
    }
}
