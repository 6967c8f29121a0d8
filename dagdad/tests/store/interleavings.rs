//! Any order of commits, tidying, restarts and forwarder deaths ends with equal tables.

use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use dagdad::domain::alert::Alert;
use dagdad::domain::audit::{AuditEntry, AuditOutcome};
use dagdad::domain::footprint::PodRun;
use dagdad::domain::run::{Outcome, Phase, Run};
use dagdad::ports::{MirrorLink, PodRecord, Record, Store as _, WorkflowRecord};
use dagdad::store::{LocalStore, MariaDbOptions, StoreOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::Executor as _;
use tokio_util::sync::CancellationToken;

use crate::mariadb::MariaDb;
use crate::records::{
    Forwarding, alert, asked, at, event, in_step, options, pod, pod_run, put_alert, put_audit,
    put_pod_run, put_run, put_workflow, run, sample, workflow,
};
use crate::tables::assert_equal;

#[derive(Debug, Clone)]
enum Step {
    /// Commit changes to the pods of a small catalogue, a sample and an event.
    Commit(Vec<Change>),
    /// Let time pass, then tidy.
    Tidy(i64),
    /// Run the forwarder until it has been polled so often or has nothing left to do; then
    /// drop it.
    ForwardFor(usize),
    /// Close and open the store.
    Restart,
    /// Close it, run without MariaDB for one commit, and open it again.
    RestartWithout(Vec<Change>),
}

#[derive(Debug, Clone)]
enum Change {
    Put(usize),
    Delete(usize),
    /// A workflow comes into the catalogue, or changes there.
    PutWorkflow(usize),
    DeleteWorkflow(usize),
    /// A run begins, goes on, or ends.
    Run(usize),
    /// A pod begins to run, or ends.
    Life(usize),
    /// An alert is raised, or resolved.
    Alert(usize),
    /// Two pods exchange their names (through a third, since names are unique).
    Swap(usize, usize),
    /// Somebody asks for something, or is answered.
    Audit(usize),
    Sample,
    Event,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0..4usize).prop_map(Change::Put),
        2 => (0..4usize).prop_map(Change::Delete),
        1 => (0..4usize, 0..4usize).prop_map(|(a, b)| Change::Swap(a, b)),
        1 => (0..2usize).prop_map(Change::PutWorkflow),
        1 => (0..2usize).prop_map(Change::DeleteWorkflow),
        3 => (0..2usize).prop_map(Change::Run),
        3 => (0..2usize).prop_map(Change::Life),
        2 => (0..2usize).prop_map(Change::Alert),
        2 => (0..2usize).prop_map(Change::Audit),
        3 => Just(Change::Sample),
        3 => Just(Change::Event),
    ];
    prop::collection::vec(change, 1..12)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => changes().prop_map(Step::Commit),
        2 => (1..40_000i64).prop_map(Step::Tidy),
        4 => (1..250usize).prop_map(Step::ForwardFor),
        1 => Just(Step::Restart),
        1 => changes().prop_map(Step::RestartWithout),
    ];
    prop::collection::vec(step, 1..16)
}

/// The catalogue as it should be, and the time.
struct World {
    pods: [Option<PodRecord>; 4],
    workflows: [Option<WorkflowRecord>; 2],
    /// Those that go on.
    runs: [Option<Run>; 2],
    lives: [Option<PodRun>; 2],
    alerts: [Option<Alert>; 2],
    /// What is not answered yet.
    asked: [Option<AuditEntry>; 2],
    second: i64,
}

