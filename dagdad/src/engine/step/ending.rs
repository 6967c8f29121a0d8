//! Pods that end although no operation asked for it: by themselves, or from outside.

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::operation::{At, Operation};
use super::super::pod::{Life, Pod};
use super::super::state::State;
use super::later;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::observed::{ContainerState, PodCondition};
use crate::domain::pod::RestartPolicy;
use crate::domain::state::Wanted;

/// A request to stop explains an end that comes so soon after its grace period, or came so
/// shortly before it.
const STOP_EXPLAINS: SignedDuration = SignedDuration::from_secs(15);
/// The runtime reports what this engine asked of it too, up to so much later.
const ECHO: SignedDuration = SignedDuration::from_secs(2);

impl State {
    /// A pod that ran does not any more, and no operation asked for it.
    pub(super) fn ended(
        &mut self,
        name: &PodName,
        condition: Option<PodCondition>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let ended_at = self.ended_at(name).unwrap_or(now);
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let policy = pod.entry.spec.restart_policy;
        // A pod that nobody wants up does not fail by going down.
        let by_itself = pod.wanted == Wanted::Up && !stop_explains(pod, ended_at);
        match condition {
            Some(PodCondition::Failed {
                container,
                code,
                oom_killed,
            }) if by_itself => {
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
            Some(PodCondition::Completed) if by_itself => {
                pod.become_life(Life::Down, now);
                if policy != RestartPolicy::Always {
                    pod.wanted = Wanted::Down;
                    pod.completed = true;
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
        pod.stop_asked = None;
        if was_up {
            let message = format!("{name} was {verb} outside of Dagda");
            self.note_pod(EventKind::PodStopped, name, message, now, out);
        } else {
            self.put_row(name, now, out);
        }
    }

    pub(super) fn stop_requested(
        &mut self,
        pod: &str,
        id: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some((name, pod)) = self.catalogued(pod) else {
            return;
        };
        let ours = pod.stopped_by_us.is_some_and(|at| later(at, ECHO) >= now);
        if ours || pod.replaced.as_deref() == Some(id) {
            return;
        }
        let just_ended = later(pod.since, STOP_EXPLAINS) >= now;
        match (&pod.operation, &pod.life) {
            (Some(Operation { at, .. }), _) => {
                if matches!(at, At::Awaiting { .. }) {
                    pod.stop_asked = Some(now);
                }
            }
            (None, Life::Up { .. }) => pod.stop_asked = Some(now),
            (None, Life::Failed { .. }) if just_ended => {
                self.down_from_outside(&name, "stopped", now, out);
            }
            (None, Life::Down) if just_ended && pod.wanted == Wanted::Up => {
                self.down_from_outside(&name, "stopped", now, out);
            }
            (None, Life::Failed { .. } | Life::Down | Life::Unseen { .. }) => {}
        }
    }

    pub(super) fn diagnosed(
        &mut self,
        name: &PodName,
        lines: Vec<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.lines_for_runs(name, &lines);
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let Life::Failed { log, .. } = &mut pod.life else {
            return;
        };
        *log = lines;
        self.put_row(name, now, out);
    }

    /// The pod that the runtime means by `name`; `None` where it is not ours.
    pub(super) fn catalogued(&mut self, name: &str) -> Option<(PodName, &mut Pod)> {
        let (name, _) = self.pods.get_key_value(name)?;
        let name = name.clone();
        let pod = self.pods.get_mut(&name)?;
        Some((name, pod))
    }

    /// When the last of a pod's containers ended, as listed.
    pub(super) fn ended_at(&self, name: &PodName) -> Option<Timestamp> {
        let containers = self.observed.get(name.as_str())?.containers.iter();
        containers
            .filter_map(|container| match container.state {
                ContainerState::Exited { at, .. } => Some(at),
                _ => None,
            })
            .max()
    }
}

/// Whether somebody's request to stop the pod explains that it ended at `ended_at`.
pub(super) fn stop_explains(pod: &Pod, ended_at: Timestamp) -> bool {
    let grace = SignedDuration::try_from(pod.entry.spec.grace).unwrap_or(SignedDuration::ZERO);
    pod.stop_asked
        .is_some_and(|asked| later(later(asked, grace), STOP_EXPLAINS) >= ended_at)
}

pub(super) fn failure(name: &PodName, container: &str, code: i32, oom_killed: bool) -> String {
    let why = if oom_killed {
        " (the kernel killed it: it wanted more memory than its limit allows)"
    } else {
        ""
    };
    format!("{name} failed: container {container} exited with {code}{why}")
}
