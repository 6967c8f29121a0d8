//! Economy mode: when it begins and ends, what it takes, and when it gives that back. Pure: what
//! was measured comes in, what is to be done goes out.
//!
//! ```text
//!                  short for `hold`, or the policy is on
//!    idle ─────────────────────────────────────────────────► active
//!     ▲ │                                                     │ │
//!     │ │ room for `recovery`, and something taken fits       │ │ short for `hold`
//!     │ ▼                                                     │ ▼
//!     │ giving back one                          taking from one ─► settling ─► measured
//!     │                                             ▲                             │
//!     │                                             └──── still short ────────────┘
//!     └────────── room for `recovery`, or the policy is off ──────────────────────┘
//! ```
//!
//! *Short* is a trigger at or above where it is entered; under the policy `on`, where it is left.
//! There is *room* while every trigger is below where it is left. In between nothing begins and
//! nothing ends.
//!
//! Invariants:
//! - I2: nothing is taken from an essential pod; whom to take from is the choice of
//!   [`super::admission::victims`], in which a pod that a run needs counts with the run's priority.
//! - I3: nothing is taken from a pod before its grace period, and nothing is given back before
//!   there was room for the recovery time, each time anew.
//! - One thing at a time: what was done is measured before the next thing is decided.
//! - Time counts only while it is watched: where samples stop coming, or the clock jumps, spans
//!   begin anew, so that neither leads to an act.
//! - A rung that did not help is not tried again before economy mode has ended.

mod acting;
pub mod backtest;
mod ladder;
mod planning;
mod returning;
mod situation;
#[cfg(test)]
mod tests;
mod words;

pub use self::acting::{Act, Retry};
pub use self::backtest::backtest;
pub use self::ladder::Step;
pub use self::planning::plan;
pub use self::situation::{PodSituation, Reading, Situation, Stance};
pub use self::words::{given, missed};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::acting::{Settling, UnderWay};
use self::ladder::Spent;
use crate::domain::economy::{
    Active, Band, Cause, EconomyRecord, EconomyRules, Policy, Rung, Taking, Trigger,
};
use crate::domain::name::PodName;

/// Economy mode's memory. What has to outlive dagdad is in its [`EconomyRecord`].
#[derive(Debug, Clone, Default)]
pub struct Economy {
    record: EconomyRecord,
    /// The last reading.
    reading: Option<Reading>,
    /// For how long each trigger that is short has been so, up to the last reading.
    held: BTreeMap<Trigger, Duration>,
    /// For how long there has been room, up to the last reading.
    room: Option<Duration>,
    /// Whether it was woken since the last reading: once is enough.
    woken: bool,
    /// Nothing is done before the next reading.
    paused: bool,
    under_way: Option<UnderWay>,
    /// Rungs that did not help in this episode.
    futile: BTreeSet<Rung>,
    /// What failed, or was done, in this episode.
    tried: BTreeSet<(PodName, Rung)>,
}

/// What became of economy mode.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It began.
    Entered(Active),
    /// It ended.
    Left {
        /// What it was.
        was: Active,
        /// How it was found to be over.
        reading: Option<Reading>,
    },
    /// What an act brought.
    Measured {
        /// The act.
        step: Step,
        /// Just before.
        before: Reading,
        /// Now.
        after: Reading,
        /// Whether it helped.
        helped: bool,
    },
}

impl Economy {
    /// Goes on where an earlier daemon stopped.
    #[must_use]
    pub fn restored(record: EconomyRecord) -> Self {
        Self {
            record,
            ..Self::default()
        }
    }

    /// What has to outlive dagdad.
    #[must_use]
    pub const fn record(&self) -> &EconomyRecord {
        &self.record
    }

    /// What it may do: as somebody has set it, else as configured.
    #[must_use]
    pub fn policy(&self, configured: Policy) -> Policy {
        self.record.policy.unwrap_or(configured)
    }

    /// Somebody sets what it may do.
    pub fn set_policy(&mut self, policy: Policy) {
        self.record.policy = Some(policy);
    }

    /// What was short by the limits of [`Policy::On`] has to be so by the others for as long
    /// again.
    pub fn measure_anew(&mut self, rules: &EconomyRules) {
        let reading = self.reading;
        self.held.retain(|trigger, held| {
            *held = Duration::ZERO;
            reading.is_some_and(|it| it.reaches(*trigger, rules.band(*trigger).enter))
        });
    }

