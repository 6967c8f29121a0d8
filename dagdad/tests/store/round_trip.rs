//! What is stored of workflows, runs, pods' lives, intents and alerts comes back as it was, from
//! SQLite and in MariaDB.

use std::time::Duration;

use dagdad::domain::admission::Admission;
use dagdad::domain::alert::{Alert, Severity};
use dagdad::domain::event::EventRecord;
use dagdad::domain::footprint::PodRun;
use dagdad::domain::name::PodName;
use dagdad::domain::pod::{Footprint, Priority};
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::domain::run::{Failure, Outcome, Phase, Run, RunId, RunMember, RunQuery, Step};
use dagdad::domain::workflow::OnFailure;
use dagdad::ports::{Record, Store as _, WorkflowRecord};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::forms::{alerts, events, intents, pod_runs, runs, steps};
use crate::mariadb::MariaDb;
use crate::records::{
    Forwarding, at, event, in_step, open, pod, put, put_alert, put_pod_run, put_run, put_workflow,
    run, workflow,
};
use crate::tables::{assert_equal, count, sqlite};

const ALL_RUNS: RunQuery = RunQuery {
    workflow: None,
    limit: u32::MAX,
};

fn active(runs: &[Run]) -> Vec<Run> {
    runs.iter().filter(|run| run.active()).cloned().collect()
}

fn newest_first(mut runs: Vec<Run>) -> Vec<Run> {
    runs.reverse();
    runs
}

/// Everything there is, in every form, written, read after a restart, and mirrored.
#[tokio::test]
async fn every_form_comes_back_as_it_was() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let plain = WorkflowRecord {
        description: None,
        pods: vec![],
        active: false,
        estimated: Footprint::default(),
        ..workflow("plain")
    };
    let workflows = [workflow("ai-complete"), plain];
    let (runs, pod_runs, intents, alerts) = (runs(), pod_runs(), intents(), alerts());
    let mut events = events();
    events.push(EventRecord {
        run: Some(runs[0].id),
        ..event(at(900), Some("llama"), "of a run")
    });
    let records: Vec<Record> = (workflows.iter().map(put_workflow))
        .chain(runs.iter().rev().map(put_run))
        .chain(pod_runs.iter().rev().map(put_pod_run))
        .chain(intents.iter().rev().cloned().map(Record::OpenIntent))
        .chain(events.iter().cloned().map(Record::Event))
        .chain(alerts.iter().rev().map(put_alert))
        .chain([put(&pod("llama"))])
        .collect();
    store.commit(&records).await.unwrap();
    store.close().await;

    let store = open(state.path(), Some(server.options())).await;
    let restored = store.load().await.unwrap();
    assert_eq!(restored.workflows, workflows);
    assert_eq!(restored.runs, active(&runs));
    assert_eq!(restored.pod_runs, pod_runs);
    assert_eq!(restored.intents, intents);
    let going_on: Vec<Alert> = (alerts.iter())
        .filter(|alert| alert.resolved_at.is_none())
        .cloned()
        .collect();
    assert_eq!(restored.alerts, going_on);
    assert_eq!(
        store.runs(&ALL_RUNS).await.unwrap(),
        newest_first(runs.clone())
    );
    let query = dagdad::domain::event::EventQuery {
        limit: u32::MAX,
        ..Default::default()
    };
    assert_eq!(store.events(&query).await.unwrap(), events);

    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let mut local = sqlite(state.path()).await;
    assert_eq!(count(&mut local, "outbox_rejected").await, 0);
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;
    // Native types, so that people can ask.
    let (late, pods, lost): (i64, i64, String) = sqlx::query_as(
        "SELECT TIMESTAMPDIFF(SECOND, accepted_at, ended_at), JSON_LENGTH(runs.pods),
             (SELECT JSON_VALUE(pods, '$[4].step') FROM dagda_orchestrator.workflow_runs
              WHERE state = 'queued')
         FROM dagda_orchestrator.workflow_runs AS runs WHERE state = 'cancelled'",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!((late, pods, lost.as_str()), (77 - 12, 2, "lost"));

    forwarding.shut_down().await;
}

/// Each run goes on to another phase, each life and alert ends: every column changes or is
/// emptied.
#[tokio::test]
async fn every_form_follows_another() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let (runs, pod_runs, alerts) = (runs(), pod_runs(), alerts());
    let records: Vec<Record> = (runs.iter().map(put_run))
        .chain(pod_runs.iter().map(put_pod_run))
        .chain(alerts.iter().map(put_alert))
        .collect();
    store.commit(&records).await.unwrap();
    in_step(&store).await;

    let moved: Vec<Run> = runs
        .iter()
        .zip(runs.iter().cycle().skip(5))
        .map(|(run, next)| Run {
            id: run.id,
            accepted_at: run.accepted_at,
            ..next.clone()
        })
        .collect();
    store
        .commit(&moved.iter().map(put_run).collect::<Vec<_>>())
        .await
        .unwrap();
    let ended: Vec<PodRun> = pod_runs
        .iter()
        .map(|run| PodRun {
            ready_after: None,
            ended_at: Some(at(900)),
            completed: !run.completed,
            memory_peak: Bytes(7),
            cpu_peak: Millicpu(8),
            ..run.clone()
        })
        .collect();
    store
        .commit(&ended.iter().map(put_pod_run).collect::<Vec<_>>())
        .await
        .unwrap();
    let resolved: Vec<Record> = (alerts.iter())
        .map(|alert| {
            put_alert(&Alert {
                severity: Severity::Info,
                updated_at: at(900),
                resolved_at: Some(at(900)),
                ..alert.clone()
            })
        })
        .collect();
    store.commit(&resolved).await.unwrap();
    assert_eq!(store.load().await.unwrap().alerts, []);
    assert_eq!(store.load().await.unwrap().runs, active(&moved));
    assert_eq!(store.load().await.unwrap().pod_runs, ended);
    assert_eq!(store.runs(&ALL_RUNS).await.unwrap(), newest_first(moved));
    in_step(&store).await;
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}

