//! A run as its caller follows it: each change, then what came of it.

use std::sync::Arc;
use std::time::Duration;

use dagda_proto::v1;
use futures::stream::{self, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::outcome::{Goal, outcome};
use super::streaming::Stream;
use super::{convert, status};
use crate::domain::error::CommandError;
use crate::domain::operation::Done;
use crate::domain::run::{Failure, RunId};
use crate::engine::snapshot::{RunView, Snapshot};
use crate::ports::Store;

/// How long a run may be missing from the snapshots before it is looked for on disk: an answer
/// is given a moment before the snapshot that goes with it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run to be followed.
pub struct Following {
    /// The state as it changes.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Runs that have left the snapshots.
    pub store: Arc<dyn Store>,
    /// Cancelled when dagdad ends.
    pub ending: CancellationToken,
    /// Which run.
    pub run: RunId,
    /// When to end.
    pub goal: Goal,
}

impl Following {
    /// Each change of the run, where a slow reader misses those in between, and its outcome.
    pub fn stream(self) -> Stream<v1::RunUpdate> {
        self.with_patience(PATIENCE)
    }

    /// The same, waiting so long for a run that is in no snapshot.
    pub(super) fn with_patience(self, patience: Duration) -> Stream<v1::RunUpdate> {
        let follower = Follower {
            following: self,
            patience,
            missing_since: None,
            told: None,
            next: Next::Look,
        };
        stream::unfold(follower, |mut follower| async move {
            let item = follower.next().await?;
            Some((item, follower))
        })
        .boxed()
    }
}

struct Follower {
    following: Following,
    patience: Duration,
    missing_since: Option<Instant>,
    told: Option<v1::Run>,
    next: Next,
}

enum Next {
    Look,
    Wait,
    Tell(Result<Done, Failure>),
    End,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<v1::RunUpdate, Status>> {
        loop {
            match std::mem::replace(&mut self.next, Next::End) {
                Next::End => return None,
                Next::Tell(outcome) => return Some(Ok(convert::outcome_update(&outcome))),
                Next::Look => {
                    let snapshot = Arc::clone(&self.following.snapshots.borrow_and_update());
                    let told = match snapshot.run(self.following.run) {
                        Some(view) => {
                            self.missing_since = None;
                            self.look(view, &snapshot)
                        }
                        None => {
                            self.missing_since.get_or_insert_with(Instant::now);
                            self.next = Next::Wait;
                            None
                        }
                    };
                    if let Some(update) = told {
                        return Some(Ok(update));
                    }
                }
                Next::Wait => match self.wait().await {
                    Waited::Changed => self.next = Next::Look,
                    Waited::Ended => {
                        return Some(Err(status::from_command(&CommandError::ShuttingDown)));
                    }
                    Waited::InVain => match self.look_on_disk().await {
                        Ok(Some(update)) => return Some(Ok(update)),
                        Ok(None) => {}
                        Err(status) => return Some(Err(status)),
                    },
                },
            }
        }
    }

    /// Where the run is, if that is news; and what is to be done next.
    fn look(&mut self, view: &RunView, snapshot: &Snapshot) -> Option<v1::RunUpdate> {
        self.next = match outcome(&view.run, self.following.goal, snapshot) {
            Some(outcome) => Next::Tell(outcome),
            None => Next::Wait,
        };
        let run = convert::run(view, snapshot);
        if self.told.as_ref() == Some(&run) {
            return None;
        }
        self.told = Some(run.clone());
        Some(convert::run_update(run))
    }

    async fn wait(&mut self) -> Waited {
        let missing_until = self.missing_since.map(|since| since + self.patience);
        let in_vain = async {
            match missing_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // First, since a busy engine has a new snapshot each time.
            () = in_vain => Waited::InVain,
            changed = self.following.snapshots.changed() => match changed {
                Ok(()) => Waited::Changed,
                Err(_) => Waited::Ended,
            },
            () = self.following.ending.cancelled() => Waited::Ended,
        }
    }

    /// What is on record of a run that the engine does not have any more.
    async fn look_on_disk(&mut self) -> Result<Option<v1::RunUpdate>, Status> {
        let id = self.following.run;
        let found = self.following.store.find_run(&id.to_string()).await;
        let found = found.map_err(|error| status::from_store(&error))?;
        let Some(run) = found.into_iter().find(|run| run.id == id) else {
            let id = id.to_string();
            return Err(status::from_command(&CommandError::NoSuchRun { id }));
        };
        let snapshot = Arc::clone(&self.following.snapshots.borrow());
        if outcome(&run, self.following.goal, &snapshot).is_none() {
            let state = run.phase.state().as_str();
            return Err(Status::internal(format!(
                "run {id} is on record as {state}, and dagdad does nothing with it any more; please report this"
            )));
        }
        let view = RunView {
            run: Arc::new(run),
            place: None,
        };
        Ok(self.look(&view, &snapshot))
    }
}

enum Waited {
    Changed,
    Ended,
    InVain,
}
