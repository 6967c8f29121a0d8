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
//! A degraded run that others make room for is evicting too; it is degraded again where there is
//! none, and stopping where it is stopped.
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

mod ending;
mod queue;
mod running;
mod starting;

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::operation::Operation;
use super::super::pod::{Life, Pod};
use super::super::run::{ActiveRun, Failing};
use super::super::state::{RUN_REMEMBERED, State};
use super::later;
use crate::domain::alert::Condition;
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{Intent, OperationKind};
use crate::domain::run::{Failure, Outcome, Phase, RunId, RunMember, Step};
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
                // What was asked of it since may be written.
                self.put_run(id, out);
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
            Phase::Evicting { .. } if run.admitted_at.is_none() => {
                run.phase = ended(Outcome::Stopped, now);
                active.eviction = None;
                format!("{} is stopped before it began", run.workflow)
            }
            Phase::Evicting { .. } | Phase::Starting { .. } | Phase::Running | Phase::Degraded => {
                run.phase = Phase::Stopping;
                active.eviction = None;
                active.failing = None;
                format!("{} is being stopped", run.workflow)
            }
            Phase::RollingBack(_) | Phase::Stopping | Phase::Ended { .. } => return,
        };
        let run = run.clone();
        self.note_run(EventKind::RunStopped, &run, message, now, out);
        self.put_run(id, out);
    }

    /// A pod was stopped: that is all that a run which ends asks of it, whatever somebody does
    /// with the pod next.
    pub(super) fn member_stopped(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let mut changed = Vec::new();
        for (id, active) in &mut self.runs {
            let ending = matches!(active.run.phase, Phase::Stopping | Phase::RollingBack(_));
            let mut members = active.run.members.iter_mut();
            let stopping = |m: &&mut RunMember| m.pod == *name && m.step == Step::Stopping;
            if let Some(member) = members.find(stopping).filter(|_| ending) {
                member.step = Step::Stopped;
                member.since = now;
                changed.push(*id);
            }
        }
        for id in changed {
            self.put_run(id, out);
        }
    }

    /// An operation on a pod failed: the runs that wait for it have to know.
    pub(super) fn member_failed(
        &mut self,
        name: &PodName,
        kind: OperationKind,
        error: &CommandError,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let mut changed = Vec::new();
        for (id, active) in &mut self.runs {
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
                    member.since = now;
                    changed.push(*id);
                    // Its end ends the wait at once, save for what it has to say.
                    let late = matches!(error, CommandError::TimedOut { .. });
                    if active.failing.is_none() && late {
                        out.push(Effect::Diagnose(name.clone()));
                    }
                    active.failing.get_or_insert(Failing {
                        member: None,
                        failure,
                        reading: late.then(|| name.clone()),
                        until: later(now, LAST_LINES),
                    });
                }
                (OperationKind::Stop, Step::Stopping) if ending => {
                    active.unstoppable.insert(name.clone());
                    member.step = Step::Failed {
                        message: format!("{error}"),
                    };
                    member.since = now;
                    changed.push(*id);
                }
                _ => {}
            }
        }
        for id in changed {
            self.put_run(id, out);
        }
    }

    /// Until when a run waits for the pods that it starts: it gives up by itself before, and is
    /// given the time to read their last lines.
    pub(super) fn patience_of(&self, id: RunId) -> Option<Timestamp> {
        match self.runs.get(&id)?.run.phase {
            Phase::Starting { deadline } => Some(later(deadline, LAST_LINES + LAST_LINES)),
            _ => None,
        }
    }

    /// A start that a run had begun lost against something newer that an earlier daemon left:
    /// where that brings the pod down, the run fails as it would have then.
    pub(in crate::engine) fn start_was_cancelled(&mut self, by: &Intent, start: &Operation) {
        let active = start.run.and_then(|id| self.runs.get_mut(&id));
        let Some(active) = active.filter(|_| by.kind.wants() == Wanted::Down) else {
            return;
        };
        let mut members = active.run.members.iter();
        if !members.any(|member| member.pod == by.pod && member.step == Step::Starting) {
            return;
        }
        let failure = failure_of(&CommandError::Cancelled {
            pod: by.pod.clone(),
            kind: start.kind,
            by: by.kind,
        });
        active.failing = Some(Failing {
            member: Some(by.pod.clone()),
            failure,
            reading: None,
            until: Timestamp::MIN,
        });
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
        let object = run.workflow.as_str();
        let condition = Condition::WorkflowFailed;
        let severity = self.settings.alerts.workflow_failed;
        self.raise(condition, object, severity, &message, now, out);
    }

    fn store_active(&mut self, active: ActiveRun, changed: bool, out: &mut Vec<Effect>) {
        let id = active.run.id;
        self.runs.insert(id, active);
        if changed {
            self.put_run(id, out);
        }
    }
}

pub(super) fn at_rest_and_down(pod: &Pod) -> bool {
    pod.operation.is_none() && !matches!(pod.life, Life::Up { .. })
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
