//! The columns of `workflow_runs` that say where a run is: `state`, and those that belong to
//! some states only.

use super::value::{BadValue, bad, from_json, from_names, json, names, timestamp};
use crate::domain::run::{Failure, Outcome, Phase, RunState};

const VICTIMS: &str = "workflow_runs.victims";
const DEADLINE: &str = "workflow_runs.deadline";
const FAILURE_CODE: &str = "workflow_runs.failure_code";
const FAILURE_MESSAGE: &str = "workflow_runs.failure_message";
const FAILURE_LOG: &str = "workflow_runs.failure_log";
const ENDED_AT: &str = "workflow_runs.ended_at";

/// A run's phase, column by column.
#[derive(Debug, Default)]
pub(super) struct PhaseColumns {
    pub victims: Option<String>,
    pub deadline: Option<i64>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
    pub failure_log: Option<String>,
    pub ended_at: Option<i64>,
}

impl From<&Phase> for PhaseColumns {
    fn from(phase: &Phase) -> Self {
        let (failure, others) = match phase {
            Phase::Queued | Phase::Running | Phase::Degraded | Phase::Stopping => {
                (None, Self::default())
            }
            Phase::Evicting { victims } => (
                None,
                Self {
                    victims: Some(json(&names(victims))),
                    ..Self::default()
                },
            ),
            Phase::Starting { deadline } => (
                None,
                Self {
                    deadline: Some(deadline.as_microsecond()),
                    ..Self::default()
                },
            ),
            Phase::RollingBack(failure) => (Some(failure), Self::default()),
            Phase::Ended { at, outcome } => (
                match outcome {
                    Outcome::Stopped | Outcome::Cancelled => None,
                    Outcome::Failed(failure) | Outcome::RolledBack(failure) => Some(failure),
                },
                Self {
                    ended_at: Some(at.as_microsecond()),
                    ..Self::default()
                },
            ),
        };
        let Some(Failure { code, message, log }) = failure else {
            return others;
        };
        Self {
            failure_code: Some(code.clone()),
            failure_message: Some(message.clone()),
            failure_log: Some(json(log)),
            ..others
        }
    }
}

/// The state with this text.
pub(super) fn state(text: &str) -> Result<RunState, BadValue> {
    RunState::ALL
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| bad("workflow_runs.state", text))
}

impl PhaseColumns {
    /// The phase of a run in `state`. Every column that belongs to the state must be there,
    /// and no other.
    pub fn phase(mut self, state: RunState) -> Result<Phase, BadValue> {
        let phase = match state {
            RunState::Queued => Phase::Queued,
            RunState::Evicting => Phase::Evicting {
                victims: {
                    let text = needed(VICTIMS, state, &mut self.victims)?;
                    from_names(VICTIMS, &from_json::<Vec<_>>(VICTIMS, &text)?)?
                },
            },
            RunState::Starting => Phase::Starting {
                deadline: timestamp(DEADLINE, needed(DEADLINE, state, &mut self.deadline)?)?,
            },
            RunState::Running => Phase::Running,
            RunState::Degraded => Phase::Degraded,
            RunState::RollingBack => Phase::RollingBack(self.failure(state)?),
            RunState::Stopping => Phase::Stopping,
            RunState::Stopped => self.ended(state, Outcome::Stopped)?,
            RunState::Failed => {
                let failure = self.failure(state)?;
                self.ended(state, Outcome::Failed(failure))?
            }
            RunState::RolledBack => {
                let failure = self.failure(state)?;
                self.ended(state, Outcome::RolledBack(failure))?
            }
            RunState::Cancelled => self.ended(state, Outcome::Cancelled)?,
        };
        let Self {
            victims,
            deadline,
            failure_code,
            failure_message,
            failure_log,
            ended_at,
        } = self;
        let left = [
            (VICTIMS, victims.is_some()),
            (DEADLINE, deadline.is_some()),
            (FAILURE_CODE, failure_code.is_some()),
            (FAILURE_MESSAGE, failure_message.is_some()),
            (FAILURE_LOG, failure_log.is_some()),
            (ENDED_AT, ended_at.is_some()),
        ];
        match left.into_iter().find(|(_, set)| *set) {
            Some((column, _)) => Err(BadValue::Surplus {
                column,
                state: state.as_str(),
            }),
            None => Ok(phase),
        }
    }

    fn failure(&mut self, state: RunState) -> Result<Failure, BadValue> {
        Ok(Failure {
            code: needed(FAILURE_CODE, state, &mut self.failure_code)?,
            message: needed(FAILURE_MESSAGE, state, &mut self.failure_message)?,
            log: from_json(
                FAILURE_LOG,
                &needed(FAILURE_LOG, state, &mut self.failure_log)?,
            )?,
        })
    }

    fn ended(&mut self, state: RunState, outcome: Outcome) -> Result<Phase, BadValue> {
        Ok(Phase::Ended {
            at: timestamp(ENDED_AT, needed(ENDED_AT, state, &mut self.ended_at)?)?,
            outcome,
        })
    }
}

fn needed<T>(column: &'static str, state: RunState, value: &mut Option<T>) -> Result<T, BadValue> {
    value.take().ok_or(BadValue::Missing {
        column,
        state: state.as_str(),
    })
}
