//! Why a command was refused or failed, in words for the person who gave it: what failed,
//! why, and what to do next.

use std::time::Duration;

use super::admission::Denial;
use super::alert::Condition;
use super::caller::Role;
use super::name::{PodName, WorkflowName};
use super::operation::OperationKind;
use super::quantity::Bytes;
use super::run::RunId;

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
    /// No such workflow in the catalogue.
    #[error("no workflow named {name}{}", nearest.as_ref().map_or_else(|| "; see what there is: dagdactl workflow list".to_owned(), |n| format!("; did you mean {n}?")))]
    NoSuchWorkflow {
        /// What was asked for.
        name: String,
        /// The catalogue's most similar name.
        nearest: Option<WorkflowName>,
    },
    /// No such run.
    #[error("no run {id}; see what there is: dagdactl workflow runs")]
    NoSuchRun {
        /// What was asked for.
        id: String,
    },
    /// No such alert goes on.
    #[error("no alert {which} goes on; see what there is: dagdactl alerts list")]
    NoSuchAlert {
        /// What was asked for.
        which: String,
    },
    /// Nothing that an alert could be about.
    #[error(
        "nothing here is called {what}; give a condition ({}), or what an alert is about: a pod, a workflow or a mount point",
        Condition::ALL.map(Condition::as_str).join(", ")
    )]
    NothingToSilence {
        /// What was asked for.
        what: String,
    },
    /// No such silence.
    #[error("no silence {which}; see what there is: dagdactl alerts silences")]
    NoSuchSilence {
        /// What was asked for.
        which: String,
    },
    /// A workflow names a pod that has left the catalogue.
    #[error(
        "workflow {workflow} needs pod {pod}, which is not in the catalogue; apply its manifest again, or take it out of the workflow"
    )]
    MissingPod {
        /// The workflow.
        workflow: WorkflowName,
        /// The pod.
        pod: PodName,
    },
    /// It does not fit.
    #[error("{0}")]
    Insufficient(Box<Denial>),
    /// Economy mode starts nothing that is optional.
    #[error(
        "{pod} is not started: economy mode is active since {} ({cause}), and {pod} is optional; it {next}. Start it all the same with --force, or see: dagdactl economy status",
        since.strftime("%F %T UTC")
    )]
    EconomyActive {
        /// The pod.
        pod: PodName,
        /// Since when economy mode is active.
        since: jiff::Timestamp,
        /// Why, for people.
        cause: String,
        /// When it ends, for people.
        next: String,
    },
    /// What is free is not known.
    #[error(
        "whether it fits is not known, since the host has not been measured yet; try again in a second or two"
    )]
    NotMeasured,
    /// There is no room on the disk for an image.
    #[error(
        "there is no room for image {image}: {}; free some space (podman image prune), then try again",
        room(*needed, *available, path)
    )]
    DiskFull {
        /// Which image.
        image: String,
        /// How much it takes, as far as that is known.
        needed: Option<Bytes>,
        /// What is free.
        available: Bytes,
        /// Where images are kept, or where they are put as they are downloaded.
        path: String,
    },
    /// Another run of the workflow is active.
    #[error("run {run} of {workflow} is {state}; {advice}")]
    RunActive {
        /// The workflow.
        workflow: WorkflowName,
        /// The run.
        run: RunId,
        /// What it does.
        state: &'static str,
        /// What to do.
        advice: String,
    },
    /// An active run needs the pod.
    #[error(
        "run {run} of workflow {workflow} needs {pod}; stop the workflow first (dagdactl workflow stop {workflow}), or use --force"
    )]
    NeededByRun {
        /// The pod.
        pod: PodName,
        /// The workflow.
        workflow: WorkflowName,
        /// The run.
        run: RunId,
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
    /// The caller may not do that.
    #[error("{caller} may not do `{verb}`: that takes the role {role}, {}", advice(group.as_deref(), user.as_deref()))]
    NotPermitted {
        /// Whom they are taken for: `anna (uid 1000)`.
        caller: String,
        /// Their name, where the system knows one.
        user: Option<String>,
        /// What they asked for, as dagdactl calls it.
        verb: String,
        /// The role that they lack.
        role: Role,
        /// A group that would give it.
        group: Option<String>,
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
        Self::NoSuchPod {
            name: asked.escape_debug().to_string(),
            nearest: nearest(asked, known, PodName::as_str),
        }
    }

    /// [`CommandError::NoSuchWorkflow`] with the most similar of `known`, where one is similar.
    pub fn no_such_workflow<'a>(
        asked: &str,
        known: impl Iterator<Item = &'a WorkflowName>,
    ) -> Self {
        Self::NoSuchWorkflow {
            name: asked.escape_debug().to_string(),
            nearest: nearest(asked, known, WorkflowName::as_str),
        }
    }

    /// Stable name for scripts, part of the JSON contract.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPod { .. }
            | Self::NoSuchWorkflow { .. }
            | Self::NoSuchRun { .. }
            | Self::NoSuchAlert { .. }
            | Self::NothingToSilence { .. }
            | Self::NoSuchSilence { .. }
            | Self::MissingPod { .. }
            | Self::NoSuchContainer { .. } => "not_found",
            Self::Insufficient(_) | Self::DiskFull { .. } => "insufficient_resources",
            Self::EconomyActive { .. } => "economy_active",
            Self::RunActive { .. } | Self::NeededByRun { .. } => "busy",
            Self::NotPermitted { .. } => "permission_denied",
            Self::Invalid(_) => "invalid",
            Self::PortTaken { .. } => "port_taken",
            Self::Busy { .. } | Self::NotMeasured => "busy",
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

/// How to come by a role that `group` gives.
fn advice(group: Option<&str>, user: Option<&str>) -> String {
    match group {
        Some(group) => format!(
            "which members of the group {group} have; root can add you: usermod -aG {group} {}",
            user.unwrap_or("NAME")
        ),
        None => "which only root has, and the user that dagdad runs as".to_owned(),
    }
}

fn room(needed: Option<Bytes>, available: Bytes, path: &str) -> String {
    match needed {
        Some(needed) => {
            format!("it needs about {needed}, and {available} are free on the disk with {path}")
        }
        None => format!("it needs more than the {available} that are free on the disk with {path}"),
    }
}

fn nearest<'a, T: Clone + 'a>(
    asked: &str,
    known: impl Iterator<Item = &'a T>,
    text: impl Fn(&T) -> &str,
) -> Option<T> {
    known
        .map(|name| (strsim::damerau_levenshtein(text(name), asked), name))
        .filter(|(distance, name)| *distance <= 2.max(text(name).len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.clone())
}
