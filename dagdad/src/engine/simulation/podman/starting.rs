//! Pods that are played and started, and containers that are started again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::calls::Call;
use super::super::host::Appetite;
use super::super::{Happening, World};
use super::Inside;
use super::pod::{Fate, ModelContainer, ModelPod};
use crate::domain::catalogue::RenderedPod;
use crate::domain::name::PodName;
use crate::domain::observed::{ContainerState, RuntimeSignal};
use crate::domain::pod::RestartPolicy;
use crate::engine::event::EffectResult;
use crate::ports::RuntimeError;

impl World {
    pub(in crate::engine::simulation) fn play(
        &mut self,
        pod: &PodName,
        rendered: &Arc<RenderedPod>,
        call: Option<Call>,
    ) {
        if self.podman.pods.get(pod).is_some_and(ModelPod::runs) {
            let error = RuntimeError::AlreadyRunning {
                pod: pod.to_string(),
            };
            return self.reply(call, EffectResult::Played(Err(error)));
        }
        if let Some(replaced) = self.podman.pods.remove(pod) {
            self.signal(&RuntimeSignal::StopRequested {
                pod: pod.to_string(),
                id: replaced.generation.to_string(),
            });
        }
        // Whoever asked for the start asked for this, however late.
        self.stopped_by_people.remove(pod);
        self.podman.generations += 1;
        let generation = self.podman.generations;
        let spec = rendered.spec.clone();
        let fate = self.fate(spec.restart_policy);
        let appetite = Appetite::some(spec.footprint, self.climate.steady(), &mut self.random);
        let containers = spec
            .containers
            .iter()
            .map(|container| ModelContainer {
                name: container.name.clone(),
                state: ContainerState::Created,
                run: 0,
            })
            .collect();
        let created_at = self.clock();
        self.podman.pods.insert(
            pod.clone(),
            ModelPod {
                generation,
                created_at,
                spec,
                fate,
                appetite,
                started_at: self.now,
                containers,
                stopping: false,
                throttled: None,
                ready_at: None,
                changed_at: self.now,
            },
        );
        self.signal(&RuntimeSignal::Changed);
        let latency = self.random.millis(50, 400);
        let start = Inside::StartContainers(pod.clone(), generation, call);
        self.after(latency, Happening::Podman(start));
    }

    fn fate(&mut self, policy: RestartPolicy) -> Fate {
        let ready_after = (!self.random.chance(8)).then(|| self.random.millis(0, 20_000));
        let job = policy != RestartPolicy::Always;
        let ends = match self.random.below(100) {
            // What a job is meant to do.
            0..50 if job => Some((self.random.millis(0, 120_000), 0)),
            _ if self.climate.gentle => None,
            0..70 => None,
            70..80 => Some((self.random.millis(0, 3_000_000), 0)),
            80..85 => Some((self.random.millis(0, 2_000), 0)),
            85..95 => Some((self.random.millis(0, 20_000), 1)),
            _ => Some((self.random.millis(0, 500), 137)),
        };
        Fate {
            ready_after,
            ends,
            stubborn: self.random.chance(10),
        }
    }

    pub(super) fn start_containers(
        &mut self,
        pod: &PodName,
        generation: u64,
    ) -> Result<(), RuntimeError> {
        let refused = |message: &str| RuntimeError::Refused {
            status: 500,
            message: message.to_owned(),
        };
        let model = self
            .podman
            .pods
            .get(pod)
            .filter(|model| model.generation == generation)
            .ok_or_else(|| refused("no such pod"))?;
        let taken = self.podman.pods.iter().any(|(name, other)| {
            name != pod
                && other.runs()
                && other.spec.published_ports().any(|theirs| {
                    model
                        .spec
                        .published_ports()
                        .any(|ours| ours.collides_with(&theirs))
                })
        });
        if taken {
            return Err(refused("address already in use"));
        }
        let count = model.containers.len();
        for index in 0..count {
            self.run_container(pod, index);
        }
        self.signal(&RuntimeSignal::Changed);
        Ok(())
    }

    pub(super) fn run_container(&mut self, pod: &PodName, index: usize) {
        let (now, clock) = (self.now, self.clock());
        let Some(model) = self.podman.pods.get_mut(pod) else {
            return;
        };
        model.stopping = false;
        model.changed_at = now;
        if !model.alive() {
            model.started_at = now;
            // Podman 4 keeps no limit that was set while a container ran.
            model.throttled = None;
        }
        if let Some(after) = model.fate.ready_after {
            model.ready_at = Some(later(now, after));
        }
        let container = &mut model.containers[index];
        container.run += 1;
        container.state = ContainerState::Running { since: clock };
        if let Some((after, code)) = model.fate.ends {
            let die = Inside::Die(pod.clone(), model.generation, index, container.run, code);
            self.after(after, Happening::Podman(die));
        }
    }

    /// `podman pod start` of a pod that is there and does not run.
    pub(in crate::engine::simulation) fn start_from_outside(&mut self, pod: &PodName) -> bool {
        let Some(model) = self.podman.pods.get(pod).filter(|model| {
            !model.runs()
                && !model
                    .containers
                    .iter()
                    .any(|container| container.state == ContainerState::Stopping)
        }) else {
            return false;
        };
        let generation = model.generation;
        self.start_containers(pod, generation).is_ok()
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).expect("a time in this millennium")
}
