//! Why something fits or does not, wherever it is told: in the error document of a refused
//! start, in `workflow list|show|plan`, in `pods show`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::{rounded, time, word};

word! {
    /// How a start is admitted.
    AdmissionView from AdmissionMode { Fit = "fit", Evict = "evict", Force = "force" }
}

/// The numbers a start was, or would be, decided on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FiguresView {
    /// Memory that is asked for and not held already.
    pub needed_bytes: u64,
    /// What is left below the ceiling.
    pub available_bytes: u64,
    /// What is missing; 0 where it fits.
    pub gap_bytes: u64,
    /// What dagdad may give out: the capacity times the threshold.
    pub ceiling_bytes: u64,
    /// What the machine has.
    pub capacity_bytes: u64,
    /// Used by everything outside the catalogue.
    pub others_bytes: u64,
    /// Held for pods of the catalogue that run or start.
    pub reserved_bytes: u64,
    /// The same for CPU, in thousandths of a core.
    pub needed_cpu_millicores: u64,
    /// As for memory.
    pub available_cpu_millicores: u64,
    /// As for memory; 0 where a lack of CPU only warns.
    pub gap_cpu_millicores: u64,
    /// As for memory.
    pub ceiling_cpu_millicores: u64,
    /// As for memory.
    pub capacity_cpu_millicores: u64,
    /// As for memory.
    pub others_cpu_millicores: u64,
    /// As for memory.
    pub reserved_cpu_millicores: u64,
    /// Whether a lack of CPU refuses a start, or only warns.
    pub cpu_enforced: bool,
}

/// Why a start was, or would be, refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DenialView {
    /// What was to start: `pod` or `workflow`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// By which numbers.
    #[serde(flatten)]
    pub figures: FiguresView,
    /// `memory`, `cpu` or `memory,cpu`.
    pub short_of: String,
    /// It needs more than the ceiling: it can never fit here.
    pub never_fits: bool,
    /// The pods to stop so that it fits, in the order in which to stop them. Empty where it
    /// never fits, or where stopping every pod that may be stopped is not enough.
    pub victims: Vec<VictimView>,
    /// What all pods that may be stopped would free together.
    pub evictable_bytes: u64,
    /// The command that makes it start; `null` where there is none.
    pub suggested_command: Option<String>,
    /// When it fits without anybody doing anything, where that can be justified.
    pub earliest_at: Option<Timestamp>,
    /// By what.
    pub earliest_reason: Option<String>,
    /// Optional pods that are left alone, since a run of a higher priority needs them.
    pub spared: Vec<SparedView>,
}

/// An optional pod that is not stopped for the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SparedView {
    /// The pod.
    pub pod: String,
    /// The priority of the run that needs it.
    pub run_priority: u32,
}

impl From<v1::Spared> for SparedView {
    fn from(wire: v1::Spared) -> Self {
        let v1::Spared { pod, run_priority } = wire;
        Self { pod, run_priority }
    }
}

/// A pod whose stop would help.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VictimView {
    /// The pod.
    pub pod: String,
    /// Its own priority, or that of the run that needs it, whichever is higher.
    pub priority: u32,
    /// Memory that its stop gives back.
    pub freed_bytes: u64,
    /// CPU that its stop gives back, in thousandths of a core.
    pub freed_cpu_millicores: u64,
    /// Why this one: `optional, priority 10, idle for 2h`.
    pub reason: String,
}

/// What a pod is expected to use, and where that comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectationView {
    /// Memory that is reckoned with.
    pub memory_bytes: u64,
    /// CPU that is reckoned with, in thousandths of a core.
    pub cpu_millicores: u64,
    /// What the manifest declares.
    pub declared_memory_bytes: u64,
    /// As for memory.
    pub declared_cpu_millicores: u64,
    /// Where `memory_bytes` comes from: `declared` or `observed`.
    pub memory_basis: String,
    /// Where `cpu_millicores` comes from.
    pub cpu_basis: String,
    /// What its latest runs used; `null` before the first one.
    pub observed: Option<ObservedView>,
}

