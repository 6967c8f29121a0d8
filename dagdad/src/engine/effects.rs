//! Performs effects through the ports. Each runs in a task of its own and comes back as an
//! event.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::Message;
use super::announcements::Announcements;
use super::answering::{Answer, Answering};
use super::auditing::{self, Auditing};
use super::effect::{Action, Easing, Effect, Persist};
use super::event::{EffectResult, Event, Reply, Ticket};
use super::operating::{act, broken, last_lines};
use crate::domain::audit::AuditEntry;
use crate::domain::catalogue::{Manifest, RenderedPod};
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::notification::Notification;
use crate::domain::operation::{OperationId, OperationView};
use crate::domain::quantity::Bytes;
use crate::journal;
use crate::ports::{Runtime, RuntimeError, Store, StoreError};

/// Fills a manifest's variables in; reads the variables file.
pub type Render = Arc<dyn Fn(&Manifest) -> Result<RenderedPod, CommandError> + Send + Sync>;

/// What effects are performed through.
pub struct Ports {
    /// Runs pods.
    pub runtime: Arc<dyn Runtime>,
    /// Keeps records.
    pub store: Arc<dyn Store>,
    /// Fills manifests in.
    pub render: Render,
    /// Takes in what people are to be notified of; `None` where nobody is.
    pub notifications: Option<mpsc::Sender<Notification>>,
}

pub(super) struct Performer {
    ports: Ports,
    messages: mpsc::Sender<Message>,
    jobs: mpsc::Sender<Persist>,
    announcements: Announcements,
    answering: Answering,
    auditing: Auditing,
    running: HashMap<OperationId, AbortHandle>,
}

impl Performer {
    pub(super) fn new(
        ports: Ports,
        messages: mpsc::Sender<Message>,
        jobs: mpsc::Sender<Persist>,
        announcements: Announcements,
    ) -> Self {
        Self {
            ports,
            messages,
            jobs,
            announcements,
            answering: Answering::default(),
            auditing: Auditing::default(),
            running: HashMap::new(),
        }
    }

    pub(super) fn expect_answer(
        &mut self,
        ticket: Ticket,
        caller: oneshot::Sender<Answer>,
        asked: Option<Box<AuditEntry>>,
    ) {
        self.answering.expect(ticket, caller);
        if let Some(entry) = asked {
            self.auditing.ask(ticket, *entry);
        }
    }

    /// Has what was asked written with what the step of it writes.
    pub(super) fn write_down(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) {
        self.auditing.write_down(ticket, effects);
    }

