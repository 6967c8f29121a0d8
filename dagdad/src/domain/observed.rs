//! What a runtime says is really there.

use std::time::Duration;

use jiff::Timestamp;

use super::pod::PublishedPort;

/// A pod as the runtime has it, whether Dagda knows it or not.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedPod {
    /// The runtime's own id.
    pub id: String,
    /// Its name; need not be a valid [`super::name::PodName`].
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its containers, the infra container left out.
    pub containers: Vec<ObservedContainer>,
    /// Ports it really holds on the host.
    pub ports: Vec<PublishedPort>,
    /// Cgroup path below the hierarchy's root (`/machine.slice/machine-libpod_pod_….slice`);
    /// `None` where the runtime does not tell.
    pub cgroup: Option<String>,
}

/// A container of an [`ObservedPod`].
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedContainer {
    /// The runtime's own id.
    pub id: String,
    /// The name in the manifest: without the pod's name before it.
    pub name: String,
    /// Image as the runtime names it.
    pub image: String,
    /// Whether it is an init container.
    pub init: bool,
    /// What it is doing.
    pub state: ContainerState,
    /// How often the runtime restarted it, where it tells.
    pub restarts: u32,
}

/// What a container is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum ContainerState {
    /// Created, never started.
    Created,
    /// Its process runs.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// Frozen.
    Paused,
    /// On its way down.
    Stopping,
    /// Its process ended.
    Exited {
        /// Exit status; 128 + signal number where a signal ended it.
        code: i32,
        /// When.
        at: Timestamp,
        /// Killed by the kernel for want of memory.
        oom_killed: bool,
    },
}

/// A pod's containers, seen together.
#[derive(Debug, Clone, PartialEq)]
pub enum PodCondition {
    /// None has started yet.
    Created,
    /// At least one regular container runs.
    Running {
        /// Start of the container that has run longest.
        since: Timestamp,
        /// Whether every regular container runs, or has ended well.
        whole: bool,
    },
    /// All are frozen.
    Paused,
    /// On their way down, or between two restarts.
    Stopping,
    /// All have ended, none with an error.
    Completed,
    /// All have ended, at least one with an error.
    Failed {
        /// The container that failed last.
        container: String,
        /// Its exit status.
        code: i32,
        /// Killed by the kernel for want of memory.
        oom_killed: bool,
    },
}

impl ObservedPod {
    /// The first regular container that ended badly, and its exit code.
    #[must_use]
    pub fn broken(&self) -> Option<(&str, i32)> {
        let mut regular = self.containers.iter().filter(|container| !container.init);
        regular.find_map(|container| match container.state {
            ContainerState::Exited { code, .. } if code != 0 => {
                Some((container.name.as_str(), code))
            }
            _ => None,
        })
    }

    /// Reduces the containers to one condition.
    #[must_use]
    pub fn condition(&self) -> PodCondition {
        let regular = || self.containers.iter().filter(|container| !container.init);
        let running_since = regular()
            .filter_map(|container| match container.state {
                ContainerState::Running { since } => Some(since),
                _ => None,
            })
            .min();
        if let Some(since) = running_since {
            let whole = regular().all(|container| {
                matches!(
                    container.state,
                    ContainerState::Running { .. } | ContainerState::Exited { code: 0, .. }
                )
            });
            return PodCondition::Running { since, whole };
        }
        if regular().any(|container| container.state == ContainerState::Paused) {
            return PodCondition::Paused;
        }
        if regular().any(|container| container.state == ContainerState::Stopping) {
            return PodCondition::Stopping;
        }
        // A failed init container leaves the regular ones in `Created` for ever.
        let failure = self
            .containers
            .iter()
            .filter_map(|container| match container.state {
                ContainerState::Exited {
                    code,
                    at,
                    oom_killed,
                } if code != 0 => Some((at, container, code, oom_killed)),
                _ => None,
            })
            .max_by_key(|(at, ..)| *at);
        if let Some((_, container, code, oom_killed)) = failure {
            return PodCondition::Failed {
                container: container.name.clone(),
                code,
                oom_killed,
            };
        }
        let exited = |container: &ObservedContainer| {
            matches!(container.state, ContainerState::Exited { .. })
        };
        if regular().any(exited) {
            PodCondition::Completed
        } else {
            PodCondition::Created
        }
    }
}

/// A change that the runtime reports by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum RuntimeSignal {
    /// The runtime answers (again); everything may have changed.
    Connected {
        /// Its version, such as `4.3.1`.
        version: String,
    },
    /// The runtime does not answer. Reported once, until it does again.
    Disconnected {
        /// Why, for people.
        reason: String,
    },
    /// Something about pods changed; list them again.
    Changed,
    /// A container's process ended.
    Died {
        /// Name of its pod.
        pod: String,
        /// Container name as in [`ObservedContainer::name`].
        container: String,
        /// Its exit status.
        code: i32,
    },
    /// Somebody told the runtime to stop, kill or remove a pod (dagdad itself included).
    StopRequested {
        /// Name of the pod.
        pod: String,
        /// Which of those that have or had that name: [`ObservedPod::id`].
        id: String,
    },
}

/// Progress of an image pull, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullProgress {
    /// The image.
    pub image: String,
    /// The runtime's own last line.
    pub message: String,
}

/// Which log lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// Only this container.
    pub container: Option<String>,
    /// Only the last so many lines of each container.
    pub tail: Option<u32>,
    /// Only lines younger than this.
    pub since: Option<Duration>,
    /// Keep the stream open for new lines.
    pub follow: bool,
}

/// One line that a container wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Container name as in [`ObservedContainer::name`].
    pub container: String,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// Which of the two streams it was written to.
    pub stream: LogStream,
    /// The line without its end; invalid UTF-8 replaced.
    pub text: String,
}

/// Where a container wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
