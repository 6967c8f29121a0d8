//! Everything that economy mode decides on, at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::economy::{Band, Trigger};
use crate::domain::name::PodName;
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::sample::HostSample;

/// The host as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// Memory of the machine.
    pub ram_total: Bytes,
    /// Memory in use, as the kernel counts it: page cache left out.
    pub ram_used: Bytes,
    /// Swap that is free.
    pub swap_free: Bytes,
    /// Use of all cores together, 0 to 100.
    pub cpu_percent: f64,
    /// Number of cores.
    pub cpu_count: u32,
    /// Memory pressure, `some avg10`; `None` where the kernel has no PSI.
    pub pressure: Option<f64>,
}

impl Reading {
    /// What a trigger goes by, in percent; `None` where it cannot be measured.
    #[must_use]
    pub fn value(&self, trigger: Trigger) -> Option<f64> {
        match trigger {
            Trigger::Ram => Some(self.ram_used.percent_of(self.ram_total)),
            Trigger::Pressure => self.pressure,
            Trigger::Cpu => Some(self.cpu_percent),
        }
    }

    /// Whether a trigger is at `limit` or above.
    #[must_use]
    pub fn reaches(&self, trigger: Trigger, limit: f64) -> bool {
        self.value(trigger).is_some_and(|value| value >= limit)
    }

    /// Whether nothing is short: every trigger is below where it is left.
    #[must_use]
    pub fn has_room(&self, band: impl Fn(Trigger) -> Band) -> bool {
        let mut triggers = Trigger::ALL.into_iter();
        triggers.all(|trigger| !self.reaches(trigger, band(trigger).leave))
    }

    /// How much memory is in use beyond `percent` of it; at least one byte.
    #[must_use]
    pub fn ram_beyond(&self, percent: f64) -> Bytes {
        let limit = share(self.ram_total.0, percent);
        Bytes(self.ram_used.0.saturating_sub(limit).max(1))
    }

    /// How much memory may be used before it is `percent` of it.
    #[must_use]
    pub fn ram_below(&self, percent: f64) -> Bytes {
        Bytes(share(self.ram_total.0, percent).saturating_sub(self.ram_used.0))
    }

    /// How much CPU is used beyond `percent` of all cores; at least a thousandth of one.
    #[must_use]
    pub fn cpu_beyond(&self, percent: f64) -> Millicpu {
        let beyond = self.of_cores(self.cpu_percent - percent);
        Millicpu(beyond.0.max(1))
    }

    /// How much CPU may be used before it is `percent` of all cores.
    #[must_use]
    pub fn cpu_below(&self, percent: f64) -> Millicpu {
        self.of_cores(percent - self.cpu_percent)
    }

    fn of_cores(&self, percent: f64) -> Millicpu {
        Footprint::of_cpu_percent(percent * f64::from(self.cpu_count))
    }

    /// The reading once so much is free.
    #[must_use]
    pub fn without(&self, freed: Footprint) -> Self {
        let cores = f64::from(self.cpu_count.max(1)) * 10.0;
        Self {
            ram_used: self.ram_used.saturating_sub(freed.memory),
            cpu_percent: (self.cpu_percent - freed.cpu.0 as f64 / cores).max(0.0),
            ..*self
        }
    }
}

impl From<&HostSample> for Reading {
    fn from(host: &HostSample) -> Self {
        Self {
            at: host.at,
            ram_total: host.memory.total,
            ram_used: host.memory.used,
            swap_free: host.memory.swap_total.saturating_sub(host.memory.swap_used),
            cpu_percent: host.cpu_percent,
            cpu_count: host.cpu_count,
            pressure: host.pressure.map(|pressure| pressure.memory_some_avg10),
        }
    }
}

/// The host and the pods of the catalogue as they are now.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// The host.
    pub reading: Reading,
    /// What is held in the budget for pods beyond what they use now.
    pub promised: Footprint,
    /// Pods of the catalogue, also those that are down.
    pub pods: BTreeMap<PodName, PodSituation>,
}

/// One pod of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct PodSituation {
    /// Its priority, or that of the runs that need it where that is higher.
    pub priority: Priority,
    /// Whether a run needs it.
    pub needed_by_run: bool,
    /// Whether something may be taken from it.
    pub stance: Stance,
    /// `dagda/freeze`.
    pub may_freeze: bool,
    /// Since when it is up; `None` while it is not.
    pub up_since: Option<Timestamp>,
    /// What it uses now: anonymous memory, which is what its end gives back, and CPU.
    pub used: Footprint,
    /// File-backed memory that can be dropped.
    pub reclaimable: Bytes,
    /// For how long it has done nothing, where that is long enough for it to be idle.
    pub idle: Option<Duration>,
    /// What it is expected to use when it is started.
    pub expected: Footprint,
}

/// Whether something may be taken from a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    /// Never: it is essential, or an essential pod that is up comes after it.
    Protected,
    /// Not now: something is being done with it, or is about to be.
    InHand,
    /// It may.
    Open,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // of a part of a u64
fn share(whole: u64, percent: f64) -> u64 {
    (whole as f64 * percent / 100.0).clamp(0.0, whole as f64) as u64
}
