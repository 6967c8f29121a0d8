//! How an operation ends: done, failed or cancelled, and what comes after it.

use jiff::Timestamp;

use super::super::effect::{Effect, Persist};
use super::super::event::EffectResult;
use super::super::operation::{At, Operation};
use super::super::pod::Life;
use super::super::state::State;
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, Subject};
use crate::domain::name::PodName;
use crate::domain::operation::{Done, OperationId, OperationKind, OperationView};
use crate::domain::state::Wanted;
use crate::ports::Record;

impl State {
    pub(super) fn removed(
        &mut self,
        name: &PodName,
        id: OperationId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.remove(name) else {
            return;
        };
        self.observed.remove(name.as_str());
        self.list_after(name, now, out);
        let message = format!("{name} is removed from the catalogue");
        let event = self.event(EventKind::Removed, Some(name), message.clone(), now);
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Pod,
        });
        let mut records = vec![
            Record::DeletePod(pod.id),
            Record::CloseIntent {
                id,
                at: now,
                outcome: "done".to_owned(),
            },
            Record::Event(event),
        ];
        let mut then = vec![finished(
            id,
            Ok(Done {
                message,
                changed: true,
            }),
        )];
        if let Some(queued) = pod.queued {
            let error = CommandError::NoSuchPod {
                name: name.to_string(),
                nearest: None,
            };
            let id = queued.operation.id;
            records.push(Record::CloseIntent {
                id,
                at: now,
                outcome: error.code().to_owned(),
            });
            then.push(finished(id, Err(error)));
        }
        out.push(Effect::Persist(Persist::Fact { records, then }));
    }

    /// Ends a start or restart that went wrong: the pod is not up, and nobody waits for it.
    pub(super) fn fail(
        &mut self,
        name: &PodName,
        error: CommandError,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let (message, log) = match &error {
            CommandError::PodFailed { message, log } => (message.clone(), log.clone()),
            other => (other.to_string(), Vec::new()),
        };
        if let Some(pod) = self.pods.get_mut(name) {
            pod.become_life(Life::Failed { message, log }, now);
            pod.wanted = Wanted::Down;
        }
        self.finish(name, Err(error), now, out);
    }

    pub(super) fn fail_with_log(
        &mut self,
        name: &PodName,
        message: String,
        log: Vec<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.fail(name, CommandError::PodFailed { message, log }, now, out);
    }

    /// Ends the operation under way: its intent is closed, its watchers are told, the next
    /// one begins.
    pub(super) fn finish(
        &mut self,
        name: &PodName,
        result: Result<Done, CommandError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let Some(operation) = pod.operation.take() else {
            return;
        };
        pod.down_by = None;
        match &result {
            Ok(_) if operation.kind == OperationKind::Stop => self.member_stopped(name, now, out),
            Ok(_) => {}
            Err(error) => {
                self.member_failed(name, operation.kind, error, now, out);
                self.victim_failed(name, operation.id, error);
            }
        }
        let (kind, message) = match (&result, operation.kind) {
            (Ok(done), OperationKind::Start | OperationKind::Restart) => {
                (EventKind::PodReady, done.message.clone())
            }
            (Ok(done), OperationKind::Stop | OperationKind::Remove) => {
                (EventKind::PodStopped, done.message.clone())
            }
            (Err(error), _) => (EventKind::PodFailed, error.to_string()),
        };
        let outcome = result
            .as_ref()
            .map_or_else(CommandError::code, |_| "done")
            .to_owned();
        // A run that ends its pods does not need them any more, and this is its doing all the same.
        let run = operation.run.or_else(|| self.run_of(name));
        let event = self.event_about(kind, Some(name.as_str()), run, message, now);
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Pod,
        });
        let mut records = vec![
            Record::CloseIntent {
                id: operation.id,
                at: now,
                outcome,
            },
            Record::Event(event),
        ];
        records.extend(
            self.record_of(name, now)
                .map(|row| Record::PutPod(Box::new(row))),
        );
        let then = vec![finished(operation.id, result)];
        out.push(Effect::Persist(Persist::Fact { records, then }));
        self.begin_queued(name, now, out);
    }

    pub(super) fn begin_queued(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let Some(queued) = pod.queued.take() else {
            return;
        };
        pod.deaths.clear();
        // What an earlier failure left `wanted` at is undone.
        let wanted_before = std::mem::replace(&mut pod.wanted, queued.operation.kind.wants());
        pod.operation = Some(Operation {
            wanted_before,
            ..queued.operation
        });
        if queued.stored {
            self.begin(name, now, out);
        }
    }

    /// Takes in that the intent of an operation in line is on disk, or is not.
    pub(super) fn queued_stored(
        &mut self,
        name: &PodName,
        id: OperationId,
        result: &EffectResult,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(pod) = self.pods.get_mut(name) else {
            return false;
        };
        let Some(queued) = pod
            .queued
            .as_mut()
            .filter(|queued| queued.operation.id == id)
        else {
            return false;
        };
        match result {
            EffectResult::Stored => {
                queued.stored = true;
                self.cancel_rising(name, now, out);
            }
            EffectResult::NotStored(error) => {
                pod.wanted = queued.operation.wanted_before;
                pod.queued = None;
                let error = CommandError::Store(error.to_string());
                out.push(finished(id, Err(error)));
            }
            _ => return false,
        }
        true
    }

    /// Cuts short an operation that brings the pod up, because it is to go down.
    pub(super) fn cancel_rising(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        let (Some(operation), Some(by)) = (&pod.operation, pod.to_go_down()) else {
            return;
        };
        if !operation.rising() {
            return;
        }
        match operation.at {
            // A play that is under way is waited for: Podman goes on with it in any case.
            At::Creating { .. } | At::Halting(_) | At::Storing | At::Recovering => {}
            At::Evicting(_)
            | At::Rendering
            | At::Pulling { .. }
            | At::Awaiting { .. }
            | At::Diagnosing { .. } => {
                out.push(Effect::Abort(operation.id));
                let kind = operation.kind;
                let error = CommandError::Cancelled {
                    pod: name.clone(),
                    kind,
                    by,
                };
                self.finish(name, Err(error), now, out);
            }
            At::Stopping | At::Removing => {}
        }
    }

    /// Closes an operation that never came under way.
    pub(super) fn close_cancelled(
        name: &PodName,
        id: OperationId,
        kind: OperationKind,
        by: OperationKind,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let error = CommandError::Cancelled {
            pod: name.clone(),
            kind,
            by,
        };
        let close = Record::CloseIntent {
            id,
            at: now,
            outcome: error.code().to_owned(),
        };
        let then = vec![finished(id, Err(error))];
        out.push(Effect::Persist(Persist::Fact {
            records: vec![close],
            then,
        }));
    }
}

pub(super) fn finished(operation: OperationId, result: Result<Done, CommandError>) -> Effect {
    Effect::Report {
        operation,
        view: OperationView::Finished(result),
    }
}
