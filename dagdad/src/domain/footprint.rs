//! What a pod is expected to use: as declared in its manifest, or as its latest runs have shown.
//!
//! ```text
//!   three measured runs?  no ──► what is declared
//!                         yes ─► memory: the greater of declared and highest peak + 10 %,
//!                                        in whole MiB
//!                                CPU:    the same, where no more than the ceiling is learned
//! ```
//!
//! What is declared is never undercut: its owner may know of a need that has not come up yet.
//! The highest of the recent peaks counts rather than a mean, since memory that is missing once
//! is an OOM kill; and as only recent runs are looked at, a pod that has got thriftier is
//! expected to be so after [`RUNS_KEPT`] runs. A run of which no memory was seen was never
//! measured, having ended before the first sample; it is no evidence of thrift.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::name::PodName;
use super::pod::Footprint;
use super::quantity::{Bytes, Millicpu};

/// So many runs must be known before they are expected by.
pub const RUNS_NEEDED: usize = 3;
/// So many of the latest runs are looked at.
pub const RUNS_KEPT: usize = 10;
/// What is added to the highest peak, in percent.
pub const MARGIN_PERCENT: u64 = 10;

/// What one life of a pod, from its start to its end, used at most.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRun {
    /// UUIDv7.
    pub id: Uuid,
    /// Which pod.
    pub pod: PodName,
    /// When it began to run.
    pub started_at: Timestamp,
    /// How long it took from being started to being ready; `None` until then.
    pub ready_after: Option<Duration>,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Whether it ran to its end by itself, without an error.
    pub completed: bool,
    /// The most memory that only the pod's end frees, or that it would be slow without:
    /// anonymous and mapped.
    pub memory_peak: Bytes,
    /// The highest mean CPU use; a burst of a few seconds does not count.
    pub cpu_peak: Millicpu,
}

/// What a pod is expected to use, and where that comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// What is reckoned with.
    pub footprint: Footprint,
    /// What the manifest declares.
    pub declared: Footprint,
    /// What was seen; `None` before the first run that was measured.
    pub observed: Option<Observed>,
}

/// What a pod's latest runs used at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// How many runs, all of them measured.
    pub runs: u32,
    /// The lowest of their peaks.
    pub memory_lowest: Bytes,
    /// The highest of their peaks.
    pub memory_highest: Bytes,
    /// The highest of their peaks.
    pub cpu_highest: Millicpu,
    /// The longest time from start to ready, where one became ready.
    pub slowest_ready: Option<Duration>,
}

/// How sure an expectation by observation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Fewer than [`RUNS_NEEDED`] runs: not expected by.
    Low,
    /// Enough runs, which differ or are few.
    Medium,
    /// Many runs that agree.
    High,
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The manifest, or the default where it says nothing.
    Declared,
    /// The pod's latest runs.
    Observed,
}

impl Basis {
    /// Lower case, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Observed => "observed",
        }
    }
}

impl Confidence {
    /// Lower case, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Expectation {
    /// What the manifest declares and nothing else.
    #[must_use]
    pub const fn declared(declared: Footprint) -> Self {
        Self {
            footprint: declared,
            declared,
            observed: None,
        }
    }

    /// Where the memory figure comes from.
    #[must_use]
    pub fn memory_basis(&self) -> Basis {
        basis(self.footprint.memory > self.declared.memory)
    }

    /// Where the CPU figure comes from.
    #[must_use]
    pub fn cpu_basis(&self) -> Basis {
        basis(self.footprint.cpu > self.declared.cpu)
    }
}

const fn basis(observed: bool) -> Basis {
    if observed {
        Basis::Observed
    } else {
        Basis::Declared
    }
}

impl Observed {
    /// How sure it is.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        let runs = usize::try_from(self.runs).unwrap_or(usize::MAX);
        let spread = self.memory_highest.saturating_sub(self.memory_lowest);
        if runs < RUNS_NEEDED {
            Confidence::Low
        } else if runs >= 2 * RUNS_NEEDED && spread.percent_of(self.memory_highest) <= 20.0 {
            Confidence::High
        } else {
            Confidence::Medium
        }
    }
}

/// What to expect of a pod that declares `declared` and whose latest runs are `runs`, in any
/// order. `ceiling` is the most that may be given out. A pod that ran is not to become one that
/// can never fit because of a burst of CPU that was seen once, nor because of the margin.
#[must_use]
pub fn expect(declared: Footprint, runs: &[PodRun], ceiling: Footprint) -> Expectation {
    let measured = || runs.iter().filter(|run| run.memory_peak > Bytes(0));
    let memory = || measured().map(|run| run.memory_peak);
    let (Some(memory_lowest), Some(memory_highest)) = (memory().min(), memory().max()) else {
        return Expectation::declared(declared);
    };
    let cpu_highest = measured().map(|run| run.cpu_peak).max().unwrap_or_default();
    let count = measured().count();
    let footprint = if count < RUNS_NEEDED {
        declared
    } else {
        let memory = Bytes(whole_mib(with_margin(memory_highest.0)));
        let memory = memory.min(ceiling.memory.max(memory_highest));
        let cpu = Millicpu(with_margin(cpu_highest.0)).min(ceiling.cpu);
        Footprint {
            memory: declared.memory.max(memory),
            cpu: declared.cpu.max(cpu),
        }
    };
    Expectation {
        footprint,
        declared,
        observed: Some(Observed {
            runs: u32::try_from(count).unwrap_or(u32::MAX),
            memory_lowest,
            memory_highest,
            cpu_highest,
            slowest_ready: measured().filter_map(|run| run.ready_after).max(),
        }),
    }
}

/// Rounded up, so that the margin of a small peak is not lost.
fn with_margin(peak: u64) -> u64 {
    let margin = (u128::from(peak) * u128::from(MARGIN_PERCENT)).div_ceil(100);
    peak.saturating_add(u64::try_from(margin).unwrap_or(u64::MAX))
}

/// Rounded up: pages more or less are noise, and a figure with them reads badly.
fn whole_mib(bytes: u64) -> u64 {
    let Bytes(mib) = Bytes::mib(1);
    bytes.checked_next_multiple_of(mib).unwrap_or(bytes)
}
