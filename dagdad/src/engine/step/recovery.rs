//! What an earlier daemon left: pods are seen for the first time, open operations go on.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::effect::Effect;
use super::super::operation::{At, Operation};
use super::super::pod::{Life, Pod};
use super::super::state::State;
use super::run::at_rest_and_down;
use crate::domain::admission::Admission;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::observed::PodCondition;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::pod::{Category, RestartPolicy};
use crate::domain::state::{PodStatus, Wanted};

impl State {
    /// Takes up a pod that came into the catalogue and may have been running before.
    pub(super) fn adopt(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        if self.settled {
            self.observe(name, now, out);
        } else if let Some(pod) = self.pods.get_mut(name) {
            pod.life = Life::Unseen {
                status: PodStatus::Stopped,
            };
        }
    }

    /// First sight of a pod after dagdad began: what an earlier daemon left open goes on.
    /// Returns whether the pod ran before, and is to be started again.
    pub(super) fn settle(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) -> bool {
        let condition = self.observed.get(name.as_str()).map(|pod| pod.condition());
        let running = matches!(
            condition,
            Some(PodCondition::Running { .. } | PodCondition::Paused)
        );
        let Some(pod) = self.pods.get_mut(name) else {
            return false;
        };
        if let Some(Operation {
            at: At::Recovering,
            kind,
            ..
        }) = pod.operation
        {
            let spec = Arc::new(pod.entry.spec.clone());
            // What is on its way down has its memory until it is down.
            let ending = kind != OperationKind::Start && condition == Some(PodCondition::Stopping);
            if running || ending {
                self.come_up(name, false, now, out);
            } else {
                pod.become_life(Life::Down, now);
            }
            if kind == OperationKind::Start && running {
                if let Some(pod) = self.pods.get_mut(name) {
                    // It was down when the start was accepted: that start brought it up.
                    pod.started_digest = Some(pod.entry.manifest.digest.clone());
                }
                self.await_ready(name, spec, now);
                self.cancel_rising(name, now, out);
                self.observe(name, now, out);
                return false;
            }
            // Idempotent, each of them: what was half done is done again, and whole.
            if kind == OperationKind::Start {
                self.resume_start(name, now, out);
            } else {
                self.begin(name, now, out);
            }
            return false;
        }
        if pod.operation.is_some() {
            // Accepted before the first listing.
            if running {
                self.come_up(name, false, now, out);
            } else {
                pod.become_life(Life::Down, now);
            }
            return false;
        }
        let stored = pod.status();
        if running {
            match stored {
                PodStatus::Running => self.come_up(name, false, now, out),
                PodStatus::Starting | PodStatus::Stopping => {
                    self.come_up(name, false, now, out);
                    self.put_row(name, now, out);
                }
                PodStatus::Stopped | PodStatus::Error => {
                    self.came_up_by_itself(name, false, now, out);
                }
            }
            return false;
        }
        // A shutdown of the host may have ended it before dagdad, so that its end looked like a
        // failure. One that crashed in a loop, or could not be started, is not wanted any more.
        let restart =
            pod.wanted == Wanted::Up && pod.entry.spec.restart_policy == RestartPolicy::Always;
        if stored == PodStatus::Error && !restart {
            return false;
        }
        pod.become_life(Life::Down, now);
        if restart {
            let message = format!("{name} ran when dagdad last saw it and does not any more");
            self.note(EventKind::PodStopped, Some(name), message, now, out);
        } else if stored != PodStatus::Stopped {
            self.ended(name, condition, now, out);
        }
        restart
    }

    /// Starts again what ran before a reboot, as far as it fits: essential pods first, then by
    /// priority. That is not known before the host was measured.
    pub(super) fn start_again(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if self.host.is_none() || self.closing {
            return;
        }
        let mut names: Vec<PodName> = std::mem::take(&mut self.to_start_again)
            .into_iter()
            .filter(|name| self.pods.get(name).is_some_and(is_missed))
            .collect();
        names.sort_by_key(|name| {
            self.pods.get(name).map(|pod| {
                let spec = &pod.entry.spec;
                let optional = spec.category == Category::Optional;
                (optional, std::cmp::Reverse(spec.priority))
            })
        });
        for name in names {
            let kind = OperationKind::Start;
            let request = match self.admit_pod(&name, kind, Admission::Fit, now, out) {
                Ok(request) => request,
                Err(error) => {
                    let message = format!("{name} ran before and is not started again: {error}");
                    self.note(EventKind::Refused, Some(&name), message, now, out);
                    self.put_row(&name, now, out);
                    continue;
                }
            };
            let id = OperationId(self.identities.next(now));
            self.accept(&name, id, request, now, out);
        }
    }
}

/// Whether a pod that is to be started again still is: nobody did anything with it meanwhile.
fn is_missed(pod: &Pod) -> bool {
    pod.wanted == Wanted::Up && at_rest_and_down(pod)
}
