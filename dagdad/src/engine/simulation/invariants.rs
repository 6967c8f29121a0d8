//! What must hold at every step, and once the world was left in peace for long enough.

use std::collections::{BTreeMap, BTreeSet};

use super::super::effect::Effect;
use super::super::event::{Command, EffectResult, Event, Reply, Ticket};
use super::super::pod::Life;
use super::super::state::State;
use super::podman::ModelPod;
use super::{Tool, World};
use crate::domain::catalogue::Digest;
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind, OperationView};
use crate::domain::pod::Readiness;
use crate::domain::state::PodStatus;

/// What was promised to whom.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Operations that a caller was given, and by which daemon.
    accepted: BTreeMap<OperationId, u64>,
    /// By the daemon that lives.
    finished: BTreeSet<OperationId>,
    /// Stops, by what they are on.
    stops: BTreeMap<OperationId, PodName>,
    /// `apply` commands without an answer, and by which daemon they were taken.
    applies: BTreeMap<Ticket, u64>,
    /// Probes under way: watch and check.
    probes: BTreeSet<(u64, usize)>,
}

impl Ledger {
    pub(super) fn answered(&mut self, ticket: Ticket, reply: &Reply, incarnation: u64) {
        self.applies.remove(&ticket);
        if let Reply::Operation(id) = reply {
            assert!(
                !self.finished.contains(id),
                "{id} was finished before its caller knew of it"
            );
            self.accepted.insert(*id, incarnation);
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
    }
}

/// Every pod's manifest.
pub(super) fn catalogue(state: &State) -> BTreeMap<PodName, Digest> {
    state
        .pods
        .iter()
        .map(|(name, pod)| (name.clone(), pod.entry.manifest.digest.clone()))
        .collect()
}

impl World {
    pub(super) fn check_step(
        &mut self,
        event: &Event,
        before: &BTreeMap<PodName, Digest>,
        effects: &[Effect],
    ) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        let due = daemon.state.next_deadline();
        assert!(due > self.now, "a tick is due at {due}, which has passed");

        let lists = effects.iter().filter(|e| **e == Effect::List).count();
        assert!(lists <= 1, "one step asks for {lists} listings");

        let may_change = matches!(
            event,
            Event::ChangeStored { result: Ok(()), .. }
                | Event::Result {
                    result: EffectResult::Removed(Ok(())),
                    ..
                }
        );
        assert!(
            may_change || *before == catalogue(&daemon.state),
            "the catalogue changed by {event:?}"
        );

        for effect in effects {
            self.check_port_refusal(effect);
        }
        if let Event::Command { ticket, command } = event {
            let answered = effects
                .iter()
                .any(|effect| matches!(effect, Effect::Answer { ticket: to, .. } if to == ticket));
            if let Command::Apply { .. } = command {
                if !answered {
                    self.ledger.applies.insert(*ticket, daemon.incarnation);
                }
            } else {
                assert!(answered, "no answer at once to {command:?}");
            }
        }
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
            !self.gentle
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
        if self.gentle
            && let Err(error) = &result
        {
            use CommandError as E;
            let fair = matches!(
                error,
                E::Cancelled { .. }
                    | E::TimedOut { .. }
                    | E::PortTaken { .. }
                    | E::NoSuchPod { .. }
                    | E::Store(_)
            ) || error.to_string().contains("no such image");
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

    /// On disk the catalogue is as `apply` and `remove` left it.
    pub(super) fn check_rows(&self) {
        let rows: BTreeMap<PodName, Digest> = self
            .disk
            .rows
            .values()
            .map(|row| (row.name.clone(), row.manifest.digest.clone()))
            .collect();
        assert_eq!(rows, self.disk.promised, "rows (left) against promises");
    }

    pub(super) fn check_quiescence(&self) {
        let daemon = self.daemon.as_ref().expect("the daemon lives again");
        self.check_rows();
        assert_eq!(
            catalogue(&daemon.state),
            self.disk.promised,
            "catalogue (left) against rows"
        );
        assert!(
            self.disk.open.is_empty(),
            "intents are left open: {:?}",
            self.disk.open
        );
        for (id, incarnation) in &self.ledger.accepted {
            assert!(
                *incarnation != daemon.incarnation || self.ledger.finished.contains(id),
                "{id} was accepted and not finished"
            );
            assert!(
                *incarnation != daemon.incarnation
                    || self.disk.closed.contains_key(id)
                    || self.ledger.finished.contains(id),
                "{id} came to no end"
            );
        }
        for (ticket, incarnation) in &self.ledger.applies {
            assert!(
                *incarnation != daemon.incarnation,
                "the apply of {ticket:?} was never answered"
            );
        }
        let snapshot = daemon.state.snapshot(self.now);
        assert!(snapshot.settled);
        for view in &snapshot.pods {
            self.check_pod(view);
        }
    }

    fn check_pod(&self, view: &super::super::snapshot::PodView) {
        let name = view.name.as_str();
        let pod = &self.daemon.as_ref().expect("alive").state.pods[name];
        assert!(pod.operation.is_none(), "{name}: {:?}", pod.operation);
        let row = self
            .disk
            .rows
            .values()
            .find(|row| row.name.as_str() == name)
            .expect("a row");
        let model = self.podman.pods.get(name);
        // What changed a moment ago may be on its way.
        let settled = model.is_none_or(|model| (self.now - model.changed_at).get_seconds() > 120);
        if !settled {
            return;
        }
        let runs = model.is_some_and(ModelPod::runs);
        let says_runs = match view.status {
            PodStatus::Running => true,
            PodStatus::Stopped | PodStatus::Error => false,
            PodStatus::Starting | PodStatus::Stopping => panic!("{name} is {:?}", view.status),
        };
        assert_eq!(
            says_runs, runs,
            "{name} is said to run (left), it does (right)"
        );
        assert_eq!(row.status, view.status, "row (left) of {name}");
        assert_eq!(row.wanted, pod.wanted, "wanted in the row (left) of {name}");
        if let Some(model) = model.filter(|model| model.runs()) {
            let checks = !pod.entry.spec.readiness().is_empty();
            let expected = model.condition_running_whole() && (!checks || model.ready(self.now));
            if expected {
                assert!(view.ready, "{name} is ready and not known to be");
            }
        }
        let stopped = self.stopped_by_people.get(name);
        assert!(
            !runs || stopped.is_none(),
            "{name} was stopped by somebody and runs"
        );
        assert!(
            view.status == PodStatus::Stopped || stopped != Some(&Tool::Dagda),
            "{name} was stopped and is in error: {:?}",
            view.message
        );
    }
}
