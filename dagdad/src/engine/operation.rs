//! An accepted command under way, and which result it waits for. [`super::step`] draws its
//! way as a diagram.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::catalogue::{Digest, RenderedPod};
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::state::Wanted;

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
        /// A pod with nothing to check that ended already counts once it has run until then.
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
