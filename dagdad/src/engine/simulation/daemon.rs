//! The daemon in its world: it is born, takes a step for each event, has its effects
//! performed, and is killed at any instant.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::super::effect::{Effect, Persist};
use super::super::event::Event;
use super::super::state::{Remembered, Settings, State, Thresholds};
use super::super::step::step;
use super::calls::Call;
use super::disk::Writer;
use super::invariants::{Before, Readings, Told};
use super::people::mirror_status;
use super::podman::{Eased, Mood};
use super::{Happening, World};
use crate::domain::name::PodName;
use crate::domain::observed::RuntimeSignal;
use crate::domain::operation::OperationId;
use crate::domain::state::Wanted;
use crate::ports::{MirrorLink, Record};

pub(super) struct Daemon {
    pub(super) incarnation: u64,
    pub(super) state: State,
    /// What the next step is compared with.
    pub(super) before: Before,
    pub(super) writer: Writer,
    /// The call under way for each operation.
    pub(super) calls: BTreeMap<OperationId, (PodName, u64)>,
    pub(super) tick: Option<(Timestamp, u64)>,
}

impl World {
    pub(super) fn be_born(&mut self) {
        if self.daemon.is_some() {
            return;
        }
        self.incarnations += 1;
        let incarnation = self.incarnations;
        self.note(|| format!("birth {incarnation}"));
        self.check_rows();
        let settings = Settings {
            start_timeout: Duration::from_mins(1),
            sample_interval: Duration::from_secs(5),
            record_interval: Duration::from_secs(5),
            thresholds: Thresholds {
                ram_percent: 80.0,
                cpu_percent: 70.0,
            },
            cpu_enforced: self.cpu_enforced,
            alerts: self.rules,
            economy_policy: self.climate.policy,
            economy: self.economy_rules,
        };
        let remembered = self.remembered();
        self.ledger.daemon_is_born(&self.disk);
        let seed = self.random.bits();
        let (state, superseded) = State::restore(settings, seed, remembered, self.clock());
        self.check_restored(&state);
        self.check_economy_restored(&state);
        for row in self.disk.rows.values() {
            // What the daemon never learned it cannot respect.
            if row.wanted == Wanted::Up {
                self.stopped_by_people.remove(&row.name);
            }
        }
        self.daemon = Some(Daemon {
            incarnation,
            before: Before::of(&state),
            state,
            writer: Writer::default(),
            calls: BTreeMap::new(),
            tick: None,
        });
        let records: Vec<Record> = superseded
            .into_iter()
            .map(|intent| Record::CloseIntent {
                id: intent.id,
                at: self.clock(),
                outcome: "cancelled".to_owned(),
            })
            .collect();
        if !records.is_empty() {
            self.persist(Persist::Fact {
                records,
                then: Vec::new(),
            });
        }
        self.tell(Event::Tick);
        self.tell(Event::Mirror(mirror_status(MirrorLink::Connecting)));
        let reached = self.random.millis(0, 3_000);
        self.after(reached, Happening::Reached(incarnation));
        let first = self.random.millis(0, 100);
        self.after(first, Happening::Measure(incarnation));
        if self.podman.mood == Mood::Well {
            let signal = RuntimeSignal::Connected {
                version: "4.3.1".to_owned(),
            };
            let event = Event::Runtime(signal);
            self.after(
                Duration::from_millis(1),
                Happening::Tell(incarnation, event),
            );
        }
    }

    /// What the disk has for the next daemon.
    fn remembered(&self) -> Remembered {
        let pods = self.disk.rows.values().map(|row| {
            let entry = self.manifests[&row.manifest.digest.0].clone();
            (row.clone(), entry)
        });
        let workflows = self.disk.workflows.values().map(|row| {
            let entry = self.workflow_manifests[&row.manifest.digest.0].clone();
            (row.clone(), entry)
        });
        Remembered {
            pods: pods.collect(),
            workflows: workflows.collect(),
            runs: self.disk.active_runs().cloned().collect(),
            alerts: self.disk.open_alerts().cloned().collect(),
            pod_runs: self.disk.latest_pod_runs(),
            intents: self.disk.open.values().cloned().collect(),
            economy: self.disk.economy.clone(),
            silences: self.disk.silences.values().cloned().collect(),
        }
    }

