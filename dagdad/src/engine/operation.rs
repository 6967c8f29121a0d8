//! An accepted command under way, and which result it waits for. [`super::step`] draws its
//! way as a diagram.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::eviction::Eviction;
use crate::domain::admission::Admission;
use crate::domain::catalogue::{Digest, RenderedPod};
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind, Progress, Stage};
use crate::domain::run::RunId;
use crate::domain::state::Wanted;

/// An accepted command under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) id: OperationId,
    pub(super) kind: OperationKind,
    /// Instead of the manifest's grace period.
    pub(super) grace: Option<Duration>,
    /// How a start was admitted, or is to be.
    pub(super) admission: Admission,
    /// The run that it is a step of.
    pub(super) run: Option<RunId>,
    /// Who is to go before it begins.
    pub(super) victims: Vec<PodName>,
    /// Who was stopped to make room for it.
    pub(super) evicted: Vec<PodName>,
    /// How far it is, for whoever watches.
    pub(super) progress: Progress,
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
    /// Waits for room.
    Evicting(Eviction),
    Rendering,
    Pulling {
        rendered: Arc<RenderedPod>,
    },
    Creating {
        rendered: Arc<RenderedPod>,
        /// Id of the pod that was listed under its name before.
        replaces: Option<String>,
    },
    Awaiting {
        spec: Arc<crate::domain::pod::PodSpec>,
        deadline: Timestamp,
        /// A pod with nothing to check that ended already counts once it has run until then.
        steady_at: Option<Timestamp>,
    },
    Stopping,
    Removing,
    Diagnosing {
        message: String,
        then: AfterDiagnosis,
    },
    Halting(Halt),
}

/// The stop of a crash loop.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Halt {
    /// What is amiss.
    pub(super) message: String,
    /// The last lines.
    pub(super) log: Vec<String>,
    /// How often it may still be asked for again where the runtime does not get to it in time.
    pub(super) again: u8,
}

/// What follows once the last lines of a failed pod are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterDiagnosis {
    /// Nothing runs any more.
    Fail,
    /// Podman would restart it for ever: stop it.
    Halt,
}

/// What an operation is accepted with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    pub(super) kind: OperationKind,
    pub(super) grace: Option<Duration>,
    pub(super) verdict: Option<String>,
    pub(super) admission: Admission,
    pub(super) victims: Vec<PodName>,
    pub(super) run: Option<RunId>,
    /// Why, for people: `to make room for llama`.
    pub(super) cause: Option<String>,
    /// As what it is recorded.
    pub(super) event: EventKind,
}

impl Request {
    pub(super) const fn new(kind: OperationKind) -> Self {
        Self {
            kind,
            grace: None,
            verdict: None,
            admission: Admission::Fit,
            victims: Vec::new(),
            run: None,
            cause: None,
            event: EventKind::Accepted,
        }
    }
}

/// An operation that waits for the one before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Queued {
    pub(super) operation: Operation,
    /// Whether its intent is on disk.
    pub(super) stored: bool,
}

impl Operation {
    pub(super) fn new(id: OperationId, request: Request, wanted_before: Wanted, at: At) -> Self {
        let Request {
            kind,
            grace,
            verdict,
            admission,
            victims,
            run,
            cause: _,
            event: _,
        } = request;
        Self {
            id,
            kind,
            grace,
            admission,
            run,
            victims,
            evicted: Vec::new(),
            progress: Progress {
                stage: Stage::Preparing,
                message: "accepted".to_owned(),
            },
            wanted_before,
            verdict,
            digest: None,
            at,
        }
    }

    /// Whether it holds, or keeps, a place in the budget: its pod is to be up at its end.
    pub(super) fn holds_room(&self) -> bool {
        let up = matches!(self.kind, OperationKind::Start | OperationKind::Restart);
        up && self.verdict.is_none()
            && self.victims.is_empty()
            && match self.at {
                At::Evicting(_) => false,
                // Whether there is room is decided again.
                At::Recovering => self.admission != Admission::Evict,
                _ => true,
            }
    }

    /// Whether it is on its way up: not stopping any more.
    pub(super) fn rising(&self) -> bool {
        match self.at {
            At::Evicting(_)
            | At::Rendering
            | At::Pulling { .. }
            | At::Creating { .. }
            | At::Awaiting { .. }
            | At::Diagnosing { .. }
            | At::Halting(_) => {
                matches!(self.kind, OperationKind::Start | OperationKind::Restart)
            }
            At::Recovering | At::Storing => self.kind == OperationKind::Start,
            At::Stopping | At::Removing => false,
        }
    }
}
