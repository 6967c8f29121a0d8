//! Runs that are up: whether their pods still run.

use jiff::Timestamp;

use super::super::super::effect::Effect;
use super::super::super::pod::{Life, Pod};
use super::super::super::state::State;
use super::ended;
use crate::domain::event::EventKind;
use crate::domain::pod::RestartPolicy;
use crate::domain::run::{Outcome, Phase, Run, RunId, RunMember, Step};
use crate::domain::state::Wanted;

impl State {
    /// Looks whether a running run's pods still run.
    pub(super) fn watch_over(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(active) = self.runs.get(&id) else {
            return;
        };
        let turned: Vec<(usize, Step)> = (active.run.members.iter().enumerate())
            .filter_map(|(index, member)| Some((index, self.next_step(member)?)))
            .collect();
        // As a rule nothing turned, and there is nothing to copy either.
        if turned.is_empty() && self.phase_of(&active.run, now).state() == active.run.phase.state()
        {
            return;
        }
        let mut active = active.clone();
        let run = &mut active.run;
        let mut changed = !turned.is_empty();
        for (index, step) in turned {
            run.members[index].step = step;
            run.members[index].since = now;
        }
        let next = self.phase_of(run, now);
        let lost: Vec<&str> = lost(run).collect();
        let was = run.phase.state();
        let note = match &next {
            Phase::Ended { .. } if lost.is_empty() => Some((
                EventKind::RunStopped,
                format!("{} has ended: all its pods ran to their end", run.workflow),
            )),
            Phase::Ended { .. } => Some((
                EventKind::RunStopped,
                format!("{} has ended: all its pods were stopped", run.workflow),
            )),
            Phase::Degraded if changed => Some((
                EventKind::RunDegraded,
                format!("{} is degraded: {}", run.workflow, lost.join("; ")),
            )),
            Phase::Running if was != next.state() => Some((
                EventKind::RunReady,
                format!("{} is whole again", run.workflow),
            )),
            _ => None,
        };
        changed |= was != next.state();
        run.phase = next;
        let run = run.clone();
        self.store_active(active, changed, out);
        if let Some((kind, message)) = note {
            self.note_run(kind, &run, message, now, out);
        }
    }

    /// The step of a member of a run that is up, where it is another than before.
    fn next_step(&self, member: &RunMember) -> Option<Step> {
        let step = match self.pods.get(&member.pod) {
            // It has done what it was for.
            None if member.step == Step::Completed => None,
            None => Some(Step::Lost {
                message: format!("{} has left the catalogue", member.pod),
            }),
            Some(_) if self.to_start_again.contains(&member.pod) => None,
            Some(pod) if self.economy.has_shed(&member.pod) && matches!(pod.life, Life::Down) => {
                Some(Step::Lost {
                    message: format!("{} was stopped by economy mode", member.pod),
                })
            }
            Some(pod) => next_step_running(member, pod).or_else(|| self.broken(member, pod)),
        };
        step.filter(|step| *step != member.step)
    }

    /// A pod that is up, but one of whose containers ended badly.
    fn broken(&self, member: &RunMember, pod: &Pod) -> Option<Step> {
        if pod.operation.is_some() || !matches!(pod.life, Life::Up { whole: false, .. }) {
            return None;
        }
        let (container, code) = self.observed.get(member.pod.as_str())?.broken()?;
        Some(Step::Lost {
            message: format!("container {container} of {} exited with {code}", member.pod),
        })
    }

    /// Where a run that is up stands by the steps of its members.
    fn phase_of(&self, run: &Run, now: Timestamp) -> Phase {
        let over = run.members.iter().all(|member| {
            matches!(member.step, Step::Lost { .. } | Step::Completed)
                && !self.economy.has_shed(&member.pod)
                && self.pods.get(&member.pod).is_none_or(|pod| {
                    pod.wanted == Wanted::Down && pod.operation.is_none() && !failed(pod)
                })
        });
        match (over, lost(run).next()) {
            (true, _) => ended(Outcome::Stopped, now),
            (false, None) => Phase::Running,
            (false, Some(_)) => Phase::Degraded,
        }
    }
}

/// Why each member that is lost is.
fn lost(run: &Run) -> impl Iterator<Item = &str> {
    run.members.iter().filter_map(|member| match &member.step {
        Step::Lost { message } => Some(message.as_str()),
        _ => None,
    })
}

/// The step of a member of a run that is up, as its pod is now; `None` while that is not clear.
fn next_step_running(member: &RunMember, pod: &Pod) -> Option<Step> {
    let name = &member.pod;
    if pod.operation.is_some() {
        return None;
    }
    match &pod.life {
        Life::Up { .. } if pod.ready() => Some(Step::Ready),
        // Not asked yet, after dagdad began.
        Life::Up { watch, .. } => watch.complaint().map(|complaint| Step::Lost {
            message: format!("{name} is not ready any more ({complaint})"),
        }),
        Life::Down if pod.completed && pod.entry.spec.restart_policy != RestartPolicy::Always => {
            Some(Step::Completed)
        }
        // That a pod ran to its end is not in its row, but in the run's.
        Life::Down if member.step == Step::Completed => None,
        Life::Down => Some(Step::Lost {
            message: format!("{name} was stopped"),
        }),
        Life::Failed { message, .. } => Some(Step::Lost {
            message: message.clone(),
        }),
        Life::Unseen { .. } => None,
    }
}

fn failed(pod: &Pod) -> bool {
    matches!(pod.life, Life::Failed { .. })
}
