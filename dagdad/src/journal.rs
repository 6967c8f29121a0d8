//! Events as the journal has them: how urgent they are, the fields they are found by, and the
//! ids of those that people search for.
//!
//! Every field of dagdad's own begins with `dagda_`, so that none can be taken for one of
//! journald's (`systemd.journal-fields(7)`): `dagda_pod` is `DAGDA_POD=` there. Only
//! `message_id` is meant to be journald's. Elsewhere than in the journal the prefix is not shown
//! (`telemetry`).

use tracing::Level;

use crate::domain::alert::{Condition, Severity};
use crate::domain::event::{EventKind, EventRecord, Subject};

/// The `MESSAGE_ID=` of a kind of event; `None` for those that nobody searches for. Once given,
/// an id never changes: people's filters have it. `README.md` lists them.
#[must_use]
pub const fn message_id(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::DaemonStarted => Some("02398c80b91971ba3472b82c937b5cad"),
        EventKind::DaemonStopped => Some("e07a369e3ec41ee9e2238dae189a251e"),
        EventKind::Reloaded => Some("ca2a7b308c8187ff88b104d95c9e7277"),
        EventKind::ReloadFailed => Some("1cfc8aeae11c948ac4a9da50b9d6c9fb"),
        EventKind::PodFailed => Some("6b7c368a2f3e15af1901eb2960cb5e3b"),
        EventKind::RunFailed => Some("967caa4c1a6eb84701d0c07be2968a38"),
        EventKind::AlertRaised => Some("2785fb1cbdc6b2d7935b452d12a454a7"),
        EventKind::AlertResolved => Some("6892f5ea6a4b35d26da117e68e190af7"),
        EventKind::EconomyEntered => Some("3af32706a69b49b28df10764ba4c5de8"),
        EventKind::EconomyLeft => Some("fe0c225d2c583681cff30d45b580ee4b"),
        EventKind::Shed => Some("f8534eb5f8a49957b637efc9badda45e"),
        EventKind::Evicted => Some("7bdf202751cd8cf6ecd867a90960e5c2"),
        EventKind::Refused => Some("5b78a7d74e863c06ce8ba633b0962598"),
        EventKind::Forced => Some("4c8eba21123b351be05ad5fbe5ccaa54"),
        EventKind::RuntimeDown => Some("610b62dbc7691a6cc67ba4fa47f4294b"),
        EventKind::StoreDown => Some("6e006f7afcf8638742b9aa90230d172d"),
        EventKind::Applied
        | EventKind::Removed
        | EventKind::Accepted
        | EventKind::PodStarted
        | EventKind::PodReady
        | EventKind::PodNotReady
        | EventKind::PodStopped
        | EventKind::RunQueued
        | EventKind::RunStarted
        | EventKind::RunReady
        | EventKind::RunDegraded
        | EventKind::RunStopped
        | EventKind::AlertAcknowledged
        | EventKind::Silenced
        | EventKind::NotificationFailed
        | EventKind::EconomyPolicySet
        | EventKind::Reclaimed
        | EventKind::Throttled
        | EventKind::Frozen
        | EventKind::EconomyMeasured
        | EventKind::Restored
        | EventKind::EconomyFailed
        | EventKind::RuntimeUp
        | EventKind::StoreUp => None,
    }
}

/// How urgent an event is: `ERROR` is journald's `err`, `WARN` its `warning`, `INFO` its `info`.
#[must_use]
pub const fn level(kind: EventKind, subject: Subject) -> Level {
    match kind {
        EventKind::AlertRaised => match subject {
            Subject::Alert {
                severity: Severity::Critical,
                ..
            } => Level::ERROR,
            Subject::Alert {
                severity: Severity::Info,
                ..
            } => Level::INFO,
            _ => Level::WARN,
        },
        EventKind::PodFailed | EventKind::RunFailed | EventKind::ReloadFailed => Level::ERROR,
        EventKind::Refused
        | EventKind::PodNotReady
        | EventKind::Evicted
        | EventKind::Forced
        | EventKind::RunDegraded
        | EventKind::NotificationFailed
        | EventKind::EconomyEntered
        | EventKind::Shed
        | EventKind::EconomyFailed
        | EventKind::RuntimeDown
        | EventKind::StoreDown => Level::WARN,
        EventKind::DaemonStarted
        | EventKind::DaemonStopped
        | EventKind::Reloaded
        | EventKind::Applied
        | EventKind::Removed
        | EventKind::Accepted
        | EventKind::PodStarted
        | EventKind::PodReady
        | EventKind::PodStopped
        | EventKind::RunQueued
        | EventKind::RunStarted
        | EventKind::RunReady
        | EventKind::RunStopped
        | EventKind::AlertAcknowledged
        | EventKind::AlertResolved
        | EventKind::Silenced
        | EventKind::EconomyPolicySet
        | EventKind::EconomyLeft
        | EventKind::Reclaimed
        | EventKind::Throttled
        | EventKind::Frozen
        | EventKind::EconomyMeasured
        | EventKind::Restored
        | EventKind::RuntimeUp
        | EventKind::StoreUp => Level::INFO,
    }
}

/// The fields that say what an event is about; those that do not apply are absent.
#[derive(Debug, Default, PartialEq, Eq)]
struct About<'a> {
    pod: Option<&'a str>,
    workflow: Option<&'a str>,
    /// A mount point, the host, MariaDB, or what is not known to be a pod or a workflow.
    object: Option<&'a str>,
    alert: Option<String>,
    condition: Option<&'static str>,
}

impl<'a> About<'a> {
    fn of(event: &'a EventRecord, subject: Subject) -> Self {
        let name = event.object.as_deref();
        let pod = |name| Self {
            pod: name,
            ..Self::default()
        };
        let workflow = |name| Self {
            workflow: name,
            ..Self::default()
        };
        let object = |name| Self {
            object: name,
            ..Self::default()
        };
        match subject {
            Subject::Pod => pod(name),
            Subject::Workflow => workflow(name),
            Subject::Other => object(name),
            Subject::Alert { id, condition, .. } => Self {
                alert: Some(id.to_string()),
                condition: Some(condition.as_str()),
                ..match condition {
                    Condition::PodDown => pod(name),
                    Condition::WorkflowFailed => workflow(name),
                    Condition::CpuHigh
                    | Condition::RamHigh
                    | Condition::DiskHigh
                    | Condition::PressureHigh
                    | Condition::StoreDown => object(name),
                }
            },
        }
    }
}

/// Writes an event into the journal.
pub fn tell(event: &EventRecord, subject: Subject) {
    let About {
        pod,
        workflow,
        object,
        alert,
        condition,
    } = About::of(event, subject);
    let run = event.run.map(|run| run.to_string());
    macro_rules! tell {
        ($urgent:ident) => {
            tracing::$urgent!(
                message_id = message_id(event.kind),
                dagda_event = event.kind.as_str(),
                dagda_pod = pod,
                dagda_workflow = workflow,
                dagda_object = object,
                dagda_alert = alert,
                dagda_condition = condition,
                dagda_run = run,
                "{}",
                event.message
            )
        };
    }
    match level(event.kind, subject) {
        Level::ERROR => tell!(error),
        Level::WARN => tell!(warn),
        _ => tell!(info),
    }
}

#[cfg(test)]
mod tests;
