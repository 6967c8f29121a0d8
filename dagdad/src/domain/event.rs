//! The record of what happened and why.

use jiff::Timestamp;
use uuid::Uuid;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// UUIDv7, so that events sort by time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: EventKind,
    /// The pod or other object it happened to.
    pub object: Option<String>,
    /// One line for people, with the numbers it was decided on.
    pub message: String,
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)?) => {
        /// What kind of thing happened. The text form is part of the JSON contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventKind { $($(#[$doc])* $variant),* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Lower case, words joined by `_`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The kind with this text.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

event_kinds! {
    /// dagdad began.
    DaemonStarted = "daemon_started",
    /// dagdad ended in order.
    DaemonStopped = "daemon_stopped",
    /// An object came into the catalogue or was changed there.
    Applied = "applied",
    /// An object left the catalogue.
    Removed = "removed",
    /// A command was accepted.
    Accepted = "accepted",
    /// A command was refused.
    Refused = "refused",
    /// A pod began to run.
    PodStarted = "pod_started",
    /// A pod passed its readiness checks.
    PodReady = "pod_ready",
    /// A ready pod failed its readiness checks.
    PodNotReady = "pod_not_ready",
    /// A pod ended.
    PodStopped = "pod_stopped",
    /// A pod ended badly, or could not be started.
    PodFailed = "pod_failed",
    /// The runtime answers again.
    RuntimeUp = "runtime_up",
    /// The runtime does not answer.
    RuntimeDown = "runtime_down",
    /// MariaDB takes records again.
    StoreUp = "store_up",
    /// MariaDB does not take records; they wait in the outbox.
    StoreDown = "store_down",
}

/// Which events are wanted, newest last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventQuery {
    /// Only younger than this.
    pub since: Option<Timestamp>,
    /// Only about this object.
    pub object: Option<String>,
    /// At most so many, the newest ones.
    pub limit: u32,
}
