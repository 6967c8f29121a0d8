//! Whether a start fits, in numbers, and what would have to go.

mod explanation;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::name::{ObjectName, PodName};
use super::pod::{Footprint, Priority};
use super::quantity::{Bytes, Millicpu};

/// How a start is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Admission {
    /// Only if it fits.
    #[default]
    Fit,
    /// Where it does not fit, the proposed victims are stopped first.
    Evict,
    /// Whether it fits or not; recorded as such.
    Force,
}

impl Admission {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Fit, Self::Evict, Self::Force];

    /// Lower case, as in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Evict => "evict",
            Self::Force => "force",
        }
    }
}

/// Room for one resource: [`Bytes`] of memory, or [`Millicpu`] of CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room<T> {
    /// What is asked for and not held already.
    pub needed: T,
    /// What is left below the ceiling; zero where more is used or promised than it allows.
    pub available: T,
    /// Capacity × threshold.
    pub ceiling: T,
    /// What the machine has.
    pub capacity: T,
    /// Used by everything outside the catalogue.
    pub others: T,
    /// Held for pods of the catalogue that run or start.
    pub reserved: T,
}

/// The numbers that a start was, or would be, decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Memory: always enforced.
    pub memory: Room<Bytes>,
    /// CPU: compressible.
    pub cpu: Room<Millicpu>,
    /// Whether a lack of CPU refuses a start, or only warns.
    pub cpu_enforced: bool,
}

impl Figures {
    /// What is missing, each resource by itself; CPU only where it is enforced. What is used or
    /// promised beyond the ceiling already is missing too.
    #[must_use]
    pub fn gap(&self) -> Footprint {
        let Self {
            memory,
            cpu,
            cpu_enforced,
        } = self;
        let beyond = |needed: u64, others: u64, reserved: u64, ceiling: u64| match needed {
            0 => 0,
            _ => others
                .saturating_add(reserved)
                .saturating_add(needed)
                .saturating_sub(ceiling),
        };
        Footprint {
            memory: Bytes(beyond(
                memory.needed.0,
                memory.others.0,
                memory.reserved.0,
                memory.ceiling.0,
            )),
            cpu: Millicpu(if *cpu_enforced {
                beyond(cpu.needed.0, cpu.others.0, cpu.reserved.0, cpu.ceiling.0)
            } else {
                0
            }),
        }
    }
}

/// A start that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// By which numbers.
    pub figures: Figures,
    /// What does not stand in the way, but should be known: CPU that will be short.
    pub warnings: Vec<String>,
}

/// A start that does not fit, explained. Its [`Display`](std::fmt::Display) is the whole of it
/// in one sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    /// What was to start.
    pub asked: ObjectName,
    /// By which numbers.
    pub figures: Figures,
    /// What would make it fit.
    pub remedy: Remedy,
    /// When it fits without anybody doing anything, where that can be justified.
    pub earliest: Option<Earliest>,
}

/// What would make a start fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Remedy {
    /// It needs more than the ceiling: it can never fit here.
    Never,
    /// Stopping these makes it fit; the best set there is, in the order in which to stop them.
    Evict(Vec<Victim>),
    /// Stopping every pod that may be stopped is not enough.
    NotEnough {
        /// What that would free.
        evictable: Footprint,
        /// Optional pods that are left alone, since a run of a higher priority needs them.
        spared: Vec<Spared>,
    },
}

/// An optional pod that is not stopped for the asker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spared {
    /// Which.
    pub pod: PodName,
    /// The priority of the run that needs it, above the asker's.
    pub run_priority: Priority,
}

/// A pod whose stop would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Victim {
    /// Which.
    pub pod: PodName,
    /// Its own priority, or that of the active run that needs it, whichever is higher.
    pub priority: Priority,
    /// What its stop gives back to the budget.
    pub frees: Footprint,
    /// Why this one, for people: `optional, priority 10, idle for 2h`.
    pub reason: String,
}

/// The earliest time at which something fits, and by what that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earliest {
    /// When.
    pub at: Timestamp,
    /// Why then, for people: `qwen is being stopped, its grace period ends then`.
    pub reason: String,
}

impl Denial {
    /// What is short: `memory`, `cpu` or both.
    #[must_use]
    pub fn short_of(&self) -> &'static str {
        let gap = self.figures.gap();
        match (gap.memory.0 > 0, gap.cpu.0 > 0) {
            (true, true) => "memory,cpu",
            (false, true) => "cpu",
            _ => "memory",
        }
    }

    /// The pods to stop so that it fits.
    #[must_use]
    pub fn victims(&self) -> &[Victim] {
        match &self.remedy {
            Remedy::Evict(victims) => victims,
            Remedy::Never | Remedy::NotEnough { .. } => &[],
        }
    }

    /// The command that makes it start nevertheless, by stopping the victims.
    #[must_use]
    pub fn suggested_command(&self) -> Option<String> {
        if self.victims().is_empty() {
            return None;
        }
        Some(match &self.asked {
            ObjectName::Pod(pod) => format!("dagdactl pods start {pod} --evict"),
            ObjectName::Workflow(workflow) => format!("dagdactl workflow run {workflow} --evict"),
        })
    }
}
