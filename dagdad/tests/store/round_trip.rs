//! What is stored of workflows, runs, pods' lives and intents comes back as it was, from
//! SQLite and in MariaDB; and what was never stored so is refused.

use std::collections::HashSet;
use std::time::Duration;

use dagdad::domain::admission::Admission;
use dagdad::domain::event::EventRecord;
use dagdad::domain::footprint::PodRun;
use dagdad::domain::name::PodName;
use dagdad::domain::operation::{Intent, OperationId, OperationKind};
use dagdad::domain::pod::{Footprint, Priority};
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::domain::run::{
    Failure, Outcome, Phase, Run, RunId, RunMember, RunQuery, RunState, Step,
};
use dagdad::domain::workflow::OnFailure;
use dagdad::ports::{Record, Store as _, StoreError, WorkflowRecord};
use dagdad::store::LocalStore;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::mariadb::MariaDb;
use crate::records::{
    EPOCH, Forwarding, at, event, in_step, names, open, pod, pod_run, put, put_pod_run, put_run,
    put_workflow, run, start, workflow,
};
use crate::tables::{assert_equal, count, sqlite};

const ALL_RUNS: RunQuery = RunQuery {
    workflow: None,
    limit: u32::MAX,
};

fn failure() -> Failure {
    Failure {
        code: "pod_failed".to_owned(),
        message: "llama ended: \"exit code 1\"\n\\ été 🦙".to_owned(),
        log: vec![String::new(), "CUDA error: \t out of memory".to_owned()],
    }
}

/// Every phase there is.
fn phases() -> Vec<Phase> {
    let ended = |outcome| Phase::Ended {
        at: at(77),
        outcome,
    };
    let phases = vec![
        Phase::Queued,
        Phase::Evicting {
            victims: names(["qwen", "n8n"]),
        },
        Phase::Evicting { victims: vec![] },
        Phase::Starting {
            deadline: Timestamp::from_microsecond(EPOCH * 1_000_000 + 1).unwrap(),
        },
        Phase::Running,
        Phase::Degraded,
        Phase::RollingBack(failure()),
        Phase::Stopping,
        ended(Outcome::Stopped),
        ended(Outcome::Failed(failure())),
        ended(Outcome::Failed(Failure {
            code: String::new(),
            message: String::new(),
            log: vec![],
        })),
        ended(Outcome::RolledBack(failure())),
        ended(Outcome::Cancelled),
    ];
    let states: HashSet<RunState> = phases.iter().map(Phase::state).collect();
    assert_eq!(states.len(), RunState::ALL.len(), "a state is missing here");
    phases
}

/// Every step there is.
fn steps() -> Vec<Step> {
    let text = || "it's \"gone\"\n\\ 🦙".to_owned();
    let steps = vec![
        Step::Waiting,
        Step::Starting,
        Step::Ready,
        Step::Completed,
        Step::Lost { message: text() },
        Step::Failed { message: text() },
        Step::Failed {
            message: String::new(),
        },
        Step::Stopping,
        Step::Stopped,
        Step::Kept { because: text() },
    ];
    // Whoever adds a step is led here by the compiler.
    for step in &steps {
        match step {
            Step::Waiting
            | Step::Starting
            | Step::Ready
            | Step::Completed
            | Step::Lost { .. }
            | Step::Failed { .. }
            | Step::Stopping
            | Step::Stopped
            | Step::Kept { .. } => {}
        }
    }
    let words: HashSet<&str> = steps.iter().map(Step::as_str).collect();
    assert_eq!(words.len(), 9, "a step is missing here");
    steps
}

