//! The other services of the fake.

use dagda_proto::v1::alerts_service_server::AlertsService;
use dagda_proto::v1::audit_service_server::AuditService;
use dagda_proto::v1::{self, catalogue_service_server as catalogue};
use dagda_proto::v1::{diagnostics_service_server as diagnostics, events_service_server as events};
use dagda_proto::v1::{resources_service_server as resources, status_service_server as status};
use tokio_stream::iter;
use tonic::{Request, Response};

use super::{Answer, Part, Replies, now, refusal};
use crate::sample;

#[tonic::async_trait]
impl status::StatusService for Part {
    async fn get_status(&self, request: Request<v1::GetStatusRequest>) -> Answer<v1::Status> {
        self.heard(request);
        Ok(Response::new(sample::status(now())))
    }

    type WatchStatusStream = Replies<v1::Status>;

    async fn watch_status(
        &self,
        request: Request<v1::WatchStatusRequest>,
    ) -> Answer<Self::WatchStatusStream> {
        self.heard(request);
        let replies = iter([Ok(sample::status(now())), Ok(sample::quiet_status(now()))]);
        Ok(Response::new(Box::pin(replies)))
    }
}

#[tonic::async_trait]
impl catalogue::CatalogueService for Part {
    async fn apply(&self, request: Request<v1::ApplyRequest>) -> Answer<v1::ApplyResponse> {
        let request = self.heard(request);
        if let Some(bad) = request.files.iter().find(|file| file.text.contains("bad")) {
            let message = format!("{}:1:3: this is no manifest", bad.name);
            return Err(refusal("invalid", &message));
        }
        let object = |file: &v1::ManifestFile| v1::AppliedObject {
            kind: if file.text.contains("Workflow") {
                "workflow".to_owned()
            } else {
                "pod".to_owned()
            },
            name: file.name.rsplit('/').next().unwrap().to_owned(),
            change: v1::Change::Created.into(),
            notes: Vec::new(),
        };
        let objects = request.files.iter().map(object).collect();
        Ok(Response::new(v1::ApplyResponse {
            objects,
            dry_run: request.dry_run,
        }))
    }

    async fn export(&self, request: Request<v1::ExportRequest>) -> Answer<v1::ExportResponse> {
        let request = self.heard(request);
        if request.names.iter().any(|name| name == "nosuch") {
            return Err(refusal("not_found", "no pod named nosuch"));
        }
        let manifest = |name: &str| v1::ExportedManifest {
            kind: "pod".to_owned(),
            name: name.to_owned(),
            text: format!("kind: Pod\nmetadata: {{name: {name}}}\n"),
        };
        Ok(Response::new(v1::ExportResponse {
            manifests: vec![manifest("llama"), manifest("n8n")],
        }))
    }
}

#[tonic::async_trait]
impl resources::ResourcesService for Part {
    async fn get_resources(
        &self,
        request: Request<v1::GetResourcesRequest>,
    ) -> Answer<v1::GetResourcesResponse> {
        self.heard(request);
        Ok(Response::new(v1::GetResourcesResponse {
            host: Some(sample::host(now())),
            ram_threshold_percent: 80.0,
            cpu_threshold_percent: 70.0,
        }))
    }

    async fn get_history(
        &self,
        request: Request<v1::GetHistoryRequest>,
    ) -> Answer<v1::GetHistoryResponse> {
        self.heard(request);
        Ok(Response::new(v1::GetHistoryResponse {
            points: sample::history(now()),
        }))
    }
}

fn alerts(request: &v1::ListAlertsRequest) -> v1::ListAlertsResponse {
    let wanted = |alert: &v1::Alert| {
        (request.all || alert.resolved_at.is_none()) && alert.severity >= request.severity
    };
    let alerts = sample::alerts(now()).into_iter().filter(wanted);
    v1::ListAlertsResponse {
        alerts: alerts.collect(),
    }
}

/// Those that go on whose id begins with `which`, or that are of this condition.
fn changed(which: &str, state: v1::AlertState) -> Answer<v1::AlertsChanged> {
    let meant = |alert: &v1::Alert| {
        alert.resolved_at.is_none() && (alert.id.starts_with(which) || alert.condition == which)
    };
    let alerts: Vec<v1::Alert> = sample::alerts(now())
        .into_iter()
        .filter(meant)
        .map(|alert| v1::Alert {
            state: state.into(),
            ..alert
        })
        .collect();
    if alerts.is_empty() && !which.contains('_') {
        return Err(refusal("not_found", &format!("no alert {which} goes on")));
    }
    let changed = !alerts.is_empty();
    Ok(Response::new(v1::AlertsChanged { alerts, changed }))
}

