//! The engine from outside: commands in, snapshots and events out. Cheap to clone.

use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::Message;
use super::announcements::Announcements;
use super::answering::Answer;
use super::event::{Command, Event};
use super::snapshot::Snapshot;
use crate::domain::audit::AuditEntry;
use crate::domain::error::CommandError;
use crate::domain::event::{EventQuery, EventRecord};

/// A way to the engine.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) announcements: Announcements,
}

impl Handle {
    /// Gives a command and waits for its answer: accepted, done already, or refused. `asked` is
    /// who gives it, where that is to be kept.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`] when the engine has ended.
    pub async fn command(
        &self,
        command: Command,
        asked: Option<Box<AuditEntry>>,
    ) -> Result<Answer, CommandError> {
        let (caller, answer) = oneshot::channel();
        self.messages
            .send(Message::Command {
                command,
                caller,
                asked,
            })
            .await
            .map_err(|_| CommandError::ShuttingDown)?;
        answer.await.map_err(|_| CommandError::ShuttingDown)
    }

    /// Keeps what somebody asked for in vain, without a step of the engine.
    pub async fn audit(&self, entry: AuditEntry) {
        // The engine being gone means that dagdad ends.
        let _ = self.messages.send(Message::Audit(Box::new(entry))).await;
    }

    /// Tells the engine what happened outside.
    pub async fn tell(&self, event: Event) {
        // The engine being gone means that dagdad ends.
        let _ = self.messages.send(Message::Event(event)).await;
    }

    /// The state now. Waits for nobody.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// The state as it changes; steps may be missed, the last one never.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Events from now on.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<EventRecord> {
        self.announcements.follow()
    }

    /// Those of the latest events that `query` asks for, oldest first, its limit aside. Some of
    /// them may not be on disk yet.
    #[must_use]
    pub fn latest_events(&self, query: &EventQuery) -> Vec<EventRecord> {
        self.announcements.latest(query)
    }
}

#[cfg(test)]
impl Handle {
    /// A handle to no engine: the test takes in the commands and publishes the snapshots.
    pub(crate) fn detached(
        first: Snapshot,
    ) -> (Self, mpsc::Receiver<Message>, watch::Sender<Arc<Snapshot>>) {
        let (messages, mailbox) = mpsc::channel(1);
        let (publisher, snapshots) = watch::channel(Arc::new(first));
        let handle = Self {
            messages,
            snapshots,
            announcements: Announcements::new(),
        };
        (handle, mailbox, publisher)
    }

    /// Tells an event as the engine does, before it is on disk.
    pub(crate) fn announce(&self, event: EventRecord) {
        self.announcements.announce(event);
    }
}
