//! `dagdactl economy status --json` and `dagdactl economy set --json`.

use std::time::Duration;

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::status::EconomyPolicyView;
use super::{rounded, time, word};

word! {
    /// What can be short.
    TriggerView from EconomyTrigger { Ram = "ram", Pressure = "pressure", Cpu = "cpu" }
}

word! {
    /// What economy mode does to a pod, the mildest first.
    RungView from EconomyRung {
        Reclaim = "reclaim",
        Throttle = "throttle",
        Freeze = "freeze",
        Stop = "stop",
    }
}

/// Economy mode as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EconomyStatusView {
    /// What it may do: `auto`, `on` or `off`.
    pub policy: EconomyPolicyView,
    /// Whether it is active.
    pub active: bool,
    /// Since when; `null` while it is not.
    pub since: Option<Timestamp>,
    /// Why; `null` while it is not.
    pub reason: Option<String>,
    /// What it goes by.
    pub rules: RulesView,
    /// How it stands with what can be short; empty before the first measurement.
    pub gauges: Vec<GaugeView>,
    /// Pods that something was taken from, in the order in which they get it back.
    pub taken: Vec<TakenView>,
    /// What happens next, for people.
    pub next: String,
}

/// What economy mode goes by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RulesView {
    /// Memory in use.
    pub ram: BandView,
    /// Use of all cores together.
    pub cpu: BandView,
    /// Memory pressure, `some avg10`.
    pub pressure: BandView,
    /// How long something has to be short before it begins.
    pub hold_seconds: f64,
    /// How long there has to be room before it ends.
    pub recovery_seconds: f64,
    /// How long a pod is left alone after its start.
    pub grace_seconds: f64,
    /// A pod that was stopped more often than this within an hour stays down.
    pub sheds_per_hour: u32,
}

/// The two thresholds of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BandView {
    /// From this on it is short.
    pub enter_percent: f64,
    /// Below this it is not any more.
    pub leave_percent: f64,
}

/// One thing that can be short, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GaugeView {
    /// `ram`, `pressure` or `cpu`.
    pub trigger: TriggerView,
    /// As it was measured last; `null` where it cannot be measured.
    pub value_percent: Option<f64>,
    /// Its thresholds.
    #[serde(flatten)]
    pub band: BandView,
    /// For how long it has been short without a break; `null` where it is not.
    pub short_for_seconds: Option<f64>,
}

/// A pod that something was taken from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TakenView {
    /// The pod.
    pub pod: String,
    /// `throttle`, `freeze` or `stop`.
    pub rung: RungView,
    /// When.
    pub at: Option<Timestamp>,
    /// Why, with the numbers.
    pub reason: String,
    /// The pod's priority, that of the runs that need it included.
    pub priority: u32,
    /// Memory that it used then.
    pub used_memory_bytes: u64,
    /// CPU that it used then, in thousandths of a core.
    pub used_cpu_millicores: u64,
    /// CPU that it may use where it is throttled, in thousandths of a core.
    pub cpu_limit_millicores: Option<u64>,
    /// Whether it was stopped too often: only a person starts it again.
    pub for_good: bool,
    /// When it is given back, for people.
    pub returns: String,
}

impl From<v1::EconomyStatus> for EconomyStatusView {
    fn from(wire: v1::EconomyStatus) -> Self {
        let v1::EconomyStatus {
            policy,
            active,
            since,
            reason,
            rules,
            gauges,
            taken,
            next,
        } = wire;
        Self {
            policy: EconomyPolicyView::from_wire(policy),
            active,
            since: since.and_then(time),
            reason,
            rules: rules.unwrap_or_default().into(),
            gauges: gauges.into_iter().map(GaugeView::from).collect(),
            taken: taken.into_iter().map(TakenView::from).collect(),
            next,
        }
    }
}

impl From<v1::EconomyRules> for RulesView {
    fn from(wire: v1::EconomyRules) -> Self {
        let v1::EconomyRules {
            ram,
            cpu,
            pressure,
            hold,
            recovery,
            grace,
            sheds_per_hour,
        } = wire;
        Self {
            ram: ram.unwrap_or_default().into(),
            cpu: cpu.unwrap_or_default().into(),
            pressure: pressure.unwrap_or_default().into(),
            hold_seconds: seconds(hold),
            recovery_seconds: seconds(recovery),
            grace_seconds: seconds(grace),
            sheds_per_hour,
        }
    }
}

impl From<v1::EconomyBand> for BandView {
    fn from(wire: v1::EconomyBand) -> Self {
        let v1::EconomyBand { enter, leave } = wire;
        Self {
            enter_percent: rounded(enter),
            leave_percent: rounded(leave),
        }
    }
}

impl From<v1::EconomyGauge> for GaugeView {
    fn from(wire: v1::EconomyGauge) -> Self {
        let v1::EconomyGauge {
            trigger,
            value_percent,
            band,
            short_for,
        } = wire;
        Self {
            trigger: TriggerView::from_wire(trigger),
            value_percent: value_percent.map(rounded),
            band: band.unwrap_or_default().into(),
            short_for_seconds: short_for.map(|span| seconds(Some(span))),
        }
    }
}

impl From<v1::Taken> for TakenView {
    fn from(wire: v1::Taken) -> Self {
        let v1::Taken {
            pod,
            rung,
            at,
            reason,
            priority,
            used_memory_bytes,
            used_cpu_millicores,
            cpu_limit_millicores,
            for_good,
            returns,
        } = wire;
        Self {
            pod,
            rung: RungView::from_wire(rung),
            at: at.and_then(time),
            reason,
            priority,
            used_memory_bytes,
            used_cpu_millicores,
            cpu_limit_millicores,
            for_good,
            returns,
        }
    }
}

/// A span, to the millisecond; 0 where none is sent.
pub(super) fn seconds(span: Option<prost_types::Duration>) -> f64 {
    let span = span.and_then(|span| Duration::try_from(span).ok());
    (span.unwrap_or_default().as_secs_f64() * 1000.0).round() / 1000.0
}
