//! Economy mode.

use dagda_proto::v1;
use insta::assert_snapshot;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use super::{NOW, TERMINAL, now, without_colour};
use crate::output::human::Clock;
use crate::output::json::backtest::BacktestView;
use crate::output::json::economy::EconomyStatusView;
use crate::output::json::economy_plan::EconomyPlanView;
use crate::output::sample;
use crate::output::table::{backtest, economy, economy_plan};

fn clock() -> Clock {
    Clock {
        now: now(),
        zone: TimeZone::UTC,
    }
}

fn status(wire: v1::EconomyStatus, width: Option<usize>) -> String {
    let view = EconomyStatusView::from(wire);
    without_colour(&economy::status(&view, &clock(), width))
}

fn plan(wire: v1::EconomyPlan, width: Option<usize>) -> String {
    without_colour(&economy_plan::plan(&EconomyPlanView::from(wire), width))
}

fn replay(wire: v1::BacktestResponse, acts: bool, width: Option<usize>) -> String {
    let view = BacktestView::from(wire);
    without_colour(&backtest::table(&view, acts, &clock(), width))
}

#[test]
fn economy_status_on_a_terminal() {
    assert_snapshot!(status(sample::economy::status(NOW), TERMINAL));
}

#[test]
fn economy_status_in_a_pipe() {
    assert_snapshot!(status(sample::economy::status(NOW), None));
}

#[test]
fn economy_status_of_a_calm_box() {
    let wire = sample::economy::calm_status(v1::EconomyPolicy::Auto);
    assert_snapshot!(status(wire, TERMINAL));
}

#[test]
fn economy_plan_on_a_terminal() {
    assert_snapshot!(plan(sample::economy::plan(), TERMINAL));
}

#[test]
fn economy_plan_in_a_pipe() {
    assert_snapshot!(plan(sample::economy::plan(), None));
}

#[test]
fn economy_plan_of_a_calm_box() {
    assert_snapshot!(plan(sample::economy::calm_plan(), TERMINAL));
}

#[test]
fn what_is_not_enough_is_said() {
    let wire = v1::EconomyPlan {
        enough: false,
        ..sample::economy::plan()
    };
    assert!(plan(wire, None).contains("That is not enough"));
}

#[test]
fn economy_backtest_on_a_terminal() {
    assert_snapshot!(replay(sample::economy::backtest(NOW), false, TERMINAL));
}

#[test]
fn economy_backtest_in_a_pipe_with_every_act() {
    assert_snapshot!(replay(sample::economy::backtest(NOW), true, None));
}

#[test]
fn everything_of_it_fits_on_eighty_columns() {
    for text in [
        status(sample::economy::status(NOW), TERMINAL),
        plan(sample::economy::plan(), TERMINAL),
        plan(sample::economy::calm_plan(), TERMINAL),
        replay(sample::economy::backtest(NOW), true, TERMINAL),
    ] {
        for line in text.lines() {
            assert!(line.width() <= 80, "{} columns: {line}", line.width());
        }
    }
}