/// A run in each phase, with the other columns in every form, oldest first.
fn runs() -> Vec<Run> {
    let mut runs: Vec<Run> = (0..)
        .zip(phases())
        .map(|(n, phase)| run("ai-complete", at(n), phase))
        .collect();
    let since = |step: Step| RunMember {
        pod: "llama".parse().unwrap(),
        level: u32::MAX,
        after: names(["mariadb", "n8n"]),
        step,
        since: Timestamp::from_microsecond(EPOCH * 1_000_000 + 42).unwrap(),
        started_by_run: true,
    };
    runs[0].members = steps().into_iter().map(since).collect();
    runs[1].members = vec![];
    for (run, admission) in runs.iter_mut().zip(Admission::ALL) {
        run.admission = admission;
        run.on_failure = OnFailure::Keep;
        run.priority = Priority::new(100).unwrap();
        run.admitted_at = Some(at(1));
    }
    runs[3].timeout = Duration::ZERO;
    runs[4].timeout = Duration::from_micros(1);
    runs[4].ready_at = Some(at(2));
    runs[5].timeout = Duration::from_hours(24 * 365 * 100);
    runs
}

fn pod_runs() -> Vec<PodRun> {
    let full = PodRun {
        ready_after: Some(Duration::ZERO),
        ended_at: Some(at(5)),
        completed: true,
        ..pod_run("llama", at(0))
    };
    let empty = PodRun {
        ready_after: None,
        memory_peak: Bytes(0),
        cpu_peak: Millicpu(0),
        ..pod_run("llama", at(6))
    };
    vec![full, empty, pod_run("n8n", at(1))]
}

fn intents() -> Vec<Intent> {
    let kinds = [
        OperationKind::Start,
        OperationKind::Stop,
        OperationKind::Restart,
        OperationKind::Remove,
    ];
    let run = RunId(Uuid::now_v7());
    let mut intents = Vec::new();
    for kind in kinds {
        for admission in Admission::ALL {
            intents.push(Intent {
                kind,
                admission,
                run: (admission != Admission::Fit).then_some(run),
                ..start("llama", at(i64::try_from(intents.len()).unwrap()))
            });
        }
    }
    intents
}

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
    let (runs, pod_runs, intents) = (runs(), pod_runs(), intents());
    let events = [
        EventRecord {
            run: Some(runs[0].id),
            ..event(at(1), Some("llama"), "of a run")
        },
        event(at(2), None, "of none"),
    ];
    let records: Vec<Record> = (workflows.iter().map(put_workflow))
        .chain(runs.iter().rev().map(put_run))
        .chain(pod_runs.iter().rev().map(put_pod_run))
        .chain(intents.iter().rev().cloned().map(Record::OpenIntent))
        .chain(events.iter().cloned().map(Record::Event))
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
    assert_eq!(
        store.runs(&ALL_RUNS).await.unwrap(),
        newest_first(runs.clone())
    );
    let query = dagdad::domain::event::EventQuery {
        limit: 9,
        ..Default::default()
    };
    assert_eq!(store.events(&query).await.unwrap(), events);

    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
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

    // Each run goes on to another phase: every column changes, or is emptied.
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
    assert_eq!(store.load().await.unwrap().runs, active(&moved));
    assert_eq!(store.load().await.unwrap().pod_runs, ended);
    assert_eq!(store.runs(&ALL_RUNS).await.unwrap(), newest_first(moved));
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

