//! The three doors to the outside. The engine knows these traits and nothing behind them;
//! simulation and tests put fakes behind them, [`crate::run`] the real thing.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::domain::alert::{Alert, AlertQuery};
use crate::domain::audit::{AuditEntry, AuditQuery};
use crate::domain::catalogue::{Digest, Manifest, RenderedPod};
use crate::domain::economy::{EconomyRecord, RecordedSample};
use crate::domain::event::{EventQuery, EventRecord};
use crate::domain::footprint::PodRun;
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::observed::{LogLine, LogQuery, ObservedPod, PullProgress, RuntimeSignal};
use crate::domain::operation::{Intent, OperationId};
use crate::domain::pod::{Category, Footprint, PodSpec, Priority, PullPolicy, Readiness};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::{Run, RunQuery};
use crate::domain::sample::{HistoryPoint, PodUsage, Sample};
use crate::domain::silence::Silence;
use crate::domain::state::{PodStatus, Wanted};

/// What runs pods. Every call has a deadline of its own and may be dropped at any point.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// Changes as they happen, for ever: reconnects by itself, begins with `Connected` or
    /// `Disconnected`, and reports `Connected` after each gap. Never blocks the runtime.
    fn signals(&self) -> BoxStream<'static, RuntimeSignal>;

    /// All pods there are, catalogued or not.
    async fn list(&self) -> Result<Vec<ObservedPod>, RuntimeError>;

    /// Makes an image available as `policy` says, reporting a pull as it goes.
    async fn ensure_image(
        &self,
        image: &str,
        policy: PullPolicy,
        progress: mpsc::Sender<PullProgress>,
    ) -> Result<(), RuntimeError>;

    /// Creates the pod and starts its containers. A pod of that name that does not run is
    /// replaced; one that runs or is paused is an error.
    async fn play(&self, pod: &RenderedPod) -> Result<(), RuntimeError>;

    /// Asks the pod's containers to end, kills them after `grace`. The stopped pod stays, so
    /// that its logs can be read. A pod that is gone or stopped already is a success; one that
    /// is paused goes on first, so that it can end.
    async fn stop(&self, pod: &PodName, grace: Duration) -> Result<(), RuntimeError>;

    /// Removes a pod, running, paused or not. One that is gone already is a success.
    async fn remove(&self, pod: &PodName) -> Result<(), RuntimeError>;

    /// Log lines of all containers, or of the one asked for, as a stream in time order as far
    /// as the runtime gives it.
    async fn logs(
        &self,
        pod: &PodName,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine, RuntimeError>>, RuntimeError>;

    /// Asks once whether `readiness` holds; an `Err` says what was seen instead.
    async fn probe(&self, pod: &PodSpec, readiness: &Readiness) -> Result<(), ProbeFailure>;

    /// Lets the pod's containers use so much CPU together: each gets the same share, but none
    /// more than its own limit, and what one may not use goes to the others. `None` puts back
    /// each container's limit as `pod`'s manifest gives it, or none. After an error no
    /// container is throttled, as far as the runtime still answers.
    async fn throttle(&self, pod: &PodSpec, to: Option<Millicpu>) -> Result<(), RuntimeError>;

    /// Pauses the pod: its processes get no CPU and keep their memory. One that is paused
    /// already is a success; one that does not run is an error.
    async fn freeze(&self, pod: &PodName) -> Result<(), RuntimeError>;

    /// Lets a paused pod run again. One that runs, or has ended, is a success.
    async fn thaw(&self, pod: &PodName) -> Result<(), RuntimeError>;

    /// Has the kernel drop up to `goal` of the pod's memory that can be read again or swapped.
    /// Returns how much less the pod has than before: also less than `goal`, or nothing.
    /// [`RuntimeError::Unsupported`] where there is no cgroup v2 `memory.reclaim`.
    async fn reclaim(&self, pod: &PodName, goal: Bytes) -> Result<Bytes, RuntimeError>;

    /// Use of the named pods where their cgroup files are out of sight; slow.
    async fn usage(&self, pods: &[String]) -> Result<Vec<(String, PodUsage)>, RuntimeError>;
}

