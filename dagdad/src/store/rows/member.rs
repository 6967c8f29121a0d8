//! `workflow_runs.pods`: where a run is with each of its pods, as JSON.

use serde::{Deserialize, Serialize};

use super::value::{BadValue, from_json, from_names, from_rfc3339, json, name, names, rfc3339};
use crate::domain::run::{RunMember, Step};

const COLUMN: &str = "workflow_runs.pods";

/// One object of the list.
#[derive(Debug, Serialize, Deserialize)]
struct MemberJson {
    pod: String,
    level: u32,
    after: Vec<String>,
    #[serde(flatten)]
    step: StepJson,
    /// RFC 3339.
    since: String,
    started_by_run: bool,
}

/// The keys `step` and, where there is more to say, `message`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum StepJson {
    Waiting,
    Starting,
    Ready,
    Completed,
    Lost { message: String },
    Failed { message: String },
    Stopping,
    Stopped,
    Kept { message: String },
}

/// The column's text.
pub(super) fn to_column(members: &[RunMember]) -> String {
    json(&members.iter().map(MemberJson::from).collect::<Vec<_>>())
}

/// What the column says.
pub(super) fn from_column(text: &str) -> Result<Vec<RunMember>, BadValue> {
    let members: Vec<MemberJson> = from_json(COLUMN, text)?;
    members.into_iter().map(RunMember::try_from).collect()
}

impl From<&RunMember> for MemberJson {
    fn from(member: &RunMember) -> Self {
        let RunMember {
            pod,
            level,
            after,
            step,
            since,
            started_by_run,
        } = member;
        Self {
            pod: pod.to_string(),
            level: *level,
            after: names(after),
            step: step.into(),
            since: rfc3339(*since),
            started_by_run: *started_by_run,
        }
    }
}

impl TryFrom<MemberJson> for RunMember {
    type Error = BadValue;

    fn try_from(member: MemberJson) -> Result<Self, BadValue> {
        let MemberJson {
            pod,
            level,
            after,
            step,
            since,
            started_by_run,
        } = member;
        Ok(Self {
            pod: name(COLUMN, &pod)?,
            level,
            after: from_names(COLUMN, &after)?,
            step: step.into(),
            since: from_rfc3339(COLUMN, &since)?,
            started_by_run,
        })
    }
}

impl From<&Step> for StepJson {
    fn from(step: &Step) -> Self {
        match step {
            Step::Waiting => Self::Waiting,
            Step::Starting => Self::Starting,
            Step::Ready => Self::Ready,
            Step::Completed => Self::Completed,
            Step::Lost { message } => Self::Lost {
                message: message.clone(),
            },
            Step::Failed { message } => Self::Failed {
                message: message.clone(),
            },
            Step::Stopping => Self::Stopping,
            Step::Stopped => Self::Stopped,
            Step::Kept { because } => Self::Kept {
                message: because.clone(),
            },
        }
    }
}

impl From<StepJson> for Step {
    fn from(step: StepJson) -> Self {
        match step {
            StepJson::Waiting => Self::Waiting,
            StepJson::Starting => Self::Starting,
            StepJson::Ready => Self::Ready,
            StepJson::Completed => Self::Completed,
            StepJson::Lost { message } => Self::Lost { message },
            StepJson::Failed { message } => Self::Failed { message },
            StepJson::Stopping => Self::Stopping,
            StepJson::Stopped => Self::Stopped,
            StepJson::Kept { message } => Self::Kept { because: message },
        }
    }
}
