//! Carries out what [`super::super::economy`] decides, one thing at a time.
//!
//! ```text
//!   take:  begin ─► storing ─┬─► easing (reclaim, throttle, freeze) ─┬─► done, or failed
//!                            └─► stopping (an operation of its own) ─┘
//!   give:  begin ─┬─► easing (thaw, throttle off) ─────────────────────► done, or failed
//!                 └─► starting (an operation of its own) ──────────────► done, or failed
//! ```
//!
//! Invariants:
//! - Nothing is taken from a pod before it is on disk that it was.
//! - What was given back is forgotten on disk only after it was: a daemon that is killed in
//!   between gives it back once more, which changes nothing.

mod command;
mod situation;

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::economy::{Act, Change, Economy, Reading, Retry, Step, given};
use super::super::effect::{Easing, Effect, Persist};
use super::super::operation::Request;
use super::super::pod::Life;
use super::super::state::{RuntimeLink, State};
use super::alerts::Watched;
use crate::domain::admission::Admission;
use crate::domain::economy::{EconomyView, Policy, Rung, Taken, Taking};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::quantity::Bytes;
use crate::domain::sample::HostSample;
use crate::ports::{Record, RuntimeError, StoreError};

/// How far what is under way has come.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::engine) enum Doing {
    /// It is being written down.
    Storing { id: Uuid },
    /// The runtime does it.
    Easing { id: Uuid },
    /// The pod is being stopped, or started again.
    Operating { pod: PodName, id: OperationId },
}

impl State {
    pub(in crate::engine) fn economy_policy(&self) -> Policy {
        self.economy.policy(self.settings.economy_policy)
    }

    /// Economy mode as readers see it.
    pub(in crate::engine) fn economy_view(&self) -> EconomyView {
        let rules = &self.settings.economy;
        let situation = self.situation.as_deref();
        self.economy.view(situation, rules, self.economy_policy())
    }

    /// Takes in a sample of the host.
    pub(super) fn economy_sees(
        &mut self,
        host: &HostSample,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let passed = match self.watched {
            Watched::After(passed) => Some(passed),
            Watched::Unmeasured | Watched::Anew => None,
        };
        let rules = self.settings.economy;
        let policy = self.economy_policy();
        let changes = self
            .economy
            .see(Reading::from(host), &rules, policy, passed);
        self.situation = self.situation(now).map(Arc::new);
        self.tell_of_economy(&changes, now, out);
    }

    /// Goes on with what is under way; begins what is due.
    pub(super) fn advance_economy(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if !self.settled || self.closing {
            return;
        }
        let rules = self.settings.economy;
        let policy = self.economy_policy();
        let longest = self.settings.longest_gap();
        let change = self.economy.wake(&rules, policy, longest, now);
        self.tell_of_economy(change.as_slice(), now, out);
        self.see_operation_of_economy(now, out);
        self.forget_what_is_not_taken(out);
        if self.doing.is_some() || matches!(self.runtime, RuntimeLink::Down { .. }) {
            return;
        }
        // Drawn up again only where something may be done: the pods have changed since.
        if !self.economy.may_act() {
            return;
        }
        let Some(situation) = self.situation(now) else {
            return;
        };
        let next = self.economy.next(&situation, &rules, policy, longest, now);
        if let Some(act) = next {
            self.begin_act(act, now, out);
        }
    }

    fn begin_act(&mut self, act: Act, now: Timestamp, out: &mut Vec<Effect>) {
        let rules = self.settings.economy;
        self.economy.begin(act.clone(), &rules, now);
        match act {
            Act::Take(_) => {
                let id = self.identities.next(now);
                self.doing = Some(Doing::Storing { id });
                out.push(Effect::Persist(Persist::Economy {
                    id,
                    records: vec![self.economy_record()],
                }));
            }
            Act::Give(taken) => self.give(&taken, now, out),
        }
    }

    /// What is to be taken is on disk, or could not be written: then it is not taken.
    pub(super) fn economy_stored(
        &mut self,
        id: Uuid,
        result: Result<(), StoreError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.doing != Some(Doing::Storing { id }) {
            return;
        }
        self.doing = None;
        let Some(Act::Take(step)) = self.economy.under_way().cloned() else {
            return;
        };
        if let Err(error) = result {
            let reason = format!("{error}; it is not done");
            return self.act_failed(&step.pod, &reason, Retry::Soon, now, out);
        }
        // Somebody may have done something with it meanwhile.
        let untouched = self
            .pods
            .get(&step.pod)
            .is_some_and(|pod| pod.operation.is_none() && matches!(pod.life, Life::Up { .. }));
        if !untouched || self.closing {
            self.economy.failed(Retry::WithOthers);
            return self.put_economy(out);
        }
        self.take(&step, now, out);
    }

