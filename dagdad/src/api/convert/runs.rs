//! Runs: where they are, with each of their pods, and how they ended.

use dagda_proto::v1;

use super::admission::{admission_mode, earliest};
use super::error::failure;
use super::operations::done;
use super::time::timestamp;
use crate::domain::operation::Done;
use crate::domain::run::{Failure, Phase, Run, RunMember, RunState, Step};
use crate::engine::snapshot::{QueuePlace, RunView, Snapshot};

/// `snapshot` tells what is being done with the pods meanwhile.
pub fn run(view: &RunView, snapshot: &Snapshot) -> v1::Run {
    let RunView { run, place } = view;
    let Run {
        id,
        workflow,
        priority,
        on_failure: _, // of the workflow, see `workflow_detail`
        timeout: _,    // told as the deadline
        admission,
        accepted_at,
        admitted_at,
        ready_at,
        phase,
        members,
    } = &**run;
    let (deadline, victims, ended_at): (_, &[_], _) = match phase {
        Phase::Evicting { victims } => (None, victims, None),
        Phase::Starting { deadline } => (Some(*deadline), &[], None),
        Phase::Ended { at, outcome: _ } => (None, &[], Some(*at)),
        Phase::Queued
        | Phase::Running
        | Phase::Degraded
        | Phase::RollingBack(_)
        | Phase::Stopping => (None, &[], None),
    };
    v1::Run {
        id: id.to_string(),
        workflow: workflow.to_string(),
        state: run_state(phase.state()).into(),
        priority: u32::from(priority.get()),
        admission: admission_mode(*admission).into(),
        accepted_at: Some(timestamp(*accepted_at)),
        admitted_at: admitted_at.map(timestamp),
        ready_at: ready_at.map(timestamp),
        ended_at: ended_at.map(timestamp),
        deadline: deadline.map(timestamp),
        pods: members
            .iter()
            .map(|member| run_pod(member, snapshot))
            .collect(),
        failure: phase.failure().map(failure),
        queue: place.as_ref().map(queue_place),
        victims: victims.iter().map(ToString::to_string).collect(),
    }
}

fn run_state(state: RunState) -> v1::RunState {
    match state {
        RunState::Queued => v1::RunState::Queued,
        RunState::Evicting => v1::RunState::Evicting,
        RunState::Starting => v1::RunState::Starting,
        RunState::Running => v1::RunState::Running,
        RunState::Degraded => v1::RunState::Degraded,
        RunState::RollingBack => v1::RunState::RollingBack,
        RunState::Stopping => v1::RunState::Stopping,
        RunState::Stopped => v1::RunState::Stopped,
        RunState::Failed => v1::RunState::Failed,
        RunState::RolledBack => v1::RunState::RolledBack,
        RunState::Cancelled => v1::RunState::Cancelled,
    }
}

fn run_pod(member: &RunMember, snapshot: &Snapshot) -> v1::RunPod {
    let RunMember {
        pod,
        level,
        after,
        step,
        since,
        started_by_run,
    } = member;
    let message = match step {
        Step::Lost { message } | Step::Failed { message } => Some(message.clone()),
        Step::Kept { because } => Some(because.clone()),
        Step::Starting | Step::Stopping => under_way(pod.as_str(), snapshot),
        Step::Waiting | Step::Ready | Step::Completed | Step::Stopped => None,
    };
    v1::RunPod {
        pod: pod.to_string(),
        level: *level,
        after: after.iter().map(ToString::to_string).collect(),
        step: step.as_str().to_owned(),
        started_by_run: *started_by_run,
        since: Some(timestamp(*since)),
        message,
    }
}

/// How far the operation on the pod is; without one, what the pod itself has to say.
fn under_way(pod: &str, snapshot: &Snapshot) -> Option<String> {
    let view = snapshot.pod(pod)?;
    let progress = view.managed.as_ref()?.progress.as_ref();
    progress
        .map(|progress| progress.message.clone())
        .or_else(|| view.message.clone())
}

fn queue_place(queued: &QueuePlace) -> v1::QueuePlace {
    let QueuePlace {
        place,
        length,
        waits_for,
        earliest,
    } = queued;
    let (earliest_at, earliest_reason) = self::earliest(earliest.as_ref());
    v1::QueuePlace {
        place: *place,
        length: *length,
        waits_for: waits_for.clone(),
        earliest_at,
        earliest_reason,
    }
}

/// Where the run is.
pub fn run_update(run: v1::Run) -> v1::RunUpdate {
    v1::RunUpdate {
        update: Some(v1::run_update::Update::Run(run)),
    }
}

/// What came of the call that waited for the run.
pub fn outcome_update(outcome: &Result<Done, Failure>) -> v1::RunUpdate {
    use v1::run_update::Update;
    v1::RunUpdate {
        update: Some(match outcome {
            Ok(done) => Update::Done(self::done(done)),
            Err(failure) => Update::Error(self::failure(failure)),
        }),
    }
}
