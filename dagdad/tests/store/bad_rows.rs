//! What the store never wrote is refused, when it is read and by SQLite itself.

use dagdad::domain::operation::Intent;
use dagdad::domain::run::{RunId, RunQuery};
use dagdad::ports::{Record, Store as _, StoreError};
use dagdad::store::LocalStore;
use rstest::rstest;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::forms::{economies, pod_runs, runs, silences};
use crate::records::{
    alert, at, open, pod, put, put_alert, put_economy, put_pod_run, put_run, put_silence,
    put_workflow, start, workflow,
};
use crate::tables::sqlite;

/// A store with a row in every table, and a run in each phase. Economy mode is active, since
/// something is short, and everything is taken.
async fn written(state_dir: &std::path::Path) -> LocalStore {
    let store = open(state_dir, None).await;
    let intent = Intent {
        run: Some(RunId(Uuid::now_v7())),
        ..start("llama", at(0))
    };
    let records: Vec<Record> = (runs().iter().map(put_run))
        .chain(pod_runs().iter().map(put_pod_run))
        .chain(silences().iter().map(put_silence))
        .chain(economies().iter().map(put_economy))
        .chain([
            put(&pod("llama")),
            put_workflow(&workflow("ai")),
            put_alert(&alert("llama", at(0))),
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
    "resource_alerts SET severity = 'dire'",
    r#"resource_alerts.severity holds "dire""#
)]
#[case(
    "resource_alerts SET acknowledged_at = 9223372036854775807",
    "resource_alerts.acknowledged_at holds"
)]
#[case(
    "resource_alerts SET culprits = '{}'",
    "resource_alerts.culprits holds JSON that is not understood: invalid type"
)]
#[case(
    r#"resource_alerts SET culprits = '[{"pod":"a","cpu_percent":1.5,"ram_bytes":-1}]'"#,
    r#"resource_alerts.culprits holds "-1""#
)]
#[case("resource_alerts SET uuid = 'x'", r#"resource_alerts.uuid holds "x""#)]
#[case(
    "resource_alerts SET resolved_at = 1",
    "resource_alerts.resolved_at is set in a row that is not resolved"
)]
#[case(
    "pods SET current_ram_mapped_bytes = -1",
    r#"pods.current_ram_mapped_bytes holds "-1""#
)]
#[case(
    "economy SET policy = 'sometimes'",
    r#"economy.policy holds "sometimes""#
)]
#[case(
    "economy SET active_since = 9223372036854775807",
    "economy.active_since holds"
)]
#[case(
    "economy SET active_since = NULL",
    "economy.cause is set in a row that is not active"
)]
#[case(
    "economy SET active_since = NULL, cause = NULL",
    "economy.cause_value is set in a row that is not active"
)]
#[case(
    "economy SET active_since = NULL, cause = NULL, cause_value = NULL",
    "economy.cause_threshold is set in a row that is not active"
)]
#[case("economy SET cause = 'mood'", r#"economy.cause holds "mood""#)]
#[case(
    "economy SET cause = NULL",
    "economy.cause is empty in a row that is active"
)]
#[case(
    "economy SET cause_value = NULL",
    "economy.cause_value is empty in a row that is active"
)]
#[case(
    "economy SET cause_threshold = NULL",
    "economy.cause_threshold is empty in a row that is active"
)]
#[case(
    "economy SET cause = 'policy'",
    "economy.cause_value is set in a row that is active by policy"
)]
#[case(
    "economy SET cause = 'policy', cause_value = NULL",
    "economy.cause_threshold is set in a row that is active by policy"
)]
#[case(
    "economy SET taken = 'oh no'",
    "economy.taken holds JSON that is not understood"
)]
#[case(
    "economy SET taken = json_set(taken, '$[0].taking', 'stolen')",
    "economy.taken holds JSON that is not understood: unknown variant `stolen`"
)]
#[case(
    "economy SET taken = json_remove(taken, '$[0].cpu_millicores')",
    "economy.taken holds JSON that is not understood: missing field `cpu_millicores`"
)]
#[case(
    "economy SET taken = json_set(taken, '$[2].for_good', 1)",
    "economy.taken holds JSON that is not understood: invalid type"
)]
#[case(
    "economy SET taken = json_set(taken, '$[1].used_memory_bytes', -1)",
    "economy.taken holds JSON that is not understood: invalid value"
)]
#[case(
    "economy SET taken = json_set(taken, '$[0].pod', '/')",
    r#"economy.taken holds "/""#
)]
#[case(
    "economy SET taken = json_set(taken, '$[0].at', 'soon')",
    r#"economy.taken holds "soon""#
)]
#[case(
    "economy SET sheds = '[1]'",
    "economy.sheds holds JSON that is not understood: invalid type"
)]
#[case(
    "economy SET sheds = json_set(sheds, '$[0].pod', '')",
    r#"economy.sheds holds """#
)]
#[case(
    "economy SET sheds = json_set(sheds, '$[1].at', 'soon')",
    r#"economy.sheds holds "soon""#
)]
#[case(
    "silences SET uuid = 'x' WHERE object = 'llama'",
    r#"silences.uuid holds "x""#
)]
#[case(
    "silences SET object = 'llama' WHERE condition = 'cpu_high'",
    "silences.object is set in a row that is a silence of a condition"
)]
#[case(
    "silences SET object = NULL",
    "silences.object is empty in a row that is not a silence of a condition"
)]
#[case(
    "silences SET created_at = 9223372036854775807",
    "silences.created_at holds"
)]
#[case("silences SET until = -9223372036854775807", "silences.until holds")]
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
        let all = RunQuery {
            workflow: None,
            limit: u32::MAX,
        };
        errors.push(store.runs(&all).await.unwrap_err());
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

/// And what economy mode and silences are made of.
#[rstest]
#[case("economy SET id = 2")]
#[case("economy SET policy = 'sometimes'")]
#[case("economy SET cause = 'mood'")]
#[case("economy SET cause = NULL")]
#[case("economy SET active_since = NULL")]
#[case("economy SET cause = 'policy'")]
#[case("economy SET cause_value = NULL")]
#[case("economy SET cause_threshold = NULL")]
#[case("silences SET object = 'llama' WHERE condition = 'cpu_high'")]
#[case("silences SET object = NULL")]
#[tokio::test]
async fn sqlite_refuses_what_does_not_go_together(#[case] change: &str) {
    let state = tempfile::tempdir().unwrap();
    written(state.path()).await;
    let mut local = sqlite(state.path()).await;
    let update = sqlx::AssertSqlSafe(format!("UPDATE {change}"));
    let error = local.execute(update).await.unwrap_err().to_string();
    assert!(error.contains("CHECK constraint failed"), "{error}");
}

/// A silence of a condition that only a later version watches is not this one's.
#[tokio::test]
async fn a_silence_of_an_unknown_condition_is_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let store = written(state.path()).await;
    let mut local = sqlite(state.path()).await;
    local
        .execute("UPDATE silences SET condition = 'gpu_high' WHERE condition = 'cpu_high'")
        .await
        .unwrap();
    let mut expected: Vec<_> = silences().into_iter().map(|silence| silence.of).collect();
    expected.remove(0);
    let restored = store.load().await.unwrap().silences;
    let found: Vec<_> = restored.into_iter().map(|silence| silence.of).collect();
    assert_eq!(found, expected);
}