    fn take(&mut self, step: &Step, now: Timestamp, out: &mut Vec<Effect>) {
        let (kind, easing) = match step.rung {
            Rung::Stop => return self.shed(step, now, out),
            Rung::Reclaim => (EventKind::Reclaimed, Easing::Reclaim(step.frees.memory)),
            Rung::Throttle => (EventKind::Throttled, Easing::Throttle(step.limit)),
            Rung::Freeze => (EventKind::Frozen, Easing::Freeze),
        };
        self.note(kind, Some(&step.pod), step.message(), now, out);
        self.ease(&step.pod, easing, now, out);
    }

    fn shed(&mut self, step: &Step, now: Timestamp, out: &mut Vec<Effect>) {
        let id = OperationId(self.identities.next(now));
        let stays = self.economy.stays_down(&step.pod);
        let cause = if stays {
            let times = self.settings.economy.sheds_per_hour;
            format!(
                "economy mode: {}; more than {times} times within an hour, so it stays down until somebody starts it",
                step.message()
            )
        } else {
            format!("economy mode: {}", step.message())
        };
        let request = Request {
            cause: Some(cause),
            event: EventKind::Shed,
            ..Request::new(OperationKind::Stop)
        };
        self.accept(&step.pod, id, request, now, out);
        self.doing = Some(Doing::Operating {
            pod: step.pod.clone(),
            id,
        });
    }

    fn ease(&mut self, pod: &PodName, easing: Easing, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get(pod) else {
            return self.economy.failed(Retry::WithOthers);
        };
        let spec = match &pod.life {
            Life::Up { watch, .. } => Arc::clone(watch.spec()),
            Life::Unseen { .. } | Life::Down | Life::Failed { .. } => {
                Arc::new(pod.entry.spec.clone())
            }
        };
        let id = self.identities.next(now);
        self.doing = Some(Doing::Easing { id });
        out.push(Effect::Ease { spec, id, easing });
    }

    fn give(&mut self, taken: &Taken, now: Timestamp, out: &mut Vec<Effect>) {
        let name = &taken.pod;
        let easing = match taken.taking {
            Taking::Shed { .. } => return self.start_restored(name, now, out),
            Taking::Throttled { .. } => Easing::Throttle(None),
            Taking::Frozen => Easing::Thaw,
        };
        let message = format!("economy mode gives back: {}", given(taken));
        self.note(EventKind::Restored, Some(name), message, now, out);
        self.ease(name, easing, now, out);
    }

    fn start_restored(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let admitted = self
            .pods
            .get(name)
            .map_or(Ok(()), |pod| self.check_ports(&pod.entry.spec))
            .and_then(|()| self.admit_pod(name, OperationKind::Start, Admission::Fit, now, out));
        match admitted {
            Ok(request) => {
                let id = OperationId(self.identities.next(now));
                let request = Request {
                    cause: Some("since economy mode had stopped it and it fits again".to_owned()),
                    event: EventKind::Restored,
                    ..request
                };
                self.accept(name, id, request, now, out);
                let pod = name.clone();
                self.doing = Some(Doing::Operating { pod, id });
            }
            // The budget holds more for others than economy mode knows of: later.
            Err(_) => self.economy.failed(Retry::WithOthers),
        }
    }

    /// The runtime has done something for economy mode, or has not.
    pub(super) fn eased(
        &mut self,
        pod: &PodName,
        id: Uuid,
        result: Result<Bytes, RuntimeError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.doing != Some(Doing::Easing { id }) {
            return;
        }
        self.doing = None;
        match result {
            Ok(_) => {
                self.economy.done(now);
                self.put_economy(out);
            }
            Err(error) => {
                let retry = match error {
                    RuntimeError::Unsupported(_) => Retry::ByOtherRungs,
                    _ => Retry::WithOthers,
                };
                self.act_failed(pod, &error.to_string(), retry, now, out);
            }
        }
    }

    fn act_failed(
        &mut self,
        pod: &PodName,
        reason: &str,
        retry: Retry,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let what = match self.economy.under_way() {
            Some(Act::Take(step)) => format!("{} {pod}", step.rung.as_str()),
            Some(Act::Give(taken)) => format!("undo {} {pod}", taken.taking.rung().as_str()),
            None => return,
        };
        let message = format!("economy mode could not {what}: {reason}");
        self.note(EventKind::EconomyFailed, Some(pod), message, now, out);
        self.economy.failed(retry);
        self.put_economy(out);
    }

