//! I1: what is held never exceeds the budget, save by force. And who is stopped for others.

use super::super::super::effect::{Effect, Persist};
use super::super::super::event::Reply;
use super::super::super::operation::{At, Operation};
use super::super::super::pod::{Life, Pod};
use super::super::super::state::State;
use super::super::World;
use super::{Before, written};
use crate::domain::admission::{Admission, Denial, Remedy};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{Intent, OperationKind};
use crate::domain::pod::{Category, Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::{Phase, Run, Step};
use crate::domain::state::PodStatus;
use crate::ports::Record;

impl World {
    pub(super) fn check_budget(&self, before: &Before, effects: &[Effect]) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        let state = &daemon.state;
        for (name, pod) in &state.pods {
            check_place(state, name, pod);
            let came_up = pod.reserved.is_some()
                && matches!(pod.life, Life::Up { .. })
                && before.pod(name).is_some_and(|was| !was.held);
            assert!(
                !came_up || !self.climate.steady(),
                "{name} runs and was not admitted: {:?}",
                pod.operation
            );
        }
        let admitted = self.admitted(state, before, effects);
        if admitted.is_empty() {
            return;
        }
        let excess = self.excess(state);
        assert_eq!(
            excess,
            Some(Footprint::default()),
            "{admitted:?} are beyond the ceiling, or unmeasured (left): {:?}",
            state.budget(self.clock())
        );
    }

    /// Where others' use stays the same, pods stay within their footprints and nothing is
    /// forced, the budget is kept at any moment.
    pub(super) fn check_bounds(&self) {
        let Some(daemon) = self.daemon.as_ref().filter(|_| self.climate.steady()) else {
            return;
        };
        let state = &daemon.state;
        // Before, what runs may count as others' use.
        let known = state.settled && (state.sampled_at - self.settled_at).get_seconds() >= 1;
        let Some(excess) = self.excess(state).filter(|_| known) else {
            return;
        };
        // Each sample is rounded for itself.
        assert!(
            excess.memory == Bytes(0) && excess.cpu <= Millicpu(10),
            "beyond the ceiling by {excess:?}: {:?}",
            state.budget(self.clock())
        );
    }

    /// By how much others' use and what is held are beyond the ceiling; `None` before the host
    /// was measured.
    fn excess(&self, state: &State) -> Option<Footprint> {
        state.host.as_ref()?;
        let (mut memory, mut cpu) = (state.others.memory, state.others.cpu);
        for (name, pod) in &state.pods {
            if let Some(reserved) = pod.reserved {
                let need = state.need(name, pod, reserved);
                memory += need.memory;
                cpu += need.cpu;
            }
        }
        let cpu_ceiling = state.cpu_ceiling();
        Some(Footprint {
            memory: memory.saturating_sub(state.memory_ceiling()),
            cpu: cpu.saturating_sub(if self.cpu_enforced { cpu_ceiling } else { cpu }),
        })
    }

    /// What was admitted in this step because it fits.
    fn admitted(&self, state: &State, before: &Before, effects: &[Effect]) -> Vec<String> {
        let forced = effects.iter().any(
            |effect| matches!(effect, Effect::Announce { event, .. } if event.kind == EventKind::Forced),
        );
        if forced {
            return Vec::new();
        }
        let promised = |name: &PodName| {
            let mut runs = state.runs.values().map(|active| &active.run);
            runs.any(|run| before.needing.contains(&run.id) && promises(run, name))
        };
        // What ran when an earlier daemon last saw it keeps its place until it is looked for;
        // what came up by itself has one without being asked.
        let had_place = |name: &PodName| {
            let up = |pod: &Pod| matches!(pod.life, Life::Up { .. });
            let pod = before.pod(name).filter(|pod| pod.held);
            pod.is_some_and(|pod| !pod.unseen || !state.settled || promised(name))
                || state.pods.get(name).is_some_and(up)
        };
        let starts = written(effects).filter_map(|record| match record {
            Record::OpenIntent(intent) if starts(state, intent) => Some(&intent.pod),
            _ => None,
        });
        let begun = written(effects).filter_map(|record| match record {
            Record::PutRun(run) => Some(&**run),
            _ => None,
        });
        let begun = begun.filter(|run| {
            let was = self.ledger.runs.get(&run.id).map(|run| &run.phase);
            matches!(run.phase, Phase::Starting { .. })
                && !matches!(was, Some(Phase::Starting { .. }))
                && run.admission != Admission::Force
        });
        let of_runs = begun.flat_map(|run| run.members.iter().map(|member| &member.pod));
        let places = state.pods.iter().filter_map(|(name, pod)| {
            let up = matches!(pod.life, Life::Up { .. });
            let held = before.pod(name).is_some_and(|before| before.held);
            (pod.reserved.is_some() && !up && !held).then_some(name)
        });
        starts
            .chain(of_runs)
            .filter(|name| !had_place(name))
            .chain(places)
            .map(ToString::to_string)
            .collect()
    }

    /// Who is stopped for others is optional, and no run of a higher priority needs it.
    pub(super) fn check_victims(&self, before: &Before, effects: &[Effect]) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        let state = &daemon.state;
        for effect in effects {
            let Effect::Persist(Persist::Intent { pod, records, .. }) = effect else {
                continue;
            };
            let evicted = records.iter().any(
                |record| matches!(record, Record::Event(event) if event.kind == EventKind::Evicted),
            );
            if !evicted {
                continue;
            }
            let spec = &state.pods[pod].entry.spec;
            assert_ne!(
                spec.category,
                Category::Essential,
                "{pod} is essential and stopped for others"
            );
            let essential = state.pods.iter().find(|(name, other)| {
                other.entry.spec.category == Category::Essential
                    && matches!(other.life, Life::Up { .. })
                    && before.pod(name).is_some_and(|before| before.up)
                    && other.entry.spec.after.contains(pod)
            });
            assert!(
                essential.is_none(),
                "{pod} is stopped for others, and essential {} comes after it",
                essential.map(|(name, _)| name.as_str()).unwrap_or_default()
            );
            let asker = asker(state, pod);
            let needing = state.runs.values().map(|active| &active.run).find(|run| {
                run.needs_pods()
                    && before.needing.contains(&run.id)
                    && run.member(pod).is_some()
                    && Some(run.priority) > asker
            });
            assert!(
                needing.is_none(),
                "{pod} is stopped for one with priority {asker:?}, and is needed by {needing:?}"
            );
        }
    }

    /// A refusal for want of room is true, and its victims may be stopped and are enough.
    pub(super) fn check_denial(&self, effect: &Effect) {
        let Effect::Answer {
            reply: Reply::Refused(CommandError::Insufficient(denial)),
            ..
        } = effect
        else {
            return;
        };
        let Some(daemon) = &self.daemon else {
            return;
        };
        let Denial {
            figures, remedy, ..
        } = &**denial;
        let gap = figures.gap();
        assert_ne!(gap, Footprint::default(), "it fits: {denial:?}");
        match remedy {
            Remedy::Never => assert!(
                figures.memory.needed > figures.memory.ceiling
                    || figures.cpu.needed > figures.cpu.ceiling
                    || denial.figures.memory.reserved.0 > 0,
                "it fits onto the idle machine: {denial:?}"
            ),
            Remedy::Evict(victims) => {
                let memory = victims.iter().map(|victim| victim.frees.memory).sum();
                let cpu = victims.iter().map(|victim| victim.frees.cpu).sum();
                assert!(
                    gap.memory <= memory && gap.cpu <= cpu,
                    "the victims are not enough: {denial:?}"
                );
                for victim in victims {
                    let pod = &daemon.state.pods[&victim.pod];
                    assert!(
                        pod.entry.spec.category == Category::Optional
                            && matches!(pod.life, Life::Up { .. })
                            && pod.operation.is_none(),
                        "{} may not be stopped: {denial:?}",
                        victim.pod
                    );
                }
            }
            Remedy::NotEnough { evictable, .. } => assert!(
                evictable.memory < gap.memory || evictable.cpu < gap.cpu,
                "it would be enough: {denial:?}"
            ),
        }
    }
}