    /// Goes on under new rules, and a policy that may be another one than before. What is short
    /// by the new limits too has been so for as long as it was; what is not any more is forgotten.
    pub fn go_by(&mut self, rules: &EconomyRules, (before, policy): (Policy, Policy)) {
        if before == Policy::On && policy != Policy::On {
            self.measure_anew(rules);
        }
        let Some(reading) = self.reading else {
            return;
        };
        self.held.retain(|trigger, _| {
            let limit = limit(rules.band(*trigger), policy);
            reading.reaches(*trigger, limit)
        });
        if !reading.has_room(|trigger| rules.band(trigger)) {
            self.room = None;
        }
    }

    /// Whether something of the pod was taken that is to be given back.
    #[must_use]
    pub fn has_taken(&self, pod: &PodName) -> bool {
        self.record.taken.iter().any(|taken| taken.pod == *pod)
    }

    /// Whether the pod was stopped and is to be started again.
    #[must_use]
    pub fn has_shed(&self, pod: &PodName) -> bool {
        let shed = Taking::Shed { for_good: false };
        let mut taken = self.record.taken.iter();
        taken.any(|taken| taken.pod == *pod && taken.taking == shed)
    }

    /// What is being done, or was done and is being measured.
    #[must_use]
    pub fn under_way(&self) -> Option<&Act> {
        self.under_way.as_ref().map(|under_way| &under_way.act)
    }

    /// Whether starts of optional pods are refused. A lack of CPU alone only does so where CPU is
    /// enforced: it is shared, everything just gets slower.
    #[must_use]
    pub fn refuses_starts(&self, rules: &EconomyRules, policy: Policy, cpu_enforced: bool) -> bool {
        let Some(Active { cause, .. }) = self.record.active else {
            return false;
        };
        let for_cpu = matches!(
            cause,
            Cause::Short {
                trigger: Trigger::Cpu,
                ..
            }
        );
        let no_room = |trigger| {
            let leave = rules.band(trigger).leave;
            self.reading.is_some_and(|it| it.reaches(trigger, leave))
        };
        !for_cpu
            || policy == Policy::On
            || cpu_enforced
            || no_room(Trigger::Ram)
            || no_room(Trigger::Pressure)
    }

    /// Takes in a reading. `passed` is the time since the one before; `None` where nobody looked
    /// meanwhile, or the clock is not to be trusted.
    pub fn see(
        &mut self,
        reading: Reading,
        rules: &EconomyRules,
        policy: Policy,
        passed: Option<Duration>,
    ) -> Vec<Change> {
        self.reading = Some(reading);
        self.woken = false;
        self.paused = false;
        for trigger in Trigger::ALL {
            let limit = limit(rules.band(trigger), policy);
            let held = self.held.remove(&trigger);
            if reading.reaches(trigger, limit) {
                self.held.insert(trigger, longer(held, passed));
            }
        }
        if passed.is_none()
            && let Some(settling) = self.settling_mut()
        {
            // The clock may have been set back.
            settling.done_at = settling.done_at.min(reading.at);
        }
        let room = reading.has_room(|trigger| rules.band(trigger));
        self.room = room.then(|| longer(self.room, passed));
        let mut changes = Vec::new();
        changes.extend(self.measure(reading, rules));
        changes.extend(self.decide(rules, policy, Some(Duration::ZERO), reading.at));
        changes
    }

    fn settling_mut(&mut self) -> Option<&mut Settling> {
        self.under_way.as_mut()?.settling.as_mut()
    }

    /// Looks at the time alone. Where the last reading is older than `longest` it says nothing.
    pub fn wake(
        &mut self,
        rules: &EconomyRules,
        policy: Policy,
        longest: Duration,
        now: Timestamp,
    ) -> Option<Change> {
        self.woken |= self.wakes_at(rules, policy).is_some_and(|at| at <= now);
        let since = self.since_reading(longest, now);
        self.decide(rules, policy, since, now)
    }

    /// The time since the last reading, where that is not too long ago.
    fn since_reading(&self, longest: Duration, now: Timestamp) -> Option<Duration> {
        let since = now.duration_since(self.reading?.at);
        let since = Duration::try_from(since).ok()?;
        (since <= longest).then_some(since)
    }

