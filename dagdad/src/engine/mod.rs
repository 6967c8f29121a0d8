//! The one task that owns the state.
//!
//! ```text
//!   handle ──commands──►┐                               ┌──► runtime, store (effects.rs)
//!   runtime ──signals──►├─► [ step(state, event, now) ]─┤
//!   sampler ──samples──►│        pure, no waiting       └──► callers, watchers, followers
//!   effects ──results──►┘                │
//!                                        └──► snapshot (watch): all reads, waiting for nobody
//! ```
//!
//! Invariants:
//! - Only this task changes the state, and only through [`step::step`].
//! - The task never waits for the runtime, the store or a reader: every effect runs in a task
//!   of its own, every channel towards a reader drops or overwrites rather than blocks.

pub mod admission;
mod alerts;
mod announcements;
pub mod answering;
pub(crate) mod auditing;
mod budget;
pub mod economy;
pub mod effect;
pub mod effects;
pub mod event;
mod eviction;
#[cfg(test)]
pub(crate) mod example;
pub mod handle;
pub mod heartbeat;
mod identity;
mod operating;
mod operation;
pub mod planning;
mod pod;
mod readiness;
mod run;
#[cfg(test)]
mod simulation;
pub mod snapshot;
pub mod state;
pub mod step;
mod usage;
mod wall_clock;
mod workflow;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::announcements::Announcements;
use self::answering::Answer;
use self::effects::{Performer, Ports};
use self::event::{Command, EffectResult, Event, Ticket};
use self::handle::Handle;
use self::heartbeat::Heartbeat;
use self::state::State;
use self::wall_clock::WallClock;
use self::writer::Writer;
use crate::domain::audit::AuditEntry;
use crate::domain::operation::OperationId;

/// Messages that may wait for the engine before their senders do.
const MAILBOX: usize = 1024;
/// Jobs that may wait for the disk before records are dropped.
const JOBS: usize = 16_384;

/// What the engine's task receives.
pub(crate) enum Message {
    /// To be answered with effects.
    Event(Event),
    /// An event whose sender waits for the answer.
    Command {
        command: Command,
        caller: oneshot::Sender<Answer>,
        /// Who asks for it, where that is to be kept.
        asked: Option<Box<AuditEntry>>,
    },
    /// What somebody asked for in vain.
    Audit(Box<AuditEntry>),
    /// Effects that waited for their records to be written.
    Perform(Vec<effect::Effect>),
}

/// The engine's tasks.
#[derive(Debug)]
pub struct Engine {
    owner: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Engine {
    /// Starts the engine. `first` is what it does before all else; `heartbeat` it gives as long
    /// as it lives, `None` where nobody listens for it.
    #[must_use]
    pub fn start(
        state: State,
        ports: Ports,
        first: Vec<effect::Effect>,
        heartbeat: Option<Heartbeat>,
    ) -> (Handle, Self) {
        let (messages, mailbox) = mpsc::channel(MAILBOX);
        let (jobs, queue) = mpsc::channel(JOBS);
        let (snapshots, readers) = watch::channel(Arc::new(state.snapshot(Timestamp::now())));
        let announcements = Announcements::new();
        let writer = Writer::new(Arc::clone(&ports.store), messages.clone());
        let performer = Performer::new(ports, messages.clone(), jobs, announcements.clone());
        let owner = Owner {
            state,
            performer,
            mailbox,
            snapshots,
            tickets: 0,
            clock: WallClock::now(),
            heartbeat,
        };
        let engine = Self {
            owner: tokio::spawn(owner.run(first)),
            writer: tokio::spawn(writer.run(queue)),
        };
        (
            Handle {
                messages,
                snapshots: readers,
                announcements,
            },
            engine,
        )
    }

    /// Waits until the engine has ended after [`Event::Shutdown`] and its records are
    /// written, or until `patience` is over. Returns whether all was written.
    pub async fn ended(self, patience: Duration) -> bool {
        let both = async {
            // A panic was reported where it happened; there is nothing left to wait for.
            let _ = self.owner.await;
            let _ = self.writer.await;
        };
        tokio::time::timeout(patience, both).await.is_ok()
    }
}

struct Owner {
    state: State,
    performer: Performer,
    mailbox: mpsc::Receiver<Message>,
    snapshots: watch::Sender<Arc<snapshot::Snapshot>>,
    tickets: u64,
    clock: WallClock,
    heartbeat: Option<Heartbeat>,
}

impl Owner {
    async fn run(mut self, first: Vec<effect::Effect>) {
        for effect in first {
            self.performer.perform(effect);
        }
        self.take_in(Event::Tick);
        loop {
            if let Some(heartbeat) = &mut self.heartbeat {
                heartbeat.beat_if_due();
            }
            let beat = self.heartbeat.as_ref().map(Heartbeat::due);
            let now = Timestamp::now();
            let wait = Duration::try_from(self.state.next_deadline() - now).unwrap_or_default();
            let message = tokio::select! {
                message = self.mailbox.recv() => message,
                () = tokio::time::sleep(wait) => Some(Message::Event(Event::Tick)),
                () = until(beat) => continue,
            };
            match message {
                None => return,
                Some(Message::Perform(effects)) => {
                    for effect in effects {
                        self.performer.perform(effect);
                    }
                }
                Some(Message::Command {
                    command,
                    caller,
                    asked,
                }) => {
                    self.tickets += 1;
                    let ticket = Ticket(self.tickets);
                    self.performer.expect_answer(ticket, caller, asked);
                    self.take_in(Event::Command { ticket, command });
                }
                Some(Message::Audit(entry)) => self.performer.audit(*entry),
                Some(Message::Event(event)) => {
                    let ends = event == Event::Shutdown;
                    let written = written(&event);
                    self.take_in(event);
                    if let Some(operation) = written {
                        self.performer.written(operation);
                    }
                    if ends {
                        return;
                    }
                }
            }
        }
    }

    fn take_in(&mut self, event: Event) {
        let now = Timestamp::now();
        let mut effects = Vec::new();
        if let Some(by) = self.clock.look(now) {
            tracing::warn!("the clock was set by {by:#}, or the machine slept");
            effects = step::step(&mut self.state, Event::ClockSet(by), now);
        }
        let asked = match &event {
            Event::Command { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let mut answer = step::step(&mut self.state, event, now);
        if let Some(ticket) = asked {
            self.performer.write_down(ticket, &mut answer);
        }
        effects.append(&mut answer);
        // First, so that who gets an answer finds in the snapshot what he was told.
        self.snapshots
            .send_replace(Arc::new(self.state.snapshot(now)));
        for effect in effects {
            self.performer.perform(effect);
        }
    }
}

/// The operation whose intent was written, or could not be.
fn written(event: &Event) -> Option<OperationId> {
    match event {
        Event::Result {
            operation,
            result: EffectResult::Stored | EffectResult::NotStored(_),
            ..
        } => Some(*operation),
        _ => None,
    }
}

/// Waits until `instant`; for ever without one.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
