//! What reaches the engine: commands, what the outside reports, and the results of effects.

use crate::domain::admission::Admission;
use crate::domain::alert::Alert;
use crate::domain::catalogue::{Applied, Entries, RenderedPod};
use crate::domain::economy::Policy;
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::observed::{ObservedPod, PullProgress, RuntimeSignal};
use crate::domain::operation::{Done, OperationId};
use crate::domain::quantity::Bytes;
use crate::domain::run::RunId;
use crate::domain::sample::Sample;
use crate::domain::silence::{Silence, Silenced};
use jiff::SignedDuration;
use uuid::Uuid;

use super::state::Settings;
use crate::ports::{MirrorStatus, ProbeFailure, RuntimeError, StoreError};

/// Names a waiting caller, so that the pure core need not hold its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One thing that happened, to be answered with effects.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody asks for something.
    Command {
        /// Who waits for the answer.
        ticket: Ticket,
        /// What is asked.
        command: Command,
    },
    /// The runtime reports by itself.
    Runtime(RuntimeSignal),
    /// The answer to [`super::effect::Effect::List`].
    Listed(Result<Vec<ObservedPod>, RuntimeError>),
    /// The host and its pods were measured.
    Sampled(Sample),
    /// The way to MariaDB changed.
    Mirror(MirrorStatus),
    /// An operation's effect came to its end.
    Result {
        /// On which pod.
        pod: PodName,
        /// Of which operation.
        operation: OperationId,
        /// How.
        result: EffectResult,
    },
    /// The answer to [`super::effect::Persist::Run`].
    RunStored {
        /// Which run.
        run: RunId,
        /// Whether it is on disk.
        result: Result<(), StoreError>,
    },
    /// The answer to [`super::effect::Persist::Change`].
    ChangeStored {
        /// Who asked for the change.
        ticket: Ticket,
        /// Whether it is on disk.
        result: Result<(), StoreError>,
    },
    /// The answer to [`super::effect::Persist::Economy`].
    EconomyStored {
        /// As it was given.
        id: Uuid,
        /// Whether it is on disk.
        result: Result<(), StoreError>,
    },
    /// The answer to [`super::effect::Effect::Ease`].
    Eased {
        /// Which pod.
        pod: PodName,
        /// As it was given.
        id: Uuid,
        /// How much memory went, for a reclaim; zero for all else.
        result: Result<Bytes, RuntimeError>,
    },
    /// A hook or webhook could not be told of an alert.
    NotNotified {
        /// Of which.
        alert: Uuid,
        /// What failed and why, for people; without secrets.
        reason: String,
    },
    /// A readiness check was made.
    Probed {
        /// On which pod.
        pod: PodName,
        /// The watch it belongs to; an older one is stale.
        watch: u64,
        /// Which check of that watch.
        check: usize,
        /// Whether it holds.
        result: Result<(), ProbeFailure>,
    },
    /// The last lines of a pod that failed while no operation was under way.
    Diagnosed {
        /// Which pod.
        pod: PodName,
        /// Its last lines.
        log: Vec<String>,
    },
    /// The configuration was read again and is in force from now on.
    Reconfigured {
        /// What it says.
        settings: Box<Settings>,
        /// What changed, for people; without secrets.
        message: String,
    },
    /// The configuration was read again and is not good; the one before stays.
    NotReconfigured {
        /// What is wrong with it, for people; without secrets.
        reason: String,
    },
    /// [`super::state::State::next_deadline`] has come.
    Tick,
    /// The clock on the wall was set, or went on while the machine slept: it shows so much more,
    /// or less, than the time that passed since the last event.
    ClockSet(SignedDuration),
    /// dagdad is told to end.
    Shutdown,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Put manifests into the catalogue, all or none.
    Apply {
        /// Parsed and found good, each by itself.
        entries: Entries,
        /// Say what would change; change nothing.
        dry_run: bool,
    },
    /// Bring a pod up.
    Start {
        /// As the caller wrote it.
        pod: String,
        /// What to do where it does not fit.
        admission: Admission,
    },
    /// Bring a pod down.
    Stop {
        /// As the caller wrote it.
        pod: String,
        /// Instead of the manifest's grace period.
        grace: Option<std::time::Duration>,
    },
    /// Down and up again.
    Restart {
        /// As the caller wrote it.
        pod: String,
    },
    /// Take a pod out of the catalogue.
    Remove {
        /// As the caller wrote it.
        pod: String,
        /// Stop it first if it runs.
        force: bool,
    },
    /// Bring a workflow's pods up, in order.
    Run {
        /// As the caller wrote it.
        workflow: String,
        /// What to do where it does not fit.
        admission: Admission,
        /// Wait in the queue where it does not fit.
        queue: bool,
        /// Instead of the workflow's own.
        timeout: Option<std::time::Duration>,
    },
    /// Bring a workflow's pods down, in reverse order, or take its run out of the queue.
    StopWorkflow {
        /// As the caller wrote it.
        workflow: String,
    },
    /// Take a workflow out of the catalogue.
    RemoveWorkflow {
        /// As the caller wrote it.
        workflow: String,
    },
    /// Take note of alerts.
    AcknowledgeAlerts {
        /// A condition, or what an id begins with.
        which: String,
    },
    /// Set what economy mode may do.
    SetEconomy {
        /// What.
        policy: Policy,
    },
    /// Notify nobody of something for a while.
    Silence {
        /// Of what: a condition, or what an alert is about.
        of: Silenced,
        /// For how long.
        span: std::time::Duration,
    },
    /// Notify people again.
    LiftSilence {
        /// What the silence's id begins with, a condition, or what an alert is about.
        which: String,
    },
    /// End an alert by hand.
    ResolveAlert {
        /// What its id begins with.
        id: String,
    },
}

/// The answer to a [`Command`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Accepted; watch this operation.
    Operation(OperationId),
    /// Accepted; watch this run in the snapshots, where it stays for a while after its end.
    Run(RunId),
    /// Nothing had to be done.
    Done(Done),
    /// The alerts that were asked for, as they are now.
    Alerts {
        /// Which.
        alerts: Vec<Alert>,
        /// Whether any was changed.
        changed: bool,
    },
    /// The silences that were asked for: set, or lifted.
    Silences(Vec<Silence>),
    /// What `apply` did, or would do.
    Applied(Vec<Applied>),
    /// No.
    Refused(CommandError),
}

/// How an operation's effect ended.
#[derive(Debug, Clone, PartialEq)]
pub enum EffectResult {
    /// The intent is on disk.
    Stored,
    /// The intent could not be written.
    NotStored(StoreError),
    /// The manifest was filled in, or cannot be.
    Rendered(Result<RenderedPod, CommandError>),
    /// An image pull goes on.
    Pulling(PullProgress),
    /// All images are here, or one is not to be had.
    Images(Result<(), RuntimeError>),
    /// The pod was created and started.
    Played(Result<(), RuntimeError>),
    /// The pod was stopped.
    Stopped(Result<(), RuntimeError>),
    /// The pod was removed from the runtime.
    Removed(Result<(), RuntimeError>),
    /// The last lines of the pod's containers; empty where there are none.
    Diagnosed(Vec<String>),
}
