//! A catalogued pod as the engine keeps it: what it is, what is wanted of it, what is being
//! done with it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::operation::{At, Operation, Queued};
use super::readiness::Watch;
use super::usage::Usage;
use crate::domain::catalogue::{CataloguePod, Digest};
use crate::domain::operation::OperationKind;
use crate::domain::pod::Footprint;
use crate::domain::sample::PodUsage;
use crate::domain::state::{PodStatus, Wanted};
use crate::ports::PodRecord;

/// A catalogued pod.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) entry: Arc<CataloguePod>,
    pub(super) wanted: Wanted,
    pub(super) started_digest: Option<Digest>,
    pub(super) life: Life,
    /// When `life` last changed its kind.
    pub(super) since: Timestamp,
    pub(super) operation: Option<Operation>,
    /// The one that comes after `operation`.
    pub(super) queued: Option<Queued>,
    /// When containers of it ended lately, oldest first.
    pub(super) deaths: VecDeque<Timestamp>,
    /// When somebody last told the runtime to stop it, and it was not this engine.
    pub(super) stop_asked: Option<Timestamp>,
    /// When this engine last had the runtime stop it.
    pub(super) stopped_by_us: Option<Timestamp>,
    /// Id of the pod that the present one was played in place of: what is told of it is no news.
    pub(super) replaced: Option<String>,
    /// Its place in the budget, from the moment its start is admitted until it is down.
    pub(super) reserved: Option<Footprint>,
    /// By when it is down at the latest, while it is being stopped.
    pub(super) down_by: Option<Timestamp>,
    /// Whether it is down because it ran to its end, as it is meant to.
    pub(super) completed: bool,
    pub(super) usage: Usage,
}

/// What the pod is, apart from what is being done with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Life {
    /// Not listed since dagdad began; the status is what an earlier daemon wrote.
    Unseen { status: PodStatus },
    /// Nothing runs.
    Down,
    /// At least one container runs or is paused.
    Up {
        since: Timestamp,
        watch: Watch,
        /// Every container runs, none is paused.
        whole: bool,
    },
    /// It ended badly or could not be started.
    Failed { message: String, log: Vec<String> },
}

impl Pod {
    pub(super) fn new(id: Uuid, entry: Arc<CataloguePod>, now: Timestamp) -> Self {
        Self {
            id,
            created_at: now,
            entry,
            wanted: Wanted::Down,
            started_digest: None,
            life: Life::Down,
            since: now,
            operation: None,
            queued: None,
            deaths: VecDeque::new(),
            stop_asked: None,
            stopped_by_us: None,
            replaced: None,
            reserved: None,
            down_by: None,
            completed: false,
            usage: Usage::none(now),
        }
    }

    /// The operation in line that brings the pod down, once its intent is on disk.
    pub(super) fn to_go_down(&self) -> Option<OperationKind> {
        let queued = self.queued.as_ref().filter(|queued| queued.stored)?;
        let kind = queued.operation.kind;
        matches!(kind, OperationKind::Stop | OperationKind::Remove).then_some(kind)
    }

    /// The state in one word, what is being done with it included.
    pub(super) fn status(&self) -> PodStatus {
        if let Some(operation) = &self.operation {
            match operation.at {
                At::Stopping | At::Removing | At::Halting(_) => return PodStatus::Stopping,
                At::Evicting(_) | At::Rendering | At::Pulling { .. } | At::Creating { .. } => {
                    return PodStatus::Starting;
                }
                At::Awaiting { .. } if !matches!(self.life, Life::Up { .. }) => {
                    return PodStatus::Starting;
                }
                At::Storing if operation.kind == OperationKind::Start => {
                    return PodStatus::Starting;
                }
                At::Awaiting { .. } | At::Storing | At::Recovering | At::Diagnosing { .. } => {}
            }
        }
        match &self.life {
            Life::Unseen { status } => *status,
            Life::Down => PodStatus::Stopped,
            Life::Up { .. } => PodStatus::Running,
            Life::Failed { .. } => PodStatus::Error,
        }
    }

    /// Whether it runs and all its checks have passed.
    pub(super) fn ready(&self) -> bool {
        matches!(&self.life, Life::Up { watch, whole: true, .. } if watch.ready())
    }

    /// Whether its manifest changed after it was started.
    pub(super) fn changed(&self) -> bool {
        matches!(self.life, Life::Up { .. })
            && self
                .started_digest
                .as_ref()
                .is_some_and(|d| *d != self.entry.manifest.digest)
    }

    pub(super) fn message(&self) -> Option<String> {
        match &self.life {
            Life::Failed { message, log } if log.is_empty() => Some(message.clone()),
            Life::Failed { message, log } => Some(format!("{message}\n{}", log.join("\n"))),
            Life::Up { watch, .. } => watch.complaint(),
            Life::Unseen { .. } => Some("not seen yet: Podman has not answered".to_owned()),
            Life::Down => None,
        }
    }

    /// Changes what the pod is; `since` follows when the kind changes.
    pub(super) fn become_life(&mut self, life: Life, now: Timestamp) {
        if std::mem::discriminant(&self.life) != std::mem::discriminant(&life) {
            self.since = match &life {
                Life::Up { since, .. } => *since,
                _ => now,
            };
        }
        self.completed = false;
        self.life = life;
    }

    pub(super) fn record(&self, usage: PodUsage, now: Timestamp) -> PodRecord {
        let spec = &self.entry.spec;
        PodRecord {
            id: self.id,
            name: spec.name.clone(),
            manifest: self.entry.manifest.clone(),
            category: spec.category,
            priority: spec.priority,
            port: spec.published_ports().next().map(|port| port.host_port),
            footprint: spec.footprint,
            wanted: self.wanted,
            status: self.status(),
            message: self.message(),
            started_digest: self.started_digest.clone(),
            usage,
            created_at: self.created_at,
            updated_at: now,
        }
    }
}
