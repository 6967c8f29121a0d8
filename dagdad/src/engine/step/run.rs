//! Runs on their way. What a run does next follows from where its pods are, looked at after
//! every step, so that it makes no difference whether the daemon was there all the time.
//!
//! ```text
//!            fits                    all ready            one is lost
//!  queued ─────────────► starting ───────────► running ◄─────────────► degraded
//!    │ evict              ▲  │  ▲               │          whole again   │  │
//!    ├──────► evicting ───┘  │  └─ run again ───┼────────────────────────┘  │
//!    │           │           │ fails, or takes  │ stop, or all pods down    │
//!    │ stop      │ no room   ▼ too long         ▼                           │
//!    │           │         rolling back      stopping ◄─────────────────────┘
//!    │           │           │   (or keep)     │
//!    ▼           ▼           ▼                 ▼
//! cancelled    failed   rolled back /       stopped
//!                        failed
//! ```
//!
//! A pod of a run:
//!
//! ```text
//!   waiting ─► starting ─► ready ◄─► lost            ready, … ─► stopping ─► stopped
//!                 │          └─► completed                          └─► kept
//!                 └─► failed
//! ```
//!
//! Invariants:
//! - A run is on disk before anything is done for it, and each of its steps before the step's
//!   own intent.
//! - A pod is started once all that it comes after are ready, and stopped once all that come
//!   after it are down.
//! - A pod that an active run needs, or that an essential pod comes after, stays up when
//!   another run ends.
//! - Every run reaches an end or keeps running: none waits for what cannot come.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::eviction::Eviction;
use super::super::operation::Request;
use super::super::pod::{Life, Pod};
use super::super::run::{ActiveRun, Failing};
use super::super::snapshot::MemberView;
use super::super::state::{RUN_REMEMBERED, State};
use super::admission::{Decision, Evicted};
use super::later;
use crate::domain::admission::{Admission, Remedy};
use crate::domain::alert::Condition;
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::pod::{Category, RestartPolicy};
use crate::domain::run::{Failure, Outcome, Phase, Run, RunId, Step};
use crate::domain::state::Wanted;
use crate::domain::workflow::OnFailure;
use crate::ports::StoreError;

/// How long the last lines of a pod that failed a run are waited for.
const LAST_LINES: SignedDuration = SignedDuration::from_secs(10);

impl State {
    /// A run is on disk, or cannot be and is given up.
    pub(super) fn run_stored(
        &mut self,
        id: RunId,
        result: Result<(), StoreError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(active) = self.runs.get_mut(&id) else {
            return;
        };
        match result {
            Ok(()) => active.stored = true,
            Err(error) => {
                let failure = failure_of(&CommandError::Store(error.to_string()));
                let message = format!("{} failed: {}", active.run.workflow, failure.message);
                active.stored = true;
                active.run.phase = ended(Outcome::Failed(failure), now);
                let run = active.run.clone();
                self.note_run(EventKind::RunFailed, &run, message, now, out);
            }
        }
    }

    /// Somebody stops a run.
    pub(super) fn stop_run(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(active) = self.runs.get_mut(&id) else {
            return;
        };
        let run = &mut active.run;
        let message = match run.phase {
            Phase::Queued => {
                run.phase = ended(Outcome::Cancelled, now);
                format!("{} is taken out of the queue", run.workflow)
            }
            Phase::Evicting { .. } => {
                run.phase = ended(Outcome::Stopped, now);
                active.eviction = None;
                format!("{} is stopped before it began", run.workflow)
            }
            Phase::Starting { .. } | Phase::Running | Phase::Degraded => {
                run.phase = Phase::Stopping;
                active.failing = None;
                format!("{} is being stopped", run.workflow)
            }
            Phase::RollingBack(_) | Phase::Stopping | Phase::Ended { .. } => return,
        };
        let run = run.clone();
        self.note_run(EventKind::RunStopped, &run, message, now, out);
        self.put_run(id, out);
        self.put_workflow_row(&run.workflow, now, out);
    }