    /// One step of the daemon, which may be its last.
    pub(super) fn tell(&mut self, event: Event) {
        let now = self.clock();
        // Of samples there are too many to read.
        if !matches!(event, Event::Sampled(_)) {
            self.note(|| format!("=> {event:?}"));
        }
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let told = Told::of(&event);
        let shown = self.sightings.of(&event, &self.rules, now);
        let reading = Readings::of(&event);
        let was_settled = daemon.state.settled;
        let effects = step(&mut daemon.state, event, now);
        if daemon.state.settled && !was_settled {
            self.settled_at = now;
        }
        self.note_effects(&effects);
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let due = daemon.state.next_deadline();
        self.check_step(&told, due, &effects);
        self.check_alerts(&told, &shown, was_settled, &effects);
        self.check_economy(&told, reading, &effects);
        let wait = Duration::try_from(due - now).unwrap_or_default();
        let tick = self.turn(wait);
        if let Some(daemon) = &mut self.daemon {
            daemon.tick = Some(tick);
        }
        self.perform(effects);
        self.check_watches();
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        let cut = (self.faulty() && self.random.below(2_000) == 0)
            .then(|| self.random.below(effects.len() as u64 + 1));
        for (index, effect) in effects.into_iter().enumerate() {
            if cut == Some(index as u64) {
                break;
            }
            self.perform_one(effect);
        }
        if cut.is_some() {
            self.kill_daemon();
            self.revive_later();
        }
    }

    pub(super) fn note_effects(&mut self, effects: &[Effect]) {
        for effect in effects {
            if !matches!(effect, Effect::Persist(Persist::Measurement(_))) {
                self.note(|| format!("   {effect:?}"));
            }
        }
    }

    fn perform_one(&mut self, effect: Effect) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let incarnation = daemon.incarnation;
        match effect {
            Effect::Persist(job) => self.persist(job),
            Effect::Answer { ticket, reply } => self.ledger.answered(ticket, &reply, incarnation),
            Effect::Report { operation, view } => self.reported(operation, view),
            Effect::Announce { event, .. } => self.check_announcement(&event.message),
            // Neither leads to anything here.
            Effect::Notify(_) | Effect::Tidy => {}
            Effect::Ease { spec, id, easing } => {
                let pod = spec.name.clone();
                self.check_easing(&pod, easing);
                let eased = Eased {
                    incarnation,
                    pod,
                    id,
                };
                self.ease(eased, easing);
            }
            Effect::List => self.list(),
            Effect::Operate {
                pod,
                operation,
                action,
            } => {
                self.check_call(&pod, operation);
                self.calls += 1;
                let number = self.calls;
                if let Some(daemon) = &mut self.daemon {
                    daemon.calls.insert(operation, (pod.clone(), number));
                }
                let call = Call {
                    incarnation,
                    number,
                    pod,
                    operation,
                };
                self.call(call, action);
            }
            Effect::Abort(operation) => {
                daemon.calls.remove(&operation);
            }
            Effect::Probe {
                spec,
                watch,
                check,
                after,
                ..
            } => {
                self.ledger.probing(watch, check);
                let delay = after + self.random.millis(0, 20);
                let probe = Happening::Probe {
                    incarnation,
                    pod: spec.name.clone(),
                    watch,
                    check,
                };
                self.after(delay, probe);
            }
            Effect::Diagnose(pod) => {
                let log = vec!["last words".to_owned()];
                let delay = self.random.millis(1, 3_000);
                let event = Event::Diagnosed { pod, log };
                self.after(delay, Happening::Tell(incarnation, event));
            }
        }
    }

    /// `kill -9`.
    pub(super) fn kill_daemon(&mut self) {
        self.note(|| "kill -9".to_owned());
        self.cut_off_writer();
        self.daemon = None;
        self.ledger.daemon_died();
    }

    pub(super) fn revive_later(&mut self) {
        let delay = self.random.millis(10, 20_000);
        self.after(delay, Happening::Birth);
    }
}
