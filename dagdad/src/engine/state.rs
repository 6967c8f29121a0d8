//! Everything the engine knows. Owned by one task; changed by [`super::step::step`] alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::event::Ticket;
use super::identity::Identities;
use super::readiness::Watch;
use crate::domain::catalogue::{Applied, CataloguePod, Change, Digest, RenderedPod};
use crate::domain::event::{EventKind, EventRecord};
use crate::domain::name::PodName;
use crate::domain::observed::ObservedPod;
use crate::domain::operation::{Intent, OperationId, OperationKind};
use crate::domain::sample::{HostSample, PodUsage};
use crate::domain::state::{PodStatus, Wanted};
use crate::ports::{MirrorLink, MirrorStatus, PodRecord};

/// What the engine is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a started pod may take to become ready.
    pub start_timeout: Duration,
    /// How often a sample is recorded; samples in between are only shown.
    pub record_interval: Duration,
}

/// The whole state.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) settings: Settings,
    pub(super) identities: Identities,
    pub(super) started_at: Timestamp,
    pub(super) pods: BTreeMap<PodName, Pod>,
    /// What the runtime had at the last listing, by its names.
    pub(super) observed: BTreeMap<String, Arc<ObservedPod>>,
    pub(super) runtime: RuntimeLink,
    pub(super) host: Option<Arc<HostSample>>,
    /// By the runtime's names.
    pub(super) usage: BTreeMap<String, PodUsage>,
    pub(super) mirror: MirrorStatus,
    pub(super) schedule: Schedule,
    /// A change of the catalogue that is being stored.
    pub(super) applying: Option<Applying>,
    /// The changes that come after it.
    pub(super) apply_queue: VecDeque<(Ticket, Vec<CataloguePod>)>,
    /// Whether what an earlier daemon left open was taken up: at the first listing.
    pub(super) settled: bool,
    pub(super) closing: bool,
    pub(super) last_watch: u64,
}

/// Whether the runtime answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeLink {
    /// Not heard of yet.
    Unknown,
    /// It answers.
    Up {
        /// Its version.
        version: String,
    },
    /// It does not.
    Down {
        /// Why.
        reason: String,
    },
}

/// A change of the catalogue that is being stored.
#[derive(Debug, Clone)]
pub(super) struct Applying {
    pub(super) ticket: Ticket,
    pub(super) applied: Vec<Applied>,
    /// What is new or different, each with the id of its row.
    pub(super) changed: Vec<(Uuid, Arc<CataloguePod>)>,
}

impl Applying {
    /// Whether the pod comes into the catalogue with this change.
    pub(super) fn created(&self, name: &PodName) -> bool {
        self.applied
            .iter()
            .any(|object| object.name == *name && object.change == Change::Created)
    }
}

/// What is due when.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    pub(super) listing: Listing,
    pub(super) resync_at: Timestamp,
    pub(super) tidy_at: Timestamp,
    pub(super) record_at: Timestamp,
    pub(super) refresh_rows_at: Timestamp,
}

/// The listing of pods, at most one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listing {
    Idle,
    /// Changes were reported; listed once they have had a moment to come together.
    Due(Timestamp),
    UnderWay {
        /// Something changed meanwhile.
        again: bool,
        /// What was done with these meanwhile, the answer may not have seen.
        outdated: BTreeSet<PodName>,
    },
}

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
    /// When this engine last had the runtime stop or replace it.
    pub(super) stopped_by_us: Option<Timestamp>,
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

/// An accepted command under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) id: OperationId,
    pub(super) kind: OperationKind,
    /// Instead of the manifest's grace period.
    pub(super) grace: Option<Duration>,
    /// What `wanted` was before, should the intent not be storable.
    pub(super) wanted_before: Wanted,
    /// What this operation is to end with in any case: the pod is brought down for a fault.
    pub(super) verdict: Option<String>,
    /// The manifest it starts the pod with.
    pub(super) digest: Option<Digest>,
    pub(super) at: At,
}

/// Which result an operation waits for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum At {
    /// Left open by an earlier daemon; waits for the first listing.
    Recovering,
    Storing,
    Rendering,
    Pulling {
        rendered: Arc<RenderedPod>,
    },
    Creating {
        rendered: Arc<RenderedPod>,
    },
    Awaiting {
        spec: Arc<crate::domain::pod::PodSpec>,
        deadline: Timestamp,
        /// A pod with nothing to check counts once it has run until then.
        steady_at: Option<Timestamp>,
    },
    Stopping,
    Removing,
    Diagnosing {
        message: String,
        then: AfterDiagnosis,
    },
    Halting {
        message: String,
        log: Vec<String>,
    },
}

/// What follows once the last lines of a failed pod are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterDiagnosis {
    /// Nothing runs any more.
    Fail,
    /// Podman would restart it for ever: stop it.
    Halt,
}

/// An operation that waits for the one before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Queued {
    pub(super) operation: Operation,
    /// Whether its intent is on disk.
    pub(super) stored: bool,
}

