//! The ladder: what to take next, and from whom. The mildest rung that suffices, from the least
//! valuable pod that does.
//!
//! ```text
//!   memory:  reclaim ─► stop
//!   CPU:     throttle ─► freeze ─► stop
//! ```
//!
//! - A rung *suffices* where what all its pods can give closes the gap. Where none does, the
//!   mildest one is taken that gives anything to speak of, and what is left is seen after it.
//! - Within a rung, whom to take from is the choice of [`victims`], with idle pods first among
//!   equals; of the set that it chooses the first is acted on, and then it is measured anew.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::admission::victims::{self, Candidate, Standing};
use super::situation::{PodSituation, Reading, Situation, Stance};
use crate::domain::economy::{EconomyRules, Rung, Taken, Taking, Trigger};
use crate::domain::name::PodName;
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};

/// A throttled pod keeps a tenth of what it used …
const THROTTLED_SHARE: u64 = 10;
/// … and at least a tenth of a core.
const THROTTLED_LEAST: Millicpu = Millicpu(100);
/// Where all together are not enough, a pod that gives less than this part of the memory that is
/// missing is left alone: its end would help nobody …
const WORTH_ITS_MEMORY: u64 = 20;
/// … and one that gives less than this part of the CPU: without it everything only gets slower.
const WORTH_ITS_CPU: u64 = 4;
/// A pod that began so much later than now began before the clock was set back.
const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_mins(1);
/// Pressure has no size: so much of the memory, in percent, is freed for it at a time.
const PRESSURE_STEP: f64 = 5.0;

/// One thing to be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// From which pod.
    pub pod: PodName,
    /// What.
    pub rung: Rung,
    /// For which trigger.
    pub trigger: Trigger,
    /// The pod's priority, that of the runs that need it included.
    pub priority: Priority,
    /// What it used when this was decided.
    pub used: Footprint,
    /// What it is expected to free.
    pub frees: Footprint,
    /// How much CPU is left to it, where it is throttled.
    pub limit: Option<Millicpu>,
    /// Why, for people, with the numbers.
    pub reason: String,
}

impl Step {
    /// What is to be given back of it later; `None` for what comes back by itself.
    pub(super) fn taking(&self) -> Option<Taking> {
        match self.rung {
            Rung::Reclaim => None,
            Rung::Throttle => Some(Taking::Throttled {
                to: self.limit.unwrap_or(THROTTLED_LEAST),
            }),
            Rung::Freeze => Some(Taking::Frozen),
            Rung::Stop => Some(Taking::Shed { for_good: false }),
        }
    }
}

/// What is not to be tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent<'a> {
    /// Rungs that did not help in this episode.
    pub futile: &'a BTreeSet<Rung>,
    /// What failed, or was done already, in this episode.
    pub tried: &'a BTreeSet<(PodName, Rung)>,
    /// What was taken already.
    pub taken: &'a [Taken],
}

impl Spent<'_> {
    fn allows(&self, pod: &PodName, rung: Rung) -> bool {
        let higher = |taken: &&Taken| taken.pod == *pod && taken.taking.rung() >= rung;
        !self.tried.contains(&(pod.clone(), rung)) && !self.taken.iter().any(|it| higher(&it))
    }
}

/// What to take next so that `trigger` gets below `limit`; `None` where nothing would help.
pub(super) fn next(
    situation: &Situation,
    rules: &EconomyRules,
    spent: Spent<'_>,
    trigger: Trigger,
    limit: f64,
) -> Option<Step> {
    let rungs: &[Rung] = match trigger {
        Trigger::Ram | Trigger::Pressure => &[Rung::Reclaim, Rung::Stop],
        Trigger::Cpu => &[Rung::Throttle, Rung::Freeze, Rung::Stop],
    };
    let offers: Vec<Offer<'_>> = rungs
        .iter()
        .filter(|rung| !spent.futile.contains(rung))
        .map(|&rung| Offer::of(situation, rules, spent, trigger, rung))
        .filter(|offer| !offer.pods.is_empty())
        .collect();
    let gap = gap(&situation.reading, trigger, limit);
    let sufficient = offers.iter().find_map(|offer| offer.first(gap));
    let (pod, rung, frees) = sufficient.or_else(|| {
        let worth_it = offers.iter().map(|offer| offer.worth_it(gap));
        worth_it
            .filter(|offer| !offer.pods.is_empty())
            .find_map(|offer| offer.first(offer.total()))
    })?;
    let figures = situation.pods.get(pod)?;
    let limit = (rung == Rung::Throttle).then(|| {
        let missing = gap.cpu.min(frees.cpu);
        Millicpu(figures.used.cpu.0.saturating_sub(missing.0))
    });
    Some(Step {
        pod: pod.clone(),
        rung,
        trigger,
        priority: figures.priority,
        used: figures.used,
        frees: match limit {
            Some(limit) => Footprint {
                memory: Bytes(0),
                cpu: figures.used.cpu.saturating_sub(limit),
            },
            None => frees,
        },
        limit,
        reason: reason(&situation.reading, rules, trigger, figures),
    })
}

/// What is missing: memory for the triggers that are about memory, CPU for the other one.
fn gap(reading: &Reading, trigger: Trigger, limit: f64) -> Footprint {
    let memory = |memory| Footprint {
        memory,
        cpu: Millicpu(0),
    };
    match trigger {
        Trigger::Ram => memory(reading.ram_beyond(limit)),
        Trigger::Pressure => memory(Bytes(
            reading
                .ram_below(100.0)
                .0
                .saturating_sub(reading.ram_below(100.0 - PRESSURE_STEP).0),
        )),
        Trigger::Cpu => Footprint {
            memory: Bytes(0),
            cpu: reading.cpu_beyond(limit),
        },
    }
}

