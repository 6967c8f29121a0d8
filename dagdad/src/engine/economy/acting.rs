//! One act from its beginning to what it brought.
//!
//! ```text
//!   begin ─┬─► done ─┬─► (take) settling ─► measured
//!          │         └─► (give) forgotten
//!          └─► failed ─► as if it had not begun
//! ```

use jiff::{SignedDuration, Timestamp};

use super::ladder::Step;
use super::situation::Reading;
use super::{Change, Economy};
use crate::domain::economy::{EconomyRules, Rung, Taken, Taking, Trigger};
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

/// What is being done.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    pub(super) act: Act,
    before: Reading,
    pub(super) settling: Option<Settling>,
}

/// It was done; what it brought is to be measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling {
    pub(super) done_at: Timestamp,
    samples: u32,
}

/// What is tried once something could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same, after the next reading.
    Soon,
    /// The same rung with other pods.
    WithOthers,
    /// The same rung with other pods; nobody knows whether it was done, so that it is to be given
    /// back.
    OnceUndone,
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

impl Economy {
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
                    Retry::OnceUndone => return,
                    Retry::ByOtherRungs => {
                        self.futile.insert(step.rung);
                    }
                }
                if step.rung == Rung::Stop {
                    // It was not stopped: this one does not count.
                    let mut sheds = self.record.sheds.iter();
                    if let Some(last) = sheds.rposition(|(pod, _)| *pod == step.pod) {
                        self.record.sheds.remove(last);
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
    pub(super) fn measure(&mut self, reading: Reading, rules: &EconomyRules) -> Option<Change> {
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
