//! What must hold at every step, and once the world was left in peace for long enough.

mod alerts;
mod before;
mod budget;
mod economy;
mod peace;
mod runs;
mod sightings;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub(super) use self::alerts::check_row;
pub(super) use self::before::Before;
pub(super) use self::economy::Readings;
pub(super) use self::sightings::Sightings;
use super::super::effect::{Effect, Persist};
use super::super::event::{Command, EffectResult, Event, Reply, Ticket};
use super::super::pod::Life;
use super::disk::Disk;
use super::podman::ModelPod;
use super::{Tool, World};
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind, OperationView};
use crate::domain::pod::Readiness;
use crate::domain::run::{Run, RunId};
use crate::domain::state::Wanted;
use crate::ports::Record;

/// What was promised to whom.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Operations that a caller was given, and by which daemon.
    accepted: BTreeMap<OperationId, u64>,
    /// By the daemon that lives.
    finished: BTreeSet<OperationId>,
    /// Stops, by what they are on.
    stops: BTreeMap<OperationId, PodName>,
    /// Commands that are answered once something is written, without an answer so far, and by
    /// which daemon they were taken.
    waiting: BTreeMap<Ticket, u64>,
    /// Probes under way: watch and check.
    probes: BTreeSet<(u64, usize)>,
    /// Runs as the daemon last wrote them.
    runs: BTreeMap<RunId, Run>,
    /// Runs that a caller was given by the daemon that lives.
    given_runs: BTreeSet<RunId>,
}

impl Ledger {
    pub(super) fn answered(&mut self, ticket: Ticket, reply: &Reply, incarnation: u64) {
        self.waiting.remove(&ticket);
        match reply {
            Reply::Operation(id) => {
                assert!(
                    !self.finished.contains(id),
                    "{id} was finished before its caller knew of it"
                );
                self.accepted.insert(*id, incarnation);
            }
            Reply::Run(id) => {
                self.given_runs.insert(*id);
            }
            Reply::Done(_)
            | Reply::Applied(_)
            | Reply::Alerts { .. }
            | Reply::Silences(_)
            | Reply::Refused(_) => {}
        }
    }

    pub(super) fn probing(&mut self, watch: u64, check: usize) {
        assert!(
            self.probes.insert((watch, check)),
            "check {check} of watch {watch} is asked twice at a time"
        );
    }

    pub(super) fn probed(&mut self, watch: u64, check: usize) {
        self.probes.remove(&(watch, check));
    }

    /// An end that was reported and not written is reached, and reported, once more.
    pub(super) fn daemon_died(&mut self) {
        self.probes.clear();
        self.finished.clear();
        self.given_runs.clear();
    }

    /// The next one knows what is on disk and nothing else.
    pub(super) fn daemon_is_born(&mut self, disk: &Disk) {
        self.runs.clone_from(&disk.runs);
    }
}

/// What is to be known of an event to judge what it led to.
pub(super) struct Told {
    /// The command, and who waits for its answer.
    command: Option<(Ticket, Command)>,
    /// Whether the catalogue may change by it.
    changes_catalogue: bool,
    /// Whether it is one of the many that as a rule lead to nothing.
    common: bool,
}

impl Told {
    pub(super) fn of(event: &Event) -> Self {
        let command = match event {
            Event::Command { ticket, command } => Some((*ticket, command.clone())),
            _ => None,
        };
        let changes_catalogue = matches!(
            event,
            Event::ChangeStored { result: Ok(()), .. }
                | Event::Result {
                    result: EffectResult::Removed(Ok(())),
                    ..
                }
                | Event::Command {
                    command: Command::RemoveWorkflow { .. },
                    ..
                }
        );
        let common = matches!(
            event,
            Event::Probed { .. } | Event::Sampled(_) | Event::Tick
        );
        Self {
            command,
            changes_catalogue,
            common,
        }
    }
}

/// What is to be written by these effects.
fn written(effects: &[Effect]) -> impl Iterator<Item = &Record> {
    let jobs = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(
            Persist::Intent { records, .. }
            | Persist::Run { records, .. }
            | Persist::Change { records, .. }
            | Persist::Economy { records, .. }
            | Persist::Fact { records, .. }
            | Persist::Measurement(records),
        ) => Some(records),
        _ => None,
    });
    jobs.flatten()
}

/// Whether a step that led to these did no more than to look and to wait.
fn idle(effects: &[Effect]) -> bool {
    effects.iter().all(|effect| {
        matches!(
            effect,
            Effect::Probe { .. }
                | Effect::List
                | Effect::Tidy
                | Effect::Persist(Persist::Measurement(_))
        )
    })
}

