//! Economy mode.

use dagda_proto::v1;
use insta::assert_snapshot;

use super::{NOW, pretty};
use crate::output::json::backtest::BacktestView;
use crate::output::json::economy::EconomyStatusView;
use crate::output::json::economy_plan::EconomyPlanView;
use crate::output::sample;

#[test]
fn economy_status() {
    let status = v1::EconomyStatus {
        taken: sample::economy::status(NOW)
            .taken
            .into_iter()
            .take(1)
            .collect(),
        ..sample::economy::status(NOW)
    };
    assert_snapshot!(pretty(&EconomyStatusView::from(status)));
}

#[test]
fn economy_status_of_a_daemon_that_has_just_begun() {
    let status = v1::EconomyStatus::default();
    assert_snapshot!(pretty(&EconomyStatusView::from(status)));
}

#[test]
fn economy_plan() {
    assert_snapshot!(pretty(&EconomyPlanView::from(sample::economy::plan())));
}

#[test]
fn economy_backtest() {
    let mut backtest = sample::economy::backtest(NOW);
    backtest.outcomes.truncate(1);
    backtest.outcomes[0].acts.truncate(3);
    assert_snapshot!(pretty(&BacktestView::from(backtest)));
}

#[test]
fn economy_backtest_without_a_past() {
    let backtest = v1::BacktestResponse::default();
    assert_snapshot!(pretty(&BacktestView::from(backtest)));
}
