//! Pods that end although no operation asked for it: by themselves, from outside, in a loop.

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::state::{AfterDiagnosis, At, Life, Operation, State};
use super::later;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::observed::PodCondition;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::pod::RestartPolicy;
use crate::domain::state::Wanted;

/// So many ends of a pod's containers …
const CRASH_LOOP_DEATHS: usize = 5;
/// … within this time are a crash loop: Podman restarts without a pause between.
const CRASH_LOOP_WINDOW: SignedDuration = SignedDuration::from_secs(300);
/// A request to stop that comes so soon after the pod ended explains the end.
const STOP_EXPLAINS: SignedDuration = SignedDuration::from_secs(15);

impl State {
    /// A pod that ran does not any more, and no operation asked for it.
    pub(super) fn ended(
        &mut self,
        name: &PodName,
        condition: Option<PodCondition>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let policy = pod.entry.spec.restart_policy;
        match condition {
            Some(PodCondition::Failed {
                container,
                code,
                oom_killed,
            }) if !pod.stopped_outside => {
                let message = failure(name, &container, code, oom_killed);
                pod.become_life(
                    Life::Failed {
                        message: message.clone(),
                        log: Vec::new(),
                    },
                    now,
                );
                out.push(Effect::Diagnose(name.clone()));
                self.note_pod(EventKind::PodFailed, name, message, now, out);
            }
            Some(PodCondition::Completed) if !pod.stopped_outside => {
                pod.become_life(Life::Down, now);
                if policy != RestartPolicy::Always {
                    pod.wanted = Wanted::Down;
                }
                let message = format!("{name} ran to its end");
                self.note_pod(EventKind::PodStopped, name, message, now, out);
            }
            condition => {
                let verb = if condition.is_none() {
                    "removed"
                } else {
                    "stopped"
                };
                self.down_from_outside(name, verb, now, out);
            }
        }
    }

    pub(super) fn down_from_outside(
        &mut self,
        name: &PodName,
        verb: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let was_up = pod.wanted == Wanted::Up;
        pod.become_life(Life::Down, now);
        pod.wanted = Wanted::Down;
        pod.stopped_outside = false;
        if was_up {
            let message = format!("{name} was {verb} outside of Dagda");
            self.note_pod(EventKind::PodStopped, name, message, now, out);
        }
    }

    pub(super) fn stop_requested(&mut self, pod: &str, now: Timestamp, out: &mut Vec<Effect>) {
        let Some((name, pod)) = self.pods.get_key_value(pod) else {
            return;
        };
        if pod.operation.is_some() {
            return;
        }
        let name = name.clone();
        match pod.life {
            Life::Up { .. } => {
                if let Some(pod) = self.pods.get_mut(&name) {
                    pod.stopped_outside = true;
                }
            }
            Life::Failed { .. } if later(pod.since, STOP_EXPLAINS) >= now => {
                self.down_from_outside(&name, "stopped", now, out);
            }
            Life::Failed { .. } | Life::Down | Life::Unseen { .. } => {}
        }
    }

    pub(super) fn died(
        &mut self,
        pod: &str,
        container: &str,
        code: i32,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some((name, _)) = self.pods.get_key_value(pod) else {
            return;
        };
        let name = name.clone();
        let Some(pod) = self.pods.get_mut(&name) else {
            return;
        };
        let awaiting = match &pod.operation {
            None => false,
            Some(Operation {
                at: At::Awaiting { .. },
                ..
            }) => true,
            Some(_) => return,
        };
        if pod.entry.spec.restart_policy == RestartPolicy::Never || pod.stopped_outside {
            return;
        }
        pod.deaths.push_back(now);
        let window_start = later(now, -CRASH_LOOP_WINDOW);
        while pod.deaths.front().is_some_and(|at| *at < window_start) {
            pod.deaths.pop_front();
        }
        if pod.deaths.len() < CRASH_LOOP_DEATHS {
            return;
        }
        let first = pod.deaths.front().copied().unwrap_or(now);
        let seconds = (now - first).get_seconds().max(1);
        let message = format!(
            "{name} crashes in a loop: container {container} exited with {code}, {} times in {seconds} s",
            pod.deaths.len()
        );
        pod.deaths.clear();
        if awaiting {
            self.diagnose(&name, message, AfterDiagnosis::Halt, out);
        } else {
            let id = OperationId(self.identities.next(now));
            self.accept(
                &name,
                id,
                OperationKind::Stop,
                None,
                Some(message),
                now,
                out,
            );
        }
    }

    pub(super) fn diagnosed(
        &mut self,
        name: &PodName,
        lines: Vec<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let Life::Failed { log, .. } = &mut pod.life else {
            return;
        };
        *log = lines;
        let row = self.record_of(name, now);
        out.extend(row.map(|row| {
            Effect::Persist(super::super::effect::Persist::Fact {
                records: vec![crate::ports::Record::PutPod(Box::new(row))],
                then: Vec::new(),
            })
        }));
    }
}

pub(super) fn failure(name: &PodName, container: &str, code: i32, oom_killed: bool) -> String {
    let why = if oom_killed {
        " (the kernel killed it: it wanted more memory than its limit allows)"
    } else {
        ""
    };
    format!("{name} failed: container {container} exited with {code}{why}")
}
