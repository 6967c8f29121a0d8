//! Economy mode in words: who has set it, why it is active, what it took from whom. The machine
//! itself is [`crate::engine::economy`].

use std::time::Duration;

use jiff::Timestamp;

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
    /// Under the rules as they are, then one for each [`WhatIf`].
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
    pub ram_total: super::quantity::Bytes,
    /// Memory in use.
    pub ram_used: super::quantity::Bytes,
    /// Memory pressure, `some avg10`, the highest of the stretch; `None` where there was no PSI.
    pub pressure: Option<f64>,
    /// What pods used, by the runtime's names: percent of one core, and memory charged to them.
    /// One that was up for half of the stretch counts half.
    pub pods: Vec<(String, f64, super::quantity::Bytes)>,
}
