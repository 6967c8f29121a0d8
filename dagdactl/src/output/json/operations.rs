//! `dagdactl pods start|stop|restart|remove NAME… --json`.

use serde::Serialize;

use super::ErrorView;

/// `{"results":[…]}` in the order of the command line, and `error` (that of the first that
/// failed) where not all went well. One pod has the same shape as several.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperationsView {
    /// What became of each pod.
    pub results: Vec<OperationView>,
    /// The first failure; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// What became of an operation on a pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperationView {
    /// The pod.
    pub name: String,
    /// `done`, `accepted` (with `--no-wait`) or `error`, and what belongs to it.
    #[serde(flatten)]
    pub outcome: OutcomeView,
}

/// How an operation ended, as far as it was waited for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum OutcomeView {
    /// It went well.
    Done {
        /// False where nothing had to be done.
        changed: bool,
        /// One line: `llama is running`.
        message: String,
    },
    /// dagdad has it in hand.
    Accepted {
        /// One line.
        message: String,
    },
    /// It failed.
    Error {
        /// Why.
        error: Box<ErrorView>,
    },
}