    /// An operation on a pod failed: the runs that wait for it have to know.
    pub(super) fn member_failed(
        &mut self,
        name: &PodName,
        kind: OperationKind,
        error: &CommandError,
    ) {
        for active in self.runs.values_mut() {
            let bringing_up = matches!(active.run.phase, Phase::Starting { .. });
            let ending = matches!(active.run.phase, Phase::Stopping | Phase::RollingBack(_));
            let Some(member) = active.run.members.iter_mut().find(|m| m.pod == *name) else {
                continue;
            };
            match (kind, &member.step) {
                (OperationKind::Start | OperationKind::Restart, Step::Starting) if bringing_up => {
                    let failure = failure_of(error);
                    member.step = Step::Failed {
                        message: failure.message.clone(),
                    };
                    // Its end ends the wait at once.
                    active.failing.get_or_insert(Failing {
                        failure,
                        reading: None,
                        until: Timestamp::MIN,
                    });
                }
                (OperationKind::Stop, Step::Stopping) if ending => {
                    active.unstoppable.insert(name.clone());
                    member.step = Step::Failed {
                        message: format!("{error}"),
                    };
                }
                _ => {}
            }
        }
    }

    /// The last lines of a pod whose run waits for them.
    pub(super) fn lines_for_runs(&mut self, name: &PodName, lines: &[String]) {
        for active in self.runs.values_mut() {
            if let Some(failing) = &mut active.failing
                && failing.reading.as_ref() == Some(name)
            {
                failing.reading = None;
                failing.failure.log = lines.to_vec();
            }
        }
    }

    /// Takes every run as far as it goes.
    pub(super) fn advance_runs(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if !self.settled || self.closing {
            return;
        }
        let ids: Vec<RunId> = self.runs.keys().copied().collect();
        for id in ids {
            while self.advance_run(id, now, out) {}
        }
        self.advance_queue(now, out);
        self.runs.retain(|_, active| match active.run.phase {
            Phase::Ended { at, .. } => later(at, RUN_REMEMBERED) > now,
            _ => true,
        });
    }

    /// Takes one run a step further. Returns whether it may go on at once.
    fn advance_run(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) -> bool {
        let Some(active) = self.runs.get(&id).filter(|active| active.stored) else {
            return false;
        };
        let before = active.run.phase.state();
        match active.run.phase {
            Phase::Queued | Phase::Ended { .. } => return false,
            Phase::Evicting { .. } => self.make_room_for_run(id, now, out),
            Phase::Starting { .. } => self.bring_up(id, now, out),
            Phase::Running | Phase::Degraded => self.watch_over(id, now, out),
            Phase::RollingBack(_) | Phase::Stopping => self.bring_down(id, now, out),
        }
        self.runs
            .get(&id)
            .is_some_and(|active| active.run.phase.state() != before)
    }

    /// Starts the first of the runs that wait, as soon as it fits. The others wait for it, so
    /// that a large run is not overtaken by small ones for ever.
    fn advance_queue(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        while let Some(id) = self.queue().first().copied() {
            let Some(active) = self.runs.get(&id).filter(|active| active.stored) else {
                return;
            };
            let run = active.run.clone();
            let order: Vec<MemberView> = run.members.iter().map(MemberView::from).collect();
            if let Err(error) = self.check_members(&run.workflow, &order) {
                if !matches!(error, CommandError::PortTaken { .. }) {
                    self.fail_run(id, failure_of(&error), now, out);
                    continue;
                }
                return;
            }
            let asked = self.asked_for_run(&run);
            match self.decide(&asked, run.admission, now) {
                Ok(decision @ Decision::Admitted(_)) => {
                    self.leave_queue(id, decision, run.admission, now, out);
                    while self.advance_run(id, now, out) {}
                }
                Err(CommandError::Insufficient(denial)) if denial.remedy == Remedy::Never => {
                    let failure = failure_of(&CommandError::Insufficient(denial));
                    self.fail_run(id, failure, now, out);
                }
                Ok(Decision::After(_)) | Err(_) => return,
            }
        }
    }

    /// The runs that wait: the highest priority first, then the first come.
    pub(in crate::engine) fn queue(&self) -> Vec<RunId> {
        let mut queue: Vec<&Run> = self
            .runs
            .values()
            .map(|active| &active.run)
            .filter(|run| run.phase == Phase::Queued)
            .collect();
        queue.sort_by_key(|run| (std::cmp::Reverse(run.priority), run.accepted_at, run.id));
        queue.into_iter().map(|run| run.id).collect()
    }

