//! What is too old, or too much, goes from both databases; what goes on stays.

use dagdad::domain::alert::{Alert, AlertQuery};
use dagdad::domain::event::EventQuery;
use dagdad::domain::footprint::{PodRun, RUNS_KEPT};
use dagdad::domain::run::{Failure, Outcome, Phase, Run, RunQuery};
use dagdad::domain::silence::Silenced;
use dagdad::ports::{MirrorLink, Record, Store as _};
use dagdad::store::LocalStore;

use crate::mariadb::MariaDb;
use crate::records::{
    Forwarding, alert, at, event, in_step, open, pod_run, put_alert, put_pod_run, put_run,
    put_silence, run, silence, wait_for,
};
use crate::tables::{assert_equal, count, sqlite};

const DAY: i64 = 86_400;
/// [`dagdad::store::StoreOptions::event_retention`] by default.
const KEPT: i64 = 30 * DAY;

fn ended(second: i64) -> Phase {
    Phase::Ended {
        at: at(second),
        outcome: Outcome::RolledBack(Failure {
            code: "timed_out".to_owned(),
            message: "llama was not ready in time".to_owned(),
            log: vec!["loading".to_owned()],
        }),
    }
}

async fn commit(store: &LocalStore, runs: &[&Run], pod_runs: &[&PodRun]) {
    let records: Vec<Record> = (runs.iter().map(|run| put_run(run)))
        .chain(pod_runs.iter().map(|run| put_pod_run(run)))
        .collect();
    store.commit(&records).await.unwrap();
}

async fn all_runs(store: &LocalStore) -> Vec<Run> {
    let limit = u32::MAX;
    let query = RunQuery {
        workflow: None,
        limit,
    };
    store.runs(&query).await.unwrap()
}

async fn all_alerts(store: &LocalStore) -> Vec<Alert> {
    let query = AlertQuery {
        resolved: true,
        limit: u32::MAX,
        ..AlertQuery::default()
    };
    store.alerts(&query).await.unwrap()
}

#[tokio::test]
async fn runs_and_alerts_are_kept_as_long_as_events() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let mut admin = server.admin().await;

    let old = run("ai", at(0), ended(9));
    let young = run("ai", at(0), ended(10));
    let active = [
        Phase::Queued,
        Phase::Evicting { victims: vec![] },
        Phase::Starting { deadline: at(5) },
        Phase::Running,
        Phase::Degraded,
        Phase::Stopping,
    ]
    .map(|phase| run("ai", at(-400 * DAY), phase));
    let life = |end: Option<i64>| PodRun {
        ended_at: end.map(at),
        ..pod_run("llama", at(-400 * DAY))
    };
    let (old_life, young_life, present) = (life(Some(9)), life(Some(10)), life(None));
    let alert = |end: Option<i64>| Alert {
        resolved_at: end.map(at),
        ..alert("llama", at(-400 * DAY))
    };
    let alerts = [alert(Some(9)), alert(Some(10)), alert(None)];
    let records = alerts.each_ref().map(put_alert);
    store.commit(&records).await.unwrap();
    let runs: Vec<&Run> = [&old, &young].into_iter().chain(&active).collect();
    commit(&store, &runs, &[&old_life, &young_life, &present]).await;
    in_step(&store).await;

    store.tidy(at(KEPT + 10)).await.unwrap();
    let mut expected: Vec<Run> = active.iter().rev().cloned().collect();
    expected.insert(0, young);
    assert_eq!(all_runs(&store).await, expected);
    let restored = store.load().await.unwrap();
    assert_eq!(restored.runs, active);
    assert_eq!(restored.pod_runs, [young_life, present.clone()]);
    assert_eq!(
        all_alerts(&store).await,
        [alerts[2].clone(), alerts[1].clone()]
    );
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;

    store.tidy(at(4_000 * DAY)).await.unwrap();
    let restored = store.load().await.unwrap();
    assert_eq!(all_runs(&store).await.len(), active.len());
    assert_eq!(restored.runs, active);
    assert_eq!(restored.pod_runs, [present]);
    assert_eq!(all_alerts(&store).await, alerts[2..]);
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

