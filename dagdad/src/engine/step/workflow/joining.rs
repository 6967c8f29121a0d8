//! A run that is asked for while another is active, or that begins after it has waited.

use jiff::Timestamp;

use super::super::super::effect::Effect;
use super::super::super::event::Reply;
use super::super::super::eviction::Eviction;
use super::super::super::snapshot::MemberView;
use super::super::super::state::State;
use super::super::admission::Decision;
use super::{Terms, starting};
use crate::domain::admission::Admission;
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::Done;
use crate::domain::run::{Phase, Run, RunId, Step};

impl State {
    /// A run is asked for while another is active.
    pub(super) fn join_run(
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
    pub(super) fn mend_run(
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
    pub(in crate::engine::step) fn leave_queue(
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
}
