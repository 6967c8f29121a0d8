//! Asking for runs, for the events of one, for what pods used of late, and for alerts.

use dagdad::domain::alert::{Alert, AlertQuery, Condition, Severity};
use dagdad::domain::event::{EventQuery, EventRecord};
use dagdad::domain::footprint::{PodRun, RUNS_KEPT};
use dagdad::domain::run::{Outcome, Phase, Run, RunId, RunQuery};
use dagdad::ports::{Record, Store as _};
use dagdad::store::LocalStore;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::records::{
    alert, at, event, open, pod_run, put_alert, put_pod_run, put_run, put_workflow, run, workflow,
};
use crate::tables::sqlite;

fn ended(at_second: i64) -> Phase {
    Phase::Ended {
        at: at(at_second),
        outcome: Outcome::Stopped,
    }
}

async fn ask(store: &LocalStore, workflow: Option<&str>, limit: u32) -> Vec<Run> {
    let workflow = workflow.map(str::to_owned);
    store.runs(&RunQuery { workflow, limit }).await.unwrap()
}

#[tokio::test]
async fn runs_come_newest_first_of_one_workflow_or_of_all() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    assert_eq!(ask(&store, None, 9).await, []);
    let first = run("ai", at(1), ended(5));
    let second = run("web", at(2), Phase::Running);
    let third = run("ai", at(3), Phase::Queued);
    // Accepted in the same moment: the id tells them apart.
    let fourth = run("ai", at(3), Phase::Queued);
    let records = [&third, &first, &fourth, &second].map(put_run);
    store.commit(&records).await.unwrap();

    let all = [&fourth, &third, &second, &first].map(Clone::clone);
    assert_eq!(ask(&store, None, 9).await, all);
    assert_eq!(ask(&store, None, 2).await, all[..2]);
    assert_eq!(ask(&store, None, 0).await, []);
    assert_eq!(
        ask(&store, Some("ai"), 9).await,
        [fourth.clone(), third.clone(), first.clone()]
    );
    assert_eq!(ask(&store, Some("ai"), 1).await, all[..1]);
    assert_eq!(ask(&store, Some("AI"), 9).await, []);
    assert_eq!(ask(&store, Some("a%"), 9).await, []);

    // What a daemon begins with, after a restart: those that go on, oldest first.
    store.close().await;
    let store = open(state.path(), None).await;
    assert_eq!(store.load().await.unwrap().runs, [second, third, fourth]);
}

#[tokio::test]
async fn a_run_is_found_by_the_beginning_of_its_id() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let with_id = |id: &str| Run {
        id: RunId(id.parse::<Uuid>().unwrap()),
        ..run("ai", at(0), ended(1))
    };
    let (a, b, c) = (
        with_id("01940000-aaaa-7000-8000-000000000000"),
        with_id("01940000-abbb-7000-8000-000000000000"),
        with_id("01940000-abff-7000-8000-ffffffffffff"),
    );
    store.commit(&[&a, &b, &c].map(put_run)).await.unwrap();
    let find = async |id: &str| -> Vec<RunId> {
        let found = store.find_run(id).await.unwrap();
        found.iter().map(|run| run.id).collect()
    };

    let found = store.find_run(&a.id.to_string()).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&a));
    let (a, b, c) = (a.id, b.id, c.id);
    assert_eq!(find(&a.to_string()).await, [a]);
    assert_eq!(find("01940000-aa").await, [a]);
    assert_eq!(find("01940000-AA").await, [a]);
    assert_eq!(find("01940000-abff-7000-8000-ffffffffffff").await, [c]);
    assert_eq!(find("01940000-ab").await, [b, c]);
    // At most two, which is enough to say that there are several.
    assert_eq!(find("01940000").await, [a, b]);
    assert_eq!(find("").await, [a, b]);
    for none in [
        "01940000-aaaa-7000-8000-0000000000000",
        "0194_000",
        "%",
        "_",
        "g",
        "~",
        "' OR 1 = 1 --",
        "🦙",
    ] {
        assert!(find(none).await.is_empty(), "{none}");
    }
}

#[tokio::test]
async fn events_of_one_run() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let (this, that) = (RunId(Uuid::now_v7()), RunId(Uuid::now_v7()));
    let of = |second, run, object, message| EventRecord {
        run,
        ..event(at(second), object, message)
    };
    let events = [
        of(1, Some(this), Some("ai"), "started"),
        of(2, Some(that), Some("web"), "another"),
        of(3, Some(this), Some("llama"), "pod started"),
        of(4, None, Some("llama"), "by hand"),
        of(5, Some(this), None, "about nothing"),
        of(6, Some(this), Some("llama"), "pod ready"),
    ];
    let records: Vec<Record> = events.iter().cloned().map(Record::Event).collect();
    store.commit(&records).await.unwrap();
    let ask = async |query: EventQuery| -> Vec<i64> {
        let found = store.events(&query).await.unwrap();
        found
            .iter()
            .map(|found| {
                assert_eq!(
                    events.iter().find(|event| event.id == found.id),
                    Some(found)
                );
                found.at.duration_since(at(0)).as_secs()
            })
            .collect()
    };
    let of_run = |run: RunId| EventQuery {
        run: Some(run),
        limit: 9,
        ..EventQuery::default()
    };
    assert_eq!(ask(of_run(this)).await, [1, 3, 5, 6]);
    assert_eq!(ask(of_run(that)).await, [2]);
    assert_eq!(ask(of_run(RunId(Uuid::now_v7()))).await, [0i64; 0]);
    let newest = EventQuery {
        limit: 2,
        ..of_run(this)
    };
    assert_eq!(ask(newest).await, [5, 6]);
    let llama = EventQuery {
        object: Some("llama".to_owned()),
        ..of_run(this)
    };
    assert_eq!(ask(llama.clone()).await, [3, 6]);
    let late = EventQuery {
        since: Some(at(3)),
        ..of_run(this)
    };
    assert_eq!(ask(late.clone()).await, [5, 6]);
    let both = EventQuery {
        since: Some(at(3)),
        ..llama.clone()
    };
    assert_eq!(ask(both).await, [6]);
    let any_run = EventQuery { run: None, ..llama };
    assert_eq!(ask(any_run).await, [3, 4, 6]);

    // A range of an index, never a scan of the table.
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN SELECT * FROM events WHERE run = ?1 AND (?2 IS NULL OR object = ?2)
             AND timestamp > ?3
         ORDER BY timestamp DESC, uuid DESC LIMIT ?4",
    )
    .fetch_all(&mut sqlite(state.path()).await)
    .await
    .unwrap();
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert!(
        plan[0]
            .3
            .contains("SEARCH events USING INDEX events_by_run"),
        "{plan:?}"
    );
}

