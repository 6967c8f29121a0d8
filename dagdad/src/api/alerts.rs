//! What is amiss, from the engine; and what was, from the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use dagda_proto::v1::{self, alerts_service_server::AlertsService};
use futures::StreamExt as _;
use jiff::Timestamp;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::streaming::{Stream, watching};
use super::{Api, access, convert, status};
use crate::domain::alert::{Alert, AlertQuery};
use crate::domain::caller::Caller;
use crate::domain::error::CommandError;
use crate::domain::silence::Silence;
use crate::engine::answering::Answer;
use crate::engine::event::{Command, Reply};
use crate::engine::snapshot::Snapshot;

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
        let query = query(request.into_inner())?;
        Ok(Response::new(self.listed(&query).await?))
    }

    type WatchAlertsStream = Stream<v1::ListAlertsResponse>;

    async fn watch_alerts(
        &self,
        request: Request<v1::ListAlertsRequest>,
    ) -> Result<Response<Self::WatchAlertsStream>, Status> {
        let query = query(request.into_inner())?;
        let snapshots = self.engine.snapshots();
        let going_on = move |snapshot: &Arc<Snapshot>| {
            let ended = snapshot.ended_alerts.iter().filter(|_| query.resolved);
            let alerts: Vec<Alert> = snapshot.alerts.iter().chain(ended).cloned().collect();
            (alerts, snapshot.silences.clone())
        };
        let mut told: Option<(Vec<Alert>, Vec<Silence>)> = None;
        let changes = watching(snapshots, self.ending.clone(), going_on, |_| false);
        let changes = changes.filter(move |going_on| {
            let news = match going_on {
                Ok(alerts) if told.as_ref() == Some(alerts) => false,
                Ok(alerts) => {
                    told = Some(alerts.clone());
                    true
                }
                Err(_) => true,
            };
            std::future::ready(news)
        });
        let api = self.clone();
        let lists = changes.then(move |change| {
            let api = api.clone();
            async move {
                change?;
                api.listed(&query).await
            }
        });
        Ok(Response::new(lists.boxed()))
    }

    async fn acknowledge_alerts(
        &self,
        request: Request<v1::AcknowledgeAlertsRequest>,
    ) -> Result<Response<v1::AlertsChanged>, Status> {
        let caller = access::caller(&request)?;
        let v1::AcknowledgeAlertsRequest { which } = request.into_inner();
        self.change_alerts(&caller, Command::AcknowledgeAlerts { which })
            .await
    }

    async fn resolve_alert(
        &self,
        request: Request<v1::ResolveAlertRequest>,
    ) -> Result<Response<v1::AlertsChanged>, Status> {
        let caller = access::caller(&request)?;
        let v1::ResolveAlertRequest { id } = request.into_inner();
        self.change_alerts(&caller, Command::ResolveAlert { id })
            .await
    }

    async fn silence(
        &self,
        request: Request<v1::SilenceRequest>,
    ) -> Result<Response<v1::Silences>, Status> {
        let caller = access::caller(&request)?;
        let v1::SilenceRequest { what, span } = request.into_inner();
        // A span that is none is refused with those that are too short.
        let span = span.and_then(|span| convert::from_duration(&span));
        let command = Command::Silence {
            of: convert::silenced(what),
            span: span.unwrap_or_default(),
        };
        self.change_silences(&caller, command).await
    }

    async fn lift_silence(
        &self,
        request: Request<v1::LiftSilenceRequest>,
    ) -> Result<Response<v1::Silences>, Status> {
        let caller = access::caller(&request)?;
        let v1::LiftSilenceRequest { which } = request.into_inner();
        self.change_silences(&caller, Command::LiftSilence { which })
            .await
    }

    async fn list_silences(
        &self,
        request: Request<v1::ListSilencesRequest>,
    ) -> Result<Response<v1::Silences>, Status> {
        let v1::ListSilencesRequest {} = request.into_inner();
        let snapshot = self.engine.snapshot();
        let now = Timestamp::now();
        let mut held: Vec<&Silence> = snapshot.silences.iter().collect();
        held.retain(|silence| silence.holds(now));
        held.sort_by_key(|silence| silence.until);
        Ok(Response::new(v1::Silences {
            silences: held.into_iter().map(convert::silence).collect(),
        }))
    }
}

