//! A pod's state, as its owner wants it and as it is.

/// What the owner wants of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// It was started and not stopped since.
    Up,
    /// It was stopped, or never started.
    Down,
}

/// A pod's state as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PodStatus {
    /// Not running, as wanted.
    Stopped,
    /// On its way up.
    Starting,
    /// Up.
    Running,
    /// On its way down.
    Stopping,
    /// Down, and not because somebody wanted it.
    Error,
}

impl PodStatus {
    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Error => "error",
        }
    }
}