/// Events from when they happened on, silences from their end on.
#[tokio::test]
async fn events_and_silences_are_kept_for_thirty_days() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let events = [
        event(at(9), None, "old"),
        event(at(10), Some("llama"), "young"),
    ];
    let over = |until| {
        silence(
            Silenced::Object("llama".to_owned()),
            at(-400 * DAY),
            at(until),
        )
    };
    let silences = [over(9), over(10), over(400 * DAY)];
    let records: Vec<Record> = (events.iter().cloned().map(Record::Event))
        .chain(silences.iter().map(put_silence))
        .collect();
    store.commit(&records).await.unwrap();
    let query = EventQuery {
        limit: 9,
        ..EventQuery::default()
    };

    store.tidy(at(KEPT)).await.unwrap();
    assert_eq!(store.events(&query).await.unwrap(), events);
    assert_eq!(store.load().await.unwrap().silences, silences);
    store.tidy(at(KEPT + 10)).await.unwrap();
    assert_eq!(store.events(&query).await.unwrap(), events[1..]);
    assert_eq!(store.load().await.unwrap().silences, silences[1..]);
    store.tidy(at(400 * DAY)).await.unwrap();
    assert_eq!(store.events(&query).await.unwrap(), []);
    assert_eq!(store.load().await.unwrap().silences, silences[2..]);
}

#[tokio::test]
async fn a_pod_that_starts_often_does_not_fill_the_table() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let kept = 2 * i64::try_from(RUNS_KEPT).unwrap();
    let lives = |pod: &str, count: i64| -> Vec<PodRun> {
        (0..count)
            .map(|n| PodRun {
                // Of every other one the end was missed.
                ended_at: (n % 2 == 0).then_some(at(n * 10 + 5)),
                ..pod_run(pod, at(n * 10))
            })
            .collect()
    };
    let (llama, n8n) = (lives("llama", kept + 7), lives("n8n", kept));
    commit(&store, &[], &llama.iter().chain(&n8n).collect::<Vec<_>>()).await;
    in_step(&store).await;
    store.tidy(at(1_000)).await.unwrap();

    let mut local = sqlite(state.path()).await;
    let oldest: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT pod, count(*), min(started_at) FROM pod_runs GROUP BY pod ORDER BY pod",
    )
    .fetch_all(&mut local)
    .await
    .unwrap();
    assert_eq!(
        oldest,
        [
            ("llama".to_owned(), kept, at(70).as_microsecond()),
            ("n8n".to_owned(), kept, at(0).as_microsecond()),
        ]
    );
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}

/// MariaDB last saw a run going on, and a pod's life too, when both have long been dropped
/// here: they are dropped there as well.
#[tokio::test]
async fn what_ends_and_goes_while_mariadb_is_away_goes_there_too() {
    let mut server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let (mut subject, mut life) = (run("ai", at(0), Phase::Running), pod_run("llama", at(0)));
    commit(&store, &[&subject], &[&life]).await;
    in_step(&store).await;
    server.stop().await;

    subject.phase = ended(60);
    life.ended_at = Some(at(60));
    // One that MariaDB never hears of.
    let unseen = run("ai", at(30), ended(60));
    commit(&store, &[&subject, &unseen], &[&life]).await;
    store.tidy(at(KEPT + 61)).await.unwrap();
    let mut local = sqlite(state.path()).await;
    assert_eq!(count(&mut local, "workflow_runs").await, 0);
    assert_eq!(count(&mut local, "pod_runs").await, 0);
    let status = wait_for(&store, |status| {
        matches!(status.link, MirrorLink::Disconnected { .. })
    })
    .await;
    assert_eq!(
        i64::try_from(status.outbox).unwrap(),
        count(&mut local, "outbox").await
    );

    server.start_again().await;
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}
