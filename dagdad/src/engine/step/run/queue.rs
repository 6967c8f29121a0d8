//! Runs that wait: for their turn, or until victims made room.

use jiff::Timestamp;

use super::super::super::effect::Effect;
use super::super::super::eviction::Eviction;
use super::super::super::snapshot::MemberView;
use super::super::super::state::State;
use super::super::admission::{Decision, Evicted};
use super::failure_of;
use crate::domain::admission::{Admission, Remedy};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::run::{Phase, Run, RunId};

impl State {
    /// Starts the first of the runs that wait, as soon as it fits. The others wait for it, so
    /// that a large run is not overtaken by small ones for ever.
    pub(super) fn advance_queue(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        while let Some(id) = self.queue().first().copied() {
            let Some(active) = self.runs.get(&id).filter(|active| active.stored) else {
                return;
            };
            let run = active.run.clone();
            let order: Vec<MemberView> = run.members.iter().map(MemberView::from).collect();
            if let Err(error) = self.check_members(&run.workflow, &order) {
                if !matches!(error, CommandError::PortTaken { .. }) {
                    self.fail_run(id, failure_of(&error), now, out);
                    continue;
                }
                return;
            }
            let asked = self.asked_for_run(&run);
            match self.decide(&asked, run.admission, now) {
                Ok(decision @ (Decision::Admitted(_) | Decision::Forced(_))) => {
                    self.leave_queue(id, decision, run.admission, now, out);
                    while self.advance_run(id, now, out) {}
                }
                Err(CommandError::Insufficient(denial)) if denial.remedy == Remedy::Never => {
                    let failure = failure_of(&CommandError::Insufficient(denial));
                    self.fail_run(id, failure, now, out);
                }
                Ok(Decision::After(_)) | Err(_) => return,
            }
        }
    }

    /// The runs that wait: the highest priority first, then the first come.
    pub(in crate::engine) fn queue(&self) -> Vec<RunId> {
        let mut queue: Vec<&Run> = self
            .runs
            .values()
            .map(|active| &active.run)
            .filter(|run| run.phase == Phase::Queued)
            .collect();
        queue.sort_by_key(|run| (std::cmp::Reverse(run.priority), run.accepted_at, run.id));
        queue.into_iter().map(|run| run.id).collect()
    }

    pub(super) fn make_room_for_run(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(active) = self.runs.get(&id) else {
            return;
        };
        let Phase::Evicting { victims } = &active.run.phase else {
            return;
        };
        let mut eviction = active
            .eviction
            .clone()
            .unwrap_or_else(|| Eviction::of(victims.iter().cloned()));
        let run = active.run.clone();
        let asked = self.asked_for_run(&run);
        let mut evicted = self.evict(&mut eviction, &asked, Some(id), now, out);
        while let Evicted::More = evicted {
            if let Some(active) = self.runs.get_mut(&id) {
                let victims = eviction.victims.keys().cloned().collect();
                active.run.phase = Phase::Evicting { victims };
            }
            self.put_run(id, out);
            evicted = self.evict(&mut eviction, &asked, Some(id), now, out);
        }
        match evicted {
            Evicted::Waiting | Evicted::More => {
                if let Some(active) = self.runs.get_mut(&id) {
                    active.eviction = Some(eviction);
                }
            }
            Evicted::Room => {
                let decision = Decision::Admitted(None);
                self.leave_queue(id, decision, Admission::Evict, now, out);
            }
            Evicted::Refused(error) if run.admitted_at.is_some() => {
                self.stay_degraded(id, &error, now, out);
            }
            Evicted::Refused(error) => self.fail_run(id, failure_of(&error), now, out),
        }
    }

    /// There is no room to mend a run: it is as it was.
    fn stay_degraded(
        &mut self,
        id: RunId,
        error: &CommandError,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(active) = self.runs.get_mut(&id) else {
            return;
        };
        active.eviction = None;
        active.run.phase = Phase::Degraded;
        let run = active.run.clone();
        let message = format!("{} stays degraded: {error}", run.workflow);
        self.note_run(EventKind::RunDegraded, &run, message, now, out);
        self.put_run(id, out);
    }
}
