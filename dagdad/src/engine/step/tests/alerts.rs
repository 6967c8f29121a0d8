//! Alerts, from their beginning to their end, over restarts.

use std::sync::Arc;

use uuid::Uuid;

use super::super::super::workflow::Workflow;
use super::*;
use crate::domain::alert::{Alert, Condition, Severity};
use crate::domain::catalogue::{Digest, Manifest};
use crate::domain::event::EventKind;
use crate::domain::pod::{Category, Footprint, Priority};
use crate::domain::run::{Phase, Run, RunId, RunMember, RunState, Step};
use crate::domain::workflow::{CatalogueWorkflow, Member, OnFailure, WorkflowSpec};
use crate::ports::WorkflowRecord;

/// A workflow `ai` with these pods, none after another.
fn ai(pods: &[CataloguePod]) -> (WorkflowRecord, CatalogueWorkflow) {
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

fn running(pods: &[CataloguePod]) -> Run {
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
struct Watched {
    bench: Bench,
    pods: Vec<CataloguePod>,
    /// By id, oldest first, each with how often it was written.
    rows: Vec<(Alert, usize)>,
    events: Vec<EventKind>,
}

impl Watched {
    /// Its pods run, as its run wants them to.
    fn whole(pods: &[CataloguePod]) -> Self {
        Self::with(pods, vec![running(pods)], Wanted::Up)
    }

    /// Its pods are down, and no run is active.
    fn idle(pods: &[CataloguePod]) -> Self {
        Self::with(pods, Vec::new(), Wanted::Down)
    }

    fn with(pods: &[CataloguePod], runs: Vec<Run>, wanted: Wanted) -> Self {
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
    fn daemon(&self, runs: Vec<Run>, wanted: Wanted) -> Bench {
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
    fn restart(&mut self) {
        let runs = self.bench.state.runs.values();
        let active: Vec<Run> = runs
            .map(|active| active.run.clone())
            .filter(Run::active)
            .collect();
        self.bench = self.daemon(active, Wanted::Up);
        let effects = self.bench.tell(Event::Tick);
        self.store(&effects);
    }

    fn list(&mut self) {
        let effects = self.bench.list();
        self.store(&effects);
    }

    fn command(&mut self, command: Command) -> Reply {
        let (reply, effects) = self.bench.command(command);
        self.store(&effects);
        reply
    }

    fn store(&mut self, effects: &[Effect]) {
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

    fn put(&mut self, alert: &Alert) {
        match self.rows.iter_mut().find(|(row, _)| row.id == alert.id) {
            Some((row, times)) => {
                assert_eq!(row.resolved_at, None, "what is over stays so");
                *row = alert.clone();
                *times += 1;
            }
            None => self.rows.push((alert.clone(), 1)),
        }
    }

    fn going_on(&self) -> Vec<Alert> {
        let unresolved = self.rows.iter().map(|(row, _)| row);
        let mut alerts: Vec<Alert> = unresolved
            .filter(|row| row.resolved_at.is_none())
            .cloned()
            .collect();
        alerts.sort_by_key(|alert| (alert.condition, alert.object.clone()));
        alerts
    }

    /// Samples come in for so many seconds.
    fn pass(&mut self, seconds: i64) {
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
    fn only_of(&self, condition: Condition, times: usize) -> &Alert {
        let of = |(alert, _): &&(Alert, usize)| alert.condition == condition;
        let rows: Vec<_> = self.rows.iter().filter(of).collect();
        let [(alert, written)] = rows.as_slice() else {
            panic!("{:#?}", self.rows);
        };
        assert_eq!(*written, times);
        alert
    }

    /// The only row there is; it was written that often.
    fn only(&self, times: usize) -> &Alert {
        let [(alert, written)] = self.rows.as_slice() else {
            panic!("{:#?}", self.rows);
        };
        assert_eq!(*written, times);
        alert
    }

    fn state(&self) -> RunState {
        let active = self.bench.state.runs.values().next_back().expect("a run");
        active.run.phase.state()
    }
}

/// A pod that the daemon does not start again by itself.
fn pod(name: &str) -> CataloguePod {
    entry(name, RestartPolicy::OnFailure)
}

fn essential(name: &str) -> CataloguePod {
    let mut pod = pod(name);
    pod.spec.category = Category::Essential;
    pod
}

/// A box whose workflow has just lost the pod `a`.
fn degraded(pods: &[CataloguePod]) -> Watched {
    let mut watched = Watched::whole(pods);
    assert_eq!(watched.state(), RunState::Running);
    assert_eq!(watched.rows, []);
    watched.bench.exited("a", 3);
    watched.list();
    assert_eq!(watched.state(), RunState::Degraded);
    watched
}

#[test]
fn a_lost_pod_is_told_of_once() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let alert = watched.only(1).clone();
    assert_eq!(alert.condition, Condition::PodDown);
    assert_eq!(
        (alert.object.as_str(), alert.severity),
        ("a", Severity::Warning)
    );
    assert!(
        alert.message.contains("exited with 3")
            && alert.message.ends_with("; workflow ai needs it"),
        "{}",
        alert.message
    );
    assert_eq!(alert.created_at, alert.updated_at);
    for _ in 0..5 {
        watched.bench.wait(60);
        watched.list();
    }
    assert_eq!(*watched.only(1), alert);
    assert_eq!(watched.events, [EventKind::AlertRaised]);
}

#[test]
fn a_lost_essential_pod_is_critical() {
    let watched = degraded(&[essential("a"), pod("b")]);
    assert_eq!(watched.only(1).severity, Severity::Critical);
}

#[test]
fn each_lost_pod_has_its_own_alert() {
    let mut watched = degraded(&[pod("a"), pod("b"), pod("c")]);
    watched.bench.exited("b", 1);
    watched.list();
    let objects: Vec<String> = watched.going_on().into_iter().map(|a| a.object).collect();
    assert_eq!(objects, ["a", "b"]);
    watched.bench.runs("a");
    watched.list();
    watched.pass(65);
    let objects: Vec<String> = watched.going_on().into_iter().map(|a| a.object).collect();
    assert_eq!(objects, ["b"]);
}

#[test]
fn it_is_over_when_the_pod_is_back() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let raised = watched.only(1).clone();
    watched.pass(30);
    let back_at = watched.bench.now;
    watched.bench.runs("a");
    watched.list();
    assert_eq!(watched.state(), RunState::Running);
    assert_eq!(*watched.only(1), raised, "it may come and go");
    watched.pass(65);
    let resolved = watched.only(2);
    assert_eq!(resolved.resolved_at, Some(back_at), "the true time");
    assert!(resolved.updated_at > back_at);
    let same = Alert {
        updated_at: raised.updated_at,
        resolved_at: None,
        ..resolved.clone()
    };
    assert_eq!(same, raised);
    assert_eq!(
        watched.events,
        [EventKind::AlertRaised, EventKind::AlertResolved]
    );

    // The next time is another episode.
    watched.bench.exited("a", 3);
    watched.list();
    assert_eq!(watched.rows.len(), 2);
    assert_eq!(watched.going_on().len(), 1);
}

#[test]
fn it_is_over_when_the_run_ends() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let workflow = "ai".to_owned();
    let (reply, effects) = watched.bench.order(Command::StopWorkflow { workflow });
    assert!(matches!(reply, Reply::Run(_)), "{reply:?}");
    watched.store(&effects);
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
    assert_eq!(watched.bench.status("a"), PodStatus::Stopped);
}

#[test]
fn it_goes_on_over_a_restart() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let raised = watched.only(1).clone();
    for _ in 0..3 {
        watched.restart();
        // Nothing is known of the pods yet.
        assert_eq!(*watched.only(1), raised);
        watched.list();
        assert_eq!(watched.state(), RunState::Degraded);
        assert_eq!(*watched.only(1), raised);
    }
    watched.bench.runs("a");
    watched.list();
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
    watched.restart();
    watched.list();
    watched.only(2);
}

#[test]
fn it_is_over_when_the_pod_came_back_while_no_daemon_looked() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    watched.bench.runs("a");
    watched.restart();
    watched.only(1);
    watched.list();
    assert_eq!(watched.state(), RunState::Running);
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
}

#[test]
fn a_daemon_that_ends_changes_no_alert() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let effects = watched.bench.tell(Event::Shutdown);
    watched.store(&effects);
    watched.bench.runs("a");
    watched.list();
    assert_eq!(watched.only(1).resolved_at, None);
}

