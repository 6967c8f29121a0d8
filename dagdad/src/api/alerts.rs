//! What is amiss, from the engine; and what was, from the store.

use std::collections::BTreeMap;

use dagda_proto::v1::{self, alerts_service_server::AlertsService};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Api, convert, status};
use crate::domain::alert::{Alert, AlertQuery};

/// Alerts given to a caller that names no number.
const DEFAULT_LIMIT: u32 = 100;
/// Alerts given at most.
const MAX_LIMIT: u32 = 10_000;

#[tonic::async_trait]
impl AlertsService for Api {
    async fn list_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Result<Response<v1::ListAlertsResponse>, Status> {
        let v1::ListAlertsRequest { all, limit } = request.into_inner();
        let limit = match limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        let stored = if all {
            let query = AlertQuery {
                resolved: true,
                limit,
            };
            let stored = self.store.alerts(&query).await;
            stored.map_err(|error| status::from_store(&error))?
        } else {
            Vec::new()
        };
        // Looked at after the store, so that what ends meanwhile is in one of them.
        let snapshot = self.engine.snapshot();
        let alerts = newest(stored, &snapshot.alerts, limit);
        Ok(Response::new(v1::ListAlertsResponse {
            alerts: alerts.iter().map(convert::alert).collect(),
        }))
    }
}

/// Both by their ids, which are by time, the newest first. Where both have an alert, the engine
/// knows better.
fn newest(stored: Vec<Alert>, going_on: &[Alert], limit: u32) -> Vec<Alert> {
    let all: BTreeMap<Uuid, Alert> = stored
        .into_iter()
        .chain(going_on.iter().cloned())
        .map(|alert| (alert.id, alert))
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    all.into_values().rev().take(limit).collect()
}