#[tokio::test]
async fn the_latest_runs_of_each_pod_are_loaded() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let lives = |pod: &str, count: usize| -> Vec<PodRun> {
        (0..i64::try_from(count).unwrap())
            .map(|n| pod_run(pod, at(n * 10)))
            .collect()
    };
    let (many, few) = (lives("llama", RUNS_KEPT + 3), lives("n8n", 2));
    let mut records: Vec<Record> = many.iter().chain(&few).map(put_pod_run).collect();
    records.rotate_left(7);
    store.commit(&records).await.unwrap();
    store.close().await;
    let store = open(state.path(), None).await;
    let expected: Vec<PodRun> = many[3..].iter().chain(&few).cloned().collect();
    assert_eq!(store.load().await.unwrap().pod_runs, expected);
}

#[tokio::test]
async fn workflows_come_and_go() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let (mut web, ai) = (workflow("web"), workflow("ai"));
    let both = [put_workflow(&web), put_workflow(&ai)];
    store.commit(&both).await.unwrap();
    // A commit that is repeated, since its answer was lost, changes nothing.
    store.commit(&both).await.unwrap();
    web.active = false;
    web.description = None;
    store.commit(&[put_workflow(&web)]).await.unwrap();
    assert_eq!(
        store.load().await.unwrap().workflows,
        [ai.clone(), web.clone()]
    );

    // Another takes a name in the commit that gives it up.
    let successor = workflow("ai");
    store
        .commit(&[Record::DeleteWorkflow(ai.id), put_workflow(&successor)])
        .await
        .unwrap();
    assert_eq!(store.load().await.unwrap().workflows, [successor, web]);
}

#[tokio::test]
async fn alerts_come_newest_first_those_that_go_on_or_all() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let ask = async |resolved: bool, limit: u32| -> Vec<Alert> {
        let query = AlertQuery {
            resolved,
            limit,
            ..AlertQuery::default()
        };
        store.alerts(&query).await.unwrap()
    };
    assert_eq!(ask(true, 9).await, []);
    let first = alert("llama", at(1));
    let second = Alert {
        condition: Condition::WorkflowFailed,
        resolved_at: Some(at(2)),
        updated_at: at(2),
        ..alert("ai", at(2))
    };
    let third = alert("n8n", at(3));
    let records = [&third, &first, &second].map(put_alert);
    store.commit(&records).await.unwrap();
    let all = [third.clone(), second, first.clone()];
    assert_eq!(ask(true, 9).await, all);
    assert_eq!(ask(true, 2).await, all[..2]);
    assert_eq!(ask(false, 9).await, [third.clone(), first.clone()]);
    assert_eq!(ask(false, 1).await, all[..1]);

    let bad = |severity| AlertQuery {
        resolved: true,
        severity: Some(severity),
        limit: 9,
        ..AlertQuery::default()
    };
    assert_eq!(store.alerts(&bad(Severity::Critical)).await.unwrap(), all);
    let milder = Alert {
        severity: Severity::Warning,
        ..all[0].clone()
    };
    store.commit(&[put_alert(&milder)]).await.unwrap();
    assert_eq!(
        store.alerts(&bad(Severity::Critical)).await.unwrap(),
        all[1..]
    );
    assert_eq!(
        store.alerts(&bad(Severity::Warning)).await.unwrap()[0],
        milder
    );
    store.commit(&[put_alert(&all[0])]).await.unwrap();
    let since = AlertQuery {
        resolved: true,
        since: Some(at(1)),
        limit: 9,
        ..AlertQuery::default()
    };
    assert_eq!(store.alerts(&since).await.unwrap(), all[..2]);

    // What a daemon begins with, oldest first; what only a later version knows stays aside.
    let later = "INSERT INTO resource_alerts
            (uuid, alert_type, message, severity, resolved, created_at, updated_at)
        VALUES ('x', 'pod_bored', 'full', 'warning', 0, 1, 1)";
    let mut local = sqlite(state.path()).await;
    let unchecked = "PRAGMA ignore_check_constraints = ON";
    local.execute(unchecked).await.unwrap();
    local.execute(later).await.unwrap();
    assert_eq!(ask(true, 9).await, all);
    assert_eq!(store.load().await.unwrap().alerts, [first, third]);
}
