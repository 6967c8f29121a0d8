//! The verbs below `economy`.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with economy mode.
#[derive(Debug, Args)]
pub struct EconomyArgs {
    /// What to do; without a verb, its status is shown.
    #[command(subcommand)]
    pub verb: Option<EconomyVerb>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum EconomyVerb {
    /// Show whether it is active and why, what it took from which pods, and what happens next
    ///
    /// Economy mode begins when something is at or above ENTERS AT for the hold time, and ends
    /// when everything stays below ENDS BELOW for the recovery time. SHORT FOR is how long it
    /// has been short already.
    #[command(after_help = "\
Examples:
  dagdactl economy
  dagdactl economy status --json | jq -r '.taken[] | select(.rung == \"stop\").pod'")]
    Status,

    /// Set what it may do; kept over restarts of dagdad
    #[command(after_help = "\
Examples:
  dagdactl economy plan          what it would do now
  dagdactl economy backtest      what it would have done
  dagdactl economy set auto      let it")]
    Set(SetArgs),

    /// Show what it would do now, perhaps with other thresholds; change nothing
    ///
    /// The steps are taken in this order, each only if those before were not enough: what they
    /// really free is measured in between. Mild means go first where they help: memory that
    /// the kernel can read again is reclaimed, CPU is throttled, pods that allow it are frozen;
    /// then the optional pod of the lowest priority is stopped. Essential pods are left alone.
    #[command(after_help = "\
Examples:
  dagdactl economy plan
  dagdactl economy plan --ram-threshold 60
  dagdactl economy plan --json | jq -r '.steps[].pod'")]
    Plan(PlanArgs),

    /// Replay the recorded past, to see what it would have done
    ///
    /// The first row is the rules as they are, each other row one with other thresholds: an
    /// option that is repeated makes a row for each of its values. IN ECONOMY is how long
    /// economy mode would have been active, OVER how long something would have been over its
    /// threshold, ENTERED how often it would have begun; SHED and RESTORED count pods that
    /// would have been stopped, and started again, MILDER what would have been reclaimed,
    /// throttled or frozen.
    ///
    /// dagdad keeps samples of more than six hours ago as means of a minute, of more than two
    /// days ago as means of ten: what was short-lived then is not seen.
    #[command(after_help = "\
Examples:
  dagdactl economy backtest --since 7d
  dagdactl economy backtest --ram-threshold 75 --ram-threshold 85
  dagdactl economy backtest --since 1d --acts
  dagdactl economy backtest --json | jq '.outcomes[0].active_seconds'")]
    Backtest(BacktestArgs),
}

/// Arguments of `economy set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// What it may do
    #[arg(value_enum)]
    pub policy: Policy,
}

/// What economy mode may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// Begin when resources run short, end when there is room again
    Auto,
    /// Be economical now: refuse optional starts, make room where it is short
    On,
    /// Never act; alerts are told all the same
    Off,
}

/// Arguments of `economy plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// As if memory were short from this on, in percent
    #[arg(long, value_name = "N")]
    pub ram_threshold: Option<Percent>,

    /// As if CPU were short from this on, in percent
    #[arg(long, value_name = "N")]
    pub cpu_threshold: Option<Percent>,

    /// As if memory pressure were too high from this on, in percent
    #[arg(long, value_name = "N")]
    pub pressure_threshold: Option<Percent>,

    /// As if memory and CPU had to be so many percent points below their thresholds to end it
    #[arg(long, value_name = "N")]
    pub hysteresis: Option<Percent>,
}

/// Arguments of `economy backtest`.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// Only the last so long: 12h, 7d; without it, all that is recorded
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,

    /// Also with this threshold of memory, in percent; may be repeated
    #[arg(long, value_name = "N")]
    pub ram_threshold: Vec<Percent>,

    /// Also with this threshold of CPU, in percent; may be repeated
    #[arg(long, value_name = "N")]
    pub cpu_threshold: Vec<Percent>,

    /// Also with this threshold of memory pressure, in percent; may be repeated
    #[arg(long, value_name = "N")]
    pub pressure_threshold: Vec<Percent>,

    /// The other rows with so many percent points between begin and end, of memory and CPU
    #[arg(long, value_name = "N")]
    pub hysteresis: Option<Percent>,

    /// The other rows with this hold time: how long something has to be short
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub hold: Option<Duration>,

    /// The other rows with this recovery time: how long there has to be room
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub recovery: Option<Duration>,

    /// Also list every act, the oldest first
    #[arg(long)]
    pub acts: bool,
}

/// A percentage: above 0, at most 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(f64);

/// Why a text is no [`Percent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a number above 0 and at most 100, such as 80")]
pub struct PercentError;

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let number = text.strip_suffix('%').unwrap_or(text).trim().parse();
        number
            .ok()
            .filter(|percent| *percent > 0.0 && *percent <= 100.0)
            .map(Self)
            .ok_or(PercentError)
    }
}

impl From<Percent> for f64 {
    fn from(Percent(percent): Percent) -> Self {
        percent
    }
}