#[test]
fn it_goes_on_while_the_pod_is_started_again() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let reply = watched.command(Command::Run {
        workflow: "ai".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: None,
    });
    assert!(matches!(reply, Reply::Run(_)), "{reply:?}");
    assert_eq!(watched.state(), RunState::Starting);
    assert_eq!(watched.only(1).resolved_at, None);
    let operation = watched.bench.state.pods["a"].operation.as_ref();
    let id = operation.expect("a start").id;
    watched.bench.result(id, EffectResult::Stored);
    let entry = watched.pods[0].clone();
    watched.bench.reach_awaiting(id, &entry);
    watched.bench.runs("a");
    watched.list();
    watched.list();
    assert_eq!(watched.state(), RunState::Running);
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
}

/// Runs `ai`, whose pod comes up, or whose manifest cannot be filled in.
fn run(watched: &mut Watched, comes_up: bool) {
    let reply = watched.command(Command::Run {
        workflow: "ai".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: None,
    });
    let Reply::Run(run) = reply else {
        panic!("{reply:?}");
    };
    let result = Ok(());
    let effects = watched.bench.tell(Event::RunStored { run, result });
    watched.store(&effects);
    let operation = watched.bench.state.pods["a"].operation.as_ref();
    let id = operation.expect("a start").id;
    watched.bench.result(id, EffectResult::Stored);
    if comes_up {
        let entry = watched.pods[0].clone();
        watched.bench.reach_awaiting(id, &entry);
        watched.bench.runs("a");
    } else {
        let error = CommandError::Invalid("PORT is not set".to_owned());
        let rendered = EffectResult::Rendered(Err(error));
        let effects = watched.bench.result(id, rendered);
        watched.store(&effects);
    }
    watched.list();
    watched.list();
}

