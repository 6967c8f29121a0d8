//! Giving back: what comes back next, and whether there is room for it.
//!
//! What still runs comes first (throttled, then frozen pods), then what was stopped; within each
//! the highest priority first, then what was taken first. Of what fits, the first one comes back;
//! then there has to be room for the recovery time again before the next one does.

use std::cmp::Reverse;

use super::situation::{PodSituation, Situation, Stance};
use crate::domain::economy::{Band, EconomyRules, Taken, Taking, Trigger};
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::Millicpu;

/// A throttled pod that uses less than this part of what it may, in percent, wants no more.
const CONTENT: u64 = 90;

/// What stands in the way of giving something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Only a person starts it again.
    ForGood,
    /// Something is being done with the pod.
    InHand,
    /// So much of it is missing below where it is left.
    Missing(Footprint),
}

/// What was taken, in the order in which it comes back.
pub(super) fn in_order<'a>(situation: &Situation, taken: &'a [Taken]) -> Vec<&'a Taken> {
    let mut order: Vec<&Taken> = taken.iter().collect();
    order.sort_by_key(|taken| {
        let priority = situation.pods.get(&taken.pod).map(|pod| pod.priority);
        (
            taken.taking.rung(),
            Reverse(priority.unwrap_or_else(lowest)),
            taken.at,
        )
    });
    order
}

/// What comes back next, where something fits.
pub(super) fn next<'a>(
    situation: &Situation,
    rules: &EconomyRules,
    taken: &'a [Taken],
) -> Option<&'a Taken> {
    in_order(situation, taken)
        .into_iter()
        .find(|taken| obstacle(situation, rules, taken).is_none())
}

/// What stands in the way of giving `taken` back now; `None` where nothing does.
pub(super) fn obstacle(
    situation: &Situation,
    rules: &EconomyRules,
    taken: &Taken,
) -> Option<Obstacle> {
    let pod = situation.pods.get(&taken.pod)?;
    if taken.taking == (Taking::Shed { for_good: true }) {
        return Some(Obstacle::ForGood);
    }
    if pod.stance == Stance::InHand {
        return Some(Obstacle::InHand);
    }
    let wanted = wanted(pod, taken);
    let missing = missing(situation, |trigger| rules.band(trigger), wanted);
    (missing != Footprint::default()).then_some(Obstacle::Missing(missing))
}

/// Whether nothing is being done with the pod, so that it can be given something back.
pub(super) fn at_hand(situation: &Situation, taken: &Taken) -> bool {
    let pod = situation.pods.get(&taken.pod);
    pod.is_some_and(|pod| pod.stance != Stance::InHand)
}

/// What a pod is going to use beyond what it uses now once it has back what was taken.
fn wanted(pod: &PodSituation, taken: &Taken) -> Footprint {
    let back = taken.used.cpu.saturating_sub(pod.used.cpu);
    match taken.taking {
        Taking::Throttled { to } if pod.used.cpu.0 * 100 < to.0 * CONTENT => Footprint::default(),
        Taking::Throttled { .. } | Taking::Frozen => Footprint {
            cpu: back,
            ..Footprint::default()
        },
        Taking::Shed { .. } => Footprint {
            memory: pod.expected.memory.max(taken.used.memory),
            cpu: taken.used.cpu,
        },
    }
}

/// How much of `wanted` there is no room for below where each trigger is left.
fn missing(situation: &Situation, band: impl Fn(Trigger) -> Band, wanted: Footprint) -> Footprint {
    let Situation {
        reading,
        promised,
        pods: _,
    } = situation;
    let ram = reading.ram_below(band(Trigger::Ram).leave);
    let cpu = reading.cpu_below(band(Trigger::Cpu).leave);
    let memory = (promised.memory + wanted.memory).saturating_sub(ram);
    Footprint {
        memory: memory.min(wanted.memory),
        // What is promised is rarely used: it does not keep CPU from others.
        cpu: if wanted.cpu > Millicpu(0) {
            wanted.cpu.saturating_sub(cpu)
        } else {
            Millicpu(0)
        },
    }
}

fn lowest() -> Priority {
    Priority::new(0).unwrap_or_default()
}
