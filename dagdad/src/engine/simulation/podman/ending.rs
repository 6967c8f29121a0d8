//! Containers that end: by themselves, because they are told to, with their pod, or with the
//! machine's power.

use std::time::Duration;

use super::super::calls::Call;
use super::super::{Happening, World};
use super::Inside;
use crate::domain::name::PodName;
use crate::domain::observed::{ContainerState, RuntimeSignal};
use crate::domain::pod::RestartPolicy;
use crate::engine::event::EffectResult;

impl World {
    pub(super) fn die(
        &mut self,
        pod: &PodName,
        generation: u64,
        index: usize,
        run: u64,
        code: i32,
    ) {
        let (now, clock) = (self.now, self.clock());
        let Some(model) = self
            .podman
            .pods
            .get_mut(pod)
            .filter(|model| model.generation == generation)
        else {
            return;
        };
        let policy = model.spec.restart_policy;
        let stopping = model.stopping;
        let container = &mut model.containers[index];
        if container.run != run
            || !matches!(
                container.state,
                ContainerState::Running { .. } | ContainerState::Paused | ContainerState::Stopping
            )
        {
            return;
        }
        container.state = ContainerState::Exited {
            code,
            at: clock,
            oom_killed: false,
        };
        model.changed_at = now;
        let died = RuntimeSignal::Died {
            pod: pod.to_string(),
            container: container.name.clone(),
            code,
        };
        self.signal(&died);
        let restarts = !stopping
            && match policy {
                RestartPolicy::Always => true,
                RestartPolicy::OnFailure => code != 0,
                RestartPolicy::Never => false,
            };
        if restarts {
            let latency = self.random.millis(10, 300);
            let restart = Inside::Restart(pod.clone(), generation, index, run);
            self.after(latency, Happening::Podman(restart));
        }
    }

    /// `podman pod stop`, by the daemon or by people.
    pub(in crate::engine::simulation) fn stop_pod(
        &mut self,
        pod: &PodName,
        grace: Duration,
        call: Option<Call>,
    ) {
        let Some(model) = self.podman.pods.get_mut(pod) else {
            return self.reply(call, EffectResult::Stopped(Ok(())));
        };
        model.stopping = true;
        // One that is being stopped already is waited for, as Podman does.
        if !model.alive() {
            return self.reply(call, EffectResult::Stopped(Ok(())));
        }
        for container in &mut model.containers {
            if matches!(
                container.state,
                ContainerState::Running { .. } | ContainerState::Paused
            ) {
                container.state = ContainerState::Stopping;
            }
        }
        let (generation, stubborn) = (model.generation, model.fate.stubborn);
        let takes = if stubborn {
            grace
        } else {
            self.random.millis(1, 2_000).min(grace)
        };
        let ended = Inside::Ended(pod.clone(), generation, call);
        self.after(takes, Happening::Podman(ended));
    }

    pub(super) fn end_containers(&mut self, pod: &PodName, generation: u64) {
        let code = self.random.pick(&[0, 143, 137]);
        let Some(model) = self
            .podman
            .pods
            .get(pod)
            .filter(|model| model.generation == generation)
        else {
            return;
        };
        let ending: Vec<(usize, u64)> = model
            .containers
            .iter()
            .enumerate()
            .filter(|(_, container)| container.state == ContainerState::Stopping)
            .map(|(index, container)| (index, container.run))
            .collect();
        for (index, run) in ending {
            self.die(pod, generation, index, run, code);
        }
        self.signal(&RuntimeSignal::StopRequested {
            pod: pod.to_string(),
            id: generation.to_string(),
        });
    }

    pub(in crate::engine::simulation) fn remove_pod(&mut self, pod: &PodName) {
        let Some(model) = self.podman.pods.get_mut(pod) else {
            return;
        };
        model.stopping = true;
        let generation = model.generation;
        let runs: Vec<u64> = model.containers.iter().map(|c| c.run).collect();
        for (index, run) in runs.into_iter().enumerate() {
            self.die(pod, generation, index, run, 137);
        }
        self.podman.pods.remove(pod);
        self.signal(&RuntimeSignal::StopRequested {
            pod: pod.to_string(),
            id: generation.to_string(),
        });
        self.signal(&RuntimeSignal::Changed);
    }

    /// Somebody's container is killed, without a word to Podman.
    pub(in crate::engine::simulation) fn crash(&mut self, pod: &PodName, code: i32) {
        let Some(model) = self.podman.pods.get(pod) else {
            return;
        };
        let (generation, run) = (model.generation, model.containers[0].run);
        self.die(pod, generation, 0, run, code);
    }

    /// The machine loses its power: nothing runs, nobody is told.
    pub(in crate::engine::simulation) fn power_cut(&mut self) {
        let (now, clock) = (self.now, self.clock());
        for model in self.podman.pods.values_mut() {
            model.changed_at = now;
            model.stopping = true;
            for container in &mut model.containers {
                container.run += 1;
                if !matches!(
                    container.state,
                    ContainerState::Created | ContainerState::Exited { .. }
                ) {
                    container.state = ContainerState::Exited {
                        code: 137,
                        at: clock,
                        oom_killed: false,
                    };
                }
            }
        }
    }
}
