//! Events told, stored, or on their way in between: each is read once.

use dagda_proto::v1::{self, events_service_server::EventsService};
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tonic::Request;

use super::ports::Records;
use super::{Bench, bench};
use crate::domain::event::{EventKind, EventQuery, EventRecord};
use crate::engine::example::{at, run_id, snapshot};

fn event(number: u8) -> EventRecord {
    EventRecord {
        id: uuid::Uuid::from_u128(u128::from(number)),
        // Finer than what the store keeps.
        at: later(at(i64::from(number)), 700),
        kind: EventKind::PodReady,
        object: Some("llama".to_owned()),
        run: Some(run_id(7)),
        message: format!("event {number}"),
    }
}

fn later(at: Timestamp, nanoseconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_nanos(nanoseconds))
        .unwrap()
}

/// The event as the store gives it back.
fn stored(number: u8) -> EventRecord {
    EventRecord {
        at: at(i64::from(number)),
        ..event(number)
    }
}

/// On disk are 1 and 2; 2 and 3 were told lately.
fn lately() -> Bench {
    let records = Records {
        events: vec![stored(1), stored(2)],
        ..Records::default()
    };
    let bench = bench(snapshot(Vec::new(), Vec::new()), records);
    bench.api.engine.handle().announce(event(2));
    bench.api.engine.handle().announce(event(3));
    bench
}

fn all(limit: u32) -> Request<v1::ListEventsRequest> {
    Request::new(v1::ListEventsRequest {
        since: None,
        object: None,
        limit,
    })
}

async fn listed(bench: &Bench, limit: u32) -> Vec<String> {
    let answer = bench.api.list_events(all(limit)).await.unwrap();
    let events = answer.into_inner().events;
    events.into_iter().map(|event| event.message).collect()
}

#[tokio::test]
async fn an_event_that_is_not_on_disk_yet_is_listed() {
    assert_eq!(
        listed(&lately(), 0).await,
        ["event 1", "event 2", "event 3"]
    );
}

#[tokio::test]
async fn a_limit_leaves_the_newest() {
    assert_eq!(listed(&lately(), 2).await, ["event 2", "event 3"]);
}

#[tokio::test]
async fn who_follows_is_told_each_event_once_and_in_order() {
    let bench = lately();
    let stream = bench.api.follow_events(all(0)).await.unwrap().into_inner();
    // While its first part is being read.
    bench.api.engine.handle().announce(event(4));
    let told: Vec<String> = stream
        .take(4)
        .map(|event| event.unwrap().message)
        .collect()
        .await;
    assert_eq!(told, ["event 1", "event 2", "event 3", "event 4"]);
}

#[tokio::test]
async fn nothing_is_told_twice() {
    let bench = lately();
    let mut stream = bench.api.follow_events(all(0)).await.unwrap().into_inner();
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    // As if it had been told between the subscription and the read.
    bench.api.engine.handle().announce(event(3));
    bench.api.engine.handle().announce(event(4));
    let next = stream.next().await.unwrap().unwrap();
    assert_eq!(next.message, "event 4");
    assert!(stream.next().now_or_never().is_none());
}

#[test]
fn a_query_is_meant_as_the_store_means_it() {
    let wants = |query: EventQuery| query.wants(&event(5));
    let since = |at| EventQuery {
        since: Some(at),
        ..EventQuery::default()
    };
    let object = |object: &str| EventQuery {
        object: Some(object.to_owned()),
        ..EventQuery::default()
    };
    let run = |number| EventQuery {
        run: Some(run_id(number)),
        ..EventQuery::default()
    };
    assert!(wants(EventQuery::default()));
    assert!(wants(since(at(4))));
    // The time that a reader has of it, once it came from the store.
    assert!(!wants(since(at(5))));
    assert!(wants(object("llama")) && !wants(object("qwen")));
    assert!(wants(run(7)) && !wants(run(8)));
}
