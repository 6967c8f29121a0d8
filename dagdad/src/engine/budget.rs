//! The budget as it is now, drawn up from the state for [`super::admission`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::admission::{Asked, Budget, Evictable, Holder, Limit};
use super::operation::{At, Operation};
use super::pod::{Life, Pod};
use super::run::ActiveRun;
use super::state::State;
use crate::domain::admission::Earliest;
use crate::domain::footprint::Expectation;
use crate::domain::name::{ObjectName, PodName};
use crate::domain::pod::{Category, Footprint, Priority, RestartPolicy};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::{Phase, Run, Step};
use crate::domain::sample::HostSample;

impl State {
    /// Everything that a start is decided on; `None` before the host was measured.
    pub(super) fn budget(&self, now: Timestamp) -> Option<Budget> {
        let host = self.host.as_ref()?;
        let cores = host.cpu_count;
        let needed_by_essential = self.needed_by_essential();
        let going = self.going();
        let run_priorities = self.run_priorities();
        let holders = self.pods.iter().filter_map(|(name, pod)| {
            let reserved = pod.reserved?;
            let run_priority = run_priorities.get(name).copied();
            let holder = Holder {
                need: self.need(name, pod, reserved),
                // What a victim leaves is for the one that it is stopped for.
                release: release(name, pod)
                    .filter(|release| release.at > now && !going.contains(name)),
                evictable: (self.settled
                    && !needed_by_essential.contains(name)
                    && !going.contains(name))
                .then(|| evictable(pod, run_priority))
                .flatten(),
            };
            Some((name.clone(), holder))
        });
        Some(Budget {
            at: now,
            memory: Limit {
                capacity: host.memory.total,
                ceiling: self.memory_ceiling(),
                others: self.others.memory,
            },
            cpu: Limit {
                capacity: Millicpu(u64::from(cores) * 1000),
                ceiling: self.cpu_ceiling(),
                others: self.others.cpu,
            },
            cpu_enforced: self.settings.cpu_enforced,
            holders: holders.collect(),
            claims: self.claims(),
        })
    }

    /// What was used by everything outside the catalogue when the host was measured. Taken then:
    /// what a pod used that left the catalogue since is no use of others.
    pub(super) fn used_by_others(&self, host: &HostSample) -> Footprint {
        let managed = || {
            let of_pods = self.usage.iter();
            let of_pods = of_pods.filter(|(name, _)| self.pods.contains_key(name.as_str()));
            of_pods.map(|(_, usage)| usage)
        };
        let anon: Bytes = managed().map(|usage| usage.anon).sum();
        let cpu: Millicpu = managed()
            .map(|usage| Footprint::of_cpu_percent(usage.cpu_percent))
            .sum();
        let cores = f64::from(host.cpu_count);
        Footprint {
            memory: host.memory.used.saturating_sub(anon),
            cpu: Footprint::of_cpu_percent(host.cpu_percent * cores).saturating_sub(cpu),
        }
    }

    /// What may be given out of the memory; nothing before the host was measured.
    pub(super) fn memory_ceiling(&self) -> Bytes {
        let total = self.host.as_ref().map(|host| host.memory.total);
        let share = self.settings.thresholds.ram_percent;
        Bytes(share_of(total.unwrap_or_default().0, share))
    }

    /// What may be given out of the CPU; nothing before the host was measured.
    pub(super) fn cpu_ceiling(&self) -> Millicpu {
        let cores = self.host.as_ref().map_or(0, |host| host.cpu_count);
        let share = self.settings.thresholds.cpu_percent;
        Millicpu(share_of(u64::from(cores) * 1000, share))
    }

    /// What a pod is expected to use.
    pub(super) fn expected(&self, pod: &Pod) -> Expectation {
        let ceiling = Footprint {
            memory: self.memory_ceiling(),
            cpu: self.cpu_ceiling(),
        };
        pod.usage.expect(pod.entry.spec.footprint, ceiling)
    }

    /// What is held for a pod: what it was admitted with, or what it cannot do without by now.
    pub(super) fn need(&self, name: &PodName, pod: &Pod, reserved: Footprint) -> Footprint {
        let used = match pod.life {
            Life::Up { .. } => self.usage_of(name),
            Life::Unseen { .. } | Life::Down | Life::Failed { .. } => return reserved,
        };
        Footprint {
            memory: reserved.memory.max(used.working_set()),
            cpu: reserved
                .cpu
                .max(Footprint::of_cpu_percent(used.cpu_percent)),
        }
    }

