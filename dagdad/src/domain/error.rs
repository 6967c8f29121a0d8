//! Why a command was refused or failed, in words for the person who gave it: what failed,
//! why, and what to do next.

use std::time::Duration;

use super::name::PodName;
use super::operation::OperationKind;

/// A command's unhappy end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// No such pod in the catalogue.
    #[error("no pod named {name}{}", nearest.as_ref().map_or_else(|| "; see what there is: dagdactl pods list --all".to_owned(), |n| format!("; did you mean {n}?")))]
    NoSuchPod {
        /// What was asked for.
        name: String,
        /// The catalogue's most similar name.
        nearest: Option<PodName>,
    },
    /// No such container in the pod.
    #[error("pod {pod} has no container {name}; it has {}", containers.join(", "))]
    NoSuchContainer {
        /// The pod.
        pod: PodName,
        /// What was asked for.
        name: String,
        /// What there is.
        containers: Vec<String>,
    },
    /// A manifest, name or value that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// Another pod holds a host port.
    #[error(
        "{pod} cannot start: host port {port} is held by pod {holder}; stop it first: dagdactl pods stop {holder}"
    )]
    PortTaken {
        /// The pod that was to start.
        pod: PodName,
        /// The port.
        port: u16,
        /// Who holds it.
        holder: String,
    },
    /// The pod must be stopped first.
    #[error("{pod} is {state}; stop it first, or remove it with --force")]
    Busy {
        /// The pod.
        pod: PodName,
        /// What it does.
        state: &'static str,
    },
    /// A later command took the place of this one.
    #[error("the {kind} of {pod} was cancelled by a later {by}")]
    Cancelled {
        /// The pod.
        pod: PodName,
        /// What was cancelled.
        kind: OperationKind,
        /// What cancelled it.
        by: OperationKind,
    },
    /// The runtime does not answer at all.
    #[error("Podman does not answer: {reason}; run `dagdactl doctor` to see how to mend it")]
    RuntimeDown {
        /// Why.
        reason: String,
    },
    /// The runtime, or the pod, did not get there in time.
    #[error("{message}")]
    TimedOut {
        /// What was waited for, and what goes on meanwhile.
        message: String,
        /// How long.
        after: Duration,
    },
    /// A pod did not come up, or went down.
    #[error("{message}")]
    PodFailed {
        /// What happened.
        message: String,
        /// The last lines its containers wrote.
        log: Vec<String>,
    },
    /// The runtime said no.
    #[error("{0}")]
    Runtime(String),
    /// The intent could not be written, so nothing was done.
    #[error("nothing was done, since the intent could not be stored: {0}")]
    Store(String),
    /// dagdad is on its way down.
    #[error("dagdad is shutting down; what was accepted is finished at its next start")]
    ShuttingDown,
}

impl CommandError {
    /// [`CommandError::NoSuchPod`] with the most similar of `known`, where one is similar.
    pub fn no_such_pod<'a>(asked: &str, known: impl Iterator<Item = &'a PodName>) -> Self {
        let nearest = known
            .map(|name| (strsim::damerau_levenshtein(name.as_str(), asked), name))
            .filter(|(distance, name)| *distance <= 2.max(name.as_str().len() / 3))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name.clone());
        Self::NoSuchPod {
            name: asked.escape_debug().to_string(),
            nearest,
        }
    }

    /// Stable name for scripts, part of the JSON contract.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPod { .. } | Self::NoSuchContainer { .. } => "not_found",
            Self::Invalid(_) => "invalid",
            Self::PortTaken { .. } => "port_taken",
            Self::Busy { .. } => "busy",
            Self::Cancelled { .. } => "cancelled",
            Self::RuntimeDown { .. } => "runtime_unavailable",
            Self::TimedOut { .. } => "timed_out",
            Self::PodFailed { .. } => "pod_failed",
            Self::Runtime(_) => "runtime_failed",
            Self::Store(_) => "store_failed",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The last lines of the pod's containers, where there are any.
    #[must_use]
    pub fn log(&self) -> &[String] {
        match self {
            Self::PodFailed { log, .. } => log,
            _ => &[],
        }
    }
}
