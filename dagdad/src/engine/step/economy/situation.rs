//! The state as economy mode decides on it.

use std::time::Duration;

use jiff::Timestamp;

use super::super::super::economy::{PodSituation, Reading, Situation, Stance};
use super::super::super::pod::{Life, Pod};
use super::super::super::state::State;
use crate::domain::name::PodName;
use crate::domain::pod::{Category, Footprint, Priority};

impl State {
    /// The situation now; `None` before the host was measured.
    pub(in crate::engine) fn situation(&self, now: Timestamp) -> Option<Situation> {
        let reading = Reading::from(&**self.host.as_ref()?);
        let needed_by_essential = self.needed_by_essential();
        let going = self.going();
        let run_priorities = self.run_priorities();
        let mut promised = Footprint::default();
        let pods = self.pods.iter().map(|(name, pod)| {
            let used = self.usage_of(name);
            let used = Footprint {
                memory: used.anon,
                cpu: Footprint::of_cpu_percent(used.cpu_percent),
            };
            if let Some(reserved) = pod.reserved {
                promised.memory += reserved.memory.saturating_sub(used.memory);
                promised.cpu += reserved.cpu.saturating_sub(used.cpu);
            }
            let protected = pod.entry.spec.category == Category::Essential
                || needed_by_essential.contains(name);
            let stance = if protected {
                Stance::Protected
            } else if pod.operation.is_some() || pod.queued.is_some() || going.contains(name) {
                Stance::InHand
            } else {
                Stance::Open
            };
            let run_priority = run_priorities.get(name).copied();
            let situation = self.pod_situation(name, pod, stance, run_priority, used, now);
            (name.clone(), situation)
        });
        let pods = pods.collect();
        Some(Situation {
            reading,
            promised,
            pods,
        })
    }

    fn pod_situation(
        &self,
        name: &PodName,
        pod: &Pod,
        stance: Stance,
        run_priority: Option<Priority>,
        used: Footprint,
        now: Timestamp,
    ) -> PodSituation {
        let spec = &pod.entry.spec;
        let usage = self.usage_of(name);
        let idle = Duration::try_from(now.duration_since(pod.usage.busy_at)).ok();
        PodSituation {
            priority: run_priority.unwrap_or(spec.priority).max(spec.priority),
            needed_by_run: run_priority.is_some(),
            stance,
            may_freeze: spec.freeze,
            up_since: match pod.life {
                Life::Up { since, .. } => Some(since),
                Life::Unseen { .. } | Life::Down | Life::Failed { .. } => None,
            },
            used,
            reclaimable: usage.file.saturating_sub(usage.mapped),
            idle: idle.filter(|idle| *idle >= spec.idle_timeout),
            expected: self.expected(pod).footprint,
        }
    }
}