impl Operation {
    /// Whether it is on its way up: not stopping any more.
    pub(super) fn rising(&self) -> bool {
        match self.at {
            At::Rendering
            | At::Pulling { .. }
            | At::Creating { .. }
            | At::Awaiting { .. }
            | At::Diagnosing { .. }
            | At::Halting { .. } => {
                matches!(self.kind, OperationKind::Start | OperationKind::Restart)
            }
            At::Recovering | At::Storing => self.kind == OperationKind::Start,
            At::Stopping | At::Removing => false,
        }
    }
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
                At::Stopping | At::Removing | At::Halting { .. } => return PodStatus::Stopping,
                At::Rendering | At::Pulling { .. } | At::Creating { .. } => {
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

impl State {
    /// A state that goes on where an earlier daemon stopped. `pods` are its rows with their
    /// manifests read again; `intents` are those it left open.
    #[must_use]
    pub fn restore(
        settings: Settings,
        seed: u64,
        pods: Vec<(PodRecord, CataloguePod)>,
        mut intents: Vec<Intent>,
        now: Timestamp,
    ) -> (Self, Vec<Intent>) {
        let mut state = Self {
            settings,
            identities: Identities::seeded(seed),
            started_at: now,
            pods: BTreeMap::new(),
            observed: BTreeMap::new(),
            runtime: RuntimeLink::Unknown,
            host: None,
            usage: BTreeMap::new(),
            mirror: MirrorStatus {
                link: MirrorLink::Disabled,
                outbox: 0,
            },
            schedule: Schedule {
                listing: Listing::Idle,
                resync_at: now,
                tidy_at: now,
                record_at: now,
                refresh_rows_at: now,
            },
            applying: None,
            apply_queue: VecDeque::new(),
            settled: false,
            closing: false,
            last_watch: 0,
        };
        for (record, entry) in pods {
            let mut pod = Pod::new(record.id, Arc::new(entry), record.created_at);
            pod.wanted = record.wanted;
            pod.started_digest = record.started_digest;
            pod.since = record.updated_at;
            pod.life = match (record.status, record.message) {
                (PodStatus::Error, message) => Life::Failed {
                    message: message.unwrap_or_default(),
                    log: Vec::new(),
                },
                (status, _) => Life::Unseen { status },
            };
            state.pods.insert(record.name, pod);
        }
        // The newest intent of a pod is what its owner asked for last; older ones lose.
        intents.sort_by_key(|intent| intent.id);
        let mut superseded = Vec::new();
        for intent in intents {
            let Some(pod) = state.pods.get_mut(&intent.pod) else {
                superseded.push(intent);
                continue;
            };
            let wanted_before = pod.wanted;
            pod.wanted = intent.kind.wants();
            let operation = Operation {
                id: intent.id,
                kind: intent.kind,
                grace: None,
                wanted_before,
                verdict: None,
                digest: None,
                at: At::Recovering,
            };
            if let Some(older) = pod.operation.replace(operation) {
                superseded.push(Intent {
                    id: older.id,
                    pod: intent.pod.clone(),
                    kind: older.kind,
                    accepted_at: intent.accepted_at,
                });
            }
        }
        (state, superseded)
    }

    /// The event that tells of this daemon's beginning.
    pub fn started_event(&mut self, now: Timestamp) -> EventRecord {
        let message = format!("dagdad {} started", env!("CARGO_PKG_VERSION"));
        let id = self.identities.next(now);
        EventRecord {
            id,
            at: now,
            kind: EventKind::DaemonStarted,
            object: None,
            message,
        }
    }

    /// When [`super::event::Event::Tick`] is due next.
    #[must_use]
    pub fn next_deadline(&self) -> Timestamp {
        let schedule = &self.schedule;
        let mut next = schedule.resync_at.min(schedule.tidy_at);
        if let Listing::Due(at) = schedule.listing {
            next = next.min(at);
        }
        for pod in self.pods.values() {
            if let Some(Operation {
                at:
                    At::Awaiting {
                        deadline,
                        steady_at,
                        ..
                    },
                ..
            }) = pod.operation
            {
                next = next.min(deadline).min(steady_at.unwrap_or(deadline));
            }
        }
        next
    }

    pub(super) fn usage_of(&self, name: &PodName) -> PodUsage {
        self.usage.get(name.as_str()).copied().unwrap_or_default()
    }

    /// A pod's row; `None` while a change of its manifest is being stored, which the row would
    /// undo. [`super::event::Event::ChangeStored`] brings the row up to date.
    pub(super) fn record_of(&self, name: &PodName, now: Timestamp) -> Option<PodRecord> {
        let pod = self.pods.get(name)?;
        let changing = |applying: &Applying| applying.changed.iter().any(|(id, _)| *id == pod.id);
        if self.applying.as_ref().is_some_and(changing) {
            return None;
        }
        Some(pod.record(self.usage_of(name), now))
    }
}
