//! A box with a workflow whose alerts are watched, over restarts.

use std::sync::Arc;

use uuid::Uuid;

use super::super::super::workflow::Workflow;
use super::*;
use crate::domain::alert::{Alert, Condition};
use crate::domain::catalogue::{Digest, Manifest};
use crate::domain::event::EventKind;
use crate::domain::pod::{Category, Footprint, Priority};
use crate::domain::run::{Phase, Run, RunId, RunMember, RunState, Step};
use crate::domain::workflow::{CatalogueWorkflow, Member, OnFailure, WorkflowSpec};
use crate::ports::WorkflowRecord;

/// A workflow `ai` with these pods, none after another.
pub(super) fn ai(pods: &[CataloguePod]) -> (WorkflowRecord, CatalogueWorkflow) {
    let members = pods.iter().map(|pod| Member {
        pod: pod.spec.name.clone(),
        after: Vec::new(),
    });
    let entry = CatalogueWorkflow {
        spec: WorkflowSpec {
            name: "ai".parse().unwrap(),
            description: None,
            members: members.collect(),
            priority: Priority::default(),
            timeout: START_TIMEOUT,
            on_failure: OnFailure::Rollback,
        },
        manifest: Manifest {
            text: String::new(),
            digest: Digest("ai".to_owned()),
        },
    };
    let workflow = Workflow::new(Uuid::from_u128(1), Arc::new(entry.clone()), start());
    (workflow.record(Footprint::DEFAULT, true, start()), entry)
}

pub(super) fn running(pods: &[CataloguePod]) -> Run {
    Run {
        id: RunId(Uuid::from_u128(2)),
        workflow: "ai".parse().unwrap(),
        priority: Priority::default(),
        on_failure: OnFailure::Rollback,
        timeout: START_TIMEOUT,
        admission: Admission::Fit,
        accepted_at: start(),
        admitted_at: Some(start()),
        ready_at: Some(start()),
        phase: Phase::Running,
        members: pods
            .iter()
            .map(|pod| RunMember {
                pod: pod.spec.name.clone(),
                level: 0,
                after: Vec::new(),
                step: Step::Ready,
                since: start(),
                started_by_run: true,
            })
            .collect(),
    }
}

/// A box with a workflow, and the rows of its alerts as a store would have them.
pub(super) struct Watched {
    pub(super) bench: Bench,
    pub(super) pods: Vec<CataloguePod>,
    /// By id, oldest first, each with how often it was written.
    pub(super) rows: Vec<(Alert, usize)>,
    pub(super) events: Vec<EventKind>,
}

impl Watched {
    /// Its pods run, as its run wants them to.
    pub(super) fn whole(pods: &[CataloguePod]) -> Self {
        Self::with(pods, vec![running(pods)], Wanted::Up)
    }

    /// Its pods are down, and no run is active.
    pub(super) fn idle(pods: &[CataloguePod]) -> Self {
        Self::with(pods, Vec::new(), Wanted::Down)
    }

    pub(super) fn with(pods: &[CataloguePod], runs: Vec<Run>, wanted: Wanted) -> Self {
        let mut watched = Self {
            bench: Bench::with(&[]),
            pods: pods.to_vec(),
            rows: Vec::new(),
            events: Vec::new(),
        };
        watched.bench = watched.daemon(runs, wanted);
        if wanted == Wanted::Up {
            for pod in pods {
                watched.bench.runs(pod.spec.name.as_str());
            }
        }
        watched.list();
        watched
    }

    /// A daemon that has listed nothing yet.
    pub(super) fn daemon(&self, runs: Vec<Run>, wanted: Wanted) -> Bench {
        let status = match wanted {
            Wanted::Up => PodStatus::Running,
            Wanted::Down => PodStatus::Stopped,
        };
        let rows = self.pods.iter();
        let remembered = Remembered {
            pods: rows
                .map(|pod| (row(pod, wanted, status), pod.clone()))
                .collect(),
            workflows: vec![ai(&self.pods)],
            runs,
            alerts: self.going_on(),
            ..Remembered::default()
        };
        let mut bench = Bench::restored(Vec::new(), Vec::new());
        bench.now = self.bench.now;
        let (state, _) = State::restore(settings(), 3, remembered, bench.now);
        bench.state = state;
        bench.pods = self.bench.pods.clone();
        bench.tell(Event::Sampled(Sample {
            host: idle_host(bench.now),
            pods: Vec::new(),
            unseen: Vec::new(),
        }));
        bench
    }

