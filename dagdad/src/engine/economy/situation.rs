//! Everything that economy mode decides on, at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::name::PodName;
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::Bytes;

/// The host and the pods of the catalogue as they are now.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// When it was measured.
    pub at: Timestamp,
    /// Memory of the machine.
    pub ram_total: Bytes,
    /// Memory in use, as the kernel counts it: page cache left out.
    pub ram_used: Bytes,
    /// Use of all cores together, 0 to 100.
    pub cpu_percent: f64,
    /// Number of cores.
    pub cpu_count: u32,
    /// Memory pressure, `some avg10`; `None` where the kernel has no PSI.
    pub pressure: Option<f64>,
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
