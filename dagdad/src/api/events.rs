//! What happened and why.

use std::collections::BTreeMap;

use dagda_proto::v1::{self, events_service_server::EventsService};
use futures::{StreamExt, stream};
use tokio::sync::broadcast::{self, error::RecvError};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::streaming::{Stream, until_the_end};
use super::{Api, convert, status};
use crate::domain::error::CommandError;
use crate::domain::event::{EventQuery, EventRecord};

/// Events given to a caller that names no number.
const DEFAULT_LIMIT: u32 = 100;
/// Events given at most.
const MAX_LIMIT: u32 = 10_000;

#[tonic::async_trait]
impl EventsService for Api {
    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        let events = self.past(&query(request.into_inner())?).await?;
        Ok(Response::new(v1::ListEventsResponse {
            events: events.iter().map(convert::event).collect(),
        }))
    }

    type FollowEventsStream = Stream<v1::Event>;

    async fn follow_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Result<Response<Self::FollowEventsStream>, Status> {
        let query = query(request.into_inner())?;
        // Subscribed before the past is read: what happens meanwhile comes in both and is
        // told once.
        let follower = self.engine.follow();
        let past = self.past(&query).await?;
        let last = past.iter().map(|event| event.id).max();
        let known: Vec<Uuid> = past.iter().map(|event| event.id).collect();
        let object = query.object;
        let new = following(follower).filter(move |event| {
            let wanted = match event {
                Ok(event) => {
                    // Ids sort by time: the list need not be searched for later ones.
                    let told =
                        last.is_some_and(|last| event.id <= last) && known.contains(&event.id);
                    !told && (object.is_none() || event.object == object)
                }
                Err(_) => true,
            };
            std::future::ready(wanted)
        });
        let events = stream::iter(past.into_iter().map(Ok)).chain(new);
        let events = events
            .map(|event| event.map(|event| convert::event(&event)))
            .boxed();
        Ok(Response::new(until_the_end(events, self.ending.clone())))
    }
}

impl Api {
    /// What happened before: what the store has, and what is still on its way there.
    pub(super) async fn past(&self, query: &EventQuery) -> Result<Vec<EventRecord>, Status> {
        // Asked before the store: what is not among the latest any more is on disk by now.
        let latest = self.engine.latest_events(query);
        let stored = self.store.events(query).await;
        let stored = stored.map_err(|error| status::from_store(&error))?;
        Ok(joined(stored, latest, query.limit))
    }
}

/// The newest of both, each once, oldest first.
fn joined(stored: Vec<EventRecord>, latest: Vec<EventRecord>, limit: u32) -> Vec<EventRecord> {
    let both: BTreeMap<Uuid, EventRecord> = latest
        .into_iter()
        .chain(stored)
        .map(|event| (event.id, event))
        .collect();
    let mut events: Vec<EventRecord> = both.into_values().collect();
    // As the store sorts them, which keeps microseconds.
    events.sort_by_key(|event| (event.at.as_microsecond(), event.id));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let beyond = events.len().saturating_sub(limit);
    events.split_off(beyond)
}

#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
fn query(request: v1::ListEventsRequest) -> Result<EventQuery, Status> {
    let v1::ListEventsRequest {
        since,
        object,
        limit,
    } = request;
    let since = since.map(|since| {
        convert::from_timestamp(&since).ok_or_else(|| {
            let message = "`since` is no time that exists".to_owned();
            status::from_command(&CommandError::Invalid(message))
        })
    });
    let limit = if limit == 0 {
        DEFAULT_LIMIT
    } else {
        limit.min(MAX_LIMIT)
    };
    Ok(EventQuery {
        run: None,
        since: since.transpose()?,
        object,
        limit,
    })
}

fn following(follower: broadcast::Receiver<EventRecord>) -> Stream<EventRecord> {
    stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        match follower.recv().await {
            Ok(event) => Some((Ok(event), Some(follower))),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(missed)) => {
                let message = format!(
                    "{missed} events were missed by this slow reader; read on with `since`"
                );
                Some((Err(Status::resource_exhausted(message)), None))
            }
        }
    })
    .boxed()
}
