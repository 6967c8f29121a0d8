//! What economy mode would have done in the past that was recorded.

use std::time::Duration;

use jiff::Timestamp;

use super::{EconomyRules, Rung};
use crate::domain::name::PodName;
use crate::domain::quantity::Bytes;

/// The past, replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// The first sample that there is.
    pub since: Option<Timestamp>,
    /// The last one.
    pub until: Option<Timestamp>,
    /// How many samples, or stretches of them, were replayed.
    pub samples: u64,
    /// For how long nothing was recorded in between.
    pub gaps: Duration,
    /// Under the rules as they are, then one for each [`super::WhatIf`].
    pub outcomes: Vec<BacktestOutcome>,
}

/// What would have happened under one set of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestOutcome {
    /// The rules.
    pub rules: EconomyRules,
    /// How often economy mode would have begun.
    pub entered: u32,
    /// For how long it would have been active.
    pub active: Duration,
    /// For how long memory, CPU or pressure would have been over a threshold of its own.
    pub over: Duration,
    /// Every act, oldest first.
    pub acts: Vec<BacktestAct>,
}

/// One thing that would have been done.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestAct {
    /// When.
    pub at: Timestamp,
    /// To which pod.
    pub pod: PodName,
    /// By which rung.
    pub rung: Rung,
    /// Whether it would have been given back rather than taken.
    pub restored: bool,
}

/// The host and its pods as they were recorded: one sample, or the mean of many.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSample {
    /// When the stretch began.
    pub at: Timestamp,
    /// For how long it stands; zero for a single sample.
    pub resolution: Duration,
    /// CPU use in percent of all cores.
    pub cpu_percent: f64,
    /// Memory of the machine.
    pub ram_total: Bytes,
    /// Memory in use.
    pub ram_used: Bytes,
    /// Memory pressure, `some avg10`, the highest of the stretch; `None` where there was no PSI.
    pub pressure: Option<f64>,
    /// What pods used, by the runtime's names: percent of one core, and memory charged to them.
    /// One that was up for half of the stretch counts half.
    pub pods: Vec<(String, f64, Bytes)>,
}
