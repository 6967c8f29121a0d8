//! The model of the store, with the writer before it: batches in order, facts kept, intents
//! refused, measurements dropped, as `engine::writer` does it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

use super::super::effect::{Effect, Persist};
use super::super::event::{EffectResult, Event};
use super::invariants::check_row;
use super::{Happening, World};
use crate::domain::alert::Alert;
use crate::domain::catalogue::Digest;
use crate::domain::economy::EconomyRecord;
use crate::domain::footprint::{PodRun, RUNS_KEPT};
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::operation::{Intent, OperationId, OperationKind};
use crate::domain::run::{Phase, Run, RunId, Step};
use crate::domain::silence::Silence;
use crate::ports::{PodRecord, Record, StoreError, WorkflowRecord};

const BATCH: usize = 64;
const RETRY: Duration = Duration::from_secs(5);

/// What survives a `kill -9`.
#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<Uuid, PodRecord>,
    pub(super) open: BTreeMap<OperationId, Intent>,
    pub(super) closed: BTreeMap<OperationId, String>,
    pub(super) workflows: BTreeMap<Uuid, WorkflowRecord>,
    pub(super) runs: BTreeMap<RunId, Run>,
    pub(super) alerts: BTreeMap<Uuid, Alert>,
    pod_runs: BTreeMap<Uuid, PodRun>,
    pub(super) economy: EconomyRecord,
    pub(super) silences: BTreeMap<Uuid, Silence>,
    /// The catalogue as `apply` and `remove` left it, whatever rows say.
    pub(super) promised: BTreeMap<PodName, Digest>,
    pub(super) promised_workflows: BTreeMap<WorkflowName, Digest>,
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
                    self.check_intent(intent);
                    let before = self.open.insert(intent.id, intent.clone());
                    assert!(before.is_none(), "intent {} opened twice", intent.id);
                }
                Record::CloseIntent { id, outcome, .. } => {
                    self.open.remove(id);
                    let before = self.closed.insert(*id, outcome.clone());
                    assert!(before.is_none(), "intent {id} closed twice");
                }
                // Nobody's step asks for it: the performer writes it.
                Record::PutAudit(_) => {}
                Record::PutWorkflow(row) => {
                    let mut rows = self.workflows.values();
                    let twice = rows.any(|other| other.name == row.name && other.id != row.id);
                    assert!(!twice, "two rows of workflow {}", row.name);
                    self.workflows.insert(row.id, (**row).clone());
                }
                Record::DeleteWorkflow(id) => {
                    if let Some(row) = self.workflows.remove(id) {
                        self.promised_workflows.remove(&row.name);
                    }
                }
                Record::PutRun(run) => {
                    let other = self.active_runs().find(|other| {
                        run.active() && other.id != run.id && other.workflow == run.workflow
                    });
                    assert!(
                        other.is_none(),
                        "a second active run of {}: {} while {other:?}",
                        run.workflow,
                        run.id
                    );
                    self.runs.insert(run.id, (**run).clone());
                }
                Record::PutPodRun(run) => {
                    self.pod_runs.insert(run.id, (**run).clone());
                }
                Record::PutAlert(alert) => {
                    let key = |alert: &Alert| (alert.condition, alert.object.clone());
                    let other = self.open_alerts().find(|other| {
                        other.id != alert.id
                            && alert.resolved_at.is_none()
                            && key(other) == key(alert)
                    });
                    assert!(other.is_none(), "{alert:?} is raised while {other:?}");
                    check_row(self.alerts.get(&alert.id), alert);
                    self.alerts.insert(alert.id, (**alert).clone());
                }
                Record::PutEconomy(economy) => self.economy = (**economy).clone(),
                Record::PutSilence(silence) => {
                    self.silences.insert(silence.id, (**silence).clone());
                }
                Record::DeleteSilence(id) => {
                    self.silences.remove(id);
                }
                Record::Event(_) | Record::Sample(_) => {}
            }
        }
    }

    /// What is to be done for a run is in its row before.
    fn check_intent(&self, intent: &Intent) {
        let Some(id) = intent.run else {
            return;
        };
        let run = self.runs.get(&id);
        let run = run.unwrap_or_else(|| panic!("{intent:?} of a run that is not on disk"));
        let member = run.member(&intent.pod);
        let fair = match intent.kind {
            OperationKind::Start => member.is_some_and(|member| {
                let mut before = member.after.iter().filter_map(|pod| run.member(pod));
                matches!(run.phase, Phase::Starting { .. })
                    && member.started_by_run
                    && member.step == Step::Starting
                    && before.all(|before| before.step.satisfied())
            }),
            OperationKind::Stop => match &run.phase {
                Phase::Evicting { victims } => victims.contains(&intent.pod),
                Phase::Stopping | Phase::RollingBack(_) => {
                    member.is_some_and(|member| member.step == Step::Stopping)
                }
                _ => false,
            },
            OperationKind::Restart | OperationKind::Remove => false,
        };
        assert!(fair, "{intent:?} is not what the run's row says: {run:?}");
    }

    pub(super) fn active_runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(|run| run.active())
    }

    pub(super) fn open_alerts(&self) -> impl Iterator<Item = &Alert> {
        let open = |alert: &&Alert| alert.resolved_at.is_none();
        self.alerts.values().filter(open)
    }

    /// The latest runs of each pod.
    pub(super) fn latest_pod_runs(&self) -> Vec<PodRun> {
        let mut of_pods: BTreeMap<&PodName, Vec<&PodRun>> = BTreeMap::new();
        for run in self.pod_runs.values() {
            of_pods.entry(&run.pod).or_default().push(run);
        }
        let latest = of_pods.into_values().flat_map(|mut runs| {
            runs.sort_by_key(|run| (run.started_at, run.id));
            let surplus = runs.len().saturating_sub(RUNS_KEPT);
            runs.split_off(surplus)
        });
        latest.cloned().collect()
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
                        match record {
                            Record::PutPod(row) => {
                                let digest = row.manifest.digest.clone();
                                self.disk.promised.insert(row.name.clone(), digest);
                            }
                            Record::PutWorkflow(row) => {
                                let (name, digest) = (&row.name, &row.manifest.digest);
                                let promised = &mut self.disk.promised_workflows;
                                promised.insert(name.clone(), digest.clone());
                            }
                            _ => {}
                        }
                    }
                }
                Persist::Intent { records, .. }
                | Persist::Run { records, .. }
                | Persist::Economy { records, .. }
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
            Persist::Economy { id, .. } => self.tell_soon(Event::EconomyStored { id, result }),
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