    /// Pods that an essential pod which is up comes after.
    pub(super) fn needed_by_essential(&self) -> BTreeSet<&PodName> {
        let essential = self.pods.values().filter(|pod| {
            pod.entry.spec.category == Category::Essential && matches!(pod.life, Life::Up { .. })
        });
        essential.flat_map(|pod| &pod.entry.spec.after).collect()
    }

    /// Whether a pod that was chosen to go for `asked` may still be stopped.
    pub(super) fn may_go(&self, name: &PodName, asked: &Asked) -> bool {
        let run_priority = self.run_priorities().get(name).copied();
        let pod = self.pods.get(name);
        let evictable = pod.and_then(|pod| evictable(pod, run_priority));
        evictable.is_some_and(|evictable| {
            let run_priority = evictable.run_priority;
            run_priority.is_none_or(|priority| priority <= asked.priority)
        }) && !self.needed_by_essential().contains(name)
    }

    /// The highest priority of the active runs that need each pod.
    pub(super) fn run_priorities(&self) -> BTreeMap<PodName, Priority> {
        let mut priorities = BTreeMap::new();
        for run in self.runs.values().map(|active| &active.run) {
            if !run.needs_pods() {
                continue;
            }
            for member in &run.members {
                let highest = priorities.entry(member.pod.clone()).or_insert(run.priority);
                *highest = run.priority.max(*highest);
            }
        }
        priorities
    }

    /// What waits for victims to go, beyond what those victims still hold: that is counted
    /// already.
    fn claims(&self) -> BTreeMap<ObjectName, Footprint> {
        let pods = self.pods.iter().filter_map(|(name, pod)| {
            let victims = victims_of_pod(pod).filter(|_| pod.reserved.is_none())?;
            let claim = self.expected(pod).footprint;
            let claim = self.beyond_victims(claim, &victims);
            Some((ObjectName::Pod(name.clone()), claim))
        });
        let runs = self.runs.values().filter_map(|active| {
            let victims = victims_of_run(active)?;
            let claim = active
                .run
                .members
                .iter()
                .filter_map(|member| self.pods.get(&member.pod))
                .filter(|pod| pod.reserved.is_none())
                .fold(Footprint::default(), |sum, pod| {
                    let expected = self.expected(pod).footprint;
                    Footprint {
                        memory: sum.memory + expected.memory,
                        cpu: sum.cpu + expected.cpu,
                    }
                });
            let claim = self.beyond_victims(claim, &victims);
            Some((ObjectName::Workflow(active.run.workflow.clone()), claim))
        });
        pods.chain(runs).collect()
    }

    fn beyond_victims(&self, claim: Footprint, victims: &[&PodName]) -> Footprint {
        let held = victims.iter().filter_map(|name| {
            let pod = self.pods.get(*name)?;
            Some(self.need(name, pod, pod.reserved?))
        });
        held.fold(claim, |claim, held| Footprint {
            memory: claim.memory.saturating_sub(held.memory),
            cpu: claim.cpu.saturating_sub(held.cpu),
        })
    }

    /// Pods that are stopped for others, or are about to be.
    pub(super) fn going(&self) -> BTreeSet<&PodName> {
        let pods = self.pods.values().filter_map(victims_of_pod);
        let runs = self.runs.values().filter_map(victims_of_run);
        pods.chain(runs).flatten().collect()
    }

    /// A pod's start as a question to the budget.
    pub(super) fn asked_for_pod(&self, name: &PodName, pod: &Pod) -> Asked {
        Asked {
            object: ObjectName::Pod(name.clone()),
            priority: pod.entry.spec.priority,
            pods: vec![(name.clone(), self.expected(pod).footprint)],
        }
    }

    /// A run as a question to the budget.
    pub(super) fn asked_for_run(&self, run: &Run) -> Asked {
        let pods = run.members.iter().filter_map(|member| {
            let pod = self.pods.get(&member.pod)?;
            Some((member.pod.clone(), self.expected(pod).footprint))
        });
        Asked {
            object: ObjectName::Workflow(run.workflow.clone()),
            priority: run.priority,
            pods: pods.collect(),
        }
    }