    fn make_room_for_run(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(active) = self.runs.get_mut(&id) else {
            return;
        };
        let Phase::Evicting { victims } = &active.run.phase else {
            return;
        };
        let known = victims.clone();
        let mut eviction = active
            .eviction
            .take()
            .unwrap_or_else(|| Eviction::of(known.iter().cloned()));
        let run = active.run.clone();
        let asked = self.asked_for_run(&run);
        match self.evict(&mut eviction, &asked, Some(id), now, out) {
            Evicted::Waiting => {
                let victims: Vec<PodName> = eviction.victims.keys().cloned().collect();
                if let Some(active) = self.runs.get_mut(&id) {
                    active.eviction = Some(eviction);
                    if known.len() != victims.len() {
                        active.run.phase = Phase::Evicting { victims };
                        self.put_run(id, out);
                    }
                }
            }
            Evicted::Room => {
                let decision = Decision::Admitted(None);
                self.leave_queue(id, decision, Admission::Evict, now, out);
            }
            Evicted::Refused(error) => self.fail_run(id, failure_of(&error), now, out),
        }
    }

    /// Starts what may start, and looks how far the others are.
    fn bring_up(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(mut active) = self.runs.get(&id).cloned() else {
            return;
        };
        let run = &mut active.run;
        let mut changed = false;
        for index in 0..run.members.len() {
            let next = self.next_step_up(run, index);
            if let Some(step) = next {
                changed = true;
                if let Step::Failed { message } = &step
                    && active.failing.is_none()
                {
                    active.failing = Some(Failing {
                        failure: Failure {
                            code: "pod_failed".to_owned(),
                            message: message.clone(),
                            log: Vec::new(),
                        },
                        reading: None,
                        until: Timestamp::MIN,
                    });
                }
                run.members[index].step = step;
                run.members[index].since = now;
            }
        }
        if active.failing.is_none()
            && let Phase::Starting { deadline } = run.phase
            && deadline <= now
            && !run.members.iter().all(|member| member.step.satisfied())
        {
            active.failing = Some(self.too_late(run, now, out));
        }
        if let Some(failing) = &active.failing {
            let waits = failing.reading.is_some() && failing.until > now;
            let failure = failing.failure.clone();
            self.store_active(active, changed, out);
            if !waits {
                self.fail_run(id, failure, now, out);
            }
            return;
        }
        let starts: Vec<PodName> = run
            .members
            .iter_mut()
            .filter(|member| member.step == Step::Starting)
            .filter(|member| self.pods.get(&member.pod).is_some_and(at_rest_and_down))
            .map(|member| {
                member.started_by_run = true;
                member.pod.clone()
            })
            .collect();
        let whole = run.members.iter().all(|member| member.step.satisfied());
        if whole {
            run.phase = Phase::Running;
            run.ready_at.get_or_insert(now);
        }
        let (run, changed) = (run.clone(), changed || whole || !starts.is_empty());
        self.store_active(active, changed, out);
        if whole {
            let message = format!("{} is running: all its pods are ready", run.workflow);
            self.note_run(EventKind::RunReady, &run, message.clone(), now, out);
            let object = run.workflow.as_str();
            self.resolve(Condition::WorkflowFailed, object, &message, now, out);
        }
        for pod in starts {
            let request = Request {
                run: Some(id),
                ..Request::new(OperationKind::Start)
            };
            let operation = OperationId(self.identities.next(now));
            self.accept(&pod, operation, request, now, out);
        }
    }

