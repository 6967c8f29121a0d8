//! Everything the engine knows. Owned by one task; changed by [`super::step::step`] alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::alerts::Episodes;
use super::economy::{Economy, Situation};
use super::event::Ticket;
use super::identity::Identities;
use super::operation::{At, Operation, Request};
use super::pod::{Life, Pod};
use super::run::ActiveRun;
use super::step::{Doing, Watched, later};
use super::workflow::Workflow;
use crate::domain::alert::{Alert, Rules};
use crate::domain::catalogue::{Applied, CataloguePod, Change, Entries};
use crate::domain::economy::{EconomyRecord, EconomyRules, Policy};
use crate::domain::event::{EventKind, EventRecord};
use crate::domain::footprint::PodRun;
use crate::domain::name::{ObjectName, PodName, WorkflowName};
use crate::domain::observed::ObservedPod;
use crate::domain::operation::Intent;
use crate::domain::pod::Footprint;
use crate::domain::run::{Phase, Run, RunId};
use crate::domain::sample::{HostSample, PodUsage};
use crate::domain::silence::Silence;
use crate::domain::state::PodStatus;
use crate::domain::workflow::CatalogueWorkflow;
use crate::ports::{MirrorLink, MirrorStatus, PodRecord, WorkflowRecord};

/// How long a run that has ended is shown before only the records know of it.
pub(super) const RUN_REMEMBERED: SignedDuration = SignedDuration::from_mins(5);

/// So many times the time from one sample to the next may pass before time does not count …
const STALLED: u32 = 3;
/// … which on a busy box may be so long anyway.
const BUSY: Duration = Duration::from_secs(5);

/// What the engine is configured with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How long a started pod may take to become ready.
    pub start_timeout: Duration,
    /// How often a sample is to come.
    pub sample_interval: Duration,
    /// How often a sample is recorded; samples in between are only shown.
    pub record_interval: Duration,
    /// The share of the machine that may be given out.
    pub thresholds: Thresholds,
    /// Whether a lack of CPU refuses a start; otherwise it warns.
    pub cpu_enforced: bool,
    /// When what is an alert.
    pub alerts: Rules,
    /// What economy mode may do, unless somebody has set something else.
    pub economy_policy: Policy,
    /// What economy mode goes by.
    pub economy: EconomyRules,
}

impl Settings {
    /// The longest time between two samples that counts: where it is longer, nobody watched.
    pub(super) fn longest_gap(&self) -> Duration {
        (self.sample_interval * STALLED).max(BUSY)
    }
}

/// The budget's ceilings in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Of the host's memory.
    pub ram_percent: f64,
    /// Of all cores together.
    pub cpu_percent: f64,
}

/// What an earlier daemon left.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// Its pods' rows with their manifests read again.
    pub pods: Vec<(PodRecord, CataloguePod)>,
    /// Its workflows' rows with their manifests read again.
    pub workflows: Vec<(WorkflowRecord, CatalogueWorkflow)>,
    /// Runs that had not ended.
    pub runs: Vec<Run>,
    /// Alerts that go on.
    pub alerts: Vec<Alert>,
    /// What each pod's latest runs used.
    pub pod_runs: Vec<PodRun>,
    /// Intents that were not closed.
    pub intents: Vec<Intent>,
    /// Economy mode.
    pub economy: EconomyRecord,
    /// Silences.
    pub silences: Vec<Silence>,
}

/// The whole state.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) settings: Settings,
    /// How often they were replaced.
    pub(super) reloads: u64,
    pub(super) identities: Identities,
    pub(super) started_at: Timestamp,
    pub(super) pods: BTreeMap<PodName, Pod>,
    pub(super) workflows: BTreeMap<WorkflowName, Workflow>,
    /// Active ones, and those that ended a short while ago.
    pub(super) runs: BTreeMap<RunId, ActiveRun>,
    /// What is amiss.
    pub(super) episodes: Episodes,
    /// When the last sample was taken, by its own time.
    pub(super) alert_sample: Option<Timestamp>,
    /// Whether this step brought a sample.
    pub(super) watched: Watched,
    /// What the runtime had at the last listing, by its names.
    pub(super) observed: BTreeMap<String, Arc<ObservedPod>>,
    pub(super) runtime: RuntimeLink,
    pub(super) host: Option<Arc<HostSample>>,
    /// When `host` and `usage` came in.
    pub(super) sampled_at: Timestamp,
    /// What was used then by everything outside the catalogue.
    pub(super) others: Footprint,
    /// By the runtime's names.
    pub(super) usage: BTreeMap<String, PodUsage>,
    pub(super) economy: Economy,
    /// How far what economy mode does has come.
    pub(super) doing: Option<Doing>,
    /// What economy mode decides on, as of the last sample.
    pub(super) situation: Option<Arc<Situation>>,
    /// By id: that is by when they were set.
    pub(super) silences: BTreeMap<Uuid, Silence>,
    pub(super) mirror: MirrorStatus,
    pub(super) schedule: Schedule,
    /// A change of the catalogue that is being stored.
    pub(super) applying: Option<Applying>,
    /// The changes that come after it.
    pub(super) apply_queue: VecDeque<(Ticket, Entries)>,
    /// Whether what an earlier daemon left open was taken up: at the first listing.
    pub(super) settled: bool,
    /// Pods that ran before a reboot, until it is known whether they fit.
    pub(super) to_start_again: BTreeSet<PodName>,
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
        /// Its version; `None` until it said so: it may have listed its pods before.
        version: Option<String>,
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
    /// Pods that are new or different, each with the id of its row.
    pub(super) changed: Vec<(Uuid, Arc<CataloguePod>)>,
    /// Workflows that are new or different, each with the id of its row.
    pub(super) changed_workflows: Vec<(Uuid, Arc<CatalogueWorkflow>)>,
}

