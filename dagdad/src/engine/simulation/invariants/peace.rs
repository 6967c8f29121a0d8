//! What must hold once the world was left in peace for long enough: everything that was
//! accepted has come to its end, and memory, disk and runtime agree.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::super::pod::Life;
use super::super::super::snapshot::PodView;
use super::super::super::state::State;
use super::super::podman::ModelPod;
use super::super::{Tool, World};
use crate::domain::admission::Admission;
use crate::domain::alert::Condition;
use crate::domain::catalogue::Digest;
use crate::domain::economy::Rung;
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::quantity::Bytes;
use crate::domain::run::{Phase, Run, RunMember, Step};
use crate::domain::state::{PodStatus, Wanted};

/// What began so many seconds ago may still be on its way: a pod that ends by itself gives room
/// to those who wait for it at any time.
const ON_ITS_WAY: i64 = 400;
/// Time passes for alerts from one sample to the next.
const TWO_SAMPLES: Duration = Duration::from_secs(10);

impl World {
    /// On disk the catalogue is as `apply` and `remove` left it.
    pub(in crate::engine::simulation) fn check_rows(&self) {
        let rows: BTreeMap<&PodName, &Digest> = self
            .disk
            .rows
            .values()
            .map(|row| (&row.name, &row.manifest.digest))
            .collect();
        let promised: BTreeMap<&PodName, &Digest> = self.disk.promised.iter().collect();
        assert_eq!(rows, promised, "rows (left) against promises");
        let rows: BTreeMap<&WorkflowName, &Digest> = self
            .disk
            .workflows
            .values()
            .map(|row| (&row.name, &row.manifest.digest))
            .collect();
        let promised: BTreeMap<&WorkflowName, &Digest> =
            self.disk.promised_workflows.iter().collect();
        assert_eq!(rows, promised, "workflows (left) against promises");
    }

    pub(in crate::engine::simulation) fn check_quiescence(&self) {
        let daemon = self.daemon.as_ref().expect("the daemon lives again");
        let state = &daemon.state;
        self.check_rows();
        self.check_catalogue(state);
        for (id, intent) in &self.disk.open {
            assert!(self.is_young(id.0), "an intent is left open: {intent:?}");
        }
        for (id, incarnation) in &self.ledger.accepted {
            assert!(
                *incarnation != daemon.incarnation
                    || self.ledger.finished.contains(id)
                    || self.is_young(id.0),
                "{id} was accepted and not finished"
            );
        }
        for (ticket, incarnation) in &self.ledger.waiting {
            assert!(
                *incarnation != daemon.incarnation,
                "the command of {ticket:?} was never answered"
            );
        }
        self.check_runs_in_peace(state);
        self.check_alerts_in_peace(state);
        self.check_economy_in_peace(state);
        let snapshot = state.snapshot(self.clock());
        assert!(snapshot.settled);
        for view in &snapshot.pods {
            self.check_pod(view);
        }
    }

    fn check_catalogue(&self, state: &State) {
        let pods: BTreeMap<&PodName, &Digest> = state
            .pods
            .iter()
            .map(|(name, pod)| (name, &pod.entry.manifest.digest))
            .collect();
        let promised: BTreeMap<&PodName, &Digest> = self.disk.promised.iter().collect();
        assert_eq!(pods, promised, "catalogue (left) against rows");
        let workflows: BTreeMap<&WorkflowName, &Digest> = state
            .workflows
            .iter()
            .map(|(name, workflow)| (name, &workflow.entry.manifest.digest))
            .collect();
        let promised: BTreeMap<&WorkflowName, &Digest> =
            self.disk.promised_workflows.iter().collect();
        assert_eq!(workflows, promised, "workflows (left) against rows");
        for row in self.disk.workflows.values() {
            assert_eq!(
                row.active,
                state.active_run(&row.name).is_some(),
                "whether a run of workflow {} is active, in its row (left): {:?}",
                row.name,
                state.active_run(&row.name).map(|id| &state.runs[&id].run)
            );
        }
    }