    /// When [`Economy::wake`] is due: what is short has been so for the hold time then.
    #[must_use]
    pub fn wakes_at(&self, rules: &EconomyRules, policy: Policy) -> Option<Timestamp> {
        if policy != Policy::Auto || self.record.active.is_some() || self.woken {
            return None;
        }
        let longest = *self.held.values().max()?;
        let left = SignedDuration::try_from(rules.hold.checked_sub(longest)?).ok()?;
        self.reading?.at.checked_add(left).ok()
    }

    /// Begins or ends. Without the time since the last reading only the policy counts.
    fn decide(
        &mut self,
        rules: &EconomyRules,
        policy: Policy,
        since: Option<Duration>,
        now: Timestamp,
    ) -> Option<Change> {
        match (self.record.active, policy) {
            (None, Policy::Off) | (Some(_), Policy::On) => None,
            (None, Policy::On) => Some(self.enter(Cause::Policy, now)),
            (None, Policy::Auto) => {
                let since = since?;
                let (trigger, _) = self
                    .held
                    .iter()
                    .find(|(_, held)| **held + since >= rules.hold)?;
                let cause = Cause::Short {
                    trigger: *trigger,
                    value: self.reading?.value(*trigger)?,
                    threshold: rules.band(*trigger).enter,
                };
                Some(self.enter(cause, now))
            }
            (Some(active), Policy::Off) => Some(self.leave(active)),
            (Some(active), Policy::Auto) => {
                let since = since?;
                let rested = self.room.is_some_and(|room| room + since >= rules.recovery);
                let lifted = active.cause == Cause::Policy && self.held.is_empty();
                (rested || lifted).then(|| self.leave(active))
            }
        }
    }

    fn enter(&mut self, cause: Cause, now: Timestamp) -> Change {
        let active = Active { since: now, cause };
        self.record.active = Some(active);
        self.futile.clear();
        self.tried.clear();
        Change::Entered(active)
    }

    fn leave(&mut self, was: Active) -> Change {
        self.record.active = None;
        self.futile.clear();
        self.tried.clear();
        Change::Left {
            was,
            reading: self.reading,
        }
    }

    /// What is to be done now; `None` where nothing is, or something is being done already.
    #[must_use]
    pub fn next(
        &self,
        situation: &Situation,
        rules: &EconomyRules,
        policy: Policy,
        longest: Duration,
        now: Timestamp,
    ) -> Option<Act> {
        let since = self.since_reading(longest, now)?;
        if self.under_way.is_some() || self.paused {
            return None;
        }
        if self.record.active.is_none() {
            return self.next_to_give(situation, rules, policy);
        }
        let spent = Spent {
            futile: &self.futile,
            tried: &self.tried,
            taken: &self.record.taken,
        };
        let short = self.held.iter();
        let mut short = short.filter(|(_, held)| **held + since >= rules.hold);
        short.find_map(|(&trigger, _)| {
            let limit = limit(rules.band(trigger), policy);
            ladder::next(situation, rules, spent, trigger, limit).map(Act::Take)
        })
    }

    fn next_to_give(
        &self,
        situation: &Situation,
        rules: &EconomyRules,
        policy: Policy,
    ) -> Option<Act> {
        let taken = &self.record.taken;
        if policy == Policy::Off {
            // What still runs gets back at once what was taken: nothing is economical any more.
            let mut mild = returning::in_order(situation, taken).into_iter();
            let mild = mild.find(|taken| {
                taken.taking.rung() != Rung::Stop && returning::at_hand(situation, taken)
            });
            if let Some(taken) = mild {
                return Some(Act::Give(taken.clone()));
            }
        }
        if self.room.is_none_or(|room| room < rules.recovery) {
            return None;
        }
        returning::next(situation, rules, taken).map(|taken| Act::Give(taken.clone()))
    }
}

/// Where a trigger counts as short.
fn limit(band: Band, policy: Policy) -> f64 {
    match policy {
        Policy::On => band.leave,
        Policy::Auto | Policy::Off => band.enter,
    }
}

/// A span that goes on for as long again as `passed`, or begins anew.
fn longer(span: Option<Duration>, passed: Option<Duration>) -> Duration {
    match (span, passed) {
        (Some(span), Some(passed)) => span + passed,
        _ => Duration::ZERO,
    }
}
