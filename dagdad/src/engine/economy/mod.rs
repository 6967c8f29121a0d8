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

pub mod backtest;
mod ladder;
mod planning;
mod returning;
mod situation;
#[cfg(test)]
mod tests;
mod words;

pub use self::backtest::backtest;
pub use self::ladder::Step;
pub use self::planning::plan;
pub use self::situation::{PodSituation, Reading, Situation, Stance};
pub use self::words::{given, missed};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::ladder::Spent;
use crate::domain::economy::{
    Active, Band, Cause, EconomyRecord, EconomyRules, Policy, Rung, Taken, Taking, Trigger,
};
use crate::domain::name::PodName;
use crate::domain::pod::Footprint;

/// Pressure is a mean over so much time: what an act brought is seen after that.
const PRESSURE_SETTLES: SignedDuration = SignedDuration::from_secs(10);
/// Memory that a pod had is free after so much time, or not at all.
const RAM_SETTLES: SignedDuration = SignedDuration::from_secs(3);
/// An act that brings less than this part of what was expected, in percent, did not help …
const HELPED: u64 = 25;
/// … and one that brings so much of it did what it could.
const DONE: u64 = 75;
/// How long it is remembered that a pod was stopped.
const SHEDS_COUNT: SignedDuration = SignedDuration::from_hours(1);

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

/// What is being done.
#[derive(Debug, Clone)]
struct UnderWay {
    act: Act,
    before: Reading,
    settling: Option<Settling>,
}

/// It was done; what it brought is to be measured.
#[derive(Debug, Clone, Copy)]
struct Settling {
    done_at: Timestamp,
    samples: u32,
}

