//! A run followed through its snapshots.

use std::sync::Arc;
use std::time::Duration;

use dagda_proto::v1::{self, run_update::Update};
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::super::following::Following;
use super::super::outcome::Goal;
use super::super::streaming::Stream;
use super::detail;
use super::ports::Records;
use crate::domain::operation::{OperationKind, Progress, Stage};
use crate::domain::run::{Failure, Outcome, Phase, Run, RunId, Step};
use crate::engine::example::{at, footprint, pod, run, run_id, snapshot, view};
use crate::engine::snapshot::Snapshot;
use crate::ports::StoreError;

/// Longer than any test takes.
const NEVER: Duration = Duration::from_hours(1);

struct Bench {
    snapshots: watch::Sender<Arc<Snapshot>>,
    ending: CancellationToken,
    updates: Stream<v1::RunUpdate>,
}

fn follow(first: Snapshot, records: Records, goal: Goal, patience: Duration) -> Bench {
    let (publisher, snapshots) = watch::channel(Arc::new(first));
    let ending = CancellationToken::new();
    let following = Following {
        snapshots,
        store: Arc::new(records),
        ending: ending.clone(),
        run: id(),
        goal,
    };
    Bench {
        snapshots: publisher,
        ending,
        updates: following.with_patience(patience),
    }
}

impl Bench {
    fn publish(&self, snapshot: Snapshot) {
        self.snapshots.send_replace(Arc::new(snapshot));
    }

    async fn next(&mut self) -> Update {
        let update = self.updates.next().await.expect("one more update");
        update.expect("an update").update.expect("a known update")
    }

    async fn state(&mut self) -> v1::RunState {
        match self.next().await {
            Update::Run(run) => run.state(),
            other => panic!("not where the run is: {other:?}"),
        }
    }

    /// Nothing is told now.
    fn silent(&mut self) -> bool {
        self.updates.next().now_or_never().is_none()
    }

    async fn over(&mut self) -> bool {
        self.updates.next().await.is_none()
    }
}

fn id() -> RunId {
    run_id(7)
}

fn ai(phase: Phase, step: Step) -> Run {
    run(id(), "ai", phase, &[("llama", step)])
}

/// A box on which this run and another one are.
fn having(ours: Run) -> Snapshot {
    let mut snapshot = empty();
    let other = run(run_id(3), "web", Phase::Running, &[]);
    snapshot.runs = vec![view(other), view(ours)];
    snapshot
}

fn empty() -> Snapshot {
    snapshot(vec![pod("llama", footprint(1, 1))], Vec::new())
}

fn starting() -> Run {
    ai(Phase::Starting { deadline: at(300) }, Step::Starting)
}

fn failure() -> Failure {
    Failure {
        code: "pod_failed".to_owned(),
        message: "llama failed".to_owned(),
        log: vec!["out of memory".to_owned()],
    }
}

fn ended(outcome: Outcome, step: Step) -> Run {
    ai(Phase::Ended { at: at(9), outcome }, step)
}

#[tokio::test]
async fn each_change_is_told_then_the_outcome_then_nothing() {
    let mut bench = follow(
        having(ai(Phase::Queued, Step::Waiting)),
        Records::default(),
        Goal::Ready,
        NEVER,
    );
    assert_eq!(bench.state().await, v1::RunState::Queued);
    bench.publish(having(starting()));
    assert_eq!(bench.state().await, v1::RunState::Starting);
    bench.publish(having(ai(Phase::Running, Step::Ready)));
    assert_eq!(bench.state().await, v1::RunState::Running);
    let Update::Done(done) = bench.next().await else {
        panic!("not done");
    };
    assert_eq!(done.message, "ai is running: 1 pod ready");
    assert!(bench.over().await);
}

#[tokio::test]
async fn a_snapshot_in_which_the_run_is_the_same_is_not_told() {
    let mut bench = follow(having(starting()), Records::default(), Goal::Ready, NEVER);
    assert_eq!(bench.state().await, v1::RunState::Starting);
    let mut same = having(starting());
    same.runs.remove(0);
    bench.publish(same);
    assert!(bench.silent());
    bench.publish(having(ai(Phase::Running, Step::Ready)));
    assert_eq!(bench.state().await, v1::RunState::Running);
}

#[tokio::test]
async fn what_is_done_with_a_pod_meanwhile_is_a_change() {
    let mut bench = follow(having(starting()), Records::default(), Goal::Ready, NEVER);
    bench.state().await;
    let mut pulling = having(starting());
    let managed = pulling.pods[0].managed.as_mut().unwrap();
    managed.operation = Some(OperationKind::Start);
    managed.progress = Some(Progress {
        stage: Stage::Pulling,
        message: "pulling image".to_owned(),
    });
    bench.publish(pulling);
    let Update::Run(run) = bench.next().await else {
        panic!("not where the run is");
    };
    assert_eq!(run.pods[0].message.as_deref(), Some("pulling image"));
}

