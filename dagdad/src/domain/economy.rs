//! Economy mode in words: who has set it, why it is active, what it took from whom. The machine
//! itself is [`crate::engine::economy`].

mod backtest;
mod plan;

use std::time::Duration;

use jiff::Timestamp;

pub use self::backtest::{Backtest, BacktestAct, BacktestOutcome, RecordedSample};
pub use self::plan::{EconomyPlan, PlannedStep, WhatIf};
use super::name::PodName;
use super::pod::{Footprint, Priority};
use super::quantity::Millicpu;

/// What economy mode may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Policy {
    /// Become active when resources run short, and end when there is room again.
    #[default]
    Auto,
    /// Be economical now, whatever is free.
    On,
    /// Never act. Alerts are told all the same.
    Off,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// What runs short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// Memory in use.
    Ram,
    /// Memory pressure: `some avg10` of `/proc/pressure/memory`.
    Pressure,
    /// All cores together.
    Cpu,
}

impl Trigger {
    /// Every trigger, the one that is acted on first at first.
    pub const ALL: [Self; 3] = [Self::Ram, Self::Pressure, Self::Cpu];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ram => "ram",
            Self::Pressure => "pressure",
            Self::Cpu => "cpu",
        }
    }

    /// For people, as the beginning of a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ram => "RAM",
            Self::Pressure => "memory pressure",
            Self::Cpu => "CPU",
        }
    }
}

/// The two thresholds of one trigger, in percent; `leave` is below `enter`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// From this value on it is short.
    pub enter: f64,
    /// Below this value it is not any more.
    pub leave: f64,
}

impl Band {
    /// A band that is left `hysteresis` percent points below where it is entered.
    #[must_use]
    pub fn below(enter: f64, hysteresis: f64) -> Self {
        Self {
            enter,
            leave: (enter - hysteresis).max(0.0),
        }
    }
}

/// What economy mode goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EconomyRules {
    /// Memory in use.
    pub ram: Band,
    /// Use of all cores together.
    pub cpu: Band,
    /// Memory pressure, `some avg10`.
    pub pressure: Band,
    /// How long something has to be short before economy mode begins.
    pub hold: Duration,
    /// How long there has to be room before economy mode ends, and from one thing that is given
    /// back to the next.
    pub recovery: Duration,
    /// A pod is left alone for so long after its start.
    pub grace: Duration,
    /// A pod that was stopped more often than this within an hour stays down.
    pub sheds_per_hour: u32,
}

impl EconomyRules {
    /// Percent points between entering and leaving where nothing else is said.
    pub const HYSTERESIS: f64 = 5.0;
    /// The threshold of memory pressure where nothing else is said.
    pub const PRESSURE: f64 = 20.0;

    /// What holds where nothing else is said, for these thresholds of memory and CPU in percent.
    #[must_use]
    pub fn of(ram_percent: f64, cpu_percent: f64) -> Self {
        let band = |enter: f64| Band::below(enter, Self::HYSTERESIS.min(enter / 2.0));
        Self {
            ram: band(ram_percent),
            cpu: band(cpu_percent),
            pressure: Band::below(Self::PRESSURE, Self::PRESSURE / 2.0),
            hold: Duration::from_secs(30),
            recovery: Duration::from_mins(2),
            grace: Duration::from_mins(1),
            sheds_per_hour: 3,
        }
    }

    /// The thresholds of one trigger.
    #[must_use]
    pub const fn band(&self, trigger: Trigger) -> Band {
        match trigger {
            Trigger::Ram => self.ram,
            Trigger::Pressure => self.pressure,
            Trigger::Cpu => self.cpu,
        }
    }
}

/// Why economy mode is active.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cause {
    /// [`Policy::On`].
    Policy,
    /// Something was short for the hold time.
    Short {
        /// What.
        trigger: Trigger,
        /// What was measured, in percent.
        value: f64,
        /// The threshold then, in percent.
        threshold: f64,
    },
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Policy => f.write_str("the policy is on"),
            Self::Short {
                trigger,
                value,
                threshold,
            } => write!(
                f,
                "{} was at {value:.1} % of at most {threshold:.0} %",
                trigger.label()
            ),
        }
    }
}

/// Economy mode while it is active.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Active {
    /// Since when.
    pub since: Timestamp,
    /// Why it began.
    pub cause: Cause,
}

/// The rungs of the ladder, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// Have the kernel drop memory of the pod that it can read again; for memory.
    Reclaim,
    /// Less CPU; for CPU.
    Throttle,
    /// No CPU at all, memory stays (`dagda/freeze`); for CPU.
    Freeze,
    /// Stop the pod.
    Stop,
}

impl Rung {
    /// Every rung.
    pub const ALL: [Self; 4] = [Self::Reclaim, Self::Throttle, Self::Freeze, Self::Stop];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reclaim => "reclaim",
            Self::Throttle => "throttle",
            Self::Freeze => "freeze",
            Self::Stop => "stop",
        }
    }
}

/// What was taken from a pod and is to be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It may use so much CPU.
    Throttled {
        /// The limit.
        to: Millicpu,
    },
    /// It is paused.
    Frozen,
    /// It was stopped.
    Shed {
        /// It was stopped too often; only a person starts it again.
        for_good: bool,
    },
}

impl Taking {
    /// By which rung.
    #[must_use]
    pub const fn rung(&self) -> Rung {
        match self {
            Self::Throttled { .. } => Rung::Throttle,
            Self::Frozen => Rung::Freeze,
            Self::Shed { .. } => Rung::Stop,
        }
    }
}

/// A pod that something was taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Which.
    pub pod: PodName,
    /// What.
    pub taking: Taking,
    /// When.
    pub at: Timestamp,
    /// What it used then.
    pub used: Footprint,
    /// Why, for people, with the numbers.
    pub reason: String,
}

/// Economy mode as it is stored: all that a restarted daemon needs to go on. One row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EconomyRecord {
    /// As somebody has set it; `None`: as the configuration says.
    pub policy: Option<Policy>,
    /// Set while it is active.
    pub active: Option<Active>,
    /// What is to be given back, oldest first.
    pub taken: Vec<Taken>,
    /// When pods were stopped within the last hour, oldest first.
    pub sheds: Vec<(PodName, Timestamp)>,
}

/// Economy mode as readers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct EconomyView {
    /// What it may do.
    pub policy: Policy,
    /// Set while it is active.
    pub active: Option<Active>,
    /// What it goes by.
    pub rules: EconomyRules,
    /// How it stands with each trigger; empty before the first sample.
    pub gauges: Vec<Gauge>,
    /// From whom something was taken, and when it is given back.
    pub taken: Vec<TakenView>,
    /// What happens next, for people: `ends when RAM stays below 75 % for 2m`.
    pub next: String,
}

/// One trigger as it is now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// Which.
    pub trigger: Trigger,
    /// What was measured last, in percent; `None` where it cannot be measured.
    pub value: Option<f64>,
    /// Its thresholds.
    pub band: Band,
    /// For how long it has been short without a break; `None` where it is not.
    pub short_for: Option<Duration>,
}

/// Something taken, and when it comes back.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenView {
    /// What.
    pub taken: Taken,
    /// The pod's priority, that of the runs that need it included.
    pub priority: Priority,
    /// When it is given back, for people: `next, once 1.2 GiB are free below 75 %`.
    pub returns: String,
}