/// What is tried once something could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same, after the next reading.
    Soon,
    /// The same rung with other pods.
    WithOthers,
    /// Other rungs: this machine cannot do such a thing at all.
    ByOtherRungs,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Take something.
    Take(Step),
    /// Give something back.
    Give(Taken),
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
    pub fn refuses_starts(&self, rules: &EconomyRules, cpu_enforced: bool) -> bool {
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
        !for_cpu || cpu_enforced || no_room(Trigger::Ram) || no_room(Trigger::Pressure)
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
        let room = reading.has_room(|trigger| rules.band(trigger));
        self.room = room.then(|| longer(self.room, passed));
        let mut changes = Vec::new();
        changes.extend(self.measure(reading, rules));
        changes.extend(self.decide(rules, policy, Some(Duration::ZERO), reading.at));
        changes
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

    /// An act begins. What it takes is in the record from now on, so that it can be stored before
    /// anything is done.
    pub fn begin(&mut self, act: Act, rules: &EconomyRules, now: Timestamp) {
        let Some(before) = self.reading else {
            return;
        };
        if let Act::Take(step) = &act {
            self.tried.insert((step.pod.clone(), step.rung));
            if let Some(taking) = step.taking() {
                self.take(step, taking, rules, now);
            }
        }
        self.under_way = Some(UnderWay {
            act,
            before,
            settling: None,
        });
    }

    fn take(&mut self, step: &Step, taking: Taking, rules: &EconomyRules, now: Timestamp) {
        let taking = match taking {
            Taking::Shed { .. } => {
                let lately = |at: &Timestamp| now.duration_since(*at).abs() < SHEDS_COUNT;
                self.record.sheds.retain(|(_, at)| lately(at));
                let of_this = self.record.sheds.iter().filter(|(pod, _)| *pod == step.pod);
                let before = u32::try_from(of_this.count()).unwrap_or(u32::MAX);
                self.record.sheds.push((step.pod.clone(), now));
                Taking::Shed {
                    for_good: before >= rules.sheds_per_hour,
                }
            }
            mild @ (Taking::Throttled { .. } | Taking::Frozen) => mild,
        };
        self.record.taken.push(Taken {
            pod: step.pod.clone(),
            taking,
            at: now,
            used: step.used,
            reason: step.reason.clone(),
        });
    }

    /// What is under way was done.
    pub fn done(&mut self, now: Timestamp) {
        let Some(under_way) = &mut self.under_way else {
            return;
        };
        match &under_way.act {
            Act::Take(step) => {
                if step.rung == Rung::Stop {
                    // Its containers are gone, and what was taken from them with them.
                    let mild = |taken: &Taken| taken.taking.rung() != Rung::Stop;
                    let taken = &mut self.record.taken;
                    taken.retain(|taken| taken.pod != step.pod || !mild(taken));
                }
                under_way.settling = Some(Settling {
                    done_at: now,
                    samples: 0,
                });
            }
            Act::Give(given) => {
                let given = given.clone();
                let same = |taken: &Taken| {
                    taken.pod == given.pod && taken.taking.rung() == given.taking.rung()
                };
                self.record.taken.retain(|taken| !same(taken));
                // The next one has to wait for as long again.
                self.room = None;
                self.under_way = None;
            }
        }
    }

    /// What is under way could not be done.
    pub fn failed(&mut self, retry: Retry) {
        let Some(under_way) = self.under_way.take() else {
            return;
        };
        match under_way.act {
            Act::Take(step) => {
                match retry {
                    Retry::Soon => {
                        self.tried.remove(&(step.pod.clone(), step.rung));
                        self.paused = true;
                    }
                    Retry::WithOthers => {}
                    Retry::ByOtherRungs => {
                        self.futile.insert(step.rung);
                    }
                }
                let same =
                    |taken: &Taken| taken.pod == step.pod && taken.taking.rung() == step.rung;
                self.record.taken.retain(|taken| !same(taken));
            }
            Act::Give(_) => self.room = None,
        }
    }

    /// Only a person gives the pod back what was taken: it did not come up again.
    pub fn give_up(&mut self, pod: &PodName) {
        for taken in &mut self.record.taken {
            if taken.pod == *pod && taken.taking.rung() == Rung::Stop {
                taken.taking = Taking::Shed { for_good: true };
            }
        }
    }

    /// Forgets what is to be given back, where `stands` says that it is not taken any more.
    /// Returns whether there was such a thing.
    pub fn forget(&mut self, stands: impl Fn(&Taken) -> bool) -> bool {
        let before = self.record.taken.len();
        self.record.taken.retain(stands);
        self.record.taken.len() != before
    }

    /// Sees what the act brought that is settling, once enough was measured after it.
    fn measure(&mut self, reading: Reading, rules: &EconomyRules) -> Option<Change> {
        let under_way = self.under_way.as_mut()?;
        let Act::Take(step) = &under_way.act else {
            return None;
        };
        let settling = under_way.settling.as_mut()?;
        if reading.at <= settling.done_at {
            return None;
        }
        settling.samples += 1;
        let since = reading.at.duration_since(settling.done_at);
        let brought = Brought::between(step, &under_way.before, &reading, rules);
        let settled = match step.trigger {
            // The kernel takes a moment to free what a pod had.
            Trigger::Ram => brought == Brought::Enough || since >= RAM_SETTLES,
            // The first one after it still has use from before it in it.
            Trigger::Cpu => settling.samples >= 2,
            Trigger::Pressure => since >= PRESSURE_SETTLES,
        };
        if !settled {
            return None;
        }
        let UnderWay { act, before, .. } = self.under_way.take()?;
        let Act::Take(step) = act else {
            return None;
        };
        let helped = brought != Brought::Nothing;
        if !helped && step.rung != Rung::Stop {
            self.futile.insert(step.rung);
        }
        Some(Change::Measured {
            step,
            before,
            after: reading,
            helped,
        })
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

/// What an act brought, as far as can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brought {
    Nothing,
    Something,
    /// Nothing is short any more, or all that was expected is there.
    Enough,
}

impl Brought {
    fn between(step: &Step, before: &Reading, after: &Reading, rules: &EconomyRules) -> Self {
        if !after.reaches(step.trigger, rules.band(step.trigger).enter) {
            return Self::Enough;
        }
        match step.trigger {
            Trigger::Ram => {
                let freed = before.ram_used.saturating_sub(after.ram_used);
                Self::of(freed.0, step.frees.memory.0)
            }
            Trigger::Cpu => {
                let used = |reading: &Reading| {
                    Footprint::of_cpu_percent(reading.cpu_percent * f64::from(reading.cpu_count))
                };
                let freed = used(before).saturating_sub(used(after));
                Self::of(freed.0, step.frees.cpu.0)
            }
            Trigger::Pressure => match (before.pressure, after.pressure) {
                (Some(before), Some(after)) if after > before * 0.75 => Self::Nothing,
                _ => Self::Something,
            },
        }
    }

    fn of(freed: u64, expected: u64) -> Self {
        let part = |percent: u64| freed > 0 && freed.saturating_mul(100) >= expected * percent;
        if part(DONE) {
            Self::Enough
        } else if part(HELPED) {
            Self::Something
        } else {
            Self::Nothing
        }
    }
}