    /// The step that a member of a starting run takes now, where it takes one.
    fn next_step_up(&self, run: &Run, index: usize) -> Option<Step> {
        let member = run.members.get(index)?;
        let Some(pod) = self.pods.get(&member.pod) else {
            let gone = matches!(member.step, Step::Failed { .. });
            return (!gone).then(|| Step::Failed {
                message: format!("{} has left the catalogue", member.pod),
            });
        };
        match &member.step {
            Step::Waiting => {
                let satisfied = member
                    .after
                    .iter()
                    .filter_map(|before| run.member(before))
                    .all(|before| before.step.satisfied());
                let up = pod.operation.is_none() && pod.ready();
                (satisfied && up)
                    .then_some(Step::Ready)
                    .or(satisfied.then_some(Step::Starting))
            }
            Step::Starting if pod.operation.is_none() => match &pod.life {
                Life::Up { .. } => pod.ready().then_some(Step::Ready),
                Life::Down if pod.completed => Some(Step::Completed),
                // An earlier daemon's start of it came to this end.
                Life::Failed { message, .. } if member.started_by_run => Some(Step::Failed {
                    message: message.clone(),
                }),
                Life::Down | Life::Failed { .. } | Life::Unseen { .. } => None,
            },
            // One that went down meanwhile is seen once the run is up.
            _ => None,
        }
    }

    /// A run whose pods take too long: reads the last lines of the first that is late.
    fn too_late(&self, run: &Run, now: Timestamp, out: &mut Vec<Effect>) -> Failing {
        let late = run
            .members
            .iter()
            .find(|member| member.step == Step::Starting)
            .or_else(|| run.members.iter().find(|member| !member.step.satisfied()));
        let complaint = late
            .and_then(|member| self.pods.get(&member.pod)?.message())
            .map(|complaint| format!(" ({complaint})"))
            .unwrap_or_default();
        let message = format!(
            "{} was not up after {}: {} is not ready{complaint}",
            run.workflow,
            humantime::format_duration(run.timeout),
            late.map(|member| member.pod.as_str()).unwrap_or_default(),
        );
        let pod = late.map(|member| member.pod.clone());
        out.extend(pod.clone().map(Effect::Diagnose));
        Failing {
            failure: failure_of(&CommandError::TimedOut {
                message,
                after: run.timeout,
            }),
            reading: pod,
            until: later(now, LAST_LINES),
        }
    }

    /// Ends a run that went wrong, or begins to undo it.
    pub(super) fn fail_run(
        &mut self,
        id: RunId,
        failure: Failure,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(active) = self.runs.get_mut(&id) else {
            return;
        };
        active.failing = None;
        active.eviction = None;
        let run = &mut active.run;
        let begun = matches!(run.phase, Phase::Starting { .. });
        let message = format!("{} failed: {}", run.workflow, failure.message);
        run.phase = if begun && run.on_failure == OnFailure::Rollback {
            Phase::RollingBack(failure)
        } else {
            ended(Outcome::Failed(failure), now)
        };
        let run = run.clone();
        self.note_run(EventKind::RunFailed, &run, message.clone(), now, out);
        self.put_run(id, out);
        self.put_workflow_row(&run.workflow, now, out);
        let object = run.workflow.as_str();
        let condition = Condition::WorkflowFailed;
        let severity = self.settings.alerts.workflow_failed;
        self.raise(condition, object, severity, message, now, out);
    }

    /// Looks whether a running run's pods still run.
    fn watch_over(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(mut active) = self.runs.get(&id).cloned() else {
            return;
        };
        let run = &mut active.run;
        let mut changed = false;
        for member in &mut run.members {
            let step = match self.pods.get(&member.pod) {
                None => Some(Step::Lost {
                    message: format!("{} has left the catalogue", member.pod),
                }),
                Some(pod) => next_step_running(&member.pod, pod),
            };
            if let Some(step) = step.filter(|step| *step != member.step) {
                changed = true;
                member.step = step;
                member.since = now;
            }
        }
        let lost: Vec<&str> = run
            .members
            .iter()
            .filter_map(|member| match &member.step {
                Step::Lost { message } => Some(message.as_str()),
                _ => None,
            })
            .collect();
        let over = run.members.iter().all(|member| {
            matches!(member.step, Step::Lost { .. } | Step::Completed)
                && self.pods.get(&member.pod).is_none_or(|pod| {
                    pod.wanted == Wanted::Down && pod.operation.is_none() && !failed(pod)
                })
        });
        let next = match (over, lost.is_empty()) {
            (true, _) => ended(Outcome::Stopped, now),
            (false, true) => Phase::Running,
            (false, false) => Phase::Degraded,
        };
        let was = run.phase.state();
        let note = match &next {
            Phase::Ended { .. } if lost.is_empty() => Some((
                EventKind::RunStopped,
                format!("{} has ended: all its pods ran to their end", run.workflow),
            )),
            Phase::Ended { .. } => Some((
                EventKind::RunStopped,
                format!("{} has ended: all its pods were stopped", run.workflow),
            )),
            Phase::Degraded if changed => Some((
                EventKind::RunDegraded,
                format!("{} is degraded: {}", run.workflow, lost.join("; ")),
            )),
            Phase::Running if was != next.state() => Some((
                EventKind::RunReady,
                format!("{} is whole again", run.workflow),
            )),
            _ => None,
        };
        changed |= was != next.state();
        run.phase = next;
        let run = run.clone();
        self.store_active(active, changed, out);
        if let Some((kind, message)) = note {
            self.note_run(kind, &run, message, now, out);
        }
        if !run.active() {
            self.put_workflow_row(&run.workflow, now, out);
        }
    }