    /// `kill -9`, and another daemon that knows what was written.
    pub(super) fn restart(&mut self) {
        let runs = self.bench.state.runs.values();
        let active: Vec<Run> = runs
            .map(|active| active.run.clone())
            .filter(Run::active)
            .collect();
        self.bench = self.daemon(active, Wanted::Up);
        let effects = self.bench.tell(Event::Tick);
        self.store(&effects);
    }

    pub(super) fn list(&mut self) {
        let effects = self.bench.list();
        self.store(&effects);
    }

    pub(super) fn command(&mut self, command: Command) -> Reply {
        let (reply, effects) = self.bench.command(command);
        self.store(&effects);
        reply
    }

    pub(super) fn store(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Persist(Persist::Fact { records, .. }) = effect else {
                continue;
            };
            for record in records {
                match record {
                    Record::PutAlert(alert) => self.put(alert),
                    Record::Event(event)
                        if matches!(
                            event.kind,
                            EventKind::AlertRaised | EventKind::AlertResolved
                        ) =>
                    {
                        assert!(effects.iter().any(
|effect| matches!(effect, Effect::Announce { event: told, .. } if told == event)
));
                        self.events.push(event.kind);
                    }
                    _ => {}
                }
            }
        }
        let going_on: Vec<Alert> = self.bench.state.episodes.alerts().cloned().collect();
        assert_eq!(going_on, self.going_on(), "what is known is what is stored");
        let told = self.bench.state.snapshot(self.bench.now).alerts;
        assert_eq!(told, going_on);
    }

    pub(super) fn put(&mut self, alert: &Alert) {
        match self.rows.iter_mut().find(|(row, _)| row.id == alert.id) {
            Some((row, times)) => {
                assert_eq!(row.resolved_at, None, "what is over stays so");
                *row = alert.clone();
                *times += 1;
            }
            None => self.rows.push((alert.clone(), 1)),
        }
    }

    pub(super) fn going_on(&self) -> Vec<Alert> {
        let unresolved = self.rows.iter().map(|(row, _)| row);
        let mut alerts: Vec<Alert> = unresolved
            .filter(|row| row.resolved_at.is_none())
            .cloned()
            .collect();
        alerts.sort_by_key(|alert| (alert.condition, alert.object.clone()));
        alerts
    }

    /// Samples come in for so many seconds.
    pub(super) fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds / 5 {
            self.bench.wait(5);
            let sample = Sample {
                host: idle_host(self.bench.now),
                pods: Vec::new(),
                unseen: Vec::new(),
            };
            let effects = self.bench.tell(Event::Sampled(sample));
            self.store(&effects);
        }
    }

    /// The only row of a condition; it was written that often.
    pub(super) fn only_of(&self, condition: Condition, times: usize) -> &Alert {
        let of = |(alert, _): &&(Alert, usize)| alert.condition == condition;
        let rows: Vec<_> = self.rows.iter().filter(of).collect();
        let [(alert, written)] = rows.as_slice() else {
            panic!("{:#?}", self.rows);
        };
        assert_eq!(*written, times);
        alert
    }

    /// The only row there is; it was written that often.
    pub(super) fn only(&self, times: usize) -> &Alert {
        let [(alert, written)] = self.rows.as_slice() else {
            panic!("{:#?}", self.rows);
        };
        assert_eq!(*written, times);
        alert
    }

    pub(super) fn state(&self) -> RunState {
        let active = self.bench.state.runs.values().next_back().expect("a run");
        active.run.phase.state()
    }
}

/// A pod that the daemon does not start again by itself.
pub(super) fn pod(name: &str) -> CataloguePod {
    entry(name, RestartPolicy::OnFailure)
}

pub(super) fn essential(name: &str) -> CataloguePod {
    let mut pod = pod(name);
    pod.spec.category = Category::Essential;
    pod
}
