//! Starts and the budget: admitted, refused, forced, or put off until victims are gone.
//!
//! ```text
//!                      fits, or is forced
//!   start ─► decide ───────────────────────────────────────► reserved ─► rendering …
//!              │ does not fit                                    ▲
//!              ├─────────────► refused                           │ fits now
//!              │ evict                                           │
//!              └─────────────► evicting ─► all victims gone ─► decide
//!                                  ▲                             │ does not fit
//!                                  └── more victims ◄────────────┤ by the next sample
//!                                                                └─► refused
//! ```
//!
//! Invariants:
//! - A place in the budget is taken in the same step in which the start is decided on, so that
//!   no two starts count on the same room.
//! - A start that waits for victims holds no place, only a claim that keeps others out.

use jiff::Timestamp;

use super::super::admission::{self, Asked};
use super::super::effect::Effect;
use super::super::eviction::{Eviction, ROUNDS};
use super::super::operation::{At, Request};
use super::super::pod::{Life, Pod};
use super::super::state::State;
use crate::domain::admission::{Admission, Denial, Remedy};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::run::RunId;
use crate::domain::state::Wanted;

/// How it stands with victims.
pub(super) enum Evicted {
    /// They are not all gone, or it is not known yet what they freed.
    Waiting,
    /// They were not enough: more were chosen, and are stopped next.
    More,
    /// What was asked for fits now.
    Room,
    /// It does not, and there is nobody else to stop.
    Refused(CommandError),
}

/// What was decided on something that is to start.
pub(super) enum Decision {
    /// It fits; what should be known about it.
    Admitted(Option<String>),
    /// It starts although it does not fit, or that is not known; by which numbers.
    Forced(String),
    /// These are to go first.
    After(Vec<PodName>),
}

impl State {
    /// Decides on a start as `mode` says.
    pub(super) fn decide(
        &self,
        asked: &Asked,
        mode: Admission,
        now: Timestamp,
    ) -> Result<Decision, CommandError> {
        let pods: Vec<&PodName> = asked.pods.iter().map(|(pod, _)| pod).collect();
        if let Some(error) = self.refused_by_economy(&pods) {
            return match mode {
                Admission::Force => Ok(Decision::Forced(format!("forced: {error}"))),
                Admission::Fit | Admission::Evict => Err(error),
            };
        }
        let Some(budget) = self.budget(now) else {
            return match mode {
                Admission::Force => Ok(Decision::Forced(format!(
                    "forced: {}",
                    CommandError::NotMeasured
                ))),
                Admission::Fit | Admission::Evict => Err(CommandError::NotMeasured),
            };
        };
        let denial = match admission::decide(&budget, asked) {
            Ok(admitted) => {
                let warnings = admitted.warnings.join("; ");
                return Ok(Decision::Admitted(
                    (!warnings.is_empty()).then_some(warnings),
                ));
            }
            Err(denial) => denial,
        };
        match (mode, &denial.remedy) {
            (Admission::Force, _) => Ok(Decision::Forced(format!("forced: {denial}"))),
            (Admission::Evict, Remedy::Evict(_)) => Ok(Decision::After(victims(&denial))),
            (Admission::Fit | Admission::Evict, _) => Err(CommandError::Insufficient(denial)),
        }
    }

