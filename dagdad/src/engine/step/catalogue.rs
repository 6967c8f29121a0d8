//! `apply`: manifests into the catalogue, all or none.
//!
//! The catalogue changes only once the change is stored. One `apply` is under way at a time;
//! the next is compared with the catalogue that the one before left.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::effect::{Effect, Persist};
use super::super::event::{Reply, Ticket};
use super::super::pod::Pod;
use super::super::state::{Applying, State};
use super::super::workflow::Workflow;
use crate::domain::catalogue::{Applied, CataloguePod, Change, Entries};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::ObjectName;
use crate::domain::state::PodStatus;
use crate::domain::workflow::CatalogueWorkflow;
use crate::ports::{Record, StoreError};

impl State {
    pub(super) fn apply(
        &mut self,
        ticket: Ticket,
        entries: Entries,
        dry_run: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.applying.is_some() && !dry_run {
            return self.apply_queue.push_back((ticket, entries));
        }
        if let Err(error) = self.check_entries(&entries, now) {
            if !dry_run {
                let message = format!("apply refused: {error}");
                self.note(EventKind::Refused, None, message, now, out);
            }
            let reply = Reply::Refused(error);
            return out.push(Effect::Answer { ticket, reply });
        }
        let Entries { pods, workflows } = entries;
        let applied: Vec<Applied> = pods
            .iter()
            .map(|pod| self.compare(pod, &pods))
            .chain(workflows.iter().map(|entry| self.compare_workflow(entry)))
            .collect();
        if dry_run
            || applied
                .iter()
                .all(|object| object.change == Change::Unchanged)
        {
            return out.push(Effect::Answer {
                ticket,
                reply: Reply::Applied(applied),
            });
        }
        let mut records = Vec::new();
        let mut changed = Vec::new();
        let mut changed_workflows = Vec::new();
        let (of_pods, of_workflows) = applied.split_at(pods.len());
        for (entry, applied) in pods.into_iter().zip(of_pods) {
            let Some(verb) = verb(applied.change) else {
                continue;
            };
            let name = entry.spec.name.clone();
            let entry = Arc::new(entry);
            let mut pod = match self.pods.get(&name) {
                Some(pod) => pod.clone(),
                None => Pod::new(self.identities.next(now), Arc::clone(&entry), now),
            };
            pod.entry = Arc::clone(&entry);
            records.push(Record::PutPod(Box::new(
                pod.record(self.usage_of(&name), now),
            )));
            let message = format!("{name} {verb}");
            records.push(Record::Event(self.event(
                EventKind::Applied,
                Some(&name),
                message,
                now,
            )));
            changed.push((pod.id, entry));
        }
        for (entry, applied) in workflows.into_iter().zip(of_workflows) {
            let Some(verb) = verb(applied.change) else {
                continue;
            };
            let name = entry.spec.name.clone();
            let entry = Arc::new(entry);
            let mut workflow = match self.workflows.get(&name) {
                Some(workflow) => workflow.clone(),
                None => Workflow::new(self.identities.next(now), Arc::clone(&entry), now),
            };
            workflow.entry = Arc::clone(&entry);
            let active = self.active_run(&name).is_some();
            let record = workflow.record(self.estimate(&entry.spec), active, now);
            records.push(Record::PutWorkflow(Box::new(record)));
            let message = format!("workflow {name} {verb}");
            let object = Some(name.as_str());
            let event = self.event_about(EventKind::Applied, object, None, message, now);
            records.push(Record::Event(event));
            changed_workflows.push((workflow.id, entry));
        }
        self.applying = Some(Applying {
            ticket,
            applied,
            changed,
            changed_workflows,
        });
        out.push(Effect::Persist(Persist::Change { ticket, records }));
    }

