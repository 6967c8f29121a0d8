//! Runs past and present.

use dagda_proto::v1::{self, workflows_service_server::WorkflowsService};
use rstest::rstest;
use tonic::{Code, Request};

use super::ports::Records;
use super::{bench, detail};
use crate::domain::event::{EventKind, EventRecord};
use crate::domain::run::{Outcome, Phase, Run, RunId};
use crate::engine::example::{at, run, run_id, snapshot, view, workflow};
use crate::engine::snapshot::Snapshot;
use crate::ports::StoreError;

fn past(number: u128, workflow: &str) -> Run {
    let phase = Phase::Ended {
        at: at(9),
        outcome: Outcome::Stopped,
    };
    run(run_id(number), workflow, phase, &[])
}

fn now(number: u128, workflow: &str) -> Run {
    run(run_id(number), workflow, Phase::Running, &[])
}

/// A box with a workflow `ai` and these runs.
fn having(runs: Vec<Run>) -> Snapshot {
    let mut snapshot = snapshot(Vec::new(), vec![workflow("ai", &[])]);
    snapshot.runs = runs.into_iter().map(view).collect();
    snapshot
}

async fn list(
    snapshot: Snapshot,
    stored: Vec<Run>,
    workflow: Option<&str>,
    limit: u32,
) -> Result<Vec<(String, v1::RunState)>, tonic::Status> {
    let bench = bench(snapshot, Records::of(stored));
    let workflow = workflow.map(str::to_owned);
    let request = Request::new(v1::ListRunsRequest { workflow, limit });
    let runs = bench.api.list_runs(request).await?.into_inner().runs;
    Ok(runs
        .into_iter()
        .map(|run| (run.id.clone(), run.state()))
        .collect())
}

fn listed(id: u128, state: v1::RunState) -> (String, v1::RunState) {
    (run_id(id).to_string(), state)
}

#[tokio::test]
async fn the_engine_knows_better_and_the_newest_comes_first() {
    let active = having(vec![now(2, "ai"), now(4, "web")]);
    // What was stored of 2 is older than what the engine says; 4 is not stored yet.
    let stored = vec![past(1, "ai"), past(2, "ai"), past(3, "web")];
    let runs = list(active, stored, None, 0).await.unwrap();
    assert_eq!(
        runs,
        [
            listed(4, v1::RunState::Running),
            listed(3, v1::RunState::Stopped),
            listed(2, v1::RunState::Running),
            listed(1, v1::RunState::Stopped),
        ]
    );
}

#[tokio::test]
async fn a_limit_counts_both_together() {
    let stored = vec![past(1, "ai"), past(2, "ai"), past(3, "ai")];
    let runs = list(having(vec![now(4, "ai")]), stored, None, 2).await;
    let ids: Vec<String> = runs.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [run_id(4).to_string(), run_id(3).to_string()]);
}

#[tokio::test]
async fn only_runs_of_the_workflow_asked_for() {
    let stored = vec![past(1, "ai"), past(2, "web")];
    let active = having(vec![now(3, "ai"), now(4, "web")]);
    let runs = list(active, stored, Some("web"), 0).await.unwrap();
    let ids: Vec<String> = runs.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [run_id(4).to_string(), run_id(2).to_string()]);
}

#[tokio::test]
async fn a_workflow_without_runs_has_none_and_one_that_never_was_is_an_error() {
    assert_eq!(
        list(having(Vec::new()), Vec::new(), Some("ai"), 0)
            .await
            .unwrap(),
        []
    );
    let status = list(having(Vec::new()), Vec::new(), Some("ia"), 0)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), "no workflow named ia; did you mean ai?");
}

#[tokio::test]
async fn past_runs_outlive_their_workflow() {
    let runs = list(having(Vec::new()), vec![past(1, "gone")], Some("gone"), 0).await;
    assert_eq!(runs.unwrap(), [listed(1, v1::RunState::Stopped)]);
}

#[tokio::test]
async fn a_broken_store_is_said() {
    let records = Records {
        broken: Some(StoreError::Failed("no".to_owned())),
        ..Records::default()
    };
    let bench = bench(having(vec![now(1, "ai")]), records);
    let request = v1::ListRunsRequest::default();
    let status = bench
        .api
        .list_runs(Request::new(request))
        .await
        .unwrap_err();
    assert_eq!(detail(&status).code, "store_failed");
    assert_eq!(status.message(), "the local store failed: no");
}

