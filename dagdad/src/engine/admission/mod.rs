//! Admission: whether a start fits into the budget, and if not, who would have to go. Pure.
//!
//! ```text
//!   capacity ────────────────────────────────────────────────────────────┐
//!   ceiling = capacity × threshold ───────────────────────┐              │
//!   ├─ others ─┤├─ held for pods ─┤├─ claimed ─┤├─ room ──┤              │
//! ```
//!
//! - *Others* is what the host uses apart from the pods of the catalogue: the last sample's use
//!   minus what the pods that it measured hold of it. Memory counts as used the way the kernel
//!   counts it (`MemTotal − MemAvailable`), which leaves page cache out; so a pod's part of it
//!   is its anonymous memory.
//! - *Held* is, for each pod with a reservation, the greatest of the footprint it was admitted
//!   with and its working set now, mapped files included: weights that a model maps are page
//!   cache, and a budget that took them for room would give them away.
//! - *Claimed* is what waits for victims to go. It keeps others out of the room that is being
//!   made, and turns into a reservation when they are gone.
//!
//! Invariants:
//! - I1: with every start admitted here, what is held never exceeds the ceiling minus the
//!   others, whatever the order of the starts; save by [`Admission::Force`].
//! - An essential pod is never a victim, nor one that an essential pod comes after, nor one that
//!   an active run of a higher priority than the asker's needs.
//!
//! [`Admission::Force`]: crate::domain::admission::Admission::Force

#[cfg(test)]
mod tests;
pub mod victims;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use self::victims::{Candidate, Standing};
use crate::domain::admission::{Admitted, Denial, Earliest, Figures, Remedy, Room, Spared, Victim};
use crate::domain::name::{ObjectName, PodName};
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};

/// An idle time shorter than this is not worth a word.
const SHOWN_IDLE: Duration = Duration::from_mins(1);

/// Everything that a decision is made on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budget {
    /// When it was drawn up.
    pub at: Timestamp,
    /// Memory.
    pub memory: Limit<Bytes>,
    /// CPU.
    pub cpu: Limit<Millicpu>,
    /// Whether a lack of CPU refuses a start.
    pub cpu_enforced: bool,
    /// Pods with a reservation.
    pub holders: BTreeMap<PodName, Holder>,
    /// What waits for victims to go, by whom.
    pub claims: BTreeMap<ObjectName, Footprint>,
}

/// What there is of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit<T> {
    /// What the machine has.
    pub capacity: T,
    /// What may be given out.
    pub ceiling: T,
    /// Used by everything outside the catalogue.
    pub others: T,
}

/// A pod with a reservation.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// What is held for it.
    pub need: Footprint,
    /// What is held comes back by then at the latest, and why.
    pub release: Option<Earliest>,
    /// Whether it may be stopped for others.
    pub evictable: Option<Evictable>,
}

/// A pod that may be stopped for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evictable {
    /// Its own priority, or the highest of the active runs that need it.
    pub priority: Priority,
    /// The highest priority of the active runs that need it.
    pub run_priority: Option<Priority>,
    /// When it was last seen doing something.
    pub busy_at: Timestamp,
}

/// A start to be decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What starts.
    pub object: ObjectName,
    /// How important it is.
    pub priority: Priority,
    /// Its pods, each once, with what they are expected to use; those that hold something
    /// already only need what goes beyond it.
    pub pods: Vec<(PodName, Footprint)>,
}

impl Asked {
    /// What it is expected to use altogether.
    #[must_use]
    pub fn total(&self) -> Footprint {
        sum(self.pods.iter().map(|(_, footprint)| *footprint))
    }
}

/// Decides on a start.
///
/// # Errors
/// Why it does not fit, and what would make it fit.
pub fn decide(budget: &Budget, asked: &Asked) -> Result<Admitted, Box<Denial>> {
    let figures = figures(budget, asked);
    let gap = figures.gap();
    if gap == Footprint::default() {
        let warnings = cpu_warning(&figures).into_iter().collect();
        return Ok(Admitted { figures, warnings });
    }
    let remedy = remedy(budget, asked, gap);
    let earliest = match remedy {
        Remedy::Never => None,
        Remedy::Evict(_) | Remedy::NotEnough { .. } => earliest(budget, asked, gap),
    };
    Err(Box::new(Denial {
        asked: asked.object.clone(),
        figures,
        remedy,
        earliest,
    }))
}

/// The numbers of a start.
#[must_use]
pub fn figures(budget: &Budget, asked: &Asked) -> Figures {
    let held = |pod: &PodName| {
        let holder = budget.holders.get(pod);
        holder.map(|holder| holder.need).unwrap_or_default()
    };
    let needed = sum(asked
        .pods
        .iter()
        .map(|(pod, footprint)| beyond(*footprint, held(pod))));
    let claims = budget
        .claims
        .iter()
        .filter(|(by, _)| **by != asked.object)
        .map(|(by, claim)| match by {
            // It is for the same pod as what the pod holds or is asked for here.
            ObjectName::Pod(pod) => {
                let here = asked.pods.iter().filter(|(asked, _)| asked == pod);
                here.map(|(_, footprint)| *footprint)
                    .fold(beyond(*claim, held(pod)), beyond)
            }
            ObjectName::Workflow(_) => *claim,
        });
    let reserved = sum(budget
        .holders
        .values()
        .map(|holder| holder.need)
        .chain(claims));
    Figures {
        memory: Room {
            needed: needed.memory,
            available: budget
                .memory
                .ceiling
                .saturating_sub(budget.memory.others + reserved.memory),
            ceiling: budget.memory.ceiling,
            capacity: budget.memory.capacity,
            others: budget.memory.others,
            reserved: reserved.memory,
        },
        cpu: Room {
            needed: needed.cpu,
            available: budget
                .cpu
                .ceiling
                .saturating_sub(budget.cpu.others + reserved.cpu),
            ceiling: budget.cpu.ceiling,
            capacity: budget.cpu.capacity,
            others: budget.cpu.others,
            reserved: reserved.cpu,
        },
        cpu_enforced: budget.cpu_enforced,
    }
}