    /// The change is on disk, or it is not and nothing happened.
    pub(super) fn change_stored(
        &mut self,
        ticket: Ticket,
        result: Result<(), StoreError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(applying) = self.applying.take_if(|applying| applying.ticket == ticket) else {
            return;
        };
        let stored = result.is_ok();
        for (id, entry) in applying.changed.clone() {
            let name = entry.spec.name.clone();
            match self.pods.get_mut(&name) {
                Some(pod) if stored => pod.entry = entry,
                // One that was there and is not any more was removed meanwhile.
                None if stored && applying.created(&name) => {
                    self.pods.insert(name.clone(), Pod::new(id, entry, now));
                    self.adopt(&name, now, out);
                }
                Some(_) | None => {}
            }
            // What became of the pod meanwhile was held back.
            self.put_row(&name, now, out);
        }
        for (id, entry) in applying.changed_workflows {
            let name = entry.spec.name.clone();
            let created = applying.applied.iter().any(|object| {
                object.name == ObjectName::Workflow(name.clone())
                    && object.change == Change::Created
            });
            match self.workflows.get_mut(&name) {
                Some(workflow) if stored => workflow.entry = entry,
                // One that was there and is not any more was removed meanwhile.
                None if stored && created => {
                    let workflow = Workflow::new(id, entry, now);
                    self.workflows.insert(name.clone(), workflow);
                }
                Some(_) | None => {}
            }
            self.put_workflow_row(&name, now, out);
        }
        self.sort_workflows();
        let reply = match result {
            Ok(()) => Reply::Applied(applying.applied),
            Err(error) => Reply::Refused(CommandError::Store(error.to_string())),
        };
        out.push(Effect::Answer { ticket, reply });
        // One that changes nothing is answered at once, and does not hold up the next.
        while self.applying.is_none()
            && let Some((ticket, entries)) = self.apply_queue.pop_front()
        {
            self.apply(ticket, entries, false, now, out);
        }
    }

    pub(super) fn compare(&self, new: &CataloguePod, all: &[CataloguePod]) -> Applied {
        let name = &new.spec.name;
        let mut notes = Vec::new();
        let change = match self.pods.get(name) {
            None => Change::Created,
            Some(pod) if pod.entry.manifest.digest == new.manifest.digest => Change::Unchanged,
            Some(pod) => {
                if matches!(pod.status(), PodStatus::Running | PodStatus::Starting) {
                    notes.push(format!(
                        "{name} is running with its old manifest; restart to use the new one: dagdactl pods restart {name}"
                    ));
                }
                Change::Changed
            }
        };
        let others = self
            .pods
            .values()
            .map(|pod| &pod.entry.spec)
            .filter(|spec| all.iter().all(|new| new.spec.name != spec.name))
            .chain(all.iter().map(|new| &new.spec))
            .filter(|spec| spec.name != *name);
        for other in others {
            for port in new.spec.published_ports() {
                if other
                    .published_ports()
                    .any(|theirs| theirs.collides_with(&port))
                {
                    notes.push(format!(
                        "{name} and {} both publish host port {}: they cannot run at the same time",
                        other.name, port.host_port
                    ));
                }
            }
        }
        let ceiling = self.memory_ceiling();
        if self.host.is_some() && new.spec.footprint.memory > ceiling {
            notes.push(format!(
                "{name} can never fit here: it asks for {} of memory, and dagdad gives out {} at most",
                new.spec.footprint.memory, ceiling
            ));
        }
        if change == Change::Unchanged {
            notes.clear();
        }
        Applied {
            name: ObjectName::Pod(name.clone()),
            change,
            notes,
        }
    }

    fn compare_workflow(&self, new: &CatalogueWorkflow) -> Applied {
        let name = &new.spec.name;
        let mut notes = Vec::new();
        let change = match self.workflows.get(name) {
            None => Change::Created,
            Some(known) if known.entry.manifest.digest == new.manifest.digest => Change::Unchanged,
            Some(_) => {
                if let Some(run) = self.active_run(name) {
                    notes.push(format!("run {run} goes on as it was begun"));
                }
                Change::Changed
            }
        };
        Applied {
            name: ObjectName::Workflow(name.clone()),
            change,
            notes,
        }
    }
}

/// What became of an object, for its event.
const fn verb(change: Change) -> Option<&'static str> {
    match change {
        Change::Unchanged => None,
        Change::Created => Some("created"),
        Change::Changed => Some("changed"),
    }
}