/// What a pod's latest runs used at most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObservedView {
    /// How many runs are known.
    pub runs: u32,
    /// How sure that makes: `low`, `medium` or `high`.
    pub confidence: String,
    /// The lowest of the runs' peaks.
    pub memory_lowest_peak_bytes: u64,
    /// The highest of the runs' peaks.
    pub memory_highest_peak_bytes: u64,
    /// As for memory.
    pub cpu_highest_peak_millicores: u64,
    /// The longest time from start to ready; `null` where none became ready.
    pub slowest_ready_seconds: Option<f64>,
}

/// What is missing of one resource; what is used or promised beyond the ceiling is missing too.
fn gap(room: v1::Room) -> u64 {
    match room.needed {
        0 => 0,
        needed => room
            .others
            .saturating_add(room.reserved)
            .saturating_add(needed)
            .saturating_sub(room.ceiling),
    }
}

impl From<v1::Figures> for FiguresView {
    fn from(wire: v1::Figures) -> Self {
        let v1::Figures {
            memory,
            cpu,
            cpu_enforced,
        } = wire;
        let (memory, cpu) = (memory.unwrap_or_default(), cpu.unwrap_or_default());
        let gap_bytes = gap(memory);
        let gap_cpu_millicores = if cpu_enforced { gap(cpu) } else { 0 };
        let v1::Room {
            needed: needed_bytes,
            available: available_bytes,
            ceiling: ceiling_bytes,
            capacity: capacity_bytes,
            others: others_bytes,
            reserved: reserved_bytes,
        } = memory;
        let v1::Room {
            needed: needed_cpu_millicores,
            available: available_cpu_millicores,
            ceiling: ceiling_cpu_millicores,
            capacity: capacity_cpu_millicores,
            others: others_cpu_millicores,
            reserved: reserved_cpu_millicores,
        } = cpu;
        Self {
            needed_bytes,
            available_bytes,
            gap_bytes,
            ceiling_bytes,
            capacity_bytes,
            others_bytes,
            reserved_bytes,
            needed_cpu_millicores,
            available_cpu_millicores,
            gap_cpu_millicores,
            ceiling_cpu_millicores,
            capacity_cpu_millicores,
            others_cpu_millicores,
            reserved_cpu_millicores,
            cpu_enforced,
        }
    }
}

impl From<v1::Denial> for DenialView {
    fn from(wire: v1::Denial) -> Self {
        let v1::Denial {
            kind,
            name,
            figures,
            short_of,
            never_fits,
            victims,
            evictable_bytes,
            suggested_command,
            earliest_at,
            earliest_reason,
            spared,
        } = wire;
        Self {
            kind,
            name,
            figures: figures.unwrap_or_default().into(),
            short_of,
            never_fits,
            victims: victims.into_iter().map(VictimView::from).collect(),
            evictable_bytes,
            suggested_command,
            earliest_at: earliest_at.and_then(time),
            earliest_reason,
            spared: spared.into_iter().map(SparedView::from).collect(),
        }
    }
}

impl From<v1::Victim> for VictimView {
    fn from(wire: v1::Victim) -> Self {
        let v1::Victim {
            pod,
            priority,
            freed_bytes,
            freed_cpu_millicores,
            reason,
        } = wire;
        Self {
            pod,
            priority,
            freed_bytes,
            freed_cpu_millicores,
            reason,
        }
    }
}

impl From<v1::Expectation> for ExpectationView {
    fn from(wire: v1::Expectation) -> Self {
        let v1::Expectation {
            memory_bytes,
            cpu_millicores,
            declared_memory_bytes,
            declared_cpu_millicores,
            memory_basis,
            cpu_basis,
            observed,
        } = wire;
        Self {
            memory_bytes,
            cpu_millicores,
            declared_memory_bytes,
            declared_cpu_millicores,
            memory_basis,
            cpu_basis,
            observed: observed.map(ObservedView::from),
        }
    }
}

impl From<v1::ObservedFootprint> for ObservedView {
    fn from(wire: v1::ObservedFootprint) -> Self {
        let v1::ObservedFootprint {
            runs,
            memory_lowest_peak_bytes,
            memory_highest_peak_bytes,
            cpu_highest_peak_millicores,
            slowest_ready_seconds,
            confidence,
        } = wire;
        Self {
            runs,
            confidence,
            memory_lowest_peak_bytes,
            memory_highest_peak_bytes,
            cpu_highest_peak_millicores,
            slowest_ready_seconds: slowest_ready_seconds.map(rounded),
        }
    }
}
