//! Who waits for an answer, and who watches an operation.
//!
//! ```text
//!   expect ──► answer ──────────────────────────► told
//!                └─ accepted, intent not on disk ─► held ──release──► told
//! ```
//!
//! Invariant: nobody is told that an operation was accepted before its intent is on disk, or
//! cannot be: what was accepted outlives dagdad.

use std::collections::HashMap;

use tokio::sync::{oneshot, watch};

use super::event::{Reply, Ticket};
use crate::domain::operation::{OperationId, OperationView, Progress, Stage};

/// The answer to a command, with the channel to watch an operation by.
#[derive(Debug)]
pub enum Answer {
    /// Accepted.
    Operation(watch::Receiver<OperationView>),
    /// Any other reply.
    Reply(Reply),
}

#[derive(Debug, Default)]
pub(super) struct Answering {
    waiting: HashMap<Ticket, oneshot::Sender<Answer>>,
    /// Those who are told once the operation's intent is on disk.
    held: HashMap<OperationId, Vec<(oneshot::Sender<Answer>, Answer)>>,
    watched: HashMap<OperationId, watch::Sender<OperationView>>,
}

impl Answering {
    /// `caller` waits for what is answered to `ticket`.
    pub(super) fn expect(&mut self, ticket: Ticket, caller: oneshot::Sender<Answer>) {
        self.waiting.insert(ticket, caller);
    }

    /// Whoever asked for this operation is told once it is released.
    pub(super) fn hold(&mut self, operation: OperationId) {
        self.held.entry(operation).or_default();
    }

    pub(super) fn answer(&mut self, ticket: Ticket, reply: Reply) {
        let Some(caller) = self.waiting.remove(&ticket) else {
            return;
        };
        let answer = match reply {
            Reply::Operation(id) => {
                let answer = Answer::Operation(self.watched(id).subscribe());
                if let Some(callers) = self.held.get_mut(&id) {
                    return callers.push((caller, answer));
                }
                answer
            }
            reply => Answer::Reply(reply),
        };
        // A caller that hung up does not want the answer.
        let _ = caller.send(answer);
    }

    pub(super) fn release(&mut self, operation: OperationId) {
        for (caller, answer) in self.held.remove(&operation).unwrap_or_default() {
            // As above.
            let _ = caller.send(answer);
        }
    }

    /// Shows those who watch an operation how far it is.
    pub(super) fn report(&mut self, operation: OperationId, view: OperationView) {
        let finished = matches!(view, OperationView::Finished(_));
        self.watched(operation).send_replace(view);
        if finished {
            self.watched.remove(&operation);
        }
    }

    fn watched(&mut self, operation: OperationId) -> &watch::Sender<OperationView> {
        self.watched.entry(operation).or_insert_with(|| {
            let message = "accepted".to_owned();
            watch::Sender::new(OperationView::Running(Progress {
                stage: Stage::Preparing,
                message,
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operation::Done;

    const TICKET: Ticket = Ticket(1);
    const OPERATION: OperationId = OperationId(uuid::Uuid::nil());

    fn finished() -> OperationView {
        OperationView::Finished(Ok(Done {
            message: "done".to_owned(),
            changed: true,
        }))
    }

    #[test]
    fn what_was_accepted_is_told_once_it_is_on_disk() {
        let mut answering = Answering::default();
        let (caller, mut told) = oneshot::channel();
        answering.expect(TICKET, caller);
        answering.hold(OPERATION);
        answering.answer(TICKET, Reply::Operation(OPERATION));
        assert!(
            told.try_recv().is_err(),
            "dagdad may die before it is written"
        );
        // It may even be over by then.
        answering.report(OPERATION, finished());
        answering.release(OPERATION);
        let Ok(Answer::Operation(watched)) = told.try_recv() else {
            panic!("it is on disk")
        };
        assert_eq!(*watched.borrow(), finished());
    }

    #[test]
    fn what_is_not_written_down_is_told_at_once() {
        let mut answering = Answering::default();
        let (caller, mut told) = oneshot::channel();
        answering.expect(TICKET, caller);
        answering.answer(TICKET, Reply::Operation(OPERATION));
        assert!(matches!(told.try_recv(), Ok(Answer::Operation(_))));
        answering.report(OPERATION, finished());
        assert!(answering.watched.is_empty() && answering.held.is_empty());
    }
}