const FIRST: u128 = 0x0192_a000_0000_7000_8000_0000_0000_0001;
const SECOND: u128 = 0x0192_b000_0000_7000_8000_0000_0000_0002;

async fn get(
    snapshot: Snapshot,
    stored: Vec<Run>,
    id: &str,
) -> Result<(v1::Run, Vec<v1::Event>), tonic::Status> {
    let records = Records {
        runs: stored,
        events: vec![event(run_id(FIRST))],
        ..Records::default()
    };
    let bench = bench(snapshot, records);
    let request = Request::new(v1::GetRunRequest { id: id.to_owned() });
    let v1::RunDetail { run, events } = bench.api.get_run(request).await?.into_inner();
    Ok((run.unwrap(), events))
}

fn event(run: RunId) -> EventRecord {
    EventRecord {
        id: uuid::Uuid::from_u128(5),
        at: at(5),
        kind: EventKind::RunStarted,
        object: Some("ai".to_owned()),
        run: Some(run),
        message: "ai started".to_owned(),
    }
}

#[rstest]
#[case::whole("0192a000-0000-7000-8000-000000000001")]
#[case::in_capitals("0192A")]
#[case::beginning("0192a")]
#[tokio::test]
async fn a_run_is_found_by_its_id_or_by_what_it_begins_with(#[case] id: &str) {
    let stored = vec![past(FIRST, "ai"), past(SECOND, "web")];
    let (run, events) = get(having(Vec::new()), stored, id).await.unwrap();
    assert_eq!(run.id, run_id(FIRST).to_string());
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].run, Some(run_id(FIRST).to_string()));
}

#[tokio::test]
async fn only_the_events_of_the_run_are_asked_for() {
    let (snapshot, asked) = (having(vec![now(FIRST, "ai")]), Records::default());
    let store = std::sync::Arc::new(asked);
    let mut bench = bench(snapshot, Records::default());
    bench.api.store = std::sync::Arc::<Records>::clone(&store);
    let id = "0192a".to_owned();
    let request = Request::new(v1::GetRunRequest { id });
    bench.api.get_run(request).await.unwrap();
    let asked = store.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].run, Some(run_id(FIRST)));
    assert_eq!((&asked[0].object, asked[0].since), (&None, None));
}

#[tokio::test]
async fn a_run_that_is_not_stored_yet_is_found_and_the_engine_knows_better() {
    let active = || having(vec![now(FIRST, "ai")]);
    for stored in [Vec::new(), vec![past(FIRST, "ai")]] {
        let (run, _) = get(active(), stored, "0192a").await.unwrap();
        assert_eq!(run.state(), v1::RunState::Running);
    }
}

#[tokio::test]
async fn a_beginning_that_fits_two_runs_is_refused_with_both() {
    let both_stored = (
        having(Vec::new()),
        vec![past(FIRST, "ai"), past(SECOND, "web")],
    );
    let one_active = (having(vec![now(SECOND, "web")]), vec![past(FIRST, "ai")]);
    for (snapshot, stored) in [both_stored, one_active] {
        let status = get(snapshot, stored, "0192").await.unwrap_err();
        assert_eq!(detail(&status).code, "invalid");
        assert_eq!(
            status.message(),
            "more than one run begins with 0192: 0192a000-0000-7000-8000-000000000001 of ai, 0192b000-0000-7000-8000-000000000002 of web; give more of the id"
        );
    }
}

#[rstest]
#[case::none("0193", Code::NotFound)]
#[case::no_id("ai\n", Code::NotFound)]
#[case::wildcard("%", Code::NotFound)]
#[case::nothing("", Code::InvalidArgument)]
#[tokio::test]
async fn what_no_run_begins_with_is_an_error(#[case] id: &str, #[case] code: Code) {
    let status = get(having(Vec::new()), vec![past(FIRST, "ai")], id).await;
    let status = status.unwrap_err();
    assert_eq!(status.code(), code);
    assert!(
        status.message().contains("dagdactl workflow runs"),
        "{status}"
    );
    assert!(!status.message().contains('\n'));
}