fn text() -> impl Strategy<Value = String> {
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

fn time() -> impl Strategy<Value = Timestamp> {
    // What a TIMESTAMP of MariaDB holds.
    (1..2_147_483_647_000_000i64).prop_map(|micros| Timestamp::from_microsecond(micros).unwrap())
}

fn name() -> impl Strategy<Value = PodName> {
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

/// A store with a row in every table, and a run in each phase.
async fn written(state_dir: &std::path::Path) -> LocalStore {
    let store = open(state_dir, None).await;
    let intent = Intent {
        id: OperationId(Uuid::now_v7()),
        run: Some(RunId(Uuid::now_v7())),
        ..start("llama", at(0))
    };
    let records: Vec<Record> = (runs().iter().map(put_run))
        .chain(pod_runs().iter().map(put_pod_run))
        .chain([
            put(&pod("llama")),
            put_workflow(&workflow("ai")),
            Record::OpenIntent(intent),
        ])
        .collect();
    store.commit(&records).await.unwrap();
    store
}

/// As other rows: one value that cannot be understood, and the store is damaged. Each column
/// is broken past SQLite's own checks.
#[rstest]
#[case(
    "workflow_runs SET state = 'asleep'",
    r#"workflow_runs.state holds "asleep""#
)]
#[case(
    "workflow_runs SET uuid = 'x' WHERE state = 'queued'",
    r#"workflow_runs.uuid holds "x""#
)]
#[case(
    "workflow_runs SET workflow = 'a b'",
    r#"workflow_runs.workflow holds "a b""#
)]
#[case(
    "workflow_runs SET priority = 101",
    r#"workflow_runs.priority holds "101""#
)]
#[case(
    "workflow_runs SET on_failure = 'shrug'",
    r#"workflow_runs.on_failure holds "shrug""#
)]
#[case(
    "workflow_runs SET timeout_seconds = -1",
    r#"workflow_runs.timeout_seconds holds "-1""#
)]
#[case(
    "workflow_runs SET admission = 'maybe'",
    r#"workflow_runs.admission holds "maybe""#
)]
#[case(
    "workflow_runs SET ready_at = 9223372036854775807",
    "workflow_runs.ready_at holds"
)]
#[case(
    "workflow_runs SET victims = NULL WHERE state = 'evicting'",
    "workflow_runs.victims is empty in a row that is evicting"
)]
#[case(
    "workflow_runs SET victims = '[1]' WHERE state = 'evicting'",
    "workflow_runs.victims holds JSON that is not understood: invalid type"
)]
#[case(
    "workflow_runs SET victims = '[\"\"]' WHERE state = 'evicting'",
    r#"workflow_runs.victims holds """#
)]
#[case(
    "workflow_runs SET victims = '[]' WHERE state = 'running'",
    "workflow_runs.victims is set in a row that is running"
)]
#[case(
    "workflow_runs SET deadline = NULL WHERE state = 'starting'",
    "workflow_runs.deadline is empty in a row that is starting"
)]
#[case(
    "workflow_runs SET deadline = 1 WHERE state = 'degraded'",
    "workflow_runs.deadline is set in a row that is degraded"
)]
#[case(
    "workflow_runs SET failure_code = NULL WHERE state = 'rolling_back'",
    "workflow_runs.failure_code is empty in a row that is rolling_back"
)]
#[case(
    "workflow_runs SET failure_message = NULL WHERE state = 'rolling_back'",
    "workflow_runs.failure_message is empty in a row that is rolling_back"
)]
#[case(
    "workflow_runs SET failure_log = 'oh no' WHERE state = 'rolling_back'",
    "workflow_runs.failure_log holds JSON that is not understood"
)]
#[case(
    "workflow_runs SET failure_code = 'x' WHERE state = 'queued'",
    "workflow_runs.failure_code is set in a row that is queued"
)]
#[case(
    "workflow_runs SET failure_log = '[]' WHERE state = 'stopping'",
    "workflow_runs.failure_log is set in a row that is stopping"
)]
#[case(
    "workflow_runs SET ended_at = NULL WHERE state = 'stopped'",
    "workflow_runs.ended_at is empty in a row that is stopped"
)]
#[case(
    "workflow_runs SET pods = '[' WHERE state = 'running'",
    "workflow_runs.pods holds JSON that is not understood: EOF"
)]
#[case(
    "workflow_runs SET pods = json_set(pods, '$[0].step', 'flying')",
    "workflow_runs.pods holds JSON that is not understood: unknown variant `flying`"
)]
#[case(
    "workflow_runs SET pods = json_set(pods, '$[0].step', 'lost') WHERE state = 'running'",
    "workflow_runs.pods holds JSON that is not understood: missing field `message`"
)]
#[case(
    "workflow_runs SET pods = json_set(pods, '$[0].level', -1)",
    "workflow_runs.pods holds JSON that is not understood: invalid value"
)]
#[case(
    "workflow_runs SET pods = json_set(pods, '$[0].pod', '/')",
    r#"workflow_runs.pods holds "/""#
)]
#[case(
    "workflow_runs SET pods = json_set(pods, '$[0].since', 'soon')",
    r#"workflow_runs.pods holds "soon""#
)]
#[case(
    "workflow_runs SET pods = json_remove(pods, '$[0].after')",
    "workflow_runs.pods holds JSON that is not understood: missing field `after`"
)]
#[case("pod_runs SET pod = ''", r#"pod_runs.pod holds """#)]
#[case(
    "pod_runs SET uuid = 'x' WHERE pod = 'n8n'",
    r#"pod_runs.uuid holds "x""#
)]
#[case(
    "pod_runs SET ready_after_seconds = 1e300",
    "pod_runs.ready_after_seconds holds"
)]
#[case(
    "pod_runs SET ended_at = -9223372036854775807",
    "pod_runs.ended_at holds"
)]
#[case(
    "pod_runs SET memory_peak_bytes = -1",
    r#"pod_runs.memory_peak_bytes holds "-1""#
)]
#[case("pod_runs SET cpu_peak = -0.5", r#"pod_runs.cpu_peak holds "-0.5""#)]
#[case(
    "workflows SET required_pods = '{}'",
    "workflows.required_pods holds JSON that is not understood: invalid type"
)]
#[case(
    "workflows SET required_pods = '[\"-\"]'",
    r#"workflows.required_pods holds "-""#
)]
#[case("workflows SET priority = -1", r#"workflows.priority holds "-1""#)]
#[case(
    "workflows SET estimated_ram_bytes = -1",
    r#"workflows.estimated_ram_bytes holds "-1""#
)]
#[case(
    "workflows SET estimated_cpu = -1",
    r#"workflows.estimated_cpu holds "-1""#
)]
#[case("workflows SET name = '?'", r#"workflows.name holds "?""#)]
#[case(
    "intents SET admission = 'maybe'",
    r#"intents.admission holds "maybe""#
)]
#[case("intents SET run = 'x'", r#"intents.run holds "x""#)]
#[case(
    "pods SET current_ram_mapped_bytes = -1",
    r#"pods.current_ram_mapped_bytes holds "-1""#
)]
#[tokio::test]
async fn what_was_never_written_is_refused(#[case] change: &str, #[case] expected: &str) {
    let state = tempfile::tempdir().unwrap();
    let store = written(state.path()).await;
    let mut local = sqlite(state.path()).await;
    local
        .execute("PRAGMA ignore_check_constraints = ON")
        .await
        .unwrap();
    let update = sqlx::AssertSqlSafe(format!("UPDATE {change}"));
    let changed = local.execute(update).await.unwrap();
    assert!(changed.rows_affected() > 0, "no row is like that");

    let mut errors = vec![store.load().await.unwrap_err()];
    if change.starts_with("workflow_runs") {
        errors.push(store.runs(&ALL_RUNS).await.unwrap_err());
    }
    for error in errors {
        let StoreError::Corrupt { path, reason } = &error else {
            panic!("{error:?}");
        };
        assert!(path.ends_with(dagdad::store::FILE_NAME));
        assert!(reason.contains(expected), "{reason}");
    }
}