    /// Decides on the start or restart of a pod and takes its place in the budget.
    pub(super) fn admit_pod(
        &mut self,
        name: &PodName,
        kind: OperationKind,
        mode: Admission,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Request, CommandError> {
        let request = Request {
            admission: mode,
            ..Request::new(kind)
        };
        let Some(pod) = self.pods.get(name) else {
            return Ok(request);
        };
        let asked = self.asked_for_pod(name, pod);
        match self.decide(&asked, mode, now)? {
            Decision::After(victims) => Ok(Request { victims, ..request }),
            Decision::Forced(why) => {
                self.reserve_all(&asked);
                let message = format!("{kind} of {name} {why}");
                self.note(EventKind::Forced, Some(name), message, now, out);
                Ok(request)
            }
            Decision::Admitted(cause) => {
                self.reserve_all(&asked);
                Ok(Request {
                    // One that fits needs nobody to go, whatever was offered.
                    admission: Admission::Fit,
                    cause,
                    ..request
                })
            }
        }
    }

    pub(super) fn reserve_all(&mut self, asked: &Asked) {
        for (pod, footprint) in &asked.pods {
            self.reserve(pod, *footprint);
        }
    }

    /// Goes on with starts that wait for victims.
    pub(super) fn advance_evictions(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let waiting: Vec<PodName> = self
            .pods
            .iter()
            .filter(|(_, pod)| evicting(pod).is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for name in waiting {
            let Some(pod) = self.pods.get(&name) else {
                continue;
            };
            let Some(mut eviction) = evicting(pod).cloned() else {
                continue;
            };
            let asked = self.asked_for_pod(&name, pod);
            let mut evicted = Evicted::More;
            while matches!(evicted, Evicted::More) {
                evicted = self.evict(&mut eviction, &asked, None, now, out);
            }
            match evicted {
                Evicted::Waiting | Evicted::More => {
                    if let Some(operation) = self.operation_mut(&name) {
                        operation.at = At::Evicting(eviction);
                    }
                }
                Evicted::Room => {
                    self.reserve_all(&asked);
                    if let Some(operation) = self.operation_mut(&name) {
                        operation.evicted = eviction.victims.into_keys().collect();
                    }
                    self.render(&name, now, out);
                }
                Evicted::Refused(error) => self.give_up_start(&name, error, now, out),
            }
        }
    }

    /// Ends a start for which there is no room. The pod is as it was.
    fn give_up_start(
        &mut self,
        name: &PodName,
        error: CommandError,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.wanted = Wanted::Down;
        }
        self.finish(name, Err(error), now, out);
    }

    /// Takes up a start that an earlier daemon had begun: one that waited for victims is decided
    /// on again once all pods are seen and the host is measured, all others had their place.
    pub(super) fn resume_start(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        let waited = pod
            .operation
            .as_ref()
            .is_some_and(|operation| operation.admission == Admission::Evict);
        let asked = self.asked_for_pod(name, pod);
        if !waited {
            self.reserve_all(&asked);
            return self.render(name, now, out);
        }
        if let Some(operation) = self.operation_mut(name) {
            operation.at = At::Evicting(Eviction::of([]));
        }
    }

    /// Stops the victims that still run; once all are gone, decides again, and chooses more
    /// where that is not enough.
    pub(super) fn evict(
        &mut self,
        eviction: &mut Eviction,
        asked: &Asked,
        run: Option<RunId>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Evicted {
        match self.stop_victims(eviction, asked, run, now, out) {
            Ok(true) => {}
            Ok(false) => return Evicted::Waiting,
            Err(error) => return Evicted::Refused(error),
        }
        let denial = match self.decide(asked, Admission::Fit, now) {
            Ok(_) => return Evicted::Room,
            Err(CommandError::Insufficient(denial)) => denial,
            // dagdad has begun a moment ago.
            Err(CommandError::NotMeasured) => return Evicted::Waiting,
            Err(error) => return Evicted::Refused(error),
        };
        let gone_at = *eviction.gone_at.get_or_insert(now);
        let given_up = eviction.deadline().is_none_or(|until| until <= now);
        if self.sampled_at <= gone_at && !given_up {
            return Evicted::Waiting;
        }
        if eviction.rounds >= ROUNDS || denial.victims().is_empty() {
            return Evicted::Refused(CommandError::Insufficient(denial));
        }
        eviction.rounds += 1;
        eviction.gone_at = None;
        let more = victims(&denial).into_iter().map(|pod| (pod, None));
        eviction.victims.extend(more);
        Evicted::More
    }

    /// Stops the victims that run. Returns whether all are gone.
    fn stop_victims(
        &mut self,
        eviction: &mut Eviction,
        asked: &Asked,
        run: Option<RunId>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<bool, CommandError> {
        let by = &asked.object;
        if let Some(failure) = &eviction.failure {
            let message = format!("there is no room for {by}: {failure}");
            return Err(CommandError::Runtime(message));
        }
        let mut gone = true;
        let mut spared = Vec::new();
        for (victim, stop) in &mut eviction.victims {
            let Some(pod) = self.pods.get(victim) else {
                continue;
            };
            if pod.operation.is_some() {
                gone = false;
            } else if matches!(pod.life, Life::Up { .. }) {
                // It was stopped and somebody started it again; or what it is to others has
                // changed since it was chosen.
                if stop.is_some() || !self.may_go(victim, asked) {
                    spared.push(victim.clone());
                    continue;
                }
                gone = false;
                let id = OperationId(self.identities.next(now));
                *stop = Some(id);
                let request = Request {
                    run,
                    cause: Some(format!("to make room for {by}")),
                    event: EventKind::Evicted,
                    ..Request::new(OperationKind::Stop)
                };
                self.accept(victim, id, request, now, out);
            }
        }
        eviction
            .victims
            .retain(|victim, _| !spared.contains(victim));
        Ok(gone)
    }

    /// A stop failed: whoever waits for it has to know.
    pub(super) fn victim_failed(
        &mut self,
        name: &PodName,
        stop: OperationId,
        error: &CommandError,
    ) {
        let pods = self.pods.values_mut().filter_map(|pod| {
            let at = pod.operation.as_mut().map(|operation| &mut operation.at);
            match at {
                Some(At::Evicting(eviction)) => Some(eviction),
                _ => None,
            }
        });
        let runs = self.runs.values_mut();
        let runs = runs.filter_map(|active| active.eviction.as_mut());
        for eviction in pods.chain(runs) {
            if eviction.victims.get(name) == Some(&Some(stop)) {
                eviction.failure = Some(format!("{name} could not be stopped: {error}"));
            }
        }
    }
}

fn evicting(pod: &Pod) -> Option<&Eviction> {
    match &pod.operation.as_ref()?.at {
        At::Evicting(eviction) => Some(eviction),
        _ => None,
    }
}

fn victims(denial: &Denial) -> Vec<PodName> {
    denial
        .victims()
        .iter()
        .map(|victim| victim.pod.clone())
        .collect()
}