/// Why the runtime did not do as told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// Nothing answers.
    #[error("cannot reach Podman: {reason}")]
    Unreachable {
        /// Socket and cause.
        reason: String,
    },
    /// No answer within the call's deadline. Whether it was done is unknown.
    #[error("Podman did not {what} within {}", humantime::format_duration(*.after))]
    TimedOut {
        /// What was asked, as a verb phrase: `start the pod`.
        what: String,
        /// The deadline.
        after: Duration,
    },
    /// The object is not there.
    #[error("Podman knows no {what}")]
    NotFound {
        /// Which object.
        what: String,
    },
    /// The image is neither here nor to be had.
    #[error("image {image} is not to be had: {reason}")]
    Image {
        /// Which image.
        image: String,
        /// Podman's reason, in one line.
        reason: String,
    },
    /// No room on the disk for an image.
    #[error("no room for image {image}")]
    NoRoom {
        /// Which image.
        image: String,
        /// How much it takes, as far as that is known.
        needed: Option<Bytes>,
        /// What is free.
        available: Bytes,
        /// Where images are kept, or where they are put as they are downloaded.
        path: String,
    },
    /// The pod runs already.
    #[error("pod {pod} runs already")]
    AlreadyRunning {
        /// Which pod.
        pod: String,
    },
    /// Podman answered with an error.
    #[error("Podman refused: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its message, in one line.
        message: String,
    },
    /// This machine cannot do that.
    #[error("{0}")]
    Unsupported(String),
    /// Podman answered with something else than its API promises.
    #[error("Podman's answer was not understood: {0}")]
    Protocol(String),
}

/// A readiness check that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeFailure(pub String);

/// Where records live. Calls come from several tasks at once.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// All that the engine needs to go on where it stopped.
    async fn load(&self) -> Result<Restored, StoreError>;

    /// Writes all records or none, durably: after `Ok`, a power cut loses none of them.
    async fn commit(&self, records: &[Record]) -> Result<(), StoreError>;

    /// The host's past between `since` and `until`, oldest first, in at most `points` steps.
    async fn history(
        &self,
        since: Timestamp,
        until: Timestamp,
        points: u32,
    ) -> Result<Vec<HistoryPoint>, StoreError>;

    /// What was recorded of the host and its pods from `since` on and before `until`, oldest
    /// first, as fine as it is kept. A stretch belongs to the moment at which it began.
    async fn samples(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordedSample>, StoreError>;

    /// Events, oldest first.
    async fn events(&self, query: &EventQuery) -> Result<Vec<EventRecord>, StoreError>;

    /// Thins history and drops what is older than it is kept. Called about once a minute.
    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Past and present runs, newest first.
    async fn runs(&self, query: &RunQuery) -> Result<Vec<Run>, StoreError>;

    /// The runs whose id begins with `id`, at most two of them.
    async fn find_run(&self, id: &str) -> Result<Vec<Run>, StoreError>;

    /// Alerts, newest first.
    async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>, StoreError>;

    /// Who asked for what, newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// How records reach the system of record.
    fn mirror(&self) -> watch::Receiver<MirrorStatus>;
}

/// What a restarted daemon begins with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// The catalogue with each pod's last known state.
    pub pods: Vec<PodRecord>,
    /// The catalogue's workflows.
    pub workflows: Vec<WorkflowRecord>,
    /// Runs that have not ended, oldest first.
    pub runs: Vec<Run>,
    /// Alerts that go on.
    pub alerts: Vec<Alert>,
    /// Each pod's latest runs, at most [`crate::domain::footprint::RUNS_KEPT`] a pod.
    pub pod_runs: Vec<PodRun>,
    /// Intents that were never closed.
    pub intents: Vec<Intent>,
    /// Economy mode.
    pub economy: EconomyRecord,
    /// Silences that were not lifted, also those that are over.
    pub silences: Vec<Silence>,
}

/// One thing to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Insert or replace a pod's row, by its id.
    PutPod(Box<PodRecord>),
    /// Delete a pod's row, by its id.
    DeletePod(Uuid),
    /// Insert or replace a workflow's row, by its id.
    PutWorkflow(Box<WorkflowRecord>),
    /// Delete a workflow's row, by its id.
    DeleteWorkflow(Uuid),
    /// Insert or replace a run's row, by its id.
    PutRun(Box<Run>),
    /// Insert or replace an alert's row, by its id.
    PutAlert(Box<Alert>),
    /// Insert or replace what a pod's run used, by its id.
    PutPodRun(Box<PodRun>),
    /// Replace what is stored of economy mode.
    PutEconomy(Box<EconomyRecord>),
    /// Insert or replace a silence, by its id.
    PutSilence(Box<Silence>),
    /// Delete a silence, by its id.
    DeleteSilence(Uuid),
    /// An operation was accepted.
    OpenIntent(Intent),
    /// Insert or replace what somebody asked for, by its id.
    PutAudit(Box<AuditEntry>),
    /// An operation came to its end, and with it what was asked of it.
    CloseIntent {
        /// Which.
        id: OperationId,
        /// When.
        at: Timestamp,
        /// `done` or an error's code.
        outcome: String,
    },
    /// Something happened.
    Event(EventRecord),
    /// The host was measured.
    Sample(Box<SampleRecord>),
}