    /// Looks whether the stop or start is at its end that economy mode asked for.
    fn see_operation_of_economy(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(Doing::Operating { pod: name, id }) = &self.doing else {
            return;
        };
        let (name, id) = (name.clone(), id.to_owned());
        let pod = self.pods.get(&name);
        let goes_on = pod.is_some_and(|pod| {
            let under_way = pod.operation.as_ref().map(|operation| operation.id);
            let queued = pod.queued.as_ref().map(|queued| queued.operation.id);
            under_way == Some(id) || queued == Some(id)
        });
        if goes_on {
            return;
        }
        self.doing = None;
        let up = pod.is_some_and(|pod| matches!(pod.life, Life::Up { .. }));
        let down = pod.is_some_and(|pod| !up && pod.operation.is_none());
        match self.economy.under_way() {
            Some(Act::Take(_)) if down => self.economy.done(now),
            Some(Act::Give(_)) if up => self.economy.done(now),
            Some(Act::Give(_)) if down => {
                self.economy.failed(Retry::WithOthers);
                // Where nobody answers it may still come up later.
                if !matches!(self.runtime, RuntimeLink::Down { .. }) {
                    self.economy.give_up(&name);
                    let message = format!(
                        "economy mode could not start {name} again; it stays down until somebody starts it: dagdactl pods start {name}"
                    );
                    self.note(EventKind::EconomyFailed, Some(&name), message, now, out);
                }
            }
            Some(_) => self.economy.failed(Retry::WithOthers),
            None => {}
        }
        self.put_economy(out);
    }

    /// What somebody else has changed is not taken any more: a pod that was started, stopped by a
    /// person, or removed.
    fn forget_what_is_not_taken(&mut self, out: &mut Vec<Effect>) {
        if self.economy.record().taken.is_empty() {
            return;
        }
        let acting_on = match (&self.doing, self.economy.under_way()) {
            (None, _) | (_, None) => None,
            (Some(_), Some(Act::Take(step))) => Some(step.pod.clone()),
            (Some(_), Some(Act::Give(taken))) => Some(taken.pod.clone()),
        };
        let pods = &self.pods;
        let forgot = self.economy.forget(|taken| {
            if acting_on.as_ref() == Some(&taken.pod) {
                return true;
            }
            let Some(pod) = pods.get(&taken.pod) else {
                return false;
            };
            let up = matches!(pod.life, Life::Up { .. });
            let unseen = matches!(pod.life, Life::Unseen { .. });
            match taken.taking {
                // An earlier daemon's stop may still be under way.
                Taking::Shed { .. } => !up || pod.operation.is_some(),
                Taking::Throttled { .. } | Taking::Frozen => up || unseen,
            }
        });
        if forgot {
            self.put_economy(out);
        }
    }

    /// A person starts, stops or removes a pod: what economy mode had in mind for it is void.
    pub(super) fn person_decides(&mut self, name: &PodName, out: &mut Vec<Effect>) {
        let shed = |taken: &Taken| taken.pod == *name && taken.taking.rung() == Rung::Stop;
        if self.economy.forget(|taken| !shed(taken)) {
            self.put_economy(out);
        }
    }

    /// Why an optional pod is not started now; `None` where nothing speaks against it.
    pub(super) fn refused_by_economy(&self, pods: &[&PodName]) -> Option<CommandError> {
        let rules = &self.settings.economy;
        if !self
            .economy
            .refuses_starts(rules, self.economy_policy(), self.settings.cpu_enforced)
        {
            return None;
        }
        let optional = pods.iter().find(|name| {
            self.pods.get(**name).is_some_and(|pod| {
                let optional = pod.entry.spec.category == crate::domain::pod::Category::Optional;
                optional && !matches!(pod.life, Life::Up { .. })
            })
        })?;
        let active = self.economy.record().active?;
        Some(CommandError::EconomyActive {
            pod: (*optional).clone(),
            since: active.since,
            cause: active.cause.to_string(),
            next: self.economy_view().next,
        })
    }

    fn tell_of_economy(&mut self, changes: &[Change], now: Timestamp, out: &mut Vec<Effect>) {
        if changes.is_empty() {
            return;
        }
        for change in changes {
            let (kind, object) = match change {
                Change::Entered(_) => (EventKind::EconomyEntered, None),
                Change::Left { .. } => (EventKind::EconomyLeft, None),
                Change::Measured { step, .. } => (EventKind::EconomyMeasured, Some(&step.pod)),
            };
            let message = change.message(&self.settings.economy, now);
            self.note(kind, object, message, now, out);
        }
        self.put_economy(out);
    }

    fn economy_record(&self) -> Record {
        Record::PutEconomy(Box::new(self.economy.record().clone()))
    }

    pub(super) fn put_economy(&self, out: &mut Vec<Effect>) {
        out.push(Effect::Persist(Persist::Fact {
            records: vec![self.economy_record()],
            then: Vec::new(),
        }));
    }
}

impl Economy {
    /// Whether there may be anything to do at all.
    fn may_act(&self) -> bool {
        let record = self.record();
        self.under_way().is_none() && (record.active.is_some() || !record.taken.is_empty())
    }

    /// Whether the pod was stopped too often.
    fn stays_down(&self, pod: &PodName) -> bool {
        let stays = Taking::Shed { for_good: true };
        let mut taken = self.record().taken.iter();
        taken.any(|taken| taken.pod == *pod && taken.taking == stays)
    }
}