    /// Has what was asked written and told to the journal.
    pub(super) fn audit(&mut self, entry: AuditEntry) {
        auditing::log(&entry);
        self.perform(auditing::alone(entry));
    }

    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(job) => {
                if let Persist::Intent { operation, .. } = &job {
                    self.answering.hold(*operation);
                }
                self.persist(job);
            }
            Effect::Answer { ticket, reply } => self.answer(ticket, reply),
            Effect::Report { operation, view } => self.report(operation, view),
            Effect::Announce { event, subject } => {
                journal::tell(&event, subject);
                self.announcements.announce(event);
            }
            Effect::List => {
                let runtime = Arc::clone(&self.ports.runtime);
                self.spawn(async move {
                    let listed = AssertUnwindSafe(runtime.list()).catch_unwind().await;
                    let fault =
                        RuntimeError::Protocol("dagdad failed, its log says how".to_owned());
                    Event::Listed(listed.unwrap_or(Err(fault)))
                });
            }
            Effect::Tidy => {
                let store = Arc::clone(&self.ports.store);
                tokio::spawn(async move {
                    if let Err(error) = store.tidy(jiff::Timestamp::now()).await {
                        tracing::warn!(dagda_error = %error, "history could not be thinned");
                    }
                });
            }
            Effect::Operate {
                pod,
                operation,
                action,
            } => self.operate(pod, operation, action),
            Effect::Abort(operation) => {
                if let Some(task) = self.running.remove(&operation) {
                    task.abort();
                }
            }
            Effect::Probe {
                spec,
                watch,
                check,
                readiness,
                after,
            } => {
                let runtime = Arc::clone(&self.ports.runtime);
                self.spawn(async move {
                    tokio::time::sleep(after).await;
                    let result = runtime.probe(&spec, &readiness).await;
                    Event::Probed {
                        pod: spec.name.clone(),
                        watch,
                        check,
                        result,
                    }
                });
            }
            Effect::Ease { spec, id, easing } => {
                let runtime = Arc::clone(&self.ports.runtime);
                self.spawn(async move {
                    let pod = spec.name.clone();
                    let none = |()| Bytes(0);
                    let result = match easing {
                        Easing::Reclaim(goal) => runtime.reclaim(&pod, goal).await,
                        Easing::Throttle(to) => runtime.throttle(&spec, to).await.map(none),
                        Easing::Freeze => runtime.freeze(&pod).await.map(none),
                        Easing::Thaw => runtime.thaw(&pod).await.map(none),
                    };
                    Event::Eased { pod, id, result }
                });
            }
            Effect::Notify(notification) => self.notify(*notification),
            Effect::Diagnose(pod) => {
                let runtime = Arc::clone(&self.ports.runtime);
                self.spawn(async move {
                    let log = last_lines(&*runtime, &pod).await;
                    Event::Diagnosed { pod, log }
                });
            }
        }
    }

    fn notify(&self, notification: Notification) {
        let Some(notifications) = &self.ports.notifications else {
            return;
        };
        if let Err(refused) = notifications.try_send(notification) {
            let event = Event::NotNotified {
                alert: refused.into_inner().alert.id,
                reason: "too many notifications wait already".to_owned(),
            };
            self.spawn(std::future::ready(event));
        }
    }

    fn spawn(&self, event: impl Future<Output = Event> + Send + 'static) -> AbortHandle {
        let messages = self.messages.clone();
        let task = tokio::spawn(async move {
            let event = event.await;
            // The engine being gone means that dagdad ends.
            let _ = messages.send(Message::Event(event)).await;
        });
        task.abort_handle()
    }

    fn persist(&mut self, job: Persist) {
        let measurement = matches!(job, Persist::Measurement(_));
        if measurement && self.jobs.capacity() < self.jobs.max_capacity() / 2 {
            return tracing::warn!("a measurement is dropped: the store is too slow");
        }
        let Err(refused) = self.jobs.try_send(job) else {
            return;
        };
        tracing::error!("records are dropped: the store has taken none for too long");
        let error = StoreError::Failed("it has taken nothing for too long".to_owned());
        let event = match refused.into_inner() {
            Persist::Intent { pod, operation, .. } => Event::Result {
                pod,
                operation,
                result: EffectResult::NotStored(error),
            },
            Persist::Run { run, .. } => Event::RunStored {
                run,
                result: Err(error),
            },
            Persist::Economy { id, .. } => Event::EconomyStored {
                id,
                result: Err(error),
            },
            Persist::Change { ticket, .. } => Event::ChangeStored {
                ticket,
                result: Err(error),
            },
            // What waited for the records does not wait for ever.
            Persist::Fact { then, .. } => {
                return then.into_iter().for_each(|effect| self.perform(effect));
            }
            Persist::Measurement(_) => return,
        };
        self.spawn(std::future::ready(event));
    }

    fn answer(&mut self, ticket: Ticket, reply: Reply) {
        if let Some(entry) = self.auditing.answered(ticket, &reply) {
            self.audit(entry);
        }
        self.answering.answer(ticket, reply);
    }

    /// An operation's intent is on disk, or cannot be: whoever asked for it is told.
    pub(super) fn written(&mut self, operation: OperationId) {
        self.answering.release(operation);
    }

    fn report(&mut self, operation: OperationId, view: OperationView) {
        if let OperationView::Finished(result) = &view {
            self.running.remove(&operation);
            let records = self.auditing.ended(operation, result);
            if !records.is_empty() {
                let then = Vec::new();
                self.persist(Persist::Fact { records, then });
            }
        }
        self.answering.report(operation, view);
    }

    fn operate(&mut self, pod: PodName, operation: OperationId, action: Action) {
        let runtime = Arc::clone(&self.ports.runtime);
        let render = Arc::clone(&self.ports.render);
        let messages = self.messages.clone();
        let broken = broken(&action);
        let task = self.spawn(async move {
            let work = act(action, &*runtime, render, &messages, &pod, operation);
            // A fault of dagdad's own must not leave the operation waiting for ever. The panic
            // itself was reported where it happened.
            let result = AssertUnwindSafe(work)
                .catch_unwind()
                .await
                .unwrap_or(broken);
            Event::Result {
                pod,
                operation,
                result,
            }
        });
        self.running.insert(operation, task);
    }
}
