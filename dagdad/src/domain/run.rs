//! A run: one execution of a workflow. `engine/step/run.rs` draws its way as a diagram.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::admission::Admission;
use super::name::{PodName, WorkflowName};
use super::pod::Priority;
use super::workflow::OnFailure;

/// Names one run, in time order (UUIDv7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One execution of a workflow. What it was started with stays, whatever becomes of the
/// workflow in the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which.
    pub id: RunId,
    /// Of which workflow.
    pub workflow: WorkflowName,
    /// The workflow's.
    pub priority: Priority,
    /// The workflow's.
    pub on_failure: OnFailure,
    /// The workflow's, or what the caller gave: from admission until all pods are ready.
    pub timeout: Duration,
    /// How it is admitted.
    pub admission: Admission,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When there was room for it.
    pub admitted_at: Option<Timestamp>,
    /// When all its pods were ready for the first time.
    pub ready_at: Option<Timestamp>,
    /// Where it is.
    pub phase: Phase,
    /// Its pods, level by level.
    pub members: Vec<RunMember>,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Waits until it fits.
    Queued,
    /// Waits until these are stopped, to make room for it.
    Evicting {
        /// Whom it waits for.
        victims: Vec<PodName>,
    },
    /// Its pods are started, level by level.
    Starting {
        /// Until when they must be ready.
        deadline: Timestamp,
    },
    /// All its pods are ready, or ran to their end.
    Running,
    /// It ran, and a pod of it does not run any more.
    Degraded,
    /// It failed; what it started is being stopped.
    RollingBack(Failure),
    /// Somebody stopped it; its pods are being stopped.
    Stopping,
    /// At its end.
    Ended {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was stopped, or all its pods ran to their end.
    Stopped,
    /// It failed, and its pods were left as they were.
    Failed(Failure),
    /// It failed, and what it had started was stopped again.
    RolledBack(Failure),
    /// It was taken out of the queue.
    Cancelled,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// As [`super::error::CommandError::code`].
    pub code: String,
    /// For people.
    pub message: String,
    /// The last lines of the pod that failed it.
    pub log: Vec<String>,
}

/// A run's state as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// [`Phase::Queued`].
    Queued,
    /// [`Phase::Evicting`].
    Evicting,
    /// [`Phase::Starting`].
    Starting,
    /// [`Phase::Running`].
    Running,
    /// [`Phase::Degraded`].
    Degraded,
    /// [`Phase::RollingBack`].
    RollingBack,
    /// [`Phase::Stopping`].
    Stopping,
    /// [`Outcome::Stopped`].
    Stopped,
    /// [`Outcome::Failed`].
    Failed,
    /// [`Outcome::RolledBack`].
    RolledBack,
    /// [`Outcome::Cancelled`].
    Cancelled,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Evicting,
        Self::Starting,
        Self::Running,
        Self::Degraded,
        Self::RollingBack,
        Self::Stopping,
        Self::Stopped,
        Self::Failed,
        Self::RolledBack,
        Self::Cancelled,
    ];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Evicting => "evicting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::RollingBack => "rolling_back",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Phase {
    /// As one word.
    #[must_use]
    pub const fn state(&self) -> RunState {
        match self {
            Self::Queued => RunState::Queued,
            Self::Evicting { .. } => RunState::Evicting,
            Self::Starting { .. } => RunState::Starting,
            Self::Running => RunState::Running,
            Self::Degraded => RunState::Degraded,
            Self::RollingBack(_) => RunState::RollingBack,
            Self::Stopping => RunState::Stopping,
            Self::Ended { outcome, .. } => match outcome {
                Outcome::Stopped => RunState::Stopped,
                Outcome::Failed(_) => RunState::Failed,
                Outcome::RolledBack(_) => RunState::RolledBack,
                Outcome::Cancelled => RunState::Cancelled,
            },
        }
    }

    /// Why the run failed, or fails.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::RollingBack(failure)
            | Self::Ended {
                outcome: Outcome::Failed(failure) | Outcome::RolledBack(failure),
                ..
            } => Some(failure),
            _ => None,
        }
    }
}

/// A pod in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunMember {
    /// Which.
    pub pod: PodName,
    /// 0 starts first; members of one level start together.
    pub level: u32,
    /// The members that it comes after: the workflow's own order and the pod's.
    pub after: Vec<PodName>,
    /// Where it is.
    pub step: Step,
    /// Since when.
    pub since: Timestamp,
    /// Whether this run started it; a rollback stops only those.
    pub started_by_run: bool,
}

/// Where a run is with one of its pods.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// For room, or for those before it.
    Waiting,
    /// It is being started, or was up and is not ready yet.
    Starting,
    /// It runs and is ready.
    Ready,
    /// It ran to its end, as it is meant to.
    Completed,
    /// It was ready and does not run any more.
    Lost {
        /// Why, for people.
        message: String,
    },
    /// It did not come up.
    Failed {
        /// Why, for people.
        message: String,
    },
    /// It is being stopped.
    Stopping,
    /// It is down again.
    Stopped,
    /// It stays up although the run ends.
    Kept {
        /// Who needs it, for people.
        because: String,
    },
}

impl Step {
    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Completed => "completed",
            Self::Lost { .. } => "lost",
            Self::Failed { .. } => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Kept { .. } => "kept",
        }
    }

    /// What there is to say beyond the word.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Lost { message } | Self::Failed { message } => Some(message),
            Self::Kept { because } => Some(because),
            _ => None,
        }
    }

    /// Whether those after it may start.
    #[must_use]
    pub const fn satisfied(&self) -> bool {
        matches!(self, Self::Ready | Self::Completed)
    }
}

impl Run {
    /// Whether it is not at its end.
    #[must_use]
    pub const fn active(&self) -> bool {
        !matches!(self.phase, Phase::Ended { .. })
    }

    /// Whether it keeps its pods up: it was admitted, and nobody has begun to end it.
    #[must_use]
    pub const fn needs_pods(&self) -> bool {
        match self.phase {
            Phase::Starting { .. } | Phase::Running | Phase::Degraded => true,
            // One that was degraded and is to be mended.
            Phase::Evicting { .. } => self.admitted_at.is_some(),
            Phase::Queued | Phase::RollingBack(_) | Phase::Stopping | Phase::Ended { .. } => false,
        }
    }

    /// Its member of this name.
    #[must_use]
    pub fn member(&self, pod: &PodName) -> Option<&RunMember> {
        self.members.iter().find(|member| member.pod == *pod)
    }
}

/// Which runs are wanted, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunQuery {
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// At most so many.
    pub limit: u32,
}