const FAILED: Condition = Condition::WorkflowFailed;

#[test]
fn a_failed_run_is_told_of_until_the_workflow_runs() {
    let mut watched = Watched::idle(&[pod("a")]);
    run(&mut watched, false);
    assert_eq!(watched.state(), RunState::RolledBack);
    let raised = watched.only_of(FAILED, 1).clone();
    assert_eq!(
        (raised.object.as_str(), raised.severity),
        ("ai", Severity::Warning)
    );
    assert_eq!(watched.only_of(Condition::PodDown, 1).object, "a");
    assert!(
        raised.message.contains("PORT is not set"),
        "{}",
        raised.message
    );

    // It fails again: the same episode, also for another daemon.
    run(&mut watched, false);
    assert_eq!(*watched.only_of(FAILED, 1), raised);
    watched.restart();
    watched.list();
    assert_eq!(*watched.only_of(FAILED, 1), raised);

    run(&mut watched, true);
    assert_eq!(watched.state(), RunState::Running);
    assert!(watched.only_of(FAILED, 2).resolved_at.is_some());
}

#[test]
fn a_failed_run_is_forgotten_with_its_workflow() {
    let mut watched = Watched::idle(&[pod("a")]);
    run(&mut watched, false);
    watched.only_of(FAILED, 1);
    let workflow = "ai".to_owned();
    // Answered once it is stored.
    let (ticket, command) = (Ticket(99), Command::RemoveWorkflow { workflow });
    let effects = watched.bench.tell(Event::Command { ticket, command });
    watched.store(&effects);
    assert!(watched.only_of(FAILED, 2).resolved_at.is_some());
    assert!(watched.bench.state.workflows.is_empty());
}
