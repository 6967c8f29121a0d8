//! What economy mode would have done in the past, asked for and told.

use std::time::Duration;

use dagda_proto::v1::{self, economy_service_server::EconomyService};
use tonic::Request;

use super::super::convert;
use super::economy::{NOTHING, measured, span, wire_rules};
use super::ports::Records;
use super::{bench, detail, wire};
use crate::domain::economy::{
    Backtest, BacktestAct, BacktestOutcome, EconomyRules, RecordedSample, Rung,
};
use crate::domain::quantity::Bytes;
use crate::engine::example::{at, name};
use crate::ports::StoreError;

pub(super) async fn replay(
    records: Records,
    since: Option<prost_types::Timestamp>,
    what_ifs: Vec<v1::WhatIf>,
) -> Result<v1::BacktestResponse, tonic::Status> {
    let bench = bench(measured(), records);
    let request = Request::new(v1::BacktestRequest { since, what_ifs });
    Ok(bench.api.backtest(request).await?.into_inner())
}

/// Samples of an idle box at these seconds.
fn recorded(seconds: &[i64]) -> Records {
    let sample = |second: &i64| RecordedSample {
        // Before today, as what is recorded is.
        at: at(*second - 1_000_000_000),
        resolution: Duration::ZERO,
        cpu_percent: 1.0,
        ram_total: Bytes::gib(20),
        ram_used: Bytes::gib(1),
        pressure: None,
        pods: Vec::new(),
    };
    Records {
        samples: seconds.iter().map(sample).collect(),
        ..Records::default()
    }
}

#[tokio::test]
async fn the_past_is_replayed_under_the_rules_as_they_are_and_under_each_of_the_others() {
    let ram = |percent| v1::WhatIf {
        ram_percent: Some(percent),
        ..NOTHING
    };
    let told = replay(recorded(&[0, 5, 10]), None, vec![ram(75.0), ram(85.0)])
        .await
        .unwrap();
    assert_eq!(told.samples, 3);
    assert_eq!(told.since, Some(wire(-1_000_000_000)));
    assert_eq!(told.until, Some(wire(10 - 1_000_000_000)));
    let thresholds: Vec<f64> = told
        .outcomes
        .iter()
        .map(|outcome| outcome.rules.unwrap().ram.unwrap().enter)
        .collect();
    assert_eq!(thresholds, [80.0, 75.0, 85.0]);
}

#[tokio::test]
async fn only_so_far_back_as_is_asked_for() {
    let since = Some(wire(5 - 1_000_000_000));
    let told = replay(recorded(&[0, 5, 10]), since, Vec::new()).await;
    assert_eq!(told.unwrap().samples, 2);
    let never = prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: 0,
    };
    let status = replay(Records::default(), Some(never), Vec::new()).await;
    assert_eq!(detail(&status.unwrap_err()).code, "invalid");
}

#[tokio::test]
async fn a_box_without_a_past_is_no_failure() {
    let told = replay(Records::default(), None, Vec::new()).await.unwrap();
    assert_eq!((told.since, told.until, told.samples), (None, None, 0));
    assert_eq!(told.outcomes.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused() {
    let broken = Records {
        broken: Some(StoreError::Failed("no".to_owned())),
        ..Records::default()
    };
    let status = replay(broken, None, Vec::new()).await.unwrap_err();
    assert_eq!(detail(&status).code, "store_failed");
    let status = replay(Records::default(), None, vec![NOTHING; 17]).await;
    let status = status.unwrap_err();
    assert_eq!(
        status.message(),
        "17 other rules are too many at once; ask for at most 16"
    );
}

#[test]
fn what_would_have_been_done_is_counted() {
    let act = |second, pod, rung, restored| BacktestAct {
        at: at(second),
        pod: name(pod),
        rung,
        restored,
    };
    let backtest = Backtest {
        since: Some(at(0)),
        until: Some(at(60)),
        samples: 12,
        gaps: Duration::from_secs(3),
        outcomes: vec![BacktestOutcome {
            rules: EconomyRules::of(80.0, 70.0),
            entered: 1,
            active: Duration::from_secs(50),
            over: Duration::from_secs(20),
            acts: vec![
                act(10, "web", Rung::Throttle, false),
                act(20, "qwen", Rung::Stop, false),
                act(25, "llama", Rung::Stop, false),
                act(50, "llama", Rung::Stop, true),
                act(55, "web", Rung::Throttle, true),
            ],
        }],
    };
    let told = convert::backtest(&backtest);
    let wire_act = |second, pod: &str, rung: v1::EconomyRung, restored| v1::BacktestAct {
        at: Some(wire(second)),
        pod: pod.to_owned(),
        rung: rung.into(),
        restored,
    };
    let expected = v1::BacktestResponse {
        since: Some(wire(0)),
        until: Some(wire(60)),
        samples: 12,
        gaps: Some(span(3)),
        outcomes: vec![v1::BacktestOutcome {
            rules: Some(wire_rules()),
            entered: 1,
            active: Some(span(50)),
            over: Some(span(20)),
            sheds: 2,
            restores: 1,
            acts: vec![
                wire_act(10, "web", v1::EconomyRung::Throttle, false),
                wire_act(20, "qwen", v1::EconomyRung::Stop, false),
                wire_act(25, "llama", v1::EconomyRung::Stop, false),
                wire_act(50, "llama", v1::EconomyRung::Stop, true),
                wire_act(55, "web", v1::EconomyRung::Throttle, true),
            ],
        }],
    };
    assert_eq!(told, expected);
}
