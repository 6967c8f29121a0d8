//! Runs whose pods are started, level by level.

use jiff::Timestamp;

use super::super::super::effect::Effect;
use super::super::super::operation::Request;
use super::super::super::pod::Life;
use super::super::super::run::Failing;
use super::super::super::state::State;
use super::super::later;
use super::{LAST_LINES, at_rest_and_down, failure_of};
use crate::domain::alert::Condition;
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::run::{Failure, Phase, Run, RunId, Step};

impl State {
    /// Starts what may start, and looks how far the others are.
    pub(super) fn bring_up(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(mut active) = self.runs.get(&id).cloned() else {
            return;
        };
        let run = &mut active.run;
        let mut changed = false;
        for index in 0..run.members.len() {
            let next = self.next_step_up(run, index);
            if let Some(step) = next {
                changed = true;
                if let Step::Failed { message } = &step
                    && active.failing.is_none()
                {
                    active.failing = Some(Failing {
                        failure: Failure {
                            code: "pod_failed".to_owned(),
                            message: message.clone(),
                            log: Vec::new(),
                        },
                        reading: None,
                        until: Timestamp::MIN,
                    });
                }
                run.members[index].step = step;
                run.members[index].since = now;
            }
        }
        if active.failing.is_none()
            && let Phase::Starting { deadline } = run.phase
            && deadline <= now
            && !run.members.iter().all(|member| member.step.satisfied())
        {
            active.failing = Some(self.too_late(run, now, out));
        }
        if let Some(failing) = &active.failing {
            let waits = failing.reading.is_some() && failing.until > now;
            let failure = failing.failure.clone();
            self.store_active(active, changed, out);
            if !waits {
                self.fail_run(id, failure, now, out);
            }
            return;
        }
        let starts: Vec<PodName> = run
            .members
            .iter_mut()
            .filter(|member| member.step == Step::Starting)
            .filter(|member| self.pods.get(&member.pod).is_some_and(at_rest_and_down))
            .map(|member| {
                member.started_by_run = true;
                member.pod.clone()
            })
            .collect();
        let whole = run.members.iter().all(|member| member.step.satisfied());
        if whole {
            run.phase = Phase::Running;
            run.ready_at.get_or_insert(now);
        }
        let (run, changed) = (run.clone(), changed || whole || !starts.is_empty());
        self.store_active(active, changed, out);
        if whole {
            let message = format!("{} is running: all its pods are ready", run.workflow);
            self.note_run(EventKind::RunReady, &run, message.clone(), now, out);
            let object = run.workflow.as_str();
            self.resolve(Condition::WorkflowFailed, object, &message, now, out);
        }
        for pod in starts {
            let request = Request {
                run: Some(id),
                ..Request::new(OperationKind::Start)
            };
            let operation = OperationId(self.identities.next(now));
            self.accept(&pod, operation, request, now, out);
        }
    }

    /// The step that a member of a starting run takes now, where it takes one.
    fn next_step_up(&self, run: &Run, index: usize) -> Option<Step> {
        let member = run.members.get(index)?;
        let Some(pod) = self.pods.get(&member.pod) else {
            let gone = matches!(member.step, Step::Failed { .. });
            return (!gone).then(|| Step::Failed {
                message: format!("{} has left the catalogue", member.pod),
            });
        };
        match &member.step {
            Step::Waiting => {
                let satisfied = member
                    .after
                    .iter()
                    .filter_map(|before| run.member(before))
                    .all(|before| before.step.satisfied());
                let up = pod.operation.is_none() && pod.ready();
                (satisfied && up)
                    .then_some(Step::Ready)
                    .or(satisfied.then_some(Step::Starting))
            }
            Step::Starting if pod.operation.is_none() => match &pod.life {
                Life::Up { .. } => pod.ready().then_some(Step::Ready),
                Life::Down if pod.completed => Some(Step::Completed),
                // An earlier daemon's start of it came to this end.
                Life::Failed { message, .. } if member.started_by_run => Some(Step::Failed {
                    message: message.clone(),
                }),
                Life::Down | Life::Failed { .. } | Life::Unseen { .. } => None,
            },
            // One that went down meanwhile is seen once the run is up.
            _ => None,
        }
    }

    /// A run whose pods take too long: reads the last lines of the first that is late.
    fn too_late(&self, run: &Run, now: Timestamp, out: &mut Vec<Effect>) -> Failing {
        let late = run
            .members
            .iter()
            .find(|member| member.step == Step::Starting)
            .or_else(|| run.members.iter().find(|member| !member.step.satisfied()));
        let complaint = late
            .and_then(|member| self.pods.get(&member.pod)?.message())
            .map(|complaint| format!(" ({complaint})"))
            .unwrap_or_default();
        let message = format!(
            "{} was not up after {}: {} is not ready{complaint}",
            run.workflow,
            humantime::format_duration(run.timeout),
            late.map(|member| member.pod.as_str()).unwrap_or_default(),
        );
        let pod = late.map(|member| member.pod.clone());
        out.extend(pod.clone().map(Effect::Diagnose));
        Failing {
            failure: failure_of(&CommandError::TimedOut {
                message,
                after: run.timeout,
            }),
            reading: pod,
            until: later(now, LAST_LINES),
        }
    }
}