    fn check_runs_in_peace(&self, state: &State) {
        for run in self.disk.active_runs() {
            assert!(
                state.runs.contains_key(&run.id),
                "on disk and nowhere else: {run:?}"
            );
        }
        for id in &self.ledger.given_runs {
            assert!(self.disk.runs.contains_key(id), "{id} was never written");
        }
        for active in state.runs.values() {
            let run = &active.run;
            assert_eq!(
                self.disk.runs.get(&run.id),
                Some(run),
                "row (left) of run {}",
                run.id
            );
            self.check_run(state, run);
        }
        if let Some(first) = state.queue().first() {
            self.check_waits(state, &state.runs[first].run);
        }
    }

    fn check_run(&self, state: &State, run: &Run) {
        let turned = run.members.iter().map(|member| member.since).max();
        let latest = turned.max(run.admitted_at).unwrap_or(run.accepted_at);
        let young = self.clock().duration_since(latest).as_secs() < ON_ITS_WAY;
        match &run.phase {
            Phase::Queued | Phase::Ended { .. } => {}
            Phase::Evicting { .. } | Phase::RollingBack(_) | Phase::Stopping => {
                assert!(young, "it comes to no end: {run:?}");
            }
            Phase::Starting { deadline } => {
                assert!(*deadline > self.clock() || young, "it is late: {run:?}");
            }
            Phase::Running => {
                for member in &run.members {
                    assert!(
                        self.is_well(state, member),
                        "{} of a running run is not: {run:?}",
                        member.pod
                    );
                }
            }
            Phase::Degraded => {
                let lost = |member: &RunMember| matches!(member.step, Step::Lost { .. });
                assert!(run.members.iter().any(lost), "it is whole: {run:?}");
                for member in run.members.iter().filter(|member| lost(member)) {
                    let ready = state
                        .pods
                        .get(&member.pod)
                        .is_some_and(|pod| pod.ready() && pod.operation.is_none());
                    assert!(!ready, "{} is not lost: {run:?}", member.pod);
                }
            }
        }
    }

    fn is_well(&self, state: &State, member: &RunMember) -> bool {
        match &member.step {
            Step::Completed => true,
            Step::Ready => state.pods.get(&member.pod).is_some_and(|pod| {
                let model = self.podman.pods.get(&member.pod);
                let just = model.is_some_and(|model| self.changed_lately(model));
                let frozen = model.is_some_and(ModelPod::frozen);
                pod.ready() || pod.operation.is_some() || just || frozen
            }),
            _ => false,
        }
    }

    /// The first in the queue does not fit, or its ports are taken.
    fn check_waits(&self, state: &State, run: &Run) {
        let held = |name: &PodName| {
            let pod = state.pods.get(name);
            pod.and_then(|pod| pod.reserved).unwrap_or_default()
        };
        let mut needed = Bytes(0);
        for member in &run.members {
            let Some(pod) = state.pods.get(&member.pod) else {
                panic!("it waits for a pod that is gone: {run:?}");
            };
            let expected = state.expected(pod).footprint;
            needed += expected.memory.saturating_sub(held(&member.pod).memory);
        }
        let mut used = self.host.others;
        for (name, model) in &self.podman.pods {
            let usage = model.usage(self.now).unwrap_or_default();
            used += if state.pods.contains_key(name) {
                let grown = usage.working_set().saturating_sub(held(name).memory);
                grown + held(name).memory
            } else {
                usage.anon
            };
        }
        let ceiling = state.memory_ceiling();
        let fits = used + needed + Bytes::mib(16) <= ceiling;
        let order: Vec<_> = run.members.iter().map(Into::into).collect();
        let taken = state.check_members(&run.workflow, &order).is_err();
        let economical = state.economy.record().active.is_some();
        let settled = self
            .podman
            .pods
            .values()
            .all(|model| !self.changed_lately(model));
        assert!(
            !fits
                || taken
                || !settled
                || economical
                || self.cpu_enforced
                || run.admission == Admission::Force,
            "it waits and would fit, with {used} used and {needed} needed of {ceiling}: {run:?}"
        );
    }

