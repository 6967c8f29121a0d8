//! What the engine wants done, as data. [`super::effects`] does it and reports back.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::event::{Reply, Ticket};
use crate::domain::catalogue::{Manifest, RenderedPod};
use crate::domain::event::{EventRecord, Subject};
use crate::domain::name::PodName;
use crate::domain::notification::Notification;
use crate::domain::operation::{OperationId, OperationView};
use crate::domain::pod::{PodSpec, PullPolicy, Readiness};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::RunId;
use crate::ports::Record;

/// One thing to be done. Effects of one step are begun in order; none waits for another,
/// save those that stand inside [`Effect::Persist`].
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write records, all or none.
    Persist(Persist),
    /// Tell the caller.
    Answer {
        /// Which caller.
        ticket: Ticket,
        /// What.
        reply: Reply,
    },
    /// Tell whoever watches the operation.
    Report {
        /// Which operation.
        operation: OperationId,
        /// Where it is.
        view: OperationView,
    },
    /// Tell whoever follows the events, and the journal.
    Announce {
        /// What happened.
        event: EventRecord,
        /// To what.
        subject: Subject,
    },
    /// List all pods; answered with [`super::event::Event::Listed`].
    List,
    /// Thin the history.
    Tidy,
    /// Do something for an operation; answered with [`super::event::Event::Result`].
    Operate {
        /// On which pod.
        pod: PodName,
        /// For which operation.
        operation: OperationId,
        /// What.
        action: Action,
    },
    /// Drop what is being done for an operation. No result follows.
    Abort(OperationId),
    /// Wait `after`, then check once; answered with [`super::event::Event::Probed`].
    Probe {
        /// The pod as it was started.
        spec: Arc<PodSpec>,
        /// Returned with the answer.
        watch: u64,
        /// Returned with the answer.
        check: usize,
        /// What to check.
        readiness: Readiness,
        /// How long to wait first.
        after: Duration,
    },
    /// Do something for economy mode; answered with [`super::event::Event::Eased`].
    Ease {
        /// To which pod, as it was started.
        spec: Arc<PodSpec>,
        /// Returned with the answer.
        id: Uuid,
        /// What.
        easing: Easing,
    },
    /// Notify whoever is to be notified; answered with [`super::event::Event::NotNotified`]
    /// where that fails for good.
    Notify(Box<Notification>),
    /// Read the last lines of a pod that failed; answered with
    /// [`super::event::Event::Diagnosed`].
    Diagnose(PodName),
}

/// What economy mode does to a pod short of stopping it, and takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Easing {
    /// Have the kernel drop so much of its memory.
    Reclaim(Bytes),
    /// Let it use so much CPU; `None` is as its manifest says.
    Throttle(Option<Millicpu>),
    /// Pause it.
    Freeze,
    /// Let it run again.
    Thaw,
}

/// What is done for an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Fill the variables in.
    Render(Manifest),
    /// Have all images here.
    EnsureImages(Vec<(String, PullPolicy)>),
    /// Create and start.
    Play(Arc<RenderedPod>),
    /// Ask to end, kill after the grace period.
    Stop {
        /// The grace period.
        grace: Duration,
    },
    /// Remove from the runtime.
    Remove,
    /// Read the containers' last lines.
    Diagnose,
}

/// Records to be written, and what may happen only after.
#[derive(Debug, Clone, PartialEq)]
pub enum Persist {
    /// An intent: it is answered with `Stored` or `NotStored`, and nothing is done before.
    Intent {
        /// On which pod.
        pod: PodName,
        /// Of which operation.
        operation: OperationId,
        /// What to write.
        records: Vec<Record>,
    },
    /// A run that is to begin, or to take its next turn: it is answered with
    /// [`super::event::Event::RunStored`], and nothing is done before.
    Run {
        /// Which run.
        run: RunId,
        /// What to write.
        records: Vec<Record>,
    },
    /// Economy mode is about to do something, or somebody sets its policy: it is answered with
    /// [`super::event::Event::EconomyStored`], and nothing is done before.
    Economy {
        /// Returned with the answer.
        id: Uuid,
        /// What to write.
        records: Vec<Record>,
    },
    /// A change of the catalogue: it is answered with
    /// [`super::event::Event::ChangeStored`], and is not true before.
    Change {
        /// Who asked.
        ticket: Ticket,
        /// What to write.
        records: Vec<Record>,
    },
    /// Something that is already true. Where it cannot be written now it is written later;
    /// `then` does not wait for that.
    Fact {
        /// What to write.
        records: Vec<Record>,
        /// What to do after.
        then: Vec<Effect>,
    },
    /// A measurement: dropped where it cannot be written.
    Measurement(Vec<Record>),
}
