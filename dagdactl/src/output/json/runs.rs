//! `dagdactl workflow run|stop|runs --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::admission::AdmissionView;
use super::events::EventView;
use super::operations::OutcomeView;
use super::{ErrorView, time, word};
use crate::error::Error;

word! {
    /// A run's state as one word.
    RunStateView from RunState {
        Queued = "queued",
        Evicting = "evicting",
        Starting = "starting",
        Running = "running",
        Degraded = "degraded",
        RollingBack = "rolling_back",
        Stopping = "stopping",
        Stopped = "stopped",
        Failed = "failed",
        RolledBack = "rolled_back",
        Cancelled = "cancelled",
    }
}

/// `{"runs":[…]}`, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunListView {
    /// The runs.
    pub runs: Vec<RunView>,
}

/// One execution of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunView {
    /// UUIDv7.
    pub id: String,
    /// The workflow.
    pub workflow: String,
    /// `queued`, `evicting`, `starting`, `running`, `degraded`, `rolling_back`, `stopping`,
    /// and at its end `stopped`, `failed`, `rolled_back` or `cancelled`.
    pub state: RunStateView,
    /// The workflow's.
    pub priority: u32,
    /// How it was, or is to be, admitted: `fit`, `evict` or `force`.
    pub admission: AdmissionView,
    /// When dagdad took it in hand.
    pub accepted_at: Option<Timestamp>,
    /// When there was room for it.
    pub admitted_at: Option<Timestamp>,
    /// When all its pods were ready for the first time.
    pub ready_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Until when its pods may take to become ready, while it starts.
    pub deadline: Option<Timestamp>,
    /// Its pods, level by level.
    pub pods: Vec<RunPodView>,
    /// Why it failed, or fails.
    pub failure: Option<ErrorView>,
    /// Its place, while it waits in the queue.
    pub queue: Option<QueuePlaceView>,
    /// Pods that are stopped to make room for it.
    pub victims: Vec<String>,
}

/// A run's place in the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueuePlaceView {
    /// 1 is next.
    pub place: u32,
    /// How many runs wait.
    pub length: u32,
    /// Why it does not start now.
    pub waits_for: String,
    /// The earliest time that can be justified.
    pub earliest_at: Option<Timestamp>,
    /// By what.
    pub earliest_reason: Option<String>,
}

/// A pod in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunPodView {
    /// Its name.
    pub pod: String,
    /// 0 starts first; pods of one level start together.
    pub level: u32,
    /// The pods of the run that it comes after.
    pub after: Vec<String>,
    /// `waiting`, `starting`, `ready`, `completed`, `lost`, `failed`, `stopping`, `stopped` or
    /// `kept`.
    pub step: String,
    /// Whether this run started it; a rollback stops only those.
    pub started_by_run: bool,
    /// Since when it has been in this step.
    pub since: Option<Timestamp>,
    /// What is being done, or why it failed or is kept.
    pub message: Option<String>,
}

/// All that is known of a run: the keys of [`RunView`] and these.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunDetailView {
    /// As in `workflow runs`.
    #[serde(flatten)]
    pub run: RunView,
    /// What happened in it, oldest first.
    pub events: Vec<EventView>,
}

/// What became of `workflow run NAME` or `workflow stop NAME`: `outcome` and what belongs to it (on failure the key `error`), and the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunOutcomeView {
    /// The workflow.
    pub name: String,
    /// `done`, `accepted` (with `--no-wait`) or `error`.
    #[serde(flatten)]
    pub outcome: OutcomeView,
    /// The run as it was seen last; `null` where there was none.
    pub run: Option<RunView>,
}

impl From<v1::ListRunsResponse> for RunListView {
    fn from(wire: v1::ListRunsResponse) -> Self {
        let v1::ListRunsResponse { runs } = wire;
        Self {
            runs: runs.into_iter().map(RunView::from).collect(),
        }
    }
}

impl From<v1::Run> for RunView {
    fn from(wire: v1::Run) -> Self {
        let v1::Run {
            id,
            workflow,
            state,
            priority,
            admission,
            accepted_at,
            admitted_at,
            ready_at,
            ended_at,
            deadline,
            pods,
            failure,
            queue,
            victims,
        } = wire;
        Self {
            id,
            workflow,
            state: RunStateView::from_wire(state),
            priority,
            admission: AdmissionView::from_wire(admission),
            accepted_at: accepted_at.and_then(time),
            admitted_at: admitted_at.and_then(time),
            ready_at: ready_at.and_then(time),
            ended_at: ended_at.and_then(time),
            deadline: deadline.and_then(time),
            pods: pods.into_iter().map(RunPodView::from).collect(),
            failure: failure.map(|failure| ErrorView::from(&Error::from(failure))),
            queue: queue.map(QueuePlaceView::from),
            victims,
        }
    }
}

impl From<v1::QueuePlace> for QueuePlaceView {
    fn from(wire: v1::QueuePlace) -> Self {
        let v1::QueuePlace {
            place,
            length,
            waits_for,
            earliest_at,
            earliest_reason,
        } = wire;
        Self {
            place,
            length,
            waits_for,
            earliest_at: earliest_at.and_then(time),
            earliest_reason,
        }
    }
}

impl From<v1::RunPod> for RunPodView {
    fn from(wire: v1::RunPod) -> Self {
        let v1::RunPod {
            pod,
            level,
            after,
            step,
            started_by_run,
            since,
            message,
        } = wire;
        Self {
            pod,
            level,
            after,
            step,
            started_by_run,
            since: since.and_then(time),
            message,
        }
    }
}

impl From<v1::RunDetail> for RunDetailView {
    fn from(wire: v1::RunDetail) -> Self {
        let v1::RunDetail { run, events } = wire;
        Self {
            run: run.unwrap_or_default().into(),
            events: events.into_iter().map(EventView::from).collect(),
        }
    }
}
