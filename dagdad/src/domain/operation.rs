//! An operation is one accepted command on one pod, on its way to a terminal state.
//!
//! ```text
//!            ┌───────────────── failed / cancelled ─────────────────┐
//!            │                                                      ▼
//! accepted ──┴─► preparing ─► pulling ─► creating ─► awaiting ─► finished
//!            └─► stopping ──────────────────────────────────────────┘
//! ```
//!
//! The intent is stored before the first effect and closed with the last, so that an open
//! operation found at start-up is finished or undone.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::admission::Admission;
use super::error::CommandError;
use super::name::PodName;
use super::run::RunId;
use super::state::Wanted;

/// Names one operation, in time order (UUIDv7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub Uuid);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Bring the pod up.
    Start,
    /// Bring the pod down.
    Stop,
    /// Down, then up.
    Restart,
    /// Down, out of the runtime, out of the catalogue.
    Remove,
}

impl OperationKind {
    /// What the owner wants who asks for it.
    #[must_use]
    pub const fn wants(self) -> Wanted {
        match self {
            Self::Start | Self::Restart => Wanted::Up,
            Self::Stop | Self::Remove => Wanted::Down,
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Remove => "remove",
        })
    }
}

/// An intent as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Which operation.
    pub id: OperationId,
    /// On which pod.
    pub pod: PodName,
    /// To do what.
    pub kind: OperationKind,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// How a start was, or is to be, admitted; [`Admission::Fit`] for all others.
    pub admission: Admission,
    /// The run that it is a step of.
    pub run: Option<RunId>,
}

/// Where an operation is, for whoever watches it.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Which step.
    pub stage: Stage,
    /// One line for people.
    pub message: String,
}

/// The step an operation is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its intent is being stored, its manifest filled in, room made for it.
    Preparing,
    /// An image is being pulled.
    Pulling,
    /// The runtime creates and starts the containers.
    Creating,
    /// The pod runs and is not ready yet.
    Awaiting,
    /// The containers are asked to end.
    Stopping,
}

/// How an operation ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// One line for people: `llama is running`, `llama was already running`.
    pub message: String,
    /// Whether anything had to be done.
    pub changed: bool,
}

/// Everything a watcher of an operation sees: where it is, then how it ended.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationView {
    /// On its way.
    Running(Progress),
    /// At its end.
    Finished(Result<Done, CommandError>),
}
