//! What the runtime says is there, and what follows from it.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::operation::{AfterDiagnosis, At, Operation};
use super::super::pod::Life;
use super::super::state::{Listing, RuntimeLink, State};
use super::ending::{failure, stop_explains};
use super::{RETRY, later};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::observed::{ObservedPod, PodCondition, RuntimeSignal};
use crate::domain::operation::{Done, OperationKind};
use crate::domain::pod::RestartPolicy;
use crate::domain::state::Wanted;
use crate::ports::{ProbeFailure, RuntimeError};

/// A pod with nothing to check whose containers ended already while it was being started must
/// run for so long before its start is done.
pub(super) const STEADY_AFTER_DEATH: SignedDuration = SignedDuration::from_secs(5);

impl State {
    pub(super) fn signal(&mut self, signal: RuntimeSignal, now: Timestamp, out: &mut Vec<Effect>) {
        match signal {
            RuntimeSignal::Connected { version } => {
                // Heard of before, so this is a second connection; the first listing may have
                // come before the first one, without a version.
                if matches!(&self.runtime, RuntimeLink::Up { version: Some(_) }) {
                    let message = "the connection to Podman broke off and is there again";
                    self.note(EventKind::RuntimeUp, None, message.to_owned(), now, out);
                }
                self.runtime_up(Some(version), now, out);
                self.list_now(now, out);
            }
            RuntimeSignal::Disconnected { reason } => self.runtime_down(reason, now, out),
            RuntimeSignal::Changed => self.list_soon(now),
            RuntimeSignal::Died {
                pod,
                container,
                code,
            } => {
                self.list_soon(now);
                self.died(&pod, &container, code, now, out);
            }
            RuntimeSignal::StopRequested { pod, id } => {
                self.list_soon(now);
                self.stop_requested(&pod, &id, now, out);
            }
        }
    }

    pub(super) fn runtime_up(
        &mut self,
        version: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let version = match (version, &self.runtime) {
            (None, RuntimeLink::Up { version }) => version.clone(),
            (told, _) => told,
        };
        if matches!(self.runtime, RuntimeLink::Down { .. }) {
            let message = "Podman answers again".to_owned();
            self.note(EventKind::RuntimeUp, None, message, now, out);
        }
        self.runtime = RuntimeLink::Up { version };
    }

    pub(super) fn runtime_down(&mut self, reason: String, now: Timestamp, out: &mut Vec<Effect>) {
        if !matches!(self.runtime, RuntimeLink::Down { .. }) {
            let message = format!("Podman does not answer: {reason}");
            self.note(EventKind::RuntimeDown, None, message, now, out);
        }
        self.runtime = RuntimeLink::Down { reason };
    }

    pub(super) fn listed(
        &mut self,
        answer: Result<Vec<ObservedPod>, RuntimeError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let (again, outdated) = match mem::replace(&mut self.schedule.listing, Listing::Idle) {
            Listing::UnderWay { again, outdated } => (again, outdated),
            Listing::Idle | Listing::Due(_) => (false, BTreeSet::new()),
        };
        match answer {
            Ok(pods) => {
                let mut before = mem::take(&mut self.observed);
                let believed = |pod: &ObservedPod| !outdated.contains(pod.name.as_str());
                self.observed = pods
                    .into_iter()
                    .filter(believed)
                    .map(|pod| (pod.name.clone(), Arc::new(pod)))
                    .collect();
                let kept = outdated
                    .iter()
                    .filter_map(|name| before.remove_entry(name.as_str()));
                self.observed.extend(kept);
                if !matches!(self.runtime, RuntimeLink::Up { .. }) {
                    self.runtime_up(None, now, out);
                }
                let names: Vec<PodName> = self.pods.keys().cloned().collect();
                let first = !mem::replace(&mut self.settled, true);
                for name in names.iter().filter(|name| !outdated.contains(*name)) {
                    if !first {
                        self.observe(name, now, out);
                    } else if self.settle(name, now, out) {
                        self.to_start_again.insert(name.clone());
                    }
                }
            }
            Err(error) => {
                let reason = match error {
                    RuntimeError::Unreachable { reason } => reason,
                    other => other.to_string(),
                };
                self.runtime_down(reason, now, out);
                self.schedule.resync_at = later(now, RETRY);
            }
        }
        if !outdated.is_empty() {
            self.list_now(now, out);
        } else if again {
            self.list_soon(now);
        }
    }

