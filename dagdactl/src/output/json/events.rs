//! `dagdactl events --json`; with `--follow` one event a line.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::time;

/// `{"events":[…]}`, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventsView {
    /// The events.
    pub events: Vec<EventView>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventView {
    /// UUIDv7: sorts by time.
    pub id: String,
    /// When.
    pub at: Option<Timestamp>,
    /// What kind of thing: `pod_started`, `pod_failed`, …
    pub kind: String,
    /// The pod or other object it happened to.
    pub object: Option<String>,
    /// One line, with the numbers it was decided on.
    pub message: String,
    /// The run it belongs to.
    pub run: Option<String>,
}

impl From<v1::ListEventsResponse> for EventsView {
    fn from(wire: v1::ListEventsResponse) -> Self {
        let v1::ListEventsResponse { events } = wire;
        Self {
            events: events.into_iter().map(EventView::from).collect(),
        }
    }
}

impl From<v1::Event> for EventView {
    fn from(wire: v1::Event) -> Self {
        let v1::Event {
            id,
            at,
            kind,
            object,
            message,
            run,
        } = wire;
        Self {
            id,
            at: at.and_then(time),
            kind,
            object,
            message,
            run,
        }
    }
}