impl World {
    pub(super) fn check_step(&mut self, told: &Told, due: Timestamp, effects: &[Effect]) {
        let now = self.clock();
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        // Most steps do nothing; they are looked at together with the next one that does.
        let idle = told.common && idle(effects);
        let before = (!idle).then(|| {
            let after = Before::of(&daemon.state);
            std::mem::replace(&mut daemon.before, after)
        });
        assert!(
            due > now || daemon.state.closing,
            "a tick is due at {due}, which has passed"
        );

        let lists = effects.iter().filter(|e| **e == Effect::List).count();
        assert!(lists <= 1, "one step asks for {lists} listings");

        self.check_bounds();
        let Some(before) = before else {
            return;
        };
        self.check_answers(told, effects);
        let Some(daemon) = &self.daemon else {
            return;
        };
        assert!(
            told.changes_catalogue || before.is_catalogue_of(&daemon.state),
            "the catalogue changed by itself"
        );
        for (name, pod) in &daemon.state.pods {
            assert!(
                pod.queued.is_none() || pod.operation.is_some(),
                "{name} has an operation in line behind none"
            );
            for operation in pod
                .operation
                .iter()
                .chain(pod.queued.iter().map(|queued| &queued.operation))
            {
                if operation.kind == OperationKind::Stop && operation.verdict.is_none() {
                    self.ledger.stops.insert(operation.id, name.clone());
                }
            }
        }
        for record in written(effects) {
            if let Record::OpenIntent(intent) = record
                && intent.kind.wants() == Wanted::Up
            {
                self.stopped_by_people.remove(&intent.pod);
            }
        }
        self.check_budget(&before, effects);
        self.check_victims(&before, effects);
        self.check_runs(&before, effects);
    }

    /// Every command is answered, all but those that wait for the disk at once; and no refusal
    /// is untrue.
    fn check_answers(&mut self, told: &Told, effects: &[Effect]) {
        for effect in effects {
            self.check_port_refusal(effect);
            self.check_denial(effect);
        }
        let (Some((ticket, command)), Some(daemon)) = (&told.command, &self.daemon) else {
            return;
        };
        let answered = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Answer { ticket: to, .. } if to == ticket));
        if let Command::Apply { .. }
        | Command::RemoveWorkflow { .. }
        | Command::AcknowledgeAlerts { .. }
        | Command::SetEconomy { .. }
        | Command::ResolveAlert { .. } = command
        {
            if !answered {
                self.ledger.waiting.insert(*ticket, daemon.incarnation);
            }
        } else {
            assert!(answered, "no answer at once to {command:?}");
        }
    }

    /// A pod that holds a port runs, is coming up, or is going down.
    fn check_port_refusal(&self, effect: &Effect) {
        let Effect::Answer {
            reply: Reply::Refused(CommandError::PortTaken { holder, .. }),
            ..
        } = effect
        else {
            return;
        };
        let Some(daemon) = &self.daemon else {
            return;
        };
        let Some(pod) = daemon.state.pods.get(holder.as_str()) else {
            return;
        };
        assert!(
            pod.operation.is_some() || matches!(pod.life, Life::Up { .. }),
            "{holder} is down and said to hold a port"
        );
    }

    /// Nothing is asked of the runtime before the intent is on disk, nor twice at a time.
    pub(super) fn check_call(&self, pod: &PodName, operation: OperationId) {
        assert!(
            self.disk.open.contains_key(&operation),
            "{operation} acts on {pod} without an open intent"
        );
        let Some(daemon) = &self.daemon else {
            return;
        };
        let other = daemon.calls.values().find(|(other, _)| other == pod);
        assert!(other.is_none(), "two calls at a time for {pod}");
    }

    /// Where nobody meddles nobody is said to have.
    pub(super) fn check_announcement(&self, message: &str) {
        assert!(
            !self.climate.gentle
                || ![
                    "outside of Dagda",
                    "removed from Podman",
                    "by itself",
                    "Podman restarted"
                ]
                .iter()
                .any(|claim| message.contains(claim)),
            "untrue: {message}"
        );
    }

    pub(super) fn reported(&mut self, operation: OperationId, view: OperationView) {
        let OperationView::Finished(result) = view else {
            assert!(
                !self.ledger.finished.contains(&operation),
                "{operation} goes on after its end"
            );
            return;
        };
        assert!(
            self.ledger.finished.insert(operation),
            "{operation} finished twice"
        );
        if self.climate.gentle
            && let Err(error) = &result
        {
            use CommandError as E;
            let fair = matches!(
                error,
                E::Cancelled { .. }
                    | E::TimedOut { .. }
                    | E::PortTaken { .. }
                    | E::NoSuchPod { .. }
                    | E::Insufficient(_)
                    | E::EconomyActive { .. }
                    | E::Store(_)
                    | E::ShuttingDown
            ) || ["no such image", "could not be stopped"]
                .iter()
                .any(|reason| error.to_string().contains(reason));
            assert!(fair, "no reason to fail: {error}");
        }
        if let (Some(pod), Ok(_)) = (self.ledger.stops.get(&operation), result) {
            // The report waits for the disk; what came after the stop may be faster.
            let stands = self.daemon.as_ref().is_some_and(|daemon| {
                daemon
                    .state
                    .pods
                    .get(pod)
                    .is_some_and(|pod| pod.operation.is_none() && pod.life == Life::Down)
            });
            if stands && !self.podman.pods.get(pod).is_some_and(ModelPod::runs) {
                self.stopped_by_people.insert(pod.clone(), Tool::Dagda);
            }
        }
    }

    /// Each running pod's checks are asked again and again.
    pub(super) fn check_watches(&self) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        for (name, pod) in &daemon.state.pods {
            let Life::Up { watch, .. } = &pod.life else {
                continue;
            };
            for (index, readiness) in watch.readiness().enumerate() {
                assert!(
                    !matches!(readiness, Readiness::Probe { .. })
                        || self.ledger.probes.contains(&(watch.id, index)),
                    "{name} runs and its probe {index} is not asked any more"
                );
            }
        }
    }
}