    /// Compares a pod with what the runtime has.
    pub(super) fn observe(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let condition = self.observed.get(name.as_str()).map(|pod| pod.condition());
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        match (&pod.operation, condition) {
            (
                Some(Operation {
                    at: At::Awaiting { .. },
                    ..
                }),
                condition,
            ) => {
                self.observe_awaiting(name, condition, now, out);
            }
            (Some(_), _) => {}
            (None, Some(PodCondition::Running { since, whole })) => match &mut pod.life {
                Life::Up {
                    since: known,
                    whole: was,
                    ..
                } => {
                    *known = since;
                    *was = whole;
                }
                _ => self.came_up_by_itself(name, true, now, out),
            },
            (None, Some(PodCondition::Paused)) => match &mut pod.life {
                Life::Up { whole, .. } => *whole = false,
                _ => self.came_up_by_itself(name, true, now, out),
            },
            (None, Some(PodCondition::Stopping)) => {}
            (None, condition) => {
                if matches!(pod.life, Life::Up { .. }) {
                    self.ended(name, condition, now, out);
                }
            }
        }
    }

    pub(super) fn observe_awaiting(
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
        let stopped = stop_explains(pod, ended_at);
        match condition {
            Some(PodCondition::Running { since, whole }) => {
                if let Life::Up {
                    since: known,
                    whole: was,
                    ..
                } = &mut pod.life
                {
                    (*known, *was) = (since, whole);
                } else {
                    self.come_up(name, true, now, out);
                }
                self.finish_if_ready(name, now, out);
            }
            Some(PodCondition::Completed) if policy != RestartPolicy::Always => {
                pod.become_life(Life::Down, now);
                pod.wanted = Wanted::Down;
                pod.completed = true;
                let message = format!("{name} ran to its end");
                self.finish(
                    name,
                    Ok(Done {
                        message,
                        changed: true,
                    }),
                    now,
                    out,
                );
            }
            Some(PodCondition::Failed {
                container,
                code,
                oom_killed,
            }) if policy == RestartPolicy::Never => {
                pod.become_life(Life::Down, now);
                let message = failure(name, &container, code, oom_killed);
                self.diagnose(name, message, AfterDiagnosis::Fail, now, out);
            }
            Some(PodCondition::Completed | PodCondition::Failed { .. }) if stopped => {
                pod.become_life(Life::Down, now);
                pod.wanted = Wanted::Down;
                let message =
                    format!("{name} was stopped outside of Dagda while it was being started");
                let log = Vec::new();
                self.finish(
                    name,
                    Err(CommandError::PodFailed { message, log }),
                    now,
                    out,
                );
            }
            // Podman restarts it; a crash loop or the deadline ends the wait.
            Some(PodCondition::Completed | PodCondition::Failed { .. }) => {
                pod.become_life(Life::Down, now);
            }
            None => {
                let message = format!("{name} was removed from Podman while it was being started");
                pod.become_life(Life::Down, now);
                pod.wanted = Wanted::Down;
                self.finish(
                    name,
                    Err(CommandError::PodFailed {
                        message,
                        log: Vec::new(),
                    }),
                    now,
                    out,
                );
            }
            Some(PodCondition::Created | PodCondition::Paused | PodCondition::Stopping) => {}
        }
    }

