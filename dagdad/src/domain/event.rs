//! The record of what happened and why.

use jiff::Timestamp;
use uuid::Uuid;

use super::alert::{Alert, Condition, Severity};
use super::run::RunId;

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
    /// The run it belongs to.
    pub run: Option<RunId>,
    /// One line for people, with the numbers it was decided on.
    pub message: String,
}

/// What kind of thing an event's object is, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A pod.
    Pod,
    /// A workflow.
    Workflow,
    /// An alert; the event's object is what is amiss.
    Alert {
        /// Its id.
        id: Uuid,
        /// What is amiss.
        condition: Condition,
        /// How bad it is.
        severity: Severity,
    },
    /// Something else, or nothing.
    Other,
}

impl Subject {
    /// Of an event about `alert`.
    #[must_use]
    pub const fn alert(alert: &Alert) -> Self {
        Self::Alert {
            id: alert.id,
            condition: alert.condition,
            severity: alert.severity,
        }
    }
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
    /// A pod is stopped to make room for another.
    Evicted = "evicted",
    /// A start was admitted although it does not fit.
    Forced = "forced",
    /// A run waits in the queue.
    RunQueued = "run_queued",
    /// A run began to start its pods.
    RunStarted = "run_started",
    /// All pods of a run are ready.
    RunReady = "run_ready",
    /// A pod of a running run does not run any more.
    RunDegraded = "run_degraded",
    /// A run failed.
    RunFailed = "run_failed",
    /// A run is being ended, or has ended.
    RunStopped = "run_stopped",
    /// A condition began that somebody should know of.
    AlertRaised = "alert_raised",
    /// Somebody took note of it.
    AlertAcknowledged = "alert_acked",
    /// It ended.
    AlertResolved = "alert_resolved",
    /// Nobody is notified of something for a while, or again.
    Silenced = "silenced",
    /// A hook or webhook could not be told of an alert.
    NotificationFailed = "notification_failed",
    /// The configuration was read again and is in force.
    Reloaded = "reloaded",
    /// The configuration was read again and is not good; the one before stays.
    ReloadFailed = "reload_failed",
    /// Somebody has set what economy mode may do.
    EconomyPolicySet = "economy_policy_set",
    /// Economy mode began.
    EconomyEntered = "economy_entered",
    /// Economy mode ended.
    EconomyLeft = "economy_left",
    /// Economy mode asks the kernel to drop memory of a pod.
    Reclaimed = "reclaimed",
    /// Economy mode gives a pod less CPU.
    Throttled = "throttled",
    /// Economy mode pauses a pod.
    Frozen = "frozen",
    /// Economy mode stops a pod.
    Shed = "shed",
    /// What an act of economy mode brought, measured.
    EconomyMeasured = "economy_measured",
    /// Economy mode gives back what it took.
    Restored = "restored",
    /// What economy mode was about to do could not be done.
    EconomyFailed = "economy_failed",
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
    /// Only of this run.
    pub run: Option<RunId>,
    /// At most so many, the newest ones.
    pub limit: u32,
}

impl EventQuery {
    /// Whether `event` is one of those asked for, the limit aside. Times count in microseconds,
    /// as they are stored.
    #[must_use]
    pub fn wants(&self, event: &EventRecord) -> bool {
        let Self {
            since,
            object,
            run,
            limit: _,
        } = self;
        since.is_none_or(|since| event.at.as_microsecond() > since.as_microsecond())
            && (object.is_none() || event.object == *object)
            && (run.is_none() || event.run == *run)
    }
}