impl World {
    fn records(&mut self, changes: &[Change]) -> Vec<Record> {
        let put = |pod: &PodRecord| Record::PutPod(Box::new(pod.clone()));
        let mut records = Vec::new();
        for change in changes {
            self.second += 7;
            let now = at(self.second);
            match *change {
                Change::Put(n) => {
                    let pod = self.pods[n].get_or_insert_with(|| pod(&format!("pod-{n}")));
                    pod.updated_at = now;
                    records.push(put(pod));
                }
                Change::Delete(n) => {
                    records.extend(self.pods[n].take().map(|pod| Record::DeletePod(pod.id)));
                }
                Change::PutWorkflow(n) => {
                    let workflow =
                        self.workflows[n].get_or_insert_with(|| workflow(&format!("workflow-{n}")));
                    workflow.updated_at = now;
                    records.push(put_workflow(workflow));
                }
                Change::DeleteWorkflow(n) => records.extend(
                    self.workflows[n]
                        .take()
                        .map(|workflow| Record::DeleteWorkflow(workflow.id)),
                ),
                Change::Run(n) => {
                    let phase = match self.runs[n].as_ref().map(|run| &run.phase) {
                        None => Phase::Queued,
                        Some(Phase::Queued) => Phase::Starting { deadline: now },
                        Some(Phase::Starting { .. }) => Phase::Running,
                        Some(_) => Phase::Ended {
                            at: now,
                            outcome: Outcome::Stopped,
                        },
                    };
                    let current = self.runs[n].get_or_insert_with(|| run("ai", now, Phase::Queued));
                    current.phase = phase;
                    records.push(put_run(current));
                    self.runs[n].take_if(|run| !run.active());
                }
                Change::Life(n) => {
                    if let Some(mut life) = self.lives[n].take() {
                        life.ended_at = Some(now);
                        records.push(put_pod_run(&life));
                    } else {
                        let life = self.lives[n].insert(pod_run(&format!("pod-{n}"), now));
                        records.push(put_pod_run(life));
                    }
                }
                Change::Alert(n) => {
                    if let Some(mut alert) = self.alerts[n].take() {
                        alert.resolved_at = Some(now);
                        records.push(put_alert(&alert));
                    } else {
                        let alert = self.alerts[n].insert(alert(&format!("pod-{n}"), now));
                        records.push(put_alert(alert));
                    }
                }
                Change::Swap(a, b) => {
                    let (Some(mut one), Some(mut other)) =
                        (self.pods[a].clone(), self.pods[b].clone())
                    else {
                        continue;
                    };
                    if a == b {
                        continue;
                    }
                    let mut aside = one.clone();
                    aside.name = "aside".parse().unwrap();
                    std::mem::swap(&mut one.name, &mut other.name);
                    records.extend([put(&aside), put(&other), put(&one)]);
                    // A pod keeps the name that belongs to its place.
                    (self.pods[a], self.pods[b]) = (Some(other), Some(one));
                }
                Change::Audit(n) => {
                    let entry = match self.asked[n].take() {
                        Some(entry) => entry.ended(AuditOutcome::Done, "done"),
                        None => asked(now, "pods start", Some("pod-1")),
                    };
                    if entry.outcome == AuditOutcome::Asked {
                        self.asked[n] = Some(entry.clone());
                    }
                    records.push(put_audit(&entry));
                }
                Change::Sample => {
                    let cpu = (self.second % 90) as f64;
                    records.push(Record::Sample(Box::new(sample(now, cpu))));
                }
                Change::Event => records.push(Record::Event(event(now, Some("pod-1"), "e"))),
            }
        }
        records
    }
}

/// Polls the forwarder at most `polls` times, then drops it where it is.
async fn forward_for(store: &LocalStore, polls: usize) {
    let mut mirror = store.mirror();
    let mut idle =
        pin!(mirror.wait_for(|status| status.link == MirrorLink::Connected && status.outbox == 0));
    let mut forwarder = store.forward(CancellationToken::new()).unwrap();
    let mut polled = 0;
    std::future::poll_fn(|context| {
        polled += 1;
        let ended = forwarder.as_mut().poll(context).is_ready();
        let idle = idle.as_mut().poll(context).is_ready();
        if ended || idle || polled >= polls {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Runs and events are kept for six hours, so that some of them are dropped on the way.
async fn open(state_dir: &Path, mariadb: Option<MariaDbOptions>) -> LocalStore {
    let options = StoreOptions {
        event_retention: Duration::from_hours(6),
        audit_retention: Duration::from_hours(6),
        ..options(state_dir, mariadb)
    };
    LocalStore::open(options).await.unwrap()
}

#[test]
fn any_interleaving_ends_with_equal_tables() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(MariaDb::start_with(&["--innodb-flush-log-at-trx-commit=0"])); // it never crashes here;
    let config = Config {
        cases: 40,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&steps(), |steps| {
            runtime.block_on(async {
                let mut admin = server.admin().await;
                admin
                    .execute("DROP DATABASE IF EXISTS dagda_orchestrator")
                    .await
                    .unwrap();
                let state = tempfile::tempdir().unwrap();
                let mut world = World {
                    pods: [const { None }; 4],
                    workflows: [const { None }; 2],
                    runs: [const { None }; 2],
                    lives: [const { None }; 2],
                    alerts: [const { None }; 2],
                    asked: [const { None }; 2],
                    second: 0,
                };
                let mut store = open(state.path(), Some(server.options())).await;
                for step in &steps {
                    match step {
                        Step::Commit(changes) => {
                            store.commit(&world.records(changes)).await.unwrap();
                        }
                        Step::Tidy(seconds) => {
                            world.second += seconds;
                            store.tidy(at(world.second)).await.unwrap();
                        }
                        Step::ForwardFor(polls) => forward_for(&store, *polls).await,
                        Step::Restart => {
                            store.close().await;
                            store = open(state.path(), Some(server.options())).await;
                        }
                        Step::RestartWithout(changes) => {
                            store.close().await;
                            let without = open(state.path(), None).await;
                            without.commit(&world.records(changes)).await.unwrap();
                            without.close().await;
                            store = open(state.path(), Some(server.options())).await;
                        }
                    }
                }
                let forwarding = Forwarding::of(&store);
                in_step(&store).await;
                assert_equal(state.path(), &mut admin).await;
                let restored = store.load().await.unwrap();
                let expected = world.pods.iter().flatten().count();
                assert_eq!(restored.pods.len(), expected);
                let expected = world.workflows.iter().flatten().count();
                assert_eq!(restored.workflows.len(), expected);
                let mut expected: Vec<_> = world.runs.iter().flatten().cloned().collect();
                expected.sort_by_key(|run| run.accepted_at);
                assert_eq!(restored.runs, expected);
                let mut expected: Vec<_> = world.alerts.iter().flatten().cloned().collect();
                expected.sort_by_key(|alert| alert.created_at);
                assert_eq!(restored.alerts, expected);
                forwarding.crash().await;
                store.close().await;
            });
            Ok(())
        })
        .unwrap();
}