    /// Stops what is to be stopped, those first that come after the others.
    fn bring_down(&mut self, id: RunId, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(mut active) = self.runs.get(&id).cloned() else {
            return;
        };
        let rollback = matches!(active.run.phase, Phase::RollingBack(_));
        let mut changed = false;
        let mut stops = Vec::new();
        for index in (0..active.run.members.len()).rev() {
            let Some(step) = self.next_step_down(&active, index, rollback) else {
                continue;
            };
            let member = &mut active.run.members[index];
            if step == Step::Stopping {
                stops.push(member.pod.clone());
            }
            if step != member.step {
                changed = true;
                member.step = step;
                member.since = now;
            }
        }
        let over = (0..active.run.members.len()).all(|index| self.is_done(&active, index));
        if over {
            let phase = std::mem::replace(&mut active.run.phase, Phase::Stopping);
            active.run.phase = ended(
                match phase {
                    Phase::RollingBack(failure) => Outcome::RolledBack(failure),
                    _ => Outcome::Stopped,
                },
                now,
            );
        }
        let run = active.run.clone();
        self.store_active(active, changed || over, out);
        for pod in stops {
            let request = Request {
                run: Some(id),
                cause: Some(if rollback {
                    format!("since {} is rolled back", run.workflow)
                } else {
                    format!("since {} is stopped", run.workflow)
                }),
                ..Request::new(OperationKind::Stop)
            };
            let operation = OperationId(self.identities.next(now));
            self.accept(&pod, operation, request, now, out);
        }
        if over {
            let verb = if rollback { "rolled back" } else { "stopped" };
            let kept: Vec<String> = run
                .members
                .iter()
                .filter_map(|member| match &member.step {
                    Step::Kept { because } => Some(format!("{} ({because})", member.pod)),
                    _ => None,
                })
                .collect();
            let kept = if kept.is_empty() {
                String::new()
            } else {
                format!("; still up: {}", kept.join(", "))
            };
            let message = format!("{} is {verb}{kept}", run.workflow);
            self.note_run(EventKind::RunStopped, &run, message, now, out);
            self.put_workflow_row(&run.workflow, now, out);
        }
    }

    /// Whether nothing is left to be done with a member of a run that ends.
    fn is_done(&self, active: &ActiveRun, index: usize) -> bool {
        let Some(member) = active.run.members.get(index) else {
            return true;
        };
        let Some(pod) = self.pods.get(&member.pod) else {
            return true;
        };
        match &member.step {
            Step::Kept { .. } | Step::Stopped | Step::Completed => true,
            Step::Failed { .. } if active.unstoppable.contains(&member.pod) => true,
            Step::Waiting | Step::Failed { .. } => at_rest_and_down(pod) || !member.started_by_run,
            Step::Starting | Step::Ready | Step::Lost { .. } | Step::Stopping => false,
        }
    }