    /// Whether a pod has a place in the budget.
    pub(super) fn holds(&self, name: &PodName, pod: &Pod) -> bool {
        use crate::domain::state::PodStatus::{Running, Starting, Stopping};
        let runs = match &pod.life {
            Life::Up { .. } => true,
            Life::Unseen { status } => matches!(status, Running | Starting | Stopping),
            Life::Down | Life::Failed { .. } => false,
        };
        runs || pod.operation.as_ref().is_some_and(Operation::holds_room)
            || pod
                .queued
                .as_ref()
                .is_some_and(|queued| queued.operation.holds_room())
            || self.runs.values().any(|active| promised(&active.run, name))
    }

    /// Gives back the places of pods that are down, and finds places for those that came up
    /// without having been admitted: Podman restarted them, or somebody started them outside.
    pub(super) fn balance(&mut self) {
        let mut changes = Vec::new();
        for (name, pod) in &self.pods {
            match (pod.reserved, self.holds(name, pod)) {
                (Some(_), false) => changes.push((name.clone(), None)),
                (None, true) => changes.push((name.clone(), Some(self.expected(pod).footprint))),
                (Some(_), true) | (None, false) => {}
            }
        }
        for (name, reserved) in changes {
            if let Some(pod) = self.pods.get_mut(&name) {
                pod.reserved = reserved;
            }
        }
    }

    /// Gives a pod a place of at least `footprint`.
    pub(super) fn reserve(&mut self, name: &PodName, footprint: Footprint) {
        if let Some(pod) = self.pods.get_mut(name) {
            let held = pod.reserved.unwrap_or_default();
            pod.reserved = Some(Footprint {
                memory: held.memory.max(footprint.memory),
                cpu: held.cpu.max(footprint.cpu),
            });
        }
    }
}

/// Whether a run has been admitted and is still to start the pod.
fn promised(run: &Run, name: &PodName) -> bool {
    matches!(run.phase, Phase::Starting { .. })
        && run.members.iter().any(|member| {
            member.pod == *name && matches!(member.step, Step::Waiting | Step::Starting)
        })
}

/// For whom a start waits, where it does.
fn victims_of_pod(pod: &Pod) -> Option<Vec<&PodName>> {
    let operation = pod.operation.as_ref()?;
    match &operation.at {
        At::Evicting(eviction) => Some(eviction.victims.keys().collect()),
        _ if operation.victims.is_empty() => None,
        _ => Some(operation.victims.iter().collect()),
    }
}

/// For whom a run waits, where it does.
fn victims_of_run(active: &ActiveRun) -> Option<Vec<&PodName>> {
    match (&active.run.phase, &active.eviction) {
        (Phase::Evicting { .. }, Some(eviction)) => Some(eviction.victims.keys().collect()),
        (Phase::Evicting { victims }, None) => Some(victims.iter().collect()),
        _ => None,
    }
}

fn evictable(pod: &Pod, run_priority: Option<Priority>) -> Option<Evictable> {
    let spec = &pod.entry.spec;
    let at_rest = pod.operation.is_none() && pod.queued.is_none();
    let up = matches!(pod.life, Life::Up { .. });
    (up && at_rest && spec.category == Category::Optional).then(|| Evictable {
        priority: run_priority.unwrap_or(spec.priority).max(spec.priority),
        run_priority,
        busy_at: pod.usage.busy_at,
    })
}

/// When a pod gives its place back by itself, where that is known.
fn release(name: &PodName, pod: &Pod) -> Option<Earliest> {
    let stays = |queued: &super::operation::Queued| queued.operation.holds_room();
    if pod.queued.as_ref().is_some_and(stays) {
        return None;
    }
    if let Some(at) = pod.down_by {
        let reason = format!("{name} is being stopped and is down by then");
        return Some(Earliest { at, reason });
    }
    if pod.operation.is_some() || pod.entry.spec.restart_policy == RestartPolicy::Always {
        return None;
    }
    let longest = SignedDuration::try_from(pod.usage.longest_completed()?).ok()?;
    let at = pod.usage.running_since()?.checked_add(longest).ok()?;
    let reason = format!(
        "{name} runs to its end, which took {} at most so far",
        humantime::format_duration(std::time::Duration::from_secs(
            u64::try_from(longest.as_secs()).unwrap_or(0)
        ))
    );
    Some(Earliest { at, reason })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // of a part of a u64
fn share_of(whole: u64, percent: f64) -> u64 {
    (whole as f64 * percent / 100.0).clamp(0.0, whole as f64) as u64
}