impl Api {
    /// What `query` asks for, as it is now.
    async fn listed(&self, query: &AlertQuery) -> Result<v1::ListAlertsResponse, Status> {
        let stored = if query.resolved {
            let stored = self.store.alerts(query).await;
            stored.map_err(|error| status::from_store(&error))?
        } else {
            Vec::new()
        };
        // Looked at after the store, so that what ends meanwhile is in one of them. The row of
        // what ended just now may still say that it goes on.
        let snapshot = self.engine.snapshot();
        let known = snapshot.alerts.iter().chain(&snapshot.ended_alerts);
        let alerts = newest(stored, known, query);
        Ok(v1::ListAlertsResponse {
            alerts: on_the_wire(&alerts, &snapshot),
        })
    }

    async fn change_silences(
        &self,
        caller: &Caller,
        command: Command,
    ) -> Result<Response<v1::Silences>, Status> {
        let answer = self.engine.command(caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Reply(Reply::Silences(silences)) => Ok(Response::new(v1::Silences {
                silences: silences.iter().map(convert::silence).collect(),
            })),
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Operation(_)
            | Answer::Reply(
                Reply::Operation(_)
                | Reply::Run(_)
                | Reply::Done(_)
                | Reply::Applied(_)
                | Reply::Alerts { .. },
            ) => Err(Status::internal("the engine answered another question")),
        }
    }

    async fn change_alerts(
        &self,
        caller: &Caller,
        command: Command,
    ) -> Result<Response<v1::AlertsChanged>, Status> {
        let answer = self.engine.command(caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Reply(Reply::Alerts { alerts, changed }) => {
                let snapshot = self.engine.snapshot();
                Ok(Response::new(v1::AlertsChanged {
                    alerts: on_the_wire(&alerts, &snapshot),
                    changed,
                }))
            }
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Operation(_)
            | Answer::Reply(
                Reply::Operation(_)
                | Reply::Run(_)
                | Reply::Done(_)
                | Reply::Applied(_)
                | Reply::Silences(_),
            ) => Err(Status::internal("the engine answered another question")),
        }
    }
}

/// With whether a silence covers each.
fn on_the_wire(alerts: &[Alert], snapshot: &Snapshot) -> Vec<v1::Alert> {
    let now = Timestamp::now();
    let silenced = |alert: &Alert| {
        let mut silences = snapshot.silences.iter();
        alert.resolved_at.is_none() && silences.any(|silence| silence.covers(alert, now))
    };
    alerts
        .iter()
        .map(|alert| convert::alert(alert, silenced(alert)))
        .collect()
}

#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
fn query(request: v1::ListAlertsRequest) -> Result<AlertQuery, Status> {
    let severity = convert::from_severity(request.severity());
    let v1::ListAlertsRequest {
        all,
        limit,
        since,
        severity: _,
    } = request;
    let since = since.map(|since| {
        convert::from_timestamp(&since).ok_or_else(|| {
            let message = "`since` is no time that exists".to_owned();
            status::from_command(&CommandError::Invalid(message))
        })
    });
    Ok(AlertQuery {
        resolved: all,
        since: since.transpose()?,
        severity,
        limit: match limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        },
    })
}

/// Both by their ids, which are by time, the newest first. Where both have an alert, the engine
/// knows better.
fn newest<'a>(
    stored: Vec<Alert>,
    known: impl Iterator<Item = &'a Alert>,
    query: &AlertQuery,
) -> Vec<Alert> {
    let all: BTreeMap<Uuid, Alert> = stored
        .into_iter()
        .chain(known.cloned())
        .filter(|alert| query.wants(alert))
        .map(|alert| (alert.id, alert))
        .collect();
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    all.into_values().rev().take(limit).collect()
}
