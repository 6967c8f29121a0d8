//! An alert: one episode of one condition, from its beginning to its end.

use jiff::Timestamp;
use uuid::Uuid;

/// What is amiss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A pod that should run does not.
    PodDown,
    /// A run of a workflow failed.
    WorkflowFailed,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 2] = [Self::PodDown, Self::WorkflowFailed];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PodDown => "pod_down",
            Self::WorkflowFailed => "workflow_failed",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it some time.
    Warning,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One episode of one condition: one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// UUIDv7.
    pub id: Uuid,
    /// What is amiss.
    pub condition: Condition,
    /// With which pod or workflow.
    pub object: String,
    /// How bad it is.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub resolved_at: Option<Timestamp>,
}

/// Which alerts are wanted, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertQuery {
    /// Also those that have ended.
    pub resolved: bool,
    /// At most so many.
    pub limit: u32,
}