#[tokio::test]
async fn a_rollback_is_followed_to_its_end() {
    let rolling = ai(Phase::RollingBack(failure()), Step::Stopping);
    let mut bench = follow(having(rolling), Records::default(), Goal::Ready, NEVER);
    assert_eq!(bench.state().await, v1::RunState::RollingBack);
    assert!(bench.silent());
    bench.publish(having(ended(Outcome::RolledBack(failure()), Step::Stopped)));
    assert_eq!(bench.state().await, v1::RunState::RolledBack);
    let Update::Error(error) = bench.next().await else {
        panic!("no error");
    };
    assert_eq!(error.code, "pod_failed");
    assert_eq!(error.log, ["out of memory"]);
    assert_eq!(
        error.message,
        "llama failed; ai was rolled back, stopped again: llama"
    );
    assert!(bench.over().await);
}

#[tokio::test]
async fn who_stops_a_run_follows_it_to_its_end() {
    let mut bench = follow(
        having(ai(Phase::Running, Step::Ready)),
        Records::default(),
        Goal::Ended,
        NEVER,
    );
    assert_eq!(bench.state().await, v1::RunState::Running);
    bench.publish(having(ai(Phase::Stopping, Step::Stopping)));
    assert_eq!(bench.state().await, v1::RunState::Stopping);
    bench.publish(having(ended(Outcome::Stopped, Step::Stopped)));
    assert_eq!(bench.state().await, v1::RunState::Stopped);
    assert!(matches!(bench.next().await, Update::Done(done) if done.message == "ai is stopped"));
    assert!(bench.over().await);
}

#[tokio::test]
async fn a_slow_reader_misses_steps_but_not_the_last() {
    let mut bench = follow(having(starting()), Records::default(), Goal::Ready, NEVER);
    bench.publish(having(ai(Phase::Stopping, Step::Stopping)));
    bench.publish(having(ended(Outcome::Stopped, Step::Stopped)));
    assert_eq!(bench.state().await, v1::RunState::Stopped);
    assert!(matches!(bench.next().await, Update::Error(error) if error.code == "cancelled"));
}

#[tokio::test]
async fn a_run_that_is_not_in_the_snapshots_yet_is_waited_for() {
    let mut bench = follow(empty(), Records::default(), Goal::Ready, NEVER);
    assert!(bench.silent());
    bench.publish(empty());
    assert!(bench.silent());
    bench.publish(having(ai(Phase::Running, Step::Ready)));
    assert_eq!(bench.state().await, v1::RunState::Running);
}

#[tokio::test]
async fn a_run_that_has_left_the_snapshots_is_looked_for_on_disk() {
    let past = ended(Outcome::Failed(failure()), Step::Ready);
    let records = Records::of(vec![past]);
    let mut bench = follow(having(starting()), records, Goal::Ready, Duration::ZERO);
    assert_eq!(bench.state().await, v1::RunState::Starting);
    bench.publish(empty());
    assert_eq!(bench.state().await, v1::RunState::Failed);
    assert!(matches!(
        bench.next().await,
        Update::Error(error) if error.message == "llama failed; left running: llama"
    ));
    assert!(bench.over().await);
}

#[tokio::test]
async fn a_run_that_is_nowhere_is_said_to_be_gone() {
    let mut bench = follow(empty(), Records::default(), Goal::Ready, Duration::ZERO);
    let status = bench.updates.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains(&id().to_string()));
    assert!(bench.over().await);
}

#[tokio::test]
async fn a_run_that_only_the_disk_takes_for_active_is_not_waited_for() {
    let records = Records::of(vec![starting()]);
    let mut bench = follow(empty(), records, Goal::Ready, Duration::ZERO);
    let status = bench.updates.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("starting"), "{status}");
    assert!(bench.over().await);
}

#[tokio::test]
async fn a_disk_that_fails_ends_the_stream() {
    let records = Records {
        broken: Some(StoreError::Failed("no".to_owned())),
        ..Records::default()
    };
    let mut bench = follow(empty(), records, Goal::Ready, Duration::ZERO);
    let status = bench.updates.next().await.unwrap().unwrap_err();
    assert_eq!(detail(&status).code, "store_failed");
    assert!(bench.over().await);
}

#[tokio::test]
async fn it_ends_when_dagdad_does() {
    let mut bench = follow(having(starting()), Records::default(), Goal::Ready, NEVER);
    bench.state().await;
    bench.ending.cancel();
    let status = bench.updates.next().await.unwrap().unwrap_err();
    assert_eq!(detail(&status).code, "shutting_down");
    assert!(bench.over().await);
}

#[tokio::test]
async fn it_ends_when_the_engine_is_gone() {
    let mut bench = follow(having(starting()), Records::default(), Goal::Ready, NEVER);
    bench.state().await;
    drop(bench.snapshots);
    let status = bench.updates.next().await.unwrap().unwrap_err();
    assert_eq!(detail(&status).code, "shutting_down");
}