pub fn text() -> impl Strategy<Value = String> {
    // Any character, with more of those that formats stumble over.
    prop::collection::vec(
        prop_oneof![
            any::<char>(),
            prop::sample::select(vec!['"', '\\', '\0', '\n', '\'', '🦙'])
        ],
        0..12,
    )
    .prop_map(String::from_iter)
}

pub fn time() -> impl Strategy<Value = Timestamp> {
    // What a TIMESTAMP of MariaDB holds.
    (1..2_147_483_647_000_000i64).prop_map(|micros| Timestamp::from_microsecond(micros).unwrap())
}

pub fn name() -> impl Strategy<Value = PodName> {
    "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}".prop_map(|name| name.parse().unwrap())
}

fn any_failure() -> impl Strategy<Value = Failure> {
    (text(), text(), prop::collection::vec(text(), 0..4)).prop_map(|(code, message, log)| Failure {
        code,
        message,
        log,
    })
}

fn any_phase() -> impl Strategy<Value = Phase> {
    let outcome = prop_oneof![
        Just(Outcome::Stopped),
        any_failure().prop_map(Outcome::Failed),
        any_failure().prop_map(Outcome::RolledBack),
        Just(Outcome::Cancelled),
    ];
    prop_oneof![
        Just(Phase::Queued),
        prop::collection::vec(name(), 0..4).prop_map(|victims| Phase::Evicting { victims }),
        time().prop_map(|deadline| Phase::Starting { deadline }),
        Just(Phase::Running),
        Just(Phase::Degraded),
        any_failure().prop_map(Phase::RollingBack),
        Just(Phase::Stopping),
        (time(), outcome).prop_map(|(at, outcome)| Phase::Ended { at, outcome }),
    ]
}

fn any_member() -> impl Strategy<Value = RunMember> {
    let step = prop_oneof![
        prop::sample::select(steps()),
        text().prop_map(|message| Step::Lost { message }),
        text().prop_map(|message| Step::Failed { message }),
        text().prop_map(|because| Step::Kept { because }),
    ];
    let after = prop::collection::vec(name(), 0..3);
    (name(), any::<u32>(), after, step, time(), any::<bool>()).prop_map(
        |(pod, level, after, step, since, started_by_run)| RunMember {
            pod,
            level,
            after,
            step,
            since,
            started_by_run,
        },
    )
}

fn any_run() -> impl Strategy<Value = Run> {
    let what = (
        name().prop_map(|name| name.as_str().parse().unwrap()),
        (0..=Priority::MAX).prop_map(|value| Priority::new(value).unwrap()),
        prop::sample::select(vec![OnFailure::Rollback, OnFailure::Keep]),
        (0..=3_153_600_000_000_000u64).prop_map(Duration::from_micros),
        prop::sample::select(Admission::ALL.to_vec()),
    );
    let times = (time(), prop::option::of(time()), prop::option::of(time()));
    let members = prop::collection::vec(any_member(), 0..5);
    (what, times, any_phase(), members).prop_map(
        |(
            (workflow, priority, on_failure, timeout, admission),
            (accepted_at, admitted_at, ready_at),
            phase,
            members,
        )| Run {
            id: RunId(Uuid::now_v7()),
            workflow,
            priority,
            on_failure,
            timeout,
            admission,
            accepted_at,
            admitted_at,
            ready_at,
            phase,
            members,
        },
    )
}

/// The same for 400 runs that chance made.
#[tokio::test]
async fn any_run_comes_back_as_it_was() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let mut runner = TestRunner::new(Config::default());
    let mut runs: Vec<Run> = (0..400)
        .map(|_| any_run().new_tree(&mut runner).unwrap().current())
        .collect();
    store
        .commit(&runs.iter().map(put_run).collect::<Vec<_>>())
        .await
        .unwrap();
    runs.sort_by_key(|run| (run.accepted_at, run.id));
    let restored = store.load().await.unwrap().runs;
    for (found, expected) in restored.iter().zip(active(&runs)) {
        assert_eq!(*found, expected);
    }
    assert_eq!(restored.len(), active(&runs).len());
    assert_eq!(store.runs(&ALL_RUNS).await.unwrap(), newest_first(runs));

    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    assert_eq!(
        count(&mut sqlite(state.path()).await, "outbox_rejected").await,
        0
    );
    assert_equal(state.path(), &mut server.admin().await).await;
    forwarding.shut_down().await;
}

/// A span longer than is stored is cut, and longer than anybody waits.
#[tokio::test]
async fn an_endless_timeout_is_stored_as_a_long_one() {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    let run = Run {
        timeout: Duration::MAX,
        ..run("ai", at(0), Phase::Queued)
    };
    store.commit(&[put_run(&run)]).await.unwrap();
    let restored = store.load().await.unwrap().runs;
    let century = Duration::from_hours(100 * 365 * 24);
    assert_eq!(restored[0].timeout, century);
}
