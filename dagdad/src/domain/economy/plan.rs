//! What economy mode would do now, also under other rules.

use std::time::Duration;

use super::{Band, EconomyRules, Gauge, Rung};
use crate::domain::name::PodName;
use crate::domain::pod::{Footprint, Priority};

/// What somebody would have other than it is, to see what would happen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WhatIf {
    /// Threshold of memory, in percent.
    pub ram_percent: Option<f64>,
    /// Threshold of CPU, in percent.
    pub cpu_percent: Option<f64>,
    /// Threshold of memory pressure, in percent.
    pub pressure_percent: Option<f64>,
    /// Percent points between entering and leaving, of memory and CPU.
    pub hysteresis: Option<f64>,
    /// How long something has to be short.
    pub hold: Option<Duration>,
    /// How long there has to be room.
    pub recovery: Option<Duration>,
}

impl WhatIf {
    /// `rules` with what is said here in place of what they say. A threshold that is moved keeps
    /// its distance to where it is left, as far as there is room for it.
    #[must_use]
    pub fn apply(&self, rules: &EconomyRules) -> EconomyRules {
        let Self {
            ram_percent,
            cpu_percent,
            pressure_percent,
            hysteresis,
            hold,
            recovery,
        } = *self;
        let band = |band: Band, enter: Option<f64>, hysteresis: Option<f64>| {
            let enter = enter.unwrap_or(band.enter);
            let kept = (band.enter - band.leave).min(enter / 2.0);
            Band::below(enter, hysteresis.unwrap_or(kept))
        };
        EconomyRules {
            ram: band(rules.ram, ram_percent, hysteresis),
            cpu: band(rules.cpu, cpu_percent, hysteresis),
            pressure: band(rules.pressure, pressure_percent, None),
            hold: hold.unwrap_or(rules.hold),
            recovery: recovery.unwrap_or(rules.recovery),
            grace: rules.grace,
            sheds_per_hour: rules.sheds_per_hour,
        }
    }
}

/// What economy mode would do now.
#[derive(Debug, Clone, PartialEq)]
pub struct EconomyPlan {
    /// Under which rules.
    pub rules: EconomyRules,
    /// How it stands with each trigger.
    pub gauges: Vec<Gauge>,
    /// In one sentence: `nothing: RAM is at 61.0 % of at most 80 %`.
    pub verdict: String,
    /// What would be done, in order, each only if what came before was not enough.
    pub steps: Vec<PlannedStep>,
    /// Whether that would be enough.
    pub enough: bool,
    /// Memory in use after that, in percent.
    pub ram_after: f64,
    /// CPU in use after that, in percent.
    pub cpu_after: f64,
    /// What would be given back, in order.
    pub restores: Vec<PodName>,
}

/// One thing that economy mode would do.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// To which pod.
    pub pod: PodName,
    /// What.
    pub rung: Rung,
    /// The pod's priority, that of the runs that need it included.
    pub priority: Priority,
    /// What it is expected to free.
    pub frees: Footprint,
    /// Why this one, for people.
    pub reason: String,
}
