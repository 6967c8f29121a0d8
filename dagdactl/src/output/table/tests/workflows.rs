//! Workflows, plans, runs and refusals.

use std::fmt::Write;

use dagda_proto::v1;
use insta::assert_snapshot;
use jiff::tz::TimeZone;
use rstest::rstest;
use unicode_width::UnicodeWidthStr;

use super::super::{admission, plan, runs, workflows};
use super::{NOW, TERMINAL, now, without_colour};
use crate::output::human::Clock;
use crate::output::json::admission::DenialView;
use crate::output::json::plan::PlanView;
use crate::output::json::runs::{RunDetailView, RunListView, RunView};
use crate::output::json::workflows::{WorkflowDetailView, WorkflowListView};
use crate::output::progress::board;
use crate::output::sample::workflows as sample;
use crate::output::wrap::wrap;

fn clock() -> Clock {
    Clock {
        now: now(),
        zone: TimeZone::UTC,
    }
}

fn list(width: Option<usize>) -> String {
    let workflows = sample::workflows(NOW);
    let view = WorkflowListView::from(v1::ListWorkflowsResponse { workflows });
    without_colour(&workflows::list(&view, width))
}

fn show(detail: v1::WorkflowDetail, width: Option<usize>) -> String {
    let view = WorkflowDetailView::from(detail);
    without_colour(&workflows::show(&view, &clock(), width))
}

fn planned(wire: v1::WorkflowPlan, width: Option<usize>) -> String {
    without_colour(&plan::plan(&PlanView::from(wire), &clock(), width))
}

fn denied(wire: v1::Denial, width: Option<usize>) -> String {
    let view = DenialView::from(wire);
    let headline = wrap(&admission::headline(&view), "", width).join("\n");
    let explanation = without_colour(&admission::explanation(&view, &clock(), width));
    format!("{headline}\n\n{explanation}")
}

fn listed(width: Option<usize>) -> String {
    let mut degraded = sample::run(
        NOW,
        v1::RunState::Degraded,
        ["ready", "ready", "lost", "lost"],
    );
    degraded.id = "019a2f30-1111-7000-8000-000000000004".into();
    degraded.ready_at = degraded.admitted_at;
    degraded.pods[2].message = Some("it was stopped by hand".into());
    let runs = vec![
        sample::queued(NOW),
        sample::running(NOW),
        sample::failed(NOW),
        degraded,
    ];
    let view = RunListView::from(v1::ListRunsResponse { runs });
    without_colour(&runs::list(&view, &clock(), width))
}

fn told(detail: v1::RunDetail, width: Option<usize>) -> String {
    let view = RunDetailView::from(detail);
    without_colour(&runs::show(&view, &clock(), width))
}

fn waiting() -> v1::RunDetail {
    v1::RunDetail {
        run: Some(sample::queued(NOW)),
        events: Vec::new(),
    }
}

#[test]
fn workflow_list() {
    assert_snapshot!(list(TERMINAL));
}

#[test]
fn workflow_show() {
    assert_snapshot!(show(sample::workflow_detail(NOW), TERMINAL));
}

#[test]
fn workflow_show_of_what_does_not_fit() {
    let mut detail = sample::workflow_detail(NOW);
    let workflow = detail.workflow.as_mut().unwrap();
    workflow.run = None;
    workflow.fits = false;
    workflow.denial = Some(sample::denial(NOW, "workflow", "ai-complete"));
    detail.members[1].state = None;
    assert_snapshot!(show(detail, TERMINAL));
}

#[test]
fn a_long_chain_is_listed_step_by_step() {
    let mut detail = sample::workflow_detail(NOW);
    detail.members = (0..20)
        .map(|level: u32| v1::Member {
            pod: format!("pod-{level}"),
            level,
            after: level
                .checked_sub(1)
                .map(|before| format!("pod-{before}"))
                .into_iter()
                .collect(),
            state: None,
        })
        .collect();
    let text = show(detail, TERMINAL);
    assert!(
        text.contains("\n2\n  pod-1: not in the catalogue, after pod-0\n"),
        "{text}"
    );
}