/// What one rung has to offer.
struct Offer<'a> {
    rung: Rung,
    pods: Vec<(&'a PodName, Candidate)>,
}

impl<'a> Offer<'a> {
    fn of(
        situation: &'a Situation,
        rules: &EconomyRules,
        spent: Spent<'_>,
        trigger: Trigger,
        rung: Rung,
    ) -> Self {
        let pods = situation.pods.iter().filter_map(|(name, pod)| {
            if !may_be_taken_from(pod, rules, situation.reading.at) || !spent.allows(name, rung) {
                return None;
            }
            let frees = frees(&situation.reading, pod, trigger, rung)?;
            let standing = match pod.idle {
                Some(_) => Standing::idle(pod.priority),
                None => Standing::of(pod.priority),
            };
            let candidate = Candidate {
                priority: standing,
                frees,
                idle: pod.idle.unwrap_or(Duration::ZERO),
            };
            Some((name, candidate))
        });
        Self {
            rung,
            pods: pods.collect(),
        }
    }

    /// Of the pods that close the gap, the one to begin with.
    fn first(&self, gap: Footprint) -> Option<(&'a PodName, Rung, Footprint)> {
        let candidates: Vec<Candidate> = self.pods.iter().map(|(_, it)| *it).collect();
        let first = *victims::choose(gap, &candidates)?.first()?;
        let (pod, candidate) = self.pods.get(first)?;
        Some((pod, self.rung, candidate.frees))
    }

    /// Those that give something to speak of, beside what is missing.
    fn worth_it(&self, gap: Footprint) -> Offer<'a> {
        let speaks = |frees: u64, gap: u64, part: u64| gap > 0 && frees.saturating_mul(part) >= gap;
        let pods = self.pods.iter().filter(|(_, it)| {
            speaks(it.frees.memory.0, gap.memory.0, WORTH_ITS_MEMORY)
                || speaks(it.frees.cpu.0, gap.cpu.0, WORTH_ITS_CPU)
        });
        Offer {
            rung: self.rung,
            pods: pods.copied().collect(),
        }
    }

    fn total(&self) -> Footprint {
        let each = self.pods.iter().map(|(_, it)| it.frees);
        each.fold(Footprint::default(), |sum, it| Footprint {
            memory: sum.memory + it.memory,
            cpu: sum.cpu + it.cpu,
        })
    }
}

/// Whether something may be taken from a pod: it is up, nothing is being done with it, and it is
/// not protected, nor has it only just been started.
pub(super) fn may_be_taken_from(pod: &PodSituation, rules: &EconomyRules, now: Timestamp) -> bool {
    let grace = SignedDuration::try_from(rules.grace).unwrap_or(SignedDuration::MAX);
    let old_enough = |since: Timestamp| {
        let age = now.duration_since(since);
        age >= grace || age <= -CLOCK_SET_BACK
    };
    pod.stance == Stance::Open && pod.up_since.is_some_and(old_enough)
}

/// What a rung frees of what `trigger` is about; `None` where that is nothing.
fn frees(reading: &Reading, pod: &PodSituation, trigger: Trigger, rung: Rung) -> Option<Footprint> {
    let cpu = match (trigger, rung) {
        (Trigger::Ram | Trigger::Pressure, _) | (Trigger::Cpu, Rung::Reclaim) => Millicpu(0),
        (Trigger::Cpu, Rung::Throttle) => {
            let kept = (pod.used.cpu.0 / THROTTLED_SHARE).max(THROTTLED_LEAST.0);
            Millicpu(pod.used.cpu.0.saturating_sub(kept))
        }
        (Trigger::Cpu, Rung::Freeze) if !pod.may_freeze => Millicpu(0),
        (Trigger::Cpu, Rung::Freeze | Rung::Stop) => pod.used.cpu,
    };
    let memory = match (trigger, rung) {
        (Trigger::Ram | Trigger::Pressure, Rung::Stop) => pod.used.memory,
        // Page cache does not count as used: what is short is freed by swapping alone.
        (Trigger::Ram, Rung::Reclaim) => pod.used.memory.min(reading.swap_free),
        (Trigger::Pressure, Rung::Reclaim) => {
            pod.reclaimable + pod.used.memory.min(reading.swap_free)
        }
        (Trigger::Ram | Trigger::Pressure, Rung::Throttle | Rung::Freeze) | (Trigger::Cpu, _) => {
            Bytes(0)
        }
    };
    let frees = Footprint { memory, cpu };
    (frees != Footprint::default()).then_some(frees)
}

fn reason(reading: &Reading, rules: &EconomyRules, trigger: Trigger, pod: &PodSituation) -> String {
    let value = reading.value(trigger).unwrap_or_default();
    let run = if pod.needed_by_run {
        ", needed by a run"
    } else {
        ""
    };
    let idle = pod.idle.map(|idle| {
        let whole = Duration::from_secs(idle.as_secs() / 60 * 60);
        format!(", idle for {}", humantime::format_duration(whole))
    });
    format!(
        "{} is at {value:.1} % of at most {:.0} %; optional, priority {}{run}{}",
        trigger.label(),
        rules.band(trigger).enter,
        pod.priority,
        idle.unwrap_or_default(),
    )
}