/// Whether an accepted operation was admitted as it was accepted: no victims are waited for, and
/// no run was admitted with it.
fn starts(state: &State, intent: &Intent) -> bool {
    let pod = &state.pods[&intent.pod];
    let queued = pod.queued.as_ref().map(|queued| &queued.operation);
    let mut operations = pod.operation.iter().chain(queued);
    let operation = operations.find(|operation| operation.id == intent.id);
    matches!(intent.kind, OperationKind::Start | OperationKind::Restart)
        && intent.run.is_none()
        && intent.admission != Admission::Force
        && operation.is_some_and(|operation| operation.victims.is_empty())
}

/// For whom a pod is stopped: the highest priority of those who wait for that.
fn asker(state: &State, victim: &PodName) -> Option<Priority> {
    let pods = state.pods.values().filter(|pod| {
        let at = pod.operation.as_ref().map(|operation| &operation.at);
        matches!(at, Some(At::Evicting(eviction)) if eviction.victims.contains_key(victim))
    });
    let runs = state.runs.values().filter(|active| {
        let eviction = active.eviction.as_ref();
        eviction.is_some_and(|eviction| eviction.victims.contains_key(victim))
    });
    pods.map(|pod| pod.entry.spec.priority)
        .chain(runs.map(|active| active.run.priority))
        .max()
}

/// Whether a run was admitted with a pod that it is still to start.
fn promises(run: &Run, name: &PodName) -> bool {
    let waits = |step: &Step| matches!(step, Step::Waiting | Step::Starting);
    matches!(run.phase, Phase::Starting { .. })
        && run.member(name).is_some_and(|member| waits(&member.step))
}

/// A pod has a place in the budget exactly while it is up, on its way up, or promised to a run.
fn check_place(state: &State, name: &PodName, pod: &Pod) {
    let brings_up = |operation: &Operation| {
        matches!(
            operation.kind,
            OperationKind::Start | OperationKind::Restart
        ) && !matches!(operation.at, At::Evicting(_))
            && operation.victims.is_empty()
    };
    let was_up = matches!(
        pod.life,
        Life::Unseen {
            status: PodStatus::Running | PodStatus::Starting | PodStatus::Stopping
        }
    );
    let up = matches!(pod.life, Life::Up { .. });
    let queued = pod.queued.as_ref().map(|queued| &queued.operation);
    let may = up
        || was_up
        || pod.operation.iter().chain(queued).any(brings_up)
        || state
            .runs
            .values()
            .any(|active| promises(&active.run, name));
    match pod.reserved {
        Some(_) => assert!(may, "{name} is down and holds a place: {pod:?}"),
        None => assert!(!up, "{name} is up without a place: {pod:?}"),
    }
}