impl Applying {
    /// Whether the pod comes into the catalogue with this change.
    pub(super) fn created(&self, name: &PodName) -> bool {
        self.applied.iter().any(|object| {
            object.name == ObjectName::Pod(name.clone()) && object.change == Change::Created
        })
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

impl State {
    /// A state that goes on where an earlier daemon stopped. Returns the intents that newer
    /// ones replaced too.
    #[must_use]
    pub fn restore(
        settings: Settings,
        seed: u64,
        remembered: Remembered,
        now: Timestamp,
    ) -> (Self, Vec<Intent>) {
        let Remembered {
            pods,
            workflows,
            runs,
            alerts,
            pod_runs,
            intents,
            economy,
            silences,
        } = remembered;
        let mut state = Self {
            settings,
            reloads: 0,
            identities: Identities::seeded(seed),
            started_at: now,
            pods: BTreeMap::new(),
            workflows: BTreeMap::new(),
            runs: BTreeMap::new(),
            episodes: Episodes::restored(alerts),
            alert_sample: None,
            watched: Watched::Unmeasured,
            observed: BTreeMap::new(),
            runtime: RuntimeLink::Unknown,
            host: None,
            sampled_at: now,
            others: Footprint::default(),
            usage: BTreeMap::new(),
            economy: Economy::restored(economy),
            doing: None,
            situation: None,
            silences: silences
                .into_iter()
                .map(|silence| (silence.id, silence))
                .collect(),
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
            to_start_again: BTreeSet::new(),
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
        for run in pod_runs {
            if let Some(pod) = state.pods.get_mut(&run.pod) {
                pod.usage.remember(run);
            }
        }
        for (record, entry) in workflows {
            let workflow = Workflow {
                shown_active: record.active,
                ..Workflow::new(record.id, Arc::new(entry), record.created_at)
            };
            state.workflows.insert(record.name, workflow);
        }
        state.sort_workflows();
        for run in runs {
            state.runs.insert(run.id, ActiveRun::new(run, true));
        }
        let superseded = state.take_up(intents);
        state.balance();
        (state, superseded)
    }

    /// Takes up the operations that an earlier daemon left open. The newest intent of a pod is
    /// what its owner asked for last; older ones lose, and are returned.
    fn take_up(&mut self, mut intents: Vec<Intent>) -> Vec<Intent> {
        intents.sort_by_key(|intent| intent.id);
        let mut superseded = Vec::new();
        for intent in intents {
            let Some(pod) = self.pods.get_mut(&intent.pod) else {
                superseded.push(intent);
                continue;
            };
            let wanted_before = pod.wanted;
            pod.wanted = intent.kind.wants();
            let request = Request {
                admission: intent.admission,
                run: intent.run,
                ..Request::new(intent.kind)
            };
            let operation = Operation::new(intent.id, request, wanted_before, At::Recovering);
            if let Some(older) = pod.operation.replace(operation) {
                self.start_was_cancelled(&intent, &older);
                superseded.push(Intent {
                    id: older.id,
                    pod: intent.pod.clone(),
                    kind: older.kind,
                    accepted_at: intent.accepted_at,
                    admission: older.admission,
                    run: older.run,
                });
            }
        }
        superseded
    }

    /// Sorts the pods of every workflow anew, after a change of the catalogue.
    pub(super) fn sort_workflows(&mut self) {
        for workflow in self.workflows.values_mut() {
            workflow.sort(&self.pods);
        }
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
            run: None,
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
            if let Some(Operation {
                at: At::Evicting(eviction),
                ..
            }) = &pod.operation
            {
                next = next.min(eviction.deadline().unwrap_or(next));
            }
        }
        for active in self.runs.values() {
            next = next.min(self.run_deadline(active).unwrap_or(next));
        }
        if self.settled && !self.closing {
            let rules = &self.settings.economy;
            let wakes_at = self.economy.wakes_at(rules, self.economy_policy());
            next = next.min(wakes_at.unwrap_or(next));
        }
        let silences = self.silences.values().map(|silence| silence.until);
        next.min(silences.min().unwrap_or(next))
    }

    fn run_deadline(&self, active: &ActiveRun) -> Option<Timestamp> {
        // Nothing is done with runs before pods were listed.
        if !self.settled || !active.stored {
            return None;
        }
        if let Some(failing) = &active.failing {
            return Some(failing.until);
        }
        match active.run.phase {
            Phase::Evicting { .. } => active.eviction.as_ref()?.deadline(),
            Phase::Starting { deadline } => Some(deadline),
            Phase::Ended { at, .. } => Some(later(at, RUN_REMEMBERED)),
            _ => None,
        }
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
