//! Runs whose pods are stopped, those first that come after the others.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::super::super::effect::Effect;
use super::super::super::operation::Request;
use super::super::super::pod::Life;
use super::super::super::run::ActiveRun;
use super::super::super::state::State;
use super::{at_rest_and_down, ended};
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::pod::Category;
use crate::domain::run::{Outcome, Phase, Run, RunId, Step};
use crate::domain::state::Wanted;

impl State {
    /// Stops what is to be stopped, those first that come after the others.
    pub(super) fn bring_down(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(mut active) = self.runs.get(&id).cloned() else {
            return;
        };
        let rollback = matches!(active.run.phase, Phase::RollingBack(_));
        let mut changed = false;
        let mut stops = Vec::new();
        for index in (0..active.run.members.len()).rev() {
            let Some(step) = self.next_step_down(&active, index, rollback) else {
                continue;
            };
            let member = &mut active.run.members[index];
            if step == Step::Stopping {
                stops.push(member.pod.clone());
            }
            if step != member.step {
                changed = true;
                member.step = step;
                member.since = now;
            }
        }
        let over = (0..active.run.members.len()).all(|index| self.is_done(&active, index));
        if over {
            let phase = std::mem::replace(&mut active.run.phase, Phase::Stopping);
            active.run.phase = ended(
                match phase {
                    Phase::RollingBack(failure) => Outcome::RolledBack(failure),
                    _ => Outcome::Stopped,
                },
                now,
            );
        }
        let run = active.run.clone();
        self.store_active(active, changed || over, out);
        for pod in stops {
            let request = Request {
                run: Some(id),
                cause: Some(if rollback {
                    format!("since {} is rolled back", run.workflow)
                } else {
                    format!("since {} is stopped", run.workflow)
                }),
                ..Request::new(OperationKind::Stop)
            };
            let operation = OperationId(self.identities.next(now));
            self.accept(&pod, operation, request, now, out);
        }
        if over && !rollback {
            self.let_go_of(&run, now, out);
        }
        if over {
            let verb = if rollback { "rolled back" } else { "stopped" };
            let kept: Vec<String> = run
                .members
                .iter()
                .filter_map(|member| match &member.step {
                    Step::Kept { because } => Some(format!("{} ({because})", member.pod)),
                    _ => None,
                })
                .collect();
            let kept = if kept.is_empty() {
                String::new()
            } else {
                format!("; still up: {}", kept.join(", "))
            };
            let message = format!("{} is {verb}{kept}", run.workflow);
            self.note_run(EventKind::RunStopped, &run, message, now, out);
        }
    }

    /// Who stops a workflow does not miss its pods any more, those that had failed included.
    fn let_go_of(&mut self, run: &Run, now: Timestamp, out: &mut Vec<Effect>) {
        for member in run.members.iter().filter(|m| m.step == Step::Stopped) {
            let needed = self.needed(run, &member.pod).is_some();
            let Some(pod) = self.pods.get_mut(&member.pod) else {
                continue;
            };
            let kept = pod.entry.spec.category == Category::Essential && !member.started_by_run;
            let missed = matches!(pod.life, Life::Failed { .. }) || pod.wanted == Wanted::Up;
            if missed && at_rest_and_down(pod) && !needed && !kept {
                pod.become_life(Life::Down, now);
                pod.wanted = Wanted::Down;
                self.put_row(&member.pod, now, out);
            }
        }
    }

    /// Whether nothing is left to be done with a member of a run that ends.
    fn is_done(&self, active: &ActiveRun, index: usize) -> bool {
        let Some(member) = active.run.members.get(index) else {
            return true;
        };
        let Some(pod) = self.pods.get(&member.pod) else {
            return true;
        };
        match &member.step {
            Step::Kept { .. } | Step::Stopped | Step::Completed => true,
            Step::Failed { .. } if active.unstoppable.contains(&member.pod) => true,
            Step::Waiting | Step::Failed { .. } => {
                let rollback = matches!(active.run.phase, Phase::RollingBack(_));
                at_rest_and_down(pod) || (rollback && !member.started_by_run)
            }
            Step::Starting | Step::Ready | Step::Lost { .. } | Step::Stopping => false,
        }
    }

    /// The step that a member of an ending run takes now; [`Step::Stopping`] also where its stop
    /// is to be asked for (again).
    fn next_step_down(&self, active: &ActiveRun, index: usize, rollback: bool) -> Option<Step> {
        let run = &active.run;
        let member = run.members.get(index)?;
        let Some(pod) = self.pods.get(&member.pod) else {
            let up = matches!(
                member.step,
                Step::Starting | Step::Ready | Step::Lost { .. } | Step::Stopping
            );
            return up.then_some(Step::Stopped);
        };
        if self.is_done(active, index) {
            return None;
        }
        if at_rest_and_down(pod) {
            return Some(Step::Stopped);
        }
        if member.step == Step::Stopping {
            // Asked for by an earlier daemon whose intent was lost with it.
            return (pod.operation.is_none()).then_some(Step::Stopping);
        }
        if rollback && !member.started_by_run {
            return Some(Step::Kept {
                because: "it ran before this run".to_owned(),
            });
        }
        let followers =
            (0..run.members.len()).filter(|&other| run.members[other].after.contains(&member.pod));
        let mut kept_by = None;
        for follower in followers {
            if let Step::Kept { .. } = run.members[follower].step {
                kept_by.get_or_insert(follower);
            } else if !self.is_done(active, follower) {
                return None;
            }
        }
        if let Some(because) = self.needed(run, &member.pod) {
            return Some(Step::Kept { because });
        }
        if !rollback
            && pod.entry.spec.category == Category::Essential
            && !member.started_by_run
            && run.admitted_at.is_some()
        {
            return Some(Step::Kept {
                because: "it is essential and ran before this run".to_owned(),
            });
        }
        if let Some(follower) = kept_by {
            return Some(Step::Kept {
                because: format!(
                    "{}, which stays up, comes after it",
                    run.members[follower].pod
                ),
            });
        }
        Some(Step::Stopping)
    }

    /// Who else needs a pod of a run that ends.
    fn needed(&self, run: &Run, pod: &PodName) -> Option<String> {
        let other = self.runs.values().map(|active| &active.run).find(|other| {
            other.id != run.id
                && (other.needs_pods() || matches!(other.phase, Phase::Evicting { .. }))
                && other.member(pod).is_some()
        });
        if let Some(other) = other {
            return Some(format!(
                "workflow {} needs it (run {})",
                other.workflow, other.id
            ));
        }
        let ending: BTreeSet<&PodName> = run
            .members
            .iter()
            .filter(|member| !matches!(member.step, Step::Kept { .. }))
            .map(|member| &member.pod)
            .collect();
        self.pods
            .iter()
            .find(|(name, other)| {
                !ending.contains(name)
                    && other.entry.spec.category == Category::Essential
                    && matches!(other.life, Life::Up { .. })
                    && other.entry.spec.after.contains(pod)
            })
            .map(|(name, _)| format!("essential pod {name} comes after it"))
    }
}
