//! The choice of victims: which pods to stop so that a gap is closed.
//!
//! Of all sets of candidates that close it, the best one is chosen. The criteria, each of which
//! only decides between sets that the ones before it leave alike:
//!
//! 1. **Lowest priority.** The highest priority in the set is as low as possible: nothing more
//!    important goes where what is less important would do.
//! 2. **Fewest pods.**
//! 3. **Lowest priorities throughout.** As few as possible of the highest priority, then of the
//!    next lower one, and so on. The first criterion says nothing about a set that needs its
//!    highest priority anyway; this one keeps each further pod of it out where one of a lower
//!    priority would do in its place. It comes after the second: two unimportant pods are not
//!    stopped instead of one of middling importance.
//! 4. **Least overshoot**, freed minus gap: first of memory, then of CPU, each where it is
//!    short. What a pod frees is counted in whole MiB here, rounded down. Nobody cares for less,
//!    and it makes sets comparable by the next criterion that differ by a few pages.
//! 5. **Longest idle.** From the highest priority down, and within a priority from the pod that
//!    was busy last, each pod is spared where the others allow it. So whoever has just been
//!    used goes last; with the sum of their idle times, the long sleep of one pod would outweigh
//!    the use of another.
//!
//! Whether a set closes the gap is never rounded: it is summed up in bytes, and a set that
//! frees exactly the gap closes it.
//!
//! One short resource, the ordinary case since CPU is only enforced where asked for, is solved
//! exactly (module `single`), save that odd sizes with a slack of many GiB, or of a few among two
//! hundred pods, are counted in more than a MiB. For two short resources, where even the fewest
//! pods are NP-hard to find, there is a search (module `double`): exact for some dozens of pods,
//! and otherwise the best that it finds in its time.

mod double;
mod exchange;
mod mix;
mod search;
mod single;
mod table;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::time::Duration;

use self::exchange::TABLE_BYTES;
use crate::domain::pod::{Footprint, Priority};

/// What memory is counted in where overshoots are compared.
const MEMORY_UNIT: u64 = 1024 * 1024;
/// What CPU is counted in: a thousandth of a core.
const CPU_UNIT: u64 = 1;

/// How important a pod is beside others: by its priority, and where idle pods are to go first
/// among equals, by whether it is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing(u16);

impl Standing {
    /// Below all others of its priority.
    #[must_use]
    pub const fn idle(priority: Priority) -> Self {
        Self(priority.get() as u16 * 2)
    }

    /// Like all others of its priority that are not idle.
    #[must_use]
    pub const fn of(priority: Priority) -> Self {
        Self(priority.get() as u16 * 2 + 1)
    }
}

/// A pod that may be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// How important it is.
    pub priority: Standing,
    /// What its stop frees.
    pub frees: Footprint,
    /// For how long it has done nothing.
    pub idle: Duration,
}

/// Chooses whom to stop so that at least `gap` is freed, as indexes into `candidates`, in the
/// order in which to stop them: the lowest priority first, then the longest idle. `None` where
/// stopping all of them is not enough.
///
/// The order of the candidates does not matter, save between two that are alike in everything.
#[must_use]
pub fn choose(gap: Footprint, candidates: &[Candidate]) -> Option<Vec<usize>> {
    let mut sparing: Vec<usize> = (0..candidates.len()).collect();
    sparing.sort_by_key(|&index| {
        let Candidate {
            priority,
            frees,
            idle,
        } = candidates[index];
        (
            Reverse(priority),
            idle,
            Reverse((frees.memory, frees.cpu)),
            index,
        )
    });
    let items = |frees: fn(&Footprint) -> u64| -> Vec<single::Item> {
        sparing
            .iter()
            .map(|&index| single::Item {
                priority: candidates[index].priority,
                frees: frees(&candidates[index].frees),
            })
            .collect()
    };
    let chosen = match (gap.memory.0, gap.cpu.0) {
        (0, 0) => Vec::new(),
        (memory, 0) => single::choose(
            &items(|frees| frees.memory.0),
            memory,
            MEMORY_UNIT,
            TABLE_BYTES,
        )?,
        (0, cpu) => single::choose(&items(|frees| frees.cpu.0), cpu, CPU_UNIT, TABLE_BYTES)?,
        (_, _) => {
            let items: Vec<double::Item> = sparing
                .iter()
                .map(|&index| double::Item {
                    priority: candidates[index].priority,
                    frees: candidates[index].frees,
                })
                .collect();
            double::choose(&items, gap, double::STEPS)?
        }
    };
    // From the one most to be spared to the one least to be, reversed.
    Some(chosen.into_iter().rev().map(|at| sparing[at]).collect())
}
