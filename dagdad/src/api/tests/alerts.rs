//! Alerts that go on, and past ones.

use dagda_proto::v1::{self, alerts_service_server::AlertsService};
use tonic::Request;
use uuid::Uuid;

use super::ports::Records;
use super::{bench, detail, wire};
use crate::domain::alert::{Alert, Condition, Severity};
use crate::engine::example::{at, snapshot};
use crate::engine::snapshot::Snapshot;
use crate::ports::StoreError;

fn going_on(number: u8, severity: Severity) -> Alert {
    let second = i64::from(number);
    Alert {
        id: Uuid::from_u128(number.into()),
        condition: Condition::PodDown,
        object: format!("pod-{number}"),
        severity,
        message: "it ended: exit code 1".to_owned(),
        created_at: at(second),
        updated_at: at(second),
        resolved_at: None,
    }
}

fn over(number: u8) -> Alert {
    Alert {
        updated_at: at(99),
        resolved_at: Some(at(99)),
        ..going_on(number, Severity::Info)
    }
}

/// A box on which these go on; the engine has them by condition and object.
fn having(alerts: &[Alert]) -> Snapshot {
    let mut snapshot = snapshot(Vec::new(), Vec::new());
    snapshot.alerts = alerts.to_vec();
    snapshot
}

async fn list(
    alerts: &[Alert],
    records: Records,
    all: bool,
    limit: u32,
) -> Result<Vec<v1::Alert>, tonic::Status> {
    let bench = bench(having(alerts), records);
    let request = Request::new(v1::ListAlertsRequest { all, limit });
    Ok(bench.api.list_alerts(request).await?.into_inner().alerts)
}

fn stored(alerts: Vec<Alert>) -> Records {
    Records {
        alerts,
        ..Records::default()
    }
}

fn broken() -> Records {
    Records {
        broken: Some(StoreError::Failed("no".to_owned())),
        ..Records::default()
    }
}

fn objects(alerts: &[v1::Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.object.as_str()).collect()
}

#[tokio::test]
async fn an_alert_is_told_whole() {
    let alerts = [going_on(1, Severity::Critical)];
    let told = list(&alerts, stored(vec![over(2)]), true, 0).await.unwrap();
    let raised = v1::Alert {
        id: "00000000-0000-0000-0000-000000000001".to_owned(),
        condition: "pod_down".to_owned(),
        object: "pod-1".to_owned(),
        severity: v1::AlertSeverity::Critical.into(),
        message: "it ended: exit code 1".to_owned(),
        created_at: Some(wire(1)),
        updated_at: Some(wire(1)),
        resolved_at: None,
    };
    assert_eq!(told[1], raised);
    assert_eq!(told[0].severity(), v1::AlertSeverity::Info);
    assert_eq!(told[0].updated_at, Some(wire(99)));
    assert_eq!(told[0].resolved_at, Some(wire(99)));
}

#[tokio::test]
async fn what_goes_on_waits_for_no_store() {
    let alerts = [going_on(1, Severity::Info), going_on(2, Severity::Warning)];
    let told = list(&alerts, broken(), false, 0).await.unwrap();
    assert_eq!(objects(&told), ["pod-2", "pod-1"]);
    let status = list(&alerts, broken(), true, 0).await.unwrap_err();
    assert_eq!(detail(&status).code, "store_failed");
}

#[tokio::test]
async fn past_ones_are_told_when_asked_for_and_the_engine_knows_better() {
    let alerts = [going_on(2, Severity::Critical), going_on(4, Severity::Info)];
    // 2 was raised higher since it was stored, 4 is not stored yet.
    let records = || stored(vec![over(1), going_on(2, Severity::Info), over(3)]);
    let told = list(&alerts, records(), true, 0).await.unwrap();
    assert_eq!(objects(&told), ["pod-4", "pod-3", "pod-2", "pod-1"]);
    assert_eq!(told[2].severity(), v1::AlertSeverity::Critical);
    let told = list(&alerts, records(), true, 3).await.unwrap();
    assert_eq!(objects(&told), ["pod-4", "pod-3", "pod-2"]);
    let told = list(&alerts, records(), false, 0).await.unwrap();
    assert_eq!(objects(&told), ["pod-4", "pod-2"]);
}
