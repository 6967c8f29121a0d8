//! Workflows, plans, runs and refusals.

use dagda_proto::v1;
use insta::assert_snapshot;

use super::{NOW, pretty};
use crate::error::Error;
use crate::output::json::ErrorDocument;
use crate::output::json::operations::OutcomeView;
use crate::output::json::plan::PlanView;
use crate::output::json::runs::{RunDetailView, RunListView, RunOutcomeView};
use crate::output::json::workflows::{WorkflowDetailView, WorkflowListView};
use crate::output::sample::workflows as sample;

fn refused() -> Error {
    v1::ErrorDetail {
        code: "insufficient_resources".into(),
        message: "llama does not fit".into(),
        log: Vec::new(),
        denial: Some(sample::denial(NOW, "pod", "llama")),
    }
    .into()
}

#[test]
fn error_of_a_refusal() {
    assert_snapshot!(pretty(&ErrorDocument::from(&refused())));
}

#[test]
fn workflow_list() {
    let workflows = sample::workflows(NOW).into_iter().skip(2).collect();
    assert_snapshot!(pretty(&WorkflowListView::from(v1::ListWorkflowsResponse {
        workflows
    })));
}

#[test]
fn workflow_run_without_a_name() {
    let view = WorkflowListView {
        workflows: Vec::new(),
        error: Some((&Error::Usage("name the workflow to run".into())).into()),
    };
    assert_snapshot!(pretty(&view));
}

#[test]
fn workflow_show() {
    assert_snapshot!(pretty(&WorkflowDetailView::from(sample::workflow_detail(
        NOW
    ))));
}

#[test]
fn workflow_plan_that_fits() {
    let mut plan = sample::plan();
    plan.pods.truncate(2);
    assert_snapshot!(pretty(&PlanView::from(plan)));
}

#[test]
fn workflow_plan_that_does_not_fit() {
    let mut plan = sample::refused_plan(NOW);
    plan.pods.clear();
    assert_snapshot!(pretty(&PlanView::from(plan)));
}

#[test]
fn workflow_run_and_stop() {
    let view = RunOutcomeView {
        name: "ai-complete".into(),
        outcome: OutcomeView::Done {
            changed: true,
            message: "ai-complete is running".into(),
        },
        run: Some(sample::running(NOW).into()),
    };
    assert_snapshot!(pretty(&view));
}

#[test]
fn workflow_run_that_fails() {
    let error = Error::refused("busy", "run 019a2f4c of ai-complete is stopping".into());
    let view = RunOutcomeView {
        name: "ai-complete".into(),
        outcome: OutcomeView::Error {
            error: Box::new((&error).into()),
        },
        run: None,
    };
    assert_snapshot!(pretty(&view));
}

#[test]
fn workflow_runs() {
    let runs = vec![sample::queued(NOW)];
    assert_snapshot!(pretty(&RunListView::from(v1::ListRunsResponse { runs })));
}

#[test]
fn workflow_runs_show() {
    assert_snapshot!(pretty(&RunDetailView::from(sample::run_detail(NOW))));
}
