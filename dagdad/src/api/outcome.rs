//! How a call that waits for a run ends, in words for whoever waits.

use crate::domain::operation::Done;
use crate::domain::run::{Failure, Outcome, Phase, Run, RunMember, Step};
use crate::domain::state::PodStatus;
use crate::engine::snapshot::Snapshot;

/// What a caller waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// That all pods of the run are ready.
    Ready,
    /// That the run has ended.
    Ended,
}

/// What to tell a caller who waits for `goal`; `None` while there is something to wait for.
/// `snapshot` tells which pods are up.
pub fn outcome(run: &Run, goal: Goal, snapshot: &Snapshot) -> Option<Result<Done, Failure>> {
    match goal {
        Goal::Ready => ready(run, snapshot),
        Goal::Ended => ended(run, snapshot),
    }
}

fn ready(run: &Run, snapshot: &Snapshot) -> Option<Result<Done, Failure>> {
    let workflow = &run.workflow;
    match &run.phase {
        Phase::Queued
        | Phase::Evicting { .. }
        | Phase::Starting { .. }
        | Phase::RollingBack(_)
        | Phase::Stopping => None,
        Phase::Running => Some(Ok(done(format!("{workflow} is running: {}", up(run))))),
        Phase::Degraded => lost(run).map(Err),
        Phase::Ended { at: _, outcome } => Some(match outcome {
            Outcome::Stopped if all(run, |step| matches!(step, Step::Completed)) => {
                Ok(done(format!("{workflow} ran to its end: {}", up(run))))
            }
            Outcome::Stopped => Err(cancelled(format!(
                "{workflow} was stopped meanwhile; to run it again: dagdactl workflow run {workflow}"
            ))),
            Outcome::Cancelled => Err(cancelled(format!(
                "{workflow} was taken out of the queue; to run it again: dagdactl workflow run {workflow}"
            ))),
            Outcome::Failed(failure) => Err(left_up(run, failure)),
            Outcome::RolledBack(failure) => Err(rolled_back(run, failure, snapshot)),
        }),
    }
}

fn ended(run: &Run, snapshot: &Snapshot) -> Option<Result<Done, Failure>> {
    let workflow = &run.workflow;
    let Phase::Ended { at: _, outcome } = &run.phase else {
        return None;
    };
    let message = match outcome {
        Outcome::Cancelled => {
            return Some(Ok(done(format!("{workflow} was taken out of the queue"))));
        }
        Outcome::Failed(failure) => return Some(Err(left_up(run, failure))),
        Outcome::Stopped => format!("{workflow} is stopped{}", kept(run)),
        Outcome::RolledBack(failure) => format!(
            "{workflow} had failed and was rolled back{}; why it had failed: {}",
            kept(run),
            failure.message
        ),
    };
    let unstopped = unstopped(run, snapshot);
    Some(if unstopped.is_empty() {
        Ok(done(message))
    } else {
        Err(Failure {
            code: "runtime_failed".to_owned(),
            message: format!("{message}{unstopped}"),
            log: Vec::new(),
        })
    })
}

fn done(message: String) -> Done {
    Done {
        message,
        changed: true,
    }
}

fn cancelled(message: String) -> Failure {
    Failure {
        code: "cancelled".to_owned(),
        message,
        log: Vec::new(),
    }
}

/// A run that lost pods and does nothing about it: whoever waits would wait for ever.
fn lost(run: &Run) -> Option<Failure> {
    let under_way = |step: &Step| matches!(step, Step::Waiting | Step::Starting);
    if run.members.iter().any(|member| under_way(&member.step)) {
        return None;
    }
    let lost: Vec<&str> = run
        .members
        .iter()
        .filter_map(|member| match &member.step {
            Step::Lost { message } | Step::Failed { message } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    let workflow = &run.workflow;
    Some(Failure {
        code: "pod_failed".to_owned(),
        message: format!(
            "{workflow} was running, and not all of its pods run any more: {}; see dagdactl workflow show {workflow}",
            lost.join("; ")
        ),
        log: Vec::new(),
    })
}

fn left_up(run: &Run, failure: &Failure) -> Failure {
    let up = names(run, |member| {
        matches!(member.step, Step::Starting | Step::Ready)
    });
    let left = match up.as_str() {
        "" => String::new(),
        up => format!("; left running: {up}"),
    };
    said(failure, &left)
}

fn rolled_back(run: &Run, failure: &Failure, snapshot: &Snapshot) -> Failure {
    let workflow = &run.workflow;
    let stopped = names(run, |member| {
        member.started_by_run && matches!(member.step, Step::Stopped)
    });
    let stopped = match stopped.as_str() {
        "" => String::new(),
        stopped => format!(", stopped again: {stopped}"),
    };
    let (kept, unstopped) = (kept(run), unstopped(run, snapshot));
    said(
        failure,
        &format!("; {workflow} was rolled back{stopped}{kept}{unstopped}"),
    )
}

fn said(failure: &Failure, more: &str) -> Failure {
    let Failure { code, message, log } = failure;
    Failure {
        code: code.clone(),
        message: format!("{message}{more}"),
        log: log.clone(),
    }
}

/// `3 pods ready, 1 pod ran to its end`.
fn up(run: &Run) -> String {
    let count = |of: &str, pod: &str, pods: &str| {
        let found = run.members.iter();
        match found.filter(|member| member.step.as_str() == of).count() {
            0 => None,
            1 => Some(format!("1 {pod}")),
            n => Some(format!("{n} {pods}")),
        }
    };
    let ready = count(Step::Ready.as_str(), "pod ready", "pods ready");
    let completed = count(
        Step::Completed.as_str(),
        "pod ran to its end",
        "pods ran to their end",
    );
    ready
        .into_iter()
        .chain(completed)
        .collect::<Vec<String>>()
        .join(", ")
}

/// `; mariadb stays up: workflow web needs it`, for each pod that does.
fn kept(run: &Run) -> String {
    run.members
        .iter()
        .filter_map(|RunMember { pod, step, .. }| match step {
            Step::Kept { because } => Some(format!("; {pod} stays up: {because}")),
            _ => None,
        })
        .collect()
}

/// `; llama could not be stopped: …`, for each pod that is up although it was to be stopped.
fn unstopped(run: &Run, snapshot: &Snapshot) -> String {
    let down = |status: PodStatus| matches!(status, PodStatus::Stopped | PodStatus::Error);
    run.members
        .iter()
        .filter(|member| {
            let pod = snapshot.pod(member.pod.as_str());
            pod.is_some_and(|pod| !down(pod.status))
        })
        .filter_map(|RunMember { pod, step, .. }| match step {
            Step::Failed { message } => Some(format!("; {pod} could not be stopped: {message}")),
            _ => None,
        })
        .collect()
}

fn names(run: &Run, which: impl Fn(&RunMember) -> bool) -> String {
    let found = run.members.iter().filter(|member| which(member));
    let names: Vec<&str> = found.map(|member| member.pod.as_str()).collect();
    names.join(", ")
}

fn all(run: &Run, which: impl Fn(&Step) -> bool) -> bool {
    run.members.iter().all(|member| which(&member.step))
}