/// A row of the table `pods`.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRecord {
    /// UUIDv7, kept for as long as the pod is in the catalogue.
    pub id: Uuid,
    /// Its name, unique.
    pub name: PodName,
    /// The manifest, unfilled.
    pub manifest: Manifest,
    /// For people who query the table.
    pub category: Category,
    /// For people who query the table.
    pub priority: Priority,
    /// For people who query the table: the first published port.
    pub port: Option<u16>,
    /// For people who query the table.
    pub footprint: Footprint,
    /// Whether its owner wants it up.
    pub wanted: Wanted,
    /// Its state when the row was written.
    pub status: PodStatus,
    /// Why it is in that state, where there is more to say.
    pub message: Option<String>,
    /// The manifest that the running pod was started with, where Dagda started it.
    pub started_digest: Option<Digest>,
    /// Last measured use.
    pub usage: PodUsage,
    /// When the pod came into the catalogue.
    pub created_at: Timestamp,
    /// When this row last changed.
    pub updated_at: Timestamp,
}

/// A row of the table `workflows`.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRecord {
    /// UUIDv7, kept for as long as the workflow is in the catalogue.
    pub id: Uuid,
    /// Its name, unique.
    pub name: WorkflowName,
    /// The manifest.
    pub manifest: Manifest,
    /// For people who query the table.
    pub description: Option<String>,
    /// For people who query the table.
    pub pods: Vec<PodName>,
    /// For people who query the table.
    pub priority: Priority,
    /// For people who query the table: what its pods are expected to use together.
    pub estimated: Footprint,
    /// For people who query the table: whether a run of it is active.
    pub active: bool,
    /// When the workflow came into the catalogue.
    pub created_at: Timestamp,
    /// When this row last changed.
    pub updated_at: Timestamp,
}

/// A row of the table `system_resources`.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRecord {
    /// UUIDv7.
    pub id: Uuid,
    /// The sample; `host.at` is the row's time.
    pub sample: Sample,
}

/// Why the local store did not write or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room.
    #[error("the disk with {path} is full; free some space, then try again")]
    Full {
        /// The database file.
        path: String,
    },
    /// Not writable.
    #[error("{path} cannot be written: {reason}")]
    ReadOnly {
        /// The database file or its directory.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// Not a database, or a damaged one.
    #[error(
        "{path} is damaged ({reason}); it was left untouched. Move it aside together with its -wal and -shm, then run `dagdad restore` where MariaDB is configured, or put back a backup, or begin anew"
    )]
    Corrupt {
        /// The database file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// It was removed or replaced behind the daemon's back.
    #[error(
        "{path} is not there any more, or another file lies in its place: what is written now would be lost; put it back, or restart dagdad"
    )]
    Gone {
        /// The database file.
        path: String,
    },
    /// Written by a later dagdad.
    #[error(
        "{path} has schema {found}, this dagdad knows up to {known}; install the newer dagdad again, or put back a backup of the state directory from before the upgrade (the file was left untouched)"
    )]
    NewerSchema {
        /// The database.
        path: String,
        /// Version found.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// Anything else.
    #[error("the local store failed: {0}")]
    Failed(String),
}

/// How rows reach MariaDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorStatus {
    /// The connection.
    pub link: MirrorLink,
    /// Rows that wait in the outbox.
    pub outbox: u64,
}

/// The connection to MariaDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorLink {
    /// Not configured: SQLite is all there is.
    Disabled,
    /// Not tried yet, or trying.
    Connecting,
    /// Rows go through.
    Connected,
    /// Rows wait.
    Disconnected {
        /// Why, for people; without secrets.
        reason: String,
        /// Since when.
        since: Timestamp,
    },
}

/// What measures the host. Called from one thread; may block for some milliseconds.
pub trait Sampler: Send + 'static {
    /// Measures the host and each of `pods`.
    fn sample(&mut self, pods: &[SampledPod]) -> Sample;
}

/// A pod to be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledPod {
    /// Its name in the runtime.
    pub name: String,
    /// Its cgroup below the hierarchy's root, where known.
    pub cgroup: Option<String>,
}
