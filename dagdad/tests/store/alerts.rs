//! Alerts: one row for each, in both databases, from its beginning to its end and until it is
//! old.

use dagdad::domain::alert::{Alert, AlertQuery, Condition, Severity};
use dagdad::ports::{MirrorLink, Record, Store as _, StoreError};
use dagdad::store::LocalStore;
use rstest::rstest;
use sqlx::Executor as _;

use crate::mariadb::MariaDb;
use crate::records::{Forwarding, alert, at, in_step, open, put_alert, wait_for};
use crate::tables::{assert_equal, count, sqlite};

const DAY: i64 = 86_400;
/// [`dagdad::store::StoreOptions::event_retention`] by default.
const KEPT: i64 = 30 * DAY;

async fn commit(store: &LocalStore, alerts: &[&Alert]) {
    let records: Vec<Record> = alerts.iter().map(|alert| put_alert(alert)).collect();
    store.commit(&records).await.unwrap();
}

async fn listed(store: &LocalStore, resolved: bool, limit: u32) -> Vec<Alert> {
    store.alerts(&AlertQuery { resolved, limit }).await.unwrap()
}

/// The alert after its end.
fn resolved(alert: &Alert, second: i64) -> Alert {
    Alert {
        updated_at: at(second),
        resolved_at: Some(at(second)),
        ..alert.clone()
    }
}

/// One of each condition, with each severity, oldest first.
fn every_form() -> Vec<Alert> {
    let mut alerts: Vec<Alert> = (0..)
        .zip(Condition::ALL)
        .map(|(n, condition)| alert(condition, "llama", at(n)))
        .collect();
    for (alert, severity) in alerts.iter_mut().zip(Severity::ALL.into_iter().cycle()) {
        alert.severity = severity;
    }
    alerts.extend((100..).zip(Severity::ALL).map(|(n, severity)| Alert {
        severity,
        message: String::new(),
        ..alert(Condition::PodDown, "n8n", at(n))
    }));
    alerts
}

#[tokio::test]
async fn every_form_comes_back_as_it_was() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let alerts = every_form();
    commit(&store, &alerts.iter().rev().collect::<Vec<_>>()).await;
    store.close().await;
    forwarding.shut_down().await;

    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    assert_eq!(store.load().await.unwrap().alerts, alerts);
    let mut newest: Vec<Alert> = alerts.iter().rev().cloned().collect();
    assert_eq!(listed(&store, false, u32::MAX).await, newest);
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;

    // The first ends: the same row, in both.
    let ended = resolved(&alerts[0], 500);
    commit(&store, &[&ended]).await;
    assert_eq!(store.load().await.unwrap().alerts, alerts[1..]);
    *newest.last_mut().unwrap() = ended;
    assert_eq!(listed(&store, true, u32::MAX).await, newest);
    assert_eq!(listed(&store, true, 2).await, newest[..2]);
    newest.pop();
    assert_eq!(listed(&store, false, u32::MAX).await, newest);
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    let (rows, over, lasted): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), CAST(sum(resolved) AS SIGNED),
             max(TIMESTAMPDIFF(SECOND, created_at, resolved_at))
         FROM dagda_orchestrator.resource_alerts",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    let written = i64::try_from(alerts.len()).unwrap();
    assert_eq!((rows, over, lasted), (written, 1, 500));
    forwarding.shut_down().await;
}

/// MariaDB misses the whole episode and a crash in the middle of it, and has one row of it.
#[tokio::test]
async fn an_episode_that_mariadb_misses_is_one_row_there() {
    let mut server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    server.stop().await;
    let raised = alert(Condition::PodDown, "llama", at(0));
    commit(&store, &[&raised]).await;
    wait_for(&store, |status| {
        matches!(status.link, MirrorLink::Disconnected { .. })
    })
    .await;
    forwarding.crash().await;
    store.close().await;

    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    assert_eq!(
        store.load().await.unwrap().alerts,
        std::slice::from_ref(&raised)
    );
    commit(&store, &[&resolved(&raised, 60)]).await;
    server.start_again().await;
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;
    let rows: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT TIMESTAMPDIFF(SECOND, created_at, resolved_at), resolved
         FROM dagda_orchestrator.resource_alerts",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!(rows, [(60, true)]);
    forwarding.shut_down().await;
}

#[tokio::test]
async fn what_was_resolved_is_kept_as_long_as_events() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let raised = |object| alert(Condition::WorkflowFailed, object, at(-400 * DAY));
    let (old, young) = (resolved(&raised("a"), 9), resolved(&raised("b"), 10));
    let going_on = raised("c");
    commit(&store, &[&old, &young, &going_on]).await;
    in_step(&store).await;

    store.tidy(at(KEPT + 10)).await.unwrap();
    assert_eq!(
        listed(&store, true, 9).await,
        [going_on.clone(), young.clone()]
    );
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_equal(state.path(), &mut admin).await;

    store.tidy(at(4_000 * DAY)).await.unwrap();
    assert_eq!(listed(&store, true, 9).await, [going_on]);
    in_step(&store).await;
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

/// One value that cannot be understood, and the store is damaged. Each column is broken past
/// SQLite's own checks.
#[rstest]
#[case("uuid = 'x'", r#"resource_alerts.uuid holds "x""#)]
#[case("alert_type = 'bored'", r#"resource_alerts.alert_type holds "bored""#)]
#[case("severity = 'dire'", r#"resource_alerts.severity holds "dire""#)]
#[case("created_at = 9223372036854775807", "resource_alerts.created_at holds")]
#[case(
    "updated_at = -9223372036854775807",
    "resource_alerts.updated_at holds"
)]
#[case(
    "resolved_at = 1",
    "resource_alerts.resolved_at is set in a row that is not resolved"
)]
#[case(
    "resolved = 1",
    "resource_alerts.resolved_at is empty in a row that is resolved"
)]
#[tokio::test]
async fn what_was_never_written_is_refused(#[case] change: &str, #[case] expected: &str) {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    commit(&store, &[&alert(Condition::PodDown, "llama", at(0))]).await;
    let mut local = sqlite(state.path()).await;
    local
        .execute("PRAGMA ignore_check_constraints = ON")
        .await
        .unwrap();
    let update = sqlx::AssertSqlSafe(format!("UPDATE resource_alerts SET {change}"));
    assert_eq!(local.execute(update).await.unwrap().rows_affected(), 1);

    let query = AlertQuery {
        resolved: true,
        limit: 9,
    };
    let error = store.alerts(&query).await.unwrap_err();
    let StoreError::Corrupt { reason, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(reason.contains(expected), "{reason}");
    let load = store.load().await;
    if change == "resolved = 1" {
        // What has ended is not begun with.
        assert_eq!(load.unwrap().alerts, []);
    } else {
        assert_eq!(load.unwrap_err(), error);
    }
}

#[rstest]
#[case("alert_type = 'bored'")]
#[case("severity = 'dire'")]
#[tokio::test]
async fn sqlite_refuses_what_cannot_be(#[case] change: &str) {
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), None).await;
    commit(&store, &[&alert(Condition::PodDown, "llama", at(0))]).await;
    let mut local = sqlite(state.path()).await;
    let update = sqlx::AssertSqlSafe(format!("UPDATE resource_alerts SET {change}"));
    let error = local.execute(update).await.unwrap_err().to_string();
    assert!(error.contains("CHECK constraint failed"), "{error}");
    assert_eq!(
        count(&mut local, "resource_alerts WHERE resolved = 0").await,
        1
    );
}