    /// The pod runs: watch it from now on.
    pub(super) fn come_up(
        &mut self,
        name: &PodName,
        fresh: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let (since, whole) = match self.observed.get(name.as_str()).map(|pod| pod.condition()) {
            Some(PodCondition::Running { since, whole }) => (Some(since), whole),
            _ => (None, false),
        };
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        // A paused pod does not tell since when it is up; an earlier daemon may have known.
        let since = since.or(pod.usage.running_since()).unwrap_or(now);
        let spec = match &pod.operation {
            Some(Operation {
                at: At::Awaiting { spec, .. },
                ..
            }) => Arc::clone(spec),
            _ => Arc::new(pod.entry.spec.clone()),
        };
        let nothing_to_check = spec.readiness().is_empty();
        let watch = self.watch(spec, fresh, out);
        if let Some(pod) = self.pods.get_mut(name) {
            if let Some(Operation {
                at: At::Awaiting { steady_at, .. },
                ..
            }) = &mut pod.operation
            {
                let unsteady = fresh && nothing_to_check && !pod.deaths.is_empty();
                *steady_at = unsteady.then(|| later(now, STEADY_AFTER_DEATH));
            }
            pod.stop_asked = None;
            pod.become_life(
                Life::Up {
                    since,
                    watch,
                    whole,
                },
                now,
            );
        }
    }

    /// A pod that was down runs, and no operation asked for it.
    pub(super) fn came_up_by_itself(
        &mut self,
        name: &PodName,
        fresh: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.come_up(name, fresh, now, out);
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let message = match mem::replace(&mut pod.wanted, Wanted::Up) {
            Wanted::Up => format!("{name} runs again: Podman restarted it"),
            Wanted::Down => format!("{name} was started outside of Dagda"),
        };
        self.note_pod(EventKind::PodStarted, name, message, now, out);
    }

    pub(super) fn probed(
        &mut self,
        name: &PodName,
        watch_id: u64,
        check: usize,
        result: Result<(), ProbeFailure>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let observed = self.observed.get(name.as_str());
        let paused = observed.is_some_and(|pod| pod.condition() == PodCondition::Paused);
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let was_ready = pod.ready();
        let Life::Up { watch, .. } = &mut pod.life else {
            return;
        };
        if watch.id != watch_id {
            return;
        }
        if paused {
            // It cannot answer, which says nothing of how it is.
            out.extend(watch.ask_again(check));
        } else {
            out.extend(watch.answer(check, result));
        }
        let complaint = watch.complaint();
        let ready = pod.ready();
        if pod.operation.is_some() {
            self.finish_if_ready(name, now, out);
        } else if ready != was_ready {
            let (kind, message) = if ready {
                (EventKind::PodReady, format!("{name} is ready"))
            } else {
                let why = complaint.unwrap_or_default();
                (
                    EventKind::PodNotReady,
                    format!("{name} is not ready any more: {why}"),
                )
            };
            self.note_pod(kind, name, message, now, out);
        }
    }

    pub(super) fn finish_if_ready(
        &mut self,
        name: &PodName,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        let Some(Operation {
            at: At::Awaiting { steady_at, .. },
            kind,
            evicted,
            ..
        }) = &pod.operation
        else {
            return;
        };
        if pod.ready() && steady_at.is_none() {
            let verb = if *kind == OperationKind::Restart {
                "is running again"
            } else {
                "is running"
            };
            let done = Done {
                message: format!("{name} {verb}{}", in_place_of(evicted)),
                changed: true,
            };
            self.finish(name, Ok(done), now, out);
        }
    }
    /// Counts the starts of pods with nothing to check that have run for long enough.
    pub(super) fn count_steady(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let mut steady = Vec::new();
        for (name, pod) in &mut self.pods {
            if let Some(Operation {
                at: At::Awaiting { steady_at, .. },
                ..
            }) = &mut pod.operation
                && steady_at.is_some_and(|at| at <= now)
            {
                *steady_at = None;
                steady.push(name.clone());
            }
        }
        for name in steady {
            self.finish_if_ready(&name, now, out);
        }
    }
}

/// Who had to go for a pod that runs now.
fn in_place_of(evicted: &[PodName]) -> String {
    let names: Vec<&str> = evicted.iter().map(PodName::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} was stopped to make room for it"),
        several => format!("; {} were stopped to make room for it", several.join(", ")),
    }
}
