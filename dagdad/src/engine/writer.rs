//! Writes records in order, in a task of its own, so that a slow disk delays neither the
//! engine nor a reader.
//!
//! What waits together is written together. An intent that cannot be written is refused; a
//! fact that cannot be written is kept and written with the next batch that can; a
//! measurement that cannot be written is dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Message;
use super::effect::Persist;
use super::event::{EffectResult, Event};
use crate::ports::{Record, Store, StoreError};

/// How soon kept facts are tried again when nothing else comes.
const RETRY: Duration = Duration::from_secs(5);
/// At most so many jobs are written in one transaction.
const BATCH: usize = 64;
/// At most so many facts are kept; beyond, the oldest are given up, loudly.
const KEPT: usize = 10_000;

pub(super) struct Writer {
    store: Arc<dyn Store>,
    messages: mpsc::Sender<Message>,
    kept: VecDeque<Record>,
}

impl Writer {
    pub(super) fn new(store: Arc<dyn Store>, messages: mpsc::Sender<Message>) -> Self {
        Self {
            store,
            messages,
            kept: VecDeque::new(),
        }
    }

    /// Writes until `jobs` is closed and empty.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Persist>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let received = if self.kept.is_empty() {
                jobs.recv_many(&mut batch, BATCH).await
            } else {
                match tokio::time::timeout(RETRY, jobs.recv_many(&mut batch, BATCH)).await {
                    Ok(received) => received,
                    Err(_) => {
                        self.write_kept().await;
                        continue;
                    }
                }
            };
            if received == 0 {
                self.write_kept().await;
                return;
            }
            self.write(std::mem::take(&mut batch)).await;
        }
    }

    async fn write(&mut self, batch: Vec<Persist>) {
        let records: Vec<Record> = self
            .kept
            .iter()
            .chain(batch.iter().flat_map(records))
            .cloned()
            .collect();
        match self.store.commit(&records).await {
            Ok(()) => {
                self.kept.clear();
                for job in batch {
                    self.answer(job, Ok(())).await;
                }
            }
            // One of many may be at fault: each on its own, in order.
            Err(_) if batch.len() > 1 => {
                for job in batch {
                    Box::pin(self.write(vec![job])).await;
                }
            }
            Err(error) => {
                tracing::error!(dagda_error = %error, "records could not be written");
                for job in batch {
                    if let Persist::Fact { records, .. } = &job {
                        self.keep(records.clone());
                    }
                    self.answer(job, Err(error.clone())).await;
                }
            }
        }
    }

    fn keep(&mut self, records: Vec<Record>) {
        self.kept.extend(records);
        while self.kept.len() > KEPT {
            if let Some(lost) = self.kept.pop_front() {
                tracing::error!(
                    dagda_record = kind_of(&lost),
                    "a record is given up: the store has refused too many"
                );
            }
        }
    }

    async fn write_kept(&mut self) {
        if self.kept.is_empty() {
            return;
        }
        self.kept.make_contiguous();
        match self.store.commit(self.kept.as_slices().0).await {
            Ok(()) => {
                tracing::info!(dagda_records = self.kept.len(), "kept records are written");
                self.kept.clear();
            }
            Err(error) => {
                tracing::debug!(dagda_error = %error, "kept records still cannot be written");
            }
        }
    }

    async fn answer(&self, job: Persist, result: Result<(), StoreError>) {
        let message = match job {
            Persist::Intent { pod, operation, .. } => {
                let result = match result {
                    Ok(()) => EffectResult::Stored,
                    Err(error) => EffectResult::NotStored(error),
                };
                Message::Event(Event::Result {
                    pod,
                    operation,
                    result,
                })
            }
            Persist::Run { run, .. } => Message::Event(Event::RunStored { run, result }),
            Persist::Economy { id, .. } => Message::Event(Event::EconomyStored { id, result }),
            Persist::Change { ticket, .. } => {
                Message::Event(Event::ChangeStored { ticket, result })
            }
            Persist::Fact { then, .. } => Message::Perform(then),
            Persist::Measurement(_) => return,
        };
        // The engine being gone means nobody waits for the answer.
        let _ = self.messages.send(message).await;
    }
}

fn records(job: &Persist) -> &[Record] {
    match job {
        Persist::Intent { records, .. }
        | Persist::Run { records, .. }
        | Persist::Economy { records, .. }
        | Persist::Change { records, .. }
        | Persist::Fact { records, .. }
        | Persist::Measurement(records) => records,
    }
}

/// The name of a record's kind. Not all of it: a manifest may hold what its owner keeps secret.
fn kind_of(record: &Record) -> String {
    let shown = format!("{record:?}");
    shown
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_record_that_is_given_up_only_its_kind_is_told() {
        let record = Record::DeletePod(uuid::Uuid::from_u128(7));
        assert_eq!(kind_of(&record), "DeletePod");
    }
}
