//! One episode, one row of `resource_alerts`, opened and resolved at the true times, whatever
//! happens to MariaDB and to dagdad meanwhile.

use dagdad::domain::alert::{Alert, AlertQuery, Condition, Culprit, Severity};
use dagdad::domain::quantity::Bytes;
use dagdad::ports::{MirrorLink, Store as _};
use dagdad::store::LocalStore;
use jiff::Timestamp;
use rstest::rstest;
use sqlx::MySqlConnection;

use crate::mariadb::MariaDb;
use crate::records::{EPOCH, Forwarding, alert, at, in_step, open, put_alert, wait_for};
use crate::tables::assert_equal;

fn micros(second: i64, micros: i64) -> Timestamp {
    Timestamp::from_microsecond((EPOCH + second) * 1_000_000 + micros).unwrap()
}

/// The stages of one episode: raised, at its peak, resolved.
fn episode() -> [Alert; 3] {
    let raised = Alert {
        condition: Condition::RamHigh,
        severity: Severity::Warning,
        peak: Some(81.5),
        ..alert("host", micros(0, 123_457))
    };
    let higher = Alert {
        severity: Severity::Critical,
        updated_at: micros(30, 999_999),
        peak: Some(97.25),
        culprits: vec![Culprit {
            pod: "llama".to_owned(),
            cpu_percent: 203.14,
            memory: Bytes(6_442_450_945),
        }],
        ..raised.clone()
    };
    let resolved = Alert {
        // Found out five minutes after it was over.
        resolved_at: Some(micros(60, 1)),
        updated_at: micros(360, 2),
        ..higher.clone()
    };
    [raised, higher, resolved]
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    uuid: String,
    resolved: bool,
    created_at: i64,
    updated_at: i64,
    resolved_at: Option<i64>,
    peak: f64,
}

impl From<&Alert> for Row {
    fn from(alert: &Alert) -> Self {
        Self {
            uuid: alert.id.to_string(),
            resolved: alert.resolved_at.is_some(),
            created_at: alert.created_at.as_microsecond(),
            updated_at: alert.updated_at.as_microsecond(),
            resolved_at: alert.resolved_at.map(Timestamp::as_microsecond),
            peak: alert.peak.unwrap(),
        }
    }
}

async fn rows(mariadb: &mut MySqlConnection) -> Vec<Row> {
    sqlx::query_as(
        "SELECT uuid, resolved, CAST(peak AS DOUBLE) AS peak,
             CAST(UNIX_TIMESTAMP(created_at) * 1000000 AS SIGNED) AS created_at,
             CAST(UNIX_TIMESTAMP(updated_at) * 1000000 AS SIGNED) AS updated_at,
             CAST(UNIX_TIMESTAMP(resolved_at) * 1000000 AS SIGNED) AS resolved_at
         FROM dagda_orchestrator.resource_alerts ORDER BY id",
    )
    .fetch_all(mariadb)
    .await
    .unwrap()
}

/// What the next daemon finds when this one is killed: nothing is shut down.
async fn killed(
    store: LocalStore,
    forwarding: Forwarding,
    next: impl Future<Output = LocalStore>,
) -> LocalStore {
    forwarding.crash().await;
    drop(store);
    next.await
}

/// MariaDB goes before the episode begins, or when it has seen it begin. dagdad is killed twice
/// in the middle of it.
#[rstest]
#[tokio::test]
async fn an_episode_without_mariadb_is_one_row(#[values(false, true)] seen: bool) {
    let mut server = MariaDb::start().await;
    let options = server.options();
    let state = tempfile::tempdir().unwrap();
    let next = || open(state.path(), Some(options.clone()));
    let [raised, higher, resolved] = episode();

    let mut store = next().await;
    let mut forwarding = Forwarding::of(&store);
    in_step(&store).await;
    if seen {
        store.commit(&[put_alert(&raised)]).await.unwrap();
        in_step(&store).await;
        assert_eq!(rows(&mut server.admin().await).await, [Row::from(&raised)]);
    }
    server.kill().await;

    let stages: &[&Alert] = if seen {
        &[&higher]
    } else {
        &[&raised, &higher]
    };
    for stage in stages {
        store.commit(&[put_alert(stage)]).await.unwrap();
        wait_for(&store, |status| {
            matches!(status.link, MirrorLink::Disconnected { .. })
        })
        .await;
        store = killed(store, forwarding, next()).await;
        forwarding = Forwarding::of(&store);
        let restored = store.load().await.unwrap().alerts;
        assert_eq!(restored, std::slice::from_ref(*stage));
        store.tidy(stage.updated_at).await.unwrap();
    }
    store.commit(&[put_alert(&resolved)]).await.unwrap();
    store = killed(store, forwarding, next()).await;
    assert_eq!(store.load().await.unwrap().alerts, []);
    assert_eq!(store.mirror().borrow().outbox, 1, "one row, one entry");

    server.start_again().await;
    let forwarding = Forwarding::of(&store);
    in_step(&store).await;
    let mut admin = server.admin().await;
    assert_eq!(rows(&mut admin).await, [Row::from(&resolved)]);
    assert_equal(state.path(), &mut admin).await;
    forwarding.shut_down().await;
}

/// A write that comes late (one that was kept while the disk was full, say) does not open it
/// again, in neither database.
#[tokio::test]
async fn a_resolved_alert_stays_resolved() {
    let server = MariaDb::start().await;
    let state = tempfile::tempdir().unwrap();
    let store = open(state.path(), Some(server.options())).await;
    let forwarding = Forwarding::of(&store);
    let [raised, higher, resolved] = episode();
    let acknowledged = Alert {
        acknowledged_at: Some(at(61)),
        updated_at: at(61),
        ..higher.clone()
    };
    store
        .commit(&[put_alert(&raised), put_alert(&resolved)])
        .await
        .unwrap();
    in_step(&store).await;
    let all = AlertQuery {
        resolved: true,
        limit: 9,
        ..AlertQuery::default()
    };
    for late in [&raised, &higher, &acknowledged] {
        store.commit(&[put_alert(late)]).await.unwrap();
        assert_eq!(store.load().await.unwrap().alerts, []);
        assert_eq!(
            store.alerts(&all).await.unwrap(),
            std::slice::from_ref(&resolved)
        );
        in_step(&store).await;
        assert_eq!(
            rows(&mut server.admin().await).await,
            [Row::from(&resolved)]
        );
    }
    forwarding.shut_down().await;
}