#[test]
fn workflow_plan_that_fits() {
    assert_snapshot!(planned(sample::plan(), TERMINAL));
}

#[test]
fn workflow_plan_that_does_not_fit() {
    assert_snapshot!(planned(sample::refused_plan(NOW), TERMINAL));
}

#[test]
fn workflow_plan_that_never_fits() {
    let denial = sample::never("ai-complete");
    assert_snapshot!(planned(
        v1::WorkflowPlan {
            figures: denial.figures,
            denial: Some(denial),
            ..sample::refused_plan(NOW)
        },
        TERMINAL
    ));
}

#[test]
fn denial_of_a_pod() {
    assert_snapshot!(denied(sample::denial(NOW, "pod", "llama"), TERMINAL));
}

#[test]
fn denial_without_a_way_out() {
    let mut denial = sample::denial(NOW, "pod", "llama");
    denial.victims.clear();
    denial.suggested_command = None;
    denial.earliest_at = None;
    denial.short_of = "memory,cpu".into();
    let figures = denial.figures.as_mut().unwrap();
    figures.cpu_enforced = true;
    assert_snapshot!(denied(denial, TERMINAL));
}

#[test]
fn a_reason_too_long_for_its_column_stands_below() {
    let mut denial = sample::denial(NOW, "pod", "llama");
    denial.victims[0].reason = "optional, priority 10, idle for 2h, not needed by any run".into();
    assert_snapshot!(denied(denial, TERMINAL));
}

#[test]
fn workflow_runs() {
    assert_snapshot!(listed(TERMINAL));
}

#[test]
fn workflow_runs_show() {
    assert_snapshot!(told(sample::run_detail(NOW), TERMINAL));
}

#[test]
fn workflow_runs_show_of_a_queued_run() {
    assert_snapshot!(told(waiting(), TERMINAL));
}

#[test]
fn what_a_run_stops_to_make_room_is_named() {
    let run = v1::Run {
        victims: vec!["clock".into(), "adminer".into()],
        ..sample::run(NOW, v1::RunState::Evicting, ["waiting"; 4])
    };
    let text = told(
        v1::RunDetail {
            run: Some(run),
            events: Vec::new(),
        },
        TERMINAL,
    );
    assert!(
        text.contains("\nStops      clock, adminer, to make room\n"),
        "{text}"
    );
}

#[test]
fn the_lines_of_runs_under_way() {
    let evicting = v1::Run {
        victims: vec!["clock".into(), "adminer".into()],
        ..sample::run(NOW, v1::RunState::Evicting, ["waiting"; 4])
    };
    let mut starting = sample::run(
        NOW,
        v1::RunState::Starting,
        ["ready", "starting", "starting", "waiting"],
    );
    starting.pods[1].message = Some("waiting until it is ready".into());
    let mut rolling_back = v1::Run {
        state: v1::RunState::RollingBack.into(),
        ..sample::failed(NOW)
    };
    rolling_back.pods[1].step = "stopping".into();
    let mut text = String::new();
    for run in [sample::queued(NOW), evicting, starting, rolling_back] {
        for line in board::lines(&RunView::from(run), &clock()) {
            writeln!(text, "{:?} {}: {}", line.mark, line.name, line.text).unwrap();
        }
        text.push('\n');
    }
    assert_snapshot!(text);
}

#[rstest]
fn everything_fits_on_eighty_columns(#[values(TERMINAL, None)] width: Option<usize>) {
    let texts = [
        list(width),
        show(sample::workflow_detail(NOW), width),
        planned(sample::plan(), width),
        planned(sample::refused_plan(NOW), width),
        denied(sample::denial(NOW, "pod", "llama"), width),
        listed(width),
        told(sample::run_detail(NOW), width),
        told(waiting(), width),
    ];
    for line in texts.iter().flat_map(|text| text.lines()) {
        if width.is_some() {
            assert!(line.width() <= 80, "{} columns: {line}", line.width());
        }
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}
