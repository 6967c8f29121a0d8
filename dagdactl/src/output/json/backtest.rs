//! `dagdactl economy backtest --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::economy::{RulesView, RungView, seconds};
use super::time;

/// The past, replayed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BacktestView {
    /// The first sample; `null` where nothing is recorded.
    pub since: Option<Timestamp>,
    /// The last sample; `null` where nothing is recorded.
    pub until: Option<Timestamp>,
    /// How many samples, or stretches of them, were replayed.
    pub samples: u64,
    /// For how long nothing was recorded in between.
    pub gaps_seconds: f64,
    /// Under dagdad's rules, then under each of those that were asked for.
    pub outcomes: Vec<OutcomeView>,
}

/// What would have happened under one set of rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeView {
    /// The rules.
    pub rules: RulesView,
    /// How often economy mode would have begun.
    pub entered: u32,
    /// For how long it would have been active.
    pub active_seconds: f64,
    /// For how long something would have been over its threshold.
    pub over_seconds: f64,
    /// How often a pod would have been stopped.
    pub sheds: u32,
    /// How often a stopped one would have been started again.
    pub restores: u32,
    /// Every act, the oldest first.
    pub acts: Vec<ActView>,
}

/// One thing that would have been done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActView {
    /// When.
    pub at: Option<Timestamp>,
    /// To which pod.
    pub pod: String,
    /// `reclaim`, `throttle`, `freeze` or `stop`.
    pub rung: RungView,
    /// Whether it would have been undone rather than done.
    pub restored: bool,
}

impl From<v1::BacktestResponse> for BacktestView {
    fn from(wire: v1::BacktestResponse) -> Self {
        let v1::BacktestResponse {
            since,
            until,
            samples,
            gaps,
            outcomes,
        } = wire;
        Self {
            since: since.and_then(time),
            until: until.and_then(time),
            samples,
            gaps_seconds: seconds(gaps),
            outcomes: outcomes.into_iter().map(OutcomeView::from).collect(),
        }
    }
}

impl From<v1::BacktestOutcome> for OutcomeView {
    fn from(wire: v1::BacktestOutcome) -> Self {
        let v1::BacktestOutcome {
            rules,
            entered,
            active,
            over,
            sheds,
            restores,
            acts,
        } = wire;
        Self {
            rules: rules.unwrap_or_default().into(),
            entered,
            active_seconds: seconds(active),
            over_seconds: seconds(over),
            sheds,
            restores,
            acts: acts.into_iter().map(ActView::from).collect(),
        }
    }
}

impl From<v1::BacktestAct> for ActView {
    fn from(wire: v1::BacktestAct) -> Self {
        let v1::BacktestAct {
            at,
            pod,
            rung,
            restored,
        } = wire;
        Self {
            at: at.and_then(time),
            pod,
            rung: RungView::from_wire(rung),
            restored,
        }
    }
}
