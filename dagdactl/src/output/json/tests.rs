//! Each document's shape is a promise to scripts: a changed snapshot is a changed contract.

mod economy;
mod workflows;

use dagda_proto::v1;
use insta::assert_snapshot;
use serde::Serialize;

use super::ErrorDocument;
use super::alerts::{AlertListView, AlertsChangedView};
use super::audit::AuditView;
use super::catalogue::{ApplyView, ExportView};
use super::doctor::{CheckView, DoctorView};
use super::events::EventsView;
use super::logs::{LogLineView, LogsView};
use super::operations::{OperationView, OperationsView, OutcomeView};
use super::pod_detail::PodDetailView;
use super::pods::{PodListView, PodStateView, PodView, StatsView};
use super::resources::{HistoryView, ResourcesView};
use super::silences::SilenceListView;
use super::status::StatusView;
use crate::error::Error;
use crate::output::sample;

/// 2026-11-21T20:15:04.25Z.
const NOW: i64 = 1_795_292_104;

fn pretty(view: &impl Serialize) -> String {
    serde_json::to_string_pretty(view).unwrap()
}

fn failure() -> Error {
    Error::Refused {
        code: "pod_failed".into(),
        message: "n8n ended".into(),
        log: vec!["panic".into()],
        denial: None,
    }
}

#[test]
fn status() {
    assert_snapshot!(pretty(&StatusView::from(sample::status(NOW))));
}

#[test]
fn status_of_a_daemon_that_has_just_begun() {
    assert_snapshot!(pretty(&StatusView::from(v1::Status::default())));
}

#[test]
fn alerts_list() {
    let alerts = sample::alerts(NOW).into_iter().skip(1).collect();
    assert_snapshot!(pretty(&AlertListView::from(v1::ListAlertsResponse {
        alerts
    })));
}

#[test]
fn alerts_ack() {
    let alerts = sample::alerts(NOW).into_iter().take(1).collect();
    let changed = true;
    assert_snapshot!(pretty(&AlertsChangedView::from(v1::AlertsChanged {
        alerts,
        changed
    })));
}

#[test]
fn alerts_silences() {
    let silences = sample::silences(NOW);
    assert_snapshot!(pretty(&SilenceListView::from(v1::Silences { silences })));
}

#[test]
fn audit() {
    let entries = sample::audit(NOW).into_iter().take(4).collect();
    assert_snapshot!(pretty(&AuditView::from(v1::ListAuditResponse { entries })));
}

#[test]
fn pods_list() {
    assert_snapshot!(pretty(&PodListView::from(v1::ListPodsResponse {
        pods: sample::pods(NOW)
    })));
}

#[test]
fn pods_show() {
    assert_snapshot!(pretty(&PodDetailView::from(sample::pod_detail(NOW))));
}

#[test]
fn pods_stats() {
    let pods = sample::pods(NOW)
        .into_iter()
        .take(1)
        .map(|pod| PodView::from(pod).into())
        .collect();
    assert_snapshot!(pretty(&StatsView { pods }));
}

#[test]
fn pods_logs() {
    let line = v1::LogLine {
        container: "server".into(),
        at: Some(prost_types::Timestamp {
            seconds: NOW,
            nanos: 123_456_789,
        }),
        stream: "stderr".into(),
        text: "\u{1b}[31mred\u{1b}[0m".into(),
    };
    assert_snapshot!(pretty(&LogsView {
        lines: vec![LogLineView::from(line)]
    }));
}

#[test]
fn operations() {
    let error = failure();
    let result = |name: &str, outcome| OperationView {
        name: name.into(),
        outcome,
    };
    let view = OperationsView {
        results: vec![
            result(
                "llama",
                OutcomeView::Done {
                    changed: true,
                    message: "llama is running".into(),
                },
            ),
            result(
                "qwen",
                OutcomeView::Accepted {
                    message: "start of qwen accepted".into(),
                },
            ),
            result(
                "n8n",
                OutcomeView::Error {
                    error: Box::new((&error).into()),
                },
            ),
        ],
        error: Some((&error).into()),
    };
    assert_snapshot!(pretty(&view));
}

#[test]
fn apply() {
    let objects = vec![v1::AppliedObject {
        kind: "pod".into(),
        name: "llama".into(),
        change: v1::Change::Created.into(),
        notes: vec!["shares host port 8000 with qwen".into()],
    }];
    assert_snapshot!(pretty(&ApplyView::from(v1::ApplyResponse {
        objects,
        dry_run: true
    })));
}

#[test]
fn export() {
    let manifests = vec![v1::ExportedManifest {
        kind: "pod".into(),
        name: "llama".into(),
        text: "kind: Pod\n".into(),
    }];
    assert_snapshot!(pretty(&ExportView::from(v1::ExportResponse { manifests })));
}

#[test]
fn resources() {
    let answer = v1::GetResourcesResponse {
        host: Some(sample::host(NOW)),
        ram_threshold_percent: 80.0,
        cpu_threshold_percent: 70.0,
    };
    assert_snapshot!(pretty(&ResourcesView::from(answer)));
}

#[test]
fn history() {
    let points = sample::history(NOW).into_iter().take(1).collect();
    assert_snapshot!(pretty(&HistoryView::from(v1::GetHistoryResponse {
        points
    })));
}

#[test]
fn events() {
    assert_snapshot!(pretty(&EventsView::from(v1::ListEventsResponse {
        events: sample::events(NOW)
    })));
}

#[test]
fn doctor() {
    let checks = sample::checks().into_iter().map(CheckView::from).collect();
    let error = Error::Unhealthy("1 check of 3 failed".into());
    assert_snapshot!(pretty(&DoctorView {
        checks,
        error: Some((&error).into())
    }));
}

#[test]
fn error() {
    assert_snapshot!(pretty(&ErrorDocument::from(&failure())));
}

#[test]
fn a_state_of_a_later_dagdad_is_unknown() {
    assert_eq!(PodStateView::from_wire(99), PodStateView::Unknown);
    assert_eq!(
        serde_json::to_string(&PodStateView::Unknown).unwrap(),
        "\"unknown\""
    );
}