    pub(super) fn check_missed_pods(&self, state: &State) {
        let down: BTreeSet<&str> = self
            .disk
            .open_alerts()
            .filter(|alert| alert.condition == Condition::PodDown)
            .map(|alert| alert.object.as_str())
            .collect();
        let missed = missed(state);
        let hushed = |name: &&&str| self.sightings.hushed_pods.contains(**name);
        let mut untold = missed.difference(&down).filter(|name| !hushed(name));
        assert_eq!(untold.next(), None, "missed, and nobody is told");
        for name in down.difference(&missed) {
            assert!(
                self.was_missed_lately(state, name),
                "{name} is said to be missed, and is not"
            );
        }
    }

    /// Whether a pod that is not missed was so a moment ago, or is about to change.
    fn was_missed_lately(&self, state: &State, name: &str) -> bool {
        let Some(pod) = state.pods.get(name) else {
            return false;
        };
        // Nobody misses it for a run that has ended.
        let members = state.runs.values().filter_map(|active| {
            let member = active.run.member(&pod.entry.spec.name)?;
            Some(match active.run.phase {
                Phase::Ended { at, .. } => at.max(member.since),
                _ => member.since,
            })
        });
        let changed = members.max();
        let changed = changed.map_or(pod.since, |at| at.max(pod.since));
        // One that flaps has to be well for three times as long.
        let patience = state.settings.alerts.pod_down.clear_hold * 3 + TWO_SAMPLES;
        let patience = SignedDuration::try_from(patience).expect("it is short");
        pod.operation.is_some() || pod.queued.is_some() || self.clock() - patience <= changed
    }

    fn is_young(&self, id: Uuid) -> bool {
        let made = id.get_timestamp().map(|at| at.to_unix().0);
        let made = made.and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok());
        made.is_some_and(|made| self.clock().duration_since(made).as_secs() < ON_ITS_WAY)
    }

    fn changed_lately(&self, model: &ModelPod) -> bool {
        (self.now - model.changed_at).get_seconds() <= 120
    }

    fn check_pod(&self, view: &PodView) {
        let name = view.name.as_str();
        let pod = &self.daemon.as_ref().expect("alive").state.pods[name];
        if let Some(operation) = &pod.operation {
            return assert!(self.is_young(operation.id.0), "{name}: {operation:?}");
        }
        let row = self
            .disk
            .rows
            .values()
            .find(|row| row.name.as_str() == name)
            .expect("a row");
        let model = self.podman.pods.get(name);
        // What changed a moment ago may be on its way.
        if model.is_some_and(|model| self.changed_lately(model)) {
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

/// Pods that should run, do not, and are left alone: those that ended badly, those that are
/// wanted up and down, and those that a running workflow lost.
pub(super) fn missed(state: &State) -> BTreeSet<&str> {
    let at_rest = |name: &PodName| {
        let pod = state.pods.get(name);
        pod.is_none_or(|pod| pod.operation.is_none() && pod.queued.is_none())
    };
    let lost = state
        .runs
        .values()
        .filter(|active| active.run.phase == Phase::Degraded)
        .flat_map(|active| &active.run.members)
        .filter(|member| matches!(member.step, Step::Lost { .. }))
        .map(|member| &member.pod);
    let down = state.pods.iter().filter(|(_, pod)| match pod.life {
        Life::Failed { .. } => true,
        Life::Down => pod.wanted == Wanted::Up,
        Life::Up { .. } | Life::Unseen { .. } => false,
    });
    // What economy mode has stopped is to come back, and nothing is amiss with it.
    let shed = |name: &PodName| {
        let mut taken = state.economy.record().taken.iter();
        taken.any(|taken| taken.pod == *name && taken.taking.rung() == Rung::Stop)
    };
    let missed = down.map(|(name, _)| name).chain(lost);
    missed
        .filter(|name| at_rest(name) && !shed(name))
        .map(PodName::as_str)
        .collect()
}
