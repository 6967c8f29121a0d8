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

mod acts;
mod command;
mod situation;

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::economy::{Act, Change, Economy, Reading};
use super::super::effect::{Effect, Persist};
use super::super::pod::{Life, Pod};
use super::super::state::{RuntimeLink, State};
use super::alerts::Watched;
use crate::domain::economy::{EconomyView, Policy, Rung, Taken, Taking};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::sample::HostSample;
use crate::ports::Record;

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
                // An earlier daemon's stop may still be under way. One that somebody, or a run, has
                // started is theirs from now on, whatever comes of it.
                Taking::Shed { .. } => (!up || pod.operation.is_some()) && !is_being_started(pod),
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

fn is_being_started(pod: &Pod) -> bool {
    let queued = pod.queued.as_ref().map(|queued| &queued.operation);
    let mut operations = pod.operation.iter().chain(queued);
    operations.any(|operation| {
        matches!(
            operation.kind,
            OperationKind::Start | OperationKind::Restart
        )
    })
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