#[tonic::async_trait]
impl AlertsService for Part {
    async fn list_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Answer<v1::ListAlertsResponse> {
        let request = self.heard(request);
        Ok(Response::new(alerts(&request)))
    }

    type WatchAlertsStream = Replies<v1::ListAlertsResponse>;

    async fn watch_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Answer<Self::WatchAlertsStream> {
        let request = self.heard(request);
        let replies = [Ok(alerts(&request)), Ok(v1::ListAlertsResponse::default())];
        Ok(Response::new(Box::pin(iter(replies))))
    }

    async fn acknowledge_alerts(
        &self,
        request: Request<v1::AcknowledgeAlertsRequest>,
    ) -> Answer<v1::AlertsChanged> {
        let request = self.heard(request);
        changed(&request.which, v1::AlertState::Acknowledged)
    }

    async fn resolve_alert(
        &self,
        request: Request<v1::ResolveAlertRequest>,
    ) -> Answer<v1::AlertsChanged> {
        let request = self.heard(request);
        changed(&request.id, v1::AlertState::Resolved)
    }

    async fn silence(&self, request: Request<v1::SilenceRequest>) -> Answer<v1::Silences> {
        let request = self.heard(request);
        if request.what == "gone" {
            return Err(refusal("not_found", "nothing here is called gone"));
        }
        let silences = sample::silences(now()).into_iter().take(1);
        Ok(Response::new(v1::Silences {
            silences: silences
                .map(|silence| v1::SilenceView {
                    object: Some(request.what.clone()),
                    ..silence
                })
                .collect(),
        }))
    }

    async fn lift_silence(&self, request: Request<v1::LiftSilenceRequest>) -> Answer<v1::Silences> {
        let request = self.heard(request);
        let which = &request.which;
        let meant = |silence: &v1::SilenceView| {
            silence.id.starts_with(which)
                || silence.object.as_ref() == Some(which)
                || silence.condition.as_ref() == Some(which)
        };
        let silences = sample::silences(now()).into_iter().filter(meant);
        let silences: Vec<v1::SilenceView> = silences.collect();
        if silences.is_empty() {
            return Err(refusal("not_found", &format!("no silence {which}")));
        }
        Ok(Response::new(v1::Silences { silences }))
    }

    async fn list_silences(
        &self,
        request: Request<v1::ListSilencesRequest>,
    ) -> Answer<v1::Silences> {
        self.heard(request);
        Ok(Response::new(v1::Silences {
            silences: sample::silences(now()),
        }))
    }
}

#[tonic::async_trait]
impl events::EventsService for Part {
    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<v1::ListEventsResponse> {
        let request = self.heard(request);
        let events = sample::events(now());
        let about = |event: &v1::Event| request.object.is_none() || event.object == request.object;
        Ok(Response::new(v1::ListEventsResponse {
            events: events.into_iter().filter(about).collect(),
        }))
    }

    type FollowEventsStream = Replies<v1::Event>;

    async fn follow_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<Self::FollowEventsStream> {
        let events = match self.heard(request).object.as_deref() {
            Some("qwen") => sample::economy::events(now()),
            _ => sample::events(now()),
        };
        Ok(Response::new(Box::pin(iter(events.into_iter().map(Ok)))))
    }
}

#[tonic::async_trait]
impl AuditService for Part {
    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Answer<v1::ListAuditResponse> {
        let request = self.heard(request);
        let wanted = |entry: &v1::AuditEntry| {
            (!request.denied || entry.outcome == "denied")
                && (request.user.is_none() || entry.user == request.user)
        };
        let entries = sample::audit(now()).into_iter().filter(wanted);
        Ok(Response::new(v1::ListAuditResponse {
            entries: entries.collect(),
        }))
    }
}

#[tonic::async_trait]
impl diagnostics::DiagnosticsService for Part {
    async fn diagnose(
        &self,
        request: Request<v1::DiagnoseRequest>,
    ) -> Answer<v1::DiagnoseResponse> {
        self.heard(request);
        Ok(Response::new(v1::DiagnoseResponse {
            checks: sample::checks(),
        }))
    }
}