    /// The step that a member of an ending run takes now; [`Step::Stopping`] also where its stop
    /// is to be asked for (again).
    fn next_step_down(&self, active: &ActiveRun, index: usize, rollback: bool) -> Option<Step> {
        let run = &active.run;
        let member = run.members.get(index)?;
        if self.is_done(active, index) {
            return None;
        }
        let pod = self.pods.get(&member.pod)?;
        if at_rest_and_down(pod) {
            return Some(Step::Stopped);
        }
        if member.step == Step::Stopping {
            // Asked for by an earlier daemon whose intent was lost with it.
            return (pod.operation.is_none()).then_some(Step::Stopping);
        }
        if rollback && !member.started_by_run {
            return Some(Step::Kept {
                because: "it ran before this run".to_owned(),
            });
        }
        let followers =
            (0..run.members.len()).filter(|&other| run.members[other].after.contains(&member.pod));
        let mut kept_by = None;
        for follower in followers {
            if let Step::Kept { .. } = run.members[follower].step {
                kept_by.get_or_insert(follower);
            } else if !self.is_done(active, follower) {
                return None;
            }
        }
        if let Some(because) = self.needed(run, &member.pod) {
            return Some(Step::Kept { because });
        }
        if !rollback
            && pod.entry.spec.category == Category::Essential
            && !member.started_by_run
            && run.admitted_at.is_some()
        {
            return Some(Step::Kept {
                because: "it is essential and ran before this run".to_owned(),
            });
        }
        if let Some(follower) = kept_by {
            return Some(Step::Kept {
                because: format!(
                    "{}, which stays up, comes after it",
                    run.members[follower].pod
                ),
            });
        }
        Some(Step::Stopping)
    }

    /// Who else needs a pod of a run that ends.
    fn needed(&self, run: &Run, pod: &PodName) -> Option<String> {
        let other = self.runs.values().map(|active| &active.run).find(|other| {
            other.id != run.id
                && (other.needs_pods() || matches!(other.phase, Phase::Evicting { .. }))
                && other.member(pod).is_some()
        });
        if let Some(other) = other {
            return Some(format!(
                "workflow {} needs it (run {})",
                other.workflow, other.id
            ));
        }
        let ending: BTreeSet<&PodName> = run
            .members
            .iter()
            .filter(|member| !matches!(member.step, Step::Kept { .. }))
            .map(|member| &member.pod)
            .collect();
        self.pods
            .iter()
            .find(|(name, other)| {
                !ending.contains(name)
                    && other.entry.spec.category == Category::Essential
                    && matches!(other.life, Life::Up { .. })
                    && other.entry.spec.after.contains(pod)
            })
            .map(|(name, _)| format!("essential pod {name} comes after it"))
    }

    fn store_active(&mut self, active: ActiveRun, changed: bool, out: &mut Vec<Effect>) {
        let id = active.run.id;
        self.runs.insert(id, active);
        if changed {
            self.put_run(id, out);
        }
    }
}

/// The step of a member of a run that is up, as its pod is now; `None` while that is not clear.
fn next_step_running(name: &PodName, pod: &Pod) -> Option<Step> {
    if pod.operation.is_some() {
        return None;
    }
    match &pod.life {
        Life::Up { .. } if pod.ready() => Some(Step::Ready),
        // Not asked yet, after dagdad began.
        Life::Up { watch, .. } => watch.complaint().map(|complaint| Step::Lost {
            message: format!("{name} is not ready any more ({complaint})"),
        }),
        Life::Down if pod.completed && pod.entry.spec.restart_policy != RestartPolicy::Always => {
            Some(Step::Completed)
        }
        Life::Down => Some(Step::Lost {
            message: format!("{name} was stopped"),
        }),
        Life::Failed { message, .. } => Some(Step::Lost {
            message: message.clone(),
        }),
        Life::Unseen { .. } => None,
    }
}

pub(super) fn at_rest_and_down(pod: &Pod) -> bool {
    pod.operation.is_none() && !matches!(pod.life, Life::Up { .. })
}

fn failed(pod: &Pod) -> bool {
    matches!(pod.life, Life::Failed { .. })
}

fn failure_of(error: &CommandError) -> Failure {
    let message = match error {
        CommandError::PodFailed { message, .. } => message.clone(),
        other => other.to_string(),
    };
    Failure {
        code: error.code().to_owned(),
        message,
        log: error.log().to_vec(),
    }
}

const fn ended(outcome: Outcome, at: Timestamp) -> Phase {
    Phase::Ended { at, outcome }
}