/// SQLite itself holds a state and its columns together.
#[rstest]
#[case("victims = '[]' WHERE state = 'running'")]
#[case("victims = NULL WHERE state = 'evicting'")]
#[case("deadline = 1 WHERE state = 'queued'")]
#[case("deadline = NULL WHERE state = 'starting'")]
#[case("failure_code = NULL WHERE state = 'rolled_back'")]
#[case("failure_message = NULL WHERE state = 'failed'")]
#[case("failure_log = NULL WHERE state = 'rolling_back'")]
#[case("failure_log = '[]' WHERE state = 'cancelled'")]
#[case("ended_at = NULL WHERE state = 'cancelled'")]
#[case("ended_at = 1 WHERE state = 'stopping'")]
#[case("state = 'running' WHERE state = 'stopped'")]
#[case("state = 'asleep' WHERE state = 'queued'")]
#[tokio::test]
async fn sqlite_refuses_mixed_states(#[case] change: &str) {
    let state = tempfile::tempdir().unwrap();
    written(state.path()).await;
    let mut local = sqlite(state.path()).await;
    let update = sqlx::AssertSqlSafe(format!("UPDATE workflow_runs SET {change}"));
    let error = local.execute(update).await.unwrap_err().to_string();
    assert!(error.contains("CHECK constraint failed"), "{error}");
}
