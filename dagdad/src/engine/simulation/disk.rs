//! The model of the store, with the writer before it: batches in order, facts kept, intents
//! refused, measurements dropped, as `engine::writer` does it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use super::super::effect::{Effect, Persist};
use super::super::event::{EffectResult, Event};
use super::{Happening, World};
use crate::domain::catalogue::Digest;
use crate::domain::name::PodName;
use crate::domain::operation::{Intent, OperationId};
use crate::ports::{PodRecord, Record, StoreError};

const BATCH: usize = 64;
const RETRY: Duration = Duration::from_secs(5);

/// What survives a `kill -9`.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<Uuid, PodRecord>,
    pub(super) open: BTreeMap<OperationId, Intent>,
    pub(super) closed: BTreeMap<OperationId, String>,
    /// The catalogue as `apply` and `remove` left it, whatever rows say.
    pub(super) promised: BTreeMap<PodName, Digest>,
    /// Whether nothing can be written.
    pub(super) full: bool,
}

/// What dies with the daemon.
#[derive(Debug, Default)]
pub(super) struct Writer {
    queue: VecDeque<Persist>,
    kept: Vec<Record>,
    batch: Vec<Persist>,
    busy: bool,
    retrying: bool,
}

impl Disk {
    fn write(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::PutPod(row) => {
                    let same_name = self
                        .rows
                        .values()
                        .find(|other| other.name == row.name && other.id != row.id);
                    assert!(same_name.is_none(), "two rows named {}", row.name);
                    self.rows.insert(row.id, (**row).clone());
                }
                Record::DeletePod(id) => {
                    let row = self.rows.remove(id);
                    if let Some(row) = row {
                        self.promised.remove(&row.name);
                    }
                }
                Record::OpenIntent(intent) => {
                    let before = self.open.insert(intent.id, intent.clone());
                    assert!(before.is_none(), "intent {} opened twice", intent.id);
                }
                Record::CloseIntent { id, outcome, .. } => {
                    self.open.remove(id);
                    let before = self.closed.insert(*id, outcome.clone());
                    assert!(before.is_none(), "intent {id} closed twice");
                }
                Record::PutWorkflow(_)
                | Record::DeleteWorkflow(_)
                | Record::PutRun(_)
                | Record::PutPodRun(_)
                | Record::PutAlert(_)
                | Record::Event(_)
                | Record::Sample(_) => {}
            }
        }
    }
}

impl World {
    pub(super) fn persist(&mut self, job: Persist) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        daemon.writer.queue.push_back(job);
        self.write_next();
    }

    fn write_next(&mut self) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let writer = &mut daemon.writer;
        if writer.busy {
            return;
        }
        let incarnation = daemon.incarnation;
        if writer.queue.is_empty() {
            if !writer.kept.is_empty() && !writer.retrying {
                writer.retrying = true;
                self.after(RETRY, Happening::RetryKept(incarnation));
            }
            return;
        }
        let taken = writer.queue.len().min(BATCH);
        writer.batch = writer.queue.drain(..taken).collect();
        writer.busy = true;
        let latency = if self.calm {
            self.random.millis(1, 5)
        } else {
            self.random.millis(1, 400)
        };
        self.after(latency, Happening::Commit(incarnation));
    }

    pub(super) fn commit_done(&mut self) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        daemon.writer.busy = false;
        let batch = std::mem::take(&mut daemon.writer.batch);
        if self.commit(&batch) {
            for job in batch {
                self.answer(job, Ok(()));
            }
        } else {
            let alone = batch.len() > 1;
            for job in batch {
                if alone && self.commit(std::slice::from_ref(&job)) {
                    self.answer(job, Ok(()));
                    continue;
                }
                if let (Persist::Fact { records, .. }, Some(daemon)) = (&job, &mut self.daemon) {
                    daemon.writer.kept.extend(records.iter().cloned());
                }
                let error = StoreError::Failed("the simulation said so".to_owned());
                self.answer(job, Err(error));
            }
        }
        self.write_next();
    }

    fn commit(&mut self, batch: &[Persist]) -> bool {
        if self.disk.full || (!self.calm && self.random.chance(3)) {
            return false;
        }
        let Some(daemon) = &mut self.daemon else {
            return false;
        };
        let kept = std::mem::take(&mut daemon.writer.kept);
        self.disk.write(&kept);
        for job in batch {
            match job {
                Persist::Change { records, .. } => {
                    self.disk.write(records);
                    for record in records {
                        if let Record::PutPod(row) = record {
                            let digest = row.manifest.digest.clone();
                            self.disk.promised.insert(row.name.clone(), digest);
                        }
                    }
                }
                Persist::Intent { records, .. }
                | Persist::Run { records, .. }
                | Persist::Fact { records, .. }
                | Persist::Measurement(records) => self.disk.write(records),
            }
        }
        true
    }

    pub(super) fn retry_kept(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            daemon.writer.retrying = false;
            if !daemon.writer.busy && !daemon.writer.kept.is_empty() {
                self.commit(&[]);
            }
        }
        self.write_next();
    }

    /// A commit under way when the daemon is killed is done whole or not at all.
    pub(super) fn cut_off_writer(&mut self) {
        let batch = self
            .daemon
            .as_mut()
            .map(|daemon| std::mem::take(&mut daemon.writer.batch))
            .unwrap_or_default();
        if !batch.is_empty() && self.random.chance(50) {
            self.commit(&batch);
        }
    }

    fn answer(&mut self, job: Persist, result: Result<(), StoreError>) {
        match job {
            Persist::Intent { pod, operation, .. } => {
                let result = match result {
                    Ok(()) => EffectResult::Stored,
                    Err(error) => EffectResult::NotStored(error),
                };
                self.tell_soon(Event::Result {
                    pod,
                    operation,
                    result,
                });
            }
            Persist::Change { ticket, .. } => {
                self.tell_soon(Event::ChangeStored { ticket, result });
            }
            Persist::Run { run, .. } => self.tell_soon(Event::RunStored { run, result }),
            Persist::Fact { then, .. } => self.perform_soon(then),
            Persist::Measurement(_) => {}
        }
    }

    fn tell_soon(&mut self, event: Event) {
        if let Some(daemon) = &self.daemon {
            let incarnation = daemon.incarnation;
            self.after(Duration::ZERO, Happening::Tell(incarnation, event));
        }
    }

    fn perform_soon(&mut self, effects: Vec<Effect>) {
        if let Some(daemon) = &self.daemon {
            let incarnation = daemon.incarnation;
            self.after(Duration::ZERO, Happening::Perform(incarnation, effects));
        }
    }
}
