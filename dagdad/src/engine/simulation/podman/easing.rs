//! What economy mode has done to a pod short of having it stopped.

use std::time::Duration;

use uuid::Uuid;

use super::super::{Happening, World};
use super::{Inside, Mood};
use crate::domain::name::PodName;
use crate::domain::observed::{ContainerState, RuntimeSignal};
use crate::domain::quantity::Bytes;
use crate::engine::effect::Easing;
use crate::engine::event::Event;
use crate::ports::RuntimeError;

const DEADLINE: Duration = Duration::from_secs(10);

/// Who waits for the end of an easing.
#[derive(Debug, Clone)]
pub(in crate::engine::simulation) struct Eased {
    pub(in crate::engine::simulation) incarnation: u64,
    pub(in crate::engine::simulation) pod: PodName,
    pub(in crate::engine::simulation) id: Uuid,
}

impl World {
    /// Takes up an easing; answers it in time, with a fault, or with a time-out.
    pub(in crate::engine::simulation) fn ease(&mut self, eased: Eased, easing: Easing) {
        let latency = self.random.millis(5, 300);
        let hangs = self.podman.mood == Mood::Hung || (self.faulty() && self.random.chance(4));
        if self.podman.mood == Mood::Gone {
            let reason = "connection refused".to_owned();
            let error = RuntimeError::Unreachable { reason };
            self.eased_after(latency, eased, Err(error));
        } else if hangs {
            let what = "answer".to_owned();
            let after = DEADLINE;
            let error = RuntimeError::TimedOut { what, after };
            if self.random.chance(50) {
                let late = self.random.millis(100, 14_000);
                let ease = Inside::Ease(eased.clone(), easing, false);
                self.after(late, Happening::Podman(ease));
            }
            self.eased_after(DEADLINE, eased, Err(error));
        } else {
            let ease = Inside::Ease(eased, easing, true);
            self.after(latency, Happening::Podman(ease));
        }
    }

    fn eased_after(
        &mut self,
        latency: Duration,
        eased: Eased,
        result: Result<Bytes, RuntimeError>,
    ) {
        let Eased {
            incarnation,
            pod,
            id,
        } = eased;
        let event = Event::Eased { pod, id, result };
        self.after(latency, Happening::Tell(incarnation, event));
    }

    pub(super) fn carry_out(&mut self, eased: Eased, easing: Easing, answers: bool) {
        let fails = self.faulty() && self.random.chance(5);
        let result = if fails {
            Err(refused("the cgroup is busy"))
        } else {
            self.carry_out_on(&eased.pod, easing)
        };
        if answers {
            self.eased_after(Duration::ZERO, eased, result);
        }
    }

    fn carry_out_on(&mut self, pod: &PodName, easing: Easing) -> Result<Bytes, RuntimeError> {
        let (now, clock) = (self.now, self.clock());
        let Some(model) = self.podman.pods.get_mut(pod).filter(|model| model.alive()) else {
            return Err(refused("it does not run"));
        };
        match easing {
            Easing::Reclaim(goal) => {
                let usage = model.appetite.at(model.started_at, now);
                let gone = goal.min(usage.file.saturating_sub(usage.mapped));
                return Ok(gone);
            }
            Easing::Throttle(to) => {
                model.throttled = to;
                return Ok(Bytes(0));
            }
            Easing::Freeze | Easing::Thaw => {}
        }
        for container in &mut model.containers {
            let frozen = match (&container.state, easing) {
                (ContainerState::Running { .. }, Easing::Freeze) => ContainerState::Paused,
                (ContainerState::Paused, Easing::Thaw) => ContainerState::Running { since: clock },
                _ => continue,
            };
            container.state = frozen;
            model.changed_at = now;
        }
        self.signal(&RuntimeSignal::Changed);
        Ok(Bytes(0))
    }
}

fn refused(message: &str) -> RuntimeError {
    RuntimeError::Refused {
        status: 500,
        message: message.to_owned(),
    }
}