fn remedy(budget: &Budget, asked: &Asked, gap: Footprint) -> Remedy {
    if never_fits(budget, asked, gap) {
        return Remedy::Never;
    }
    let evictable: Vec<(&PodName, &Holder, &Evictable)> = budget
        .holders
        .iter()
        .filter(|(pod, _)| asked.pods.iter().all(|(asked, _)| asked != *pod))
        .filter_map(|(pod, holder)| Some((pod, holder, holder.evictable.as_ref()?)))
        .filter(|(_, _, evictable)| spared_for(evictable, asked).is_none())
        .collect();
    let candidates: Vec<Candidate> = evictable
        .iter()
        .map(|(_, holder, evictable)| Candidate {
            priority: Standing::of(evictable.priority),
            frees: holder.need,
            idle: idle(budget.at, evictable),
        })
        .collect();
    match victims::choose(gap, &candidates) {
        Some(chosen) => Remedy::Evict(
            chosen
                .into_iter()
                .filter_map(|index| evictable.get(index))
                .map(|(pod, holder, evictable)| Victim {
                    pod: (*pod).clone(),
                    priority: evictable.priority,
                    frees: holder.need,
                    reason: reason(budget.at, evictable),
                })
                .collect(),
        ),
        None => Remedy::NotEnough {
            evictable: sum(candidates.iter().map(|candidate| candidate.frees)),
            spared: spared(budget, asked),
        },
    }
}

/// The priority of the run for which a pod is left alone, if it is above the asker's.
fn spared_for(evictable: &Evictable, asked: &Asked) -> Option<Priority> {
    evictable
        .run_priority
        .filter(|priority| *priority > asked.priority)
}

fn spared(budget: &Budget, asked: &Asked) -> Vec<Spared> {
    let others = budget
        .holders
        .iter()
        .filter(|(pod, _)| asked.pods.iter().all(|(asked, _)| asked != *pod));
    let spared = others.filter_map(|(pod, holder)| {
        Some(Spared {
            pod: pod.clone(),
            run_priority: spared_for(holder.evictable.as_ref()?, asked)?,
        })
    });
    spared.collect()
}

/// Whether more is asked for than may ever be given out, of something that is short.
fn never_fits(budget: &Budget, asked: &Asked, gap: Footprint) -> bool {
    let total = asked.total();
    (gap.memory > Bytes(0) && total.memory > budget.memory.ceiling)
        || (gap.cpu > Millicpu(0) && total.cpu > budget.cpu.ceiling)
}

/// When enough of what is being stopped, or ends by itself, will be back.
fn earliest(budget: &Budget, asked: &Asked, gap: Footprint) -> Option<Earliest> {
    let mut releases: Vec<(&Earliest, Footprint)> = budget
        .holders
        .iter()
        .filter(|(pod, _)| asked.pods.iter().all(|(asked, _)| asked != *pod))
        .filter_map(|(_, holder)| Some((holder.release.as_ref()?, holder.need)))
        .collect();
    releases.sort_by_key(|(release, _)| release.at);
    let mut freed = Footprint::default();
    releases.into_iter().find_map(|(release, need)| {
        freed = sum([freed, need]);
        (beyond(gap, freed) == Footprint::default()).then(|| release.clone())
    })
}

fn cpu_warning(figures: &Figures) -> Option<String> {
    let Room {
        needed,
        available,
        ceiling,
        ..
    } = figures.cpu;
    (needed > available).then(|| {
        format!(
            "CPU will be short: of {needed} cores that it needs, {available} are left of {ceiling}; as CPU is shared, everything gets slower"
        )
    })
}

/// Why this one, for people.
fn reason(now: Timestamp, evictable: &Evictable) -> String {
    let run = match evictable.run_priority {
        Some(_) => ", needed by a run",
        None => "",
    };
    let idle = match idle(now, evictable) {
        idle if idle >= SHOWN_IDLE => {
            let whole = Duration::from_secs(idle.as_secs() / 60 * 60);
            format!(", idle for {}", humantime::format_duration(whole))
        }
        _ => String::new(),
    };
    format!("optional, priority {}{run}{idle}", evictable.priority)
}

/// Nothing where the clock was set back since.
fn idle(now: Timestamp, evictable: &Evictable) -> Duration {
    let idle = now.duration_since(evictable.busy_at);
    idle.try_into().unwrap_or_default()
}

fn sum(parts: impl IntoIterator<Item = Footprint>) -> Footprint {
    parts
        .into_iter()
        .fold(Footprint::default(), |sum, part| Footprint {
            memory: sum.memory + part.memory,
            cpu: sum.cpu + part.cpu,
        })
}

fn beyond(footprint: Footprint, held: Footprint) -> Footprint {
    Footprint {
        memory: footprint.memory.saturating_sub(held.memory),
        cpu: footprint.cpu.saturating_sub(held.cpu),
    }
}
