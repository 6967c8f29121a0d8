//! The model of the runtime: pods of one or two containers that take time to come up, end,
//! loop, hang, and go on whether or not the daemon lives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::effect::Action;
use super::super::event::EffectResult;
use super::calls::Call;
use super::{Happening, World};
use crate::domain::catalogue::RenderedPod;
use crate::domain::name::PodName;
use crate::domain::observed::{
    ContainerState, ObservedContainer, ObservedPod, PodCondition, RuntimeSignal,
};
use crate::domain::pod::{PodSpec, RestartPolicy};
use crate::ports::RuntimeError;

#[derive(Debug, Default)]
pub(super) struct Podman {
    pub(super) pods: BTreeMap<PodName, ModelPod>,
    pub(super) mood: Mood,
    generations: u64,
}

/// How the runtime answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Well,
    /// Calls time out; half of them are carried out all the same, later.
    Hung,
    /// Calls are refused; containers run on.
    Gone,
}

#[derive(Debug)]
pub(super) struct ModelPod {
    generation: u64,
    created_at: Timestamp,
    spec: PodSpec,
    fate: Fate,
    containers: Vec<ModelContainer>,
    /// Told to stop: Podman does not restart its containers any more.
    stopping: bool,
    /// Its checks hold from here on.
    ready_at: Option<Timestamp>,
    pub(super) changed_at: Timestamp,
}

#[derive(Debug)]
struct ModelContainer {
    name: String,
    state: ContainerState,
    run: u64,
}

/// What becomes of a pod's containers each time they are started.
#[derive(Debug, Clone, Copy)]
struct Fate {
    ready_after: Option<Duration>,
    ends: Option<(Duration, i32)>,
    /// Ignores the stop signal.
    stubborn: bool,
}

/// What goes on inside the runtime.
#[derive(Debug, Clone)]
pub(super) enum Inside {
    Execute(Call, Action, bool),
    StartContainers(PodName, u64, Option<Call>),
    Die(PodName, u64, usize, u64, i32),
    Restart(PodName, u64, usize, u64),
    Ended(PodName, u64, Option<Call>),
    Unpause(PodName, u64),
}

impl ModelPod {
    pub(super) fn runs(&self) -> bool {
        self.containers.iter().any(|container| {
            matches!(
                container.state,
                ContainerState::Running { .. } | ContainerState::Paused
            )
        })
    }

    pub(super) fn ready(&self, now: Timestamp) -> bool {
        self.condition_running_whole() && self.ready_at.is_some_and(|at| at <= now)
    }

    pub(super) fn condition_running_whole(&self) -> bool {
        matches!(
            self.observed("").condition(),
            PodCondition::Running { whole: true, .. }
        )
    }

    fn observed(&self, name: &str) -> ObservedPod {
        ObservedPod {
            id: self.generation.to_string(),
            name: name.to_owned(),
            created_at: self.created_at,
            containers: self
                .containers
                .iter()
                .map(|container| ObservedContainer {
                    id: format!("{}-{}", self.generation, container.name),
                    name: container.name.clone(),
                    image: "model".to_owned(),
                    init: false,
                    state: container.state.clone(),
                    restarts: u32::try_from(container.run).unwrap_or(u32::MAX),
                })
                .collect(),
            ports: self.spec.published_ports().collect(),
            cgroup: None,
        }
    }
}

impl World {
    pub(super) fn inside(&mut self, inside: Inside) {
        match inside {
            Inside::Execute(call, action, answers) => self.execute(call, action, answers),
            Inside::StartContainers(pod, generation, call) => {
                let result = self.start_containers(&pod, generation);
                self.reply(call, EffectResult::Played(result));
            }
            Inside::Die(pod, generation, index, run, code) => {
                self.die(&pod, generation, index, run, code);
            }
            Inside::Restart(pod, generation, index, run) => {
                let current = self.podman.pods.get(&pod).is_some_and(|model| {
                    model.generation == generation
                        && !model.stopping
                        && model.containers[index].run == run
                });
                if current {
                    self.run_container(&pod, index);
                    self.signal(&RuntimeSignal::Changed);
                }
            }
            Inside::Ended(pod, generation, call) => {
                self.end_containers(&pod, generation);
                self.reply(call, EffectResult::Stopped(Ok(())));
            }
            Inside::Unpause(pod, generation) => {
                let now = self.now;
                if let Some(model) = self
                    .podman
                    .pods
                    .get_mut(&pod)
                    .filter(|model| model.generation == generation)
                {
                    model.changed_at = now;
                    for container in &mut model.containers {
                        if container.state == ContainerState::Paused {
                            container.state = ContainerState::Running { since: now };
                        }
                    }
                    self.signal(&RuntimeSignal::Changed);
                }
            }
        }
    }

    pub(super) fn play(&mut self, pod: &PodName, rendered: &Arc<RenderedPod>, call: Option<Call>) {
        if self.podman.pods.get(pod).is_some_and(ModelPod::runs) {
            let error = RuntimeError::AlreadyRunning {
                pod: pod.to_string(),
            };
            return self.reply(call, EffectResult::Played(Err(error)));
        }
        if self.podman.pods.remove(pod).is_some() {
            self.signal(&RuntimeSignal::StopRequested {
                pod: pod.to_string(),
            });
        }
        // Whoever asked for the start asked for this, however late.
        self.stopped_by_people.remove(pod);
        self.podman.generations += 1;
        let generation = self.podman.generations;
        let fate = self.fate();
        let spec = rendered.spec.clone();
        let containers = spec
            .containers
            .iter()
            .map(|container| ModelContainer {
                name: container.name.clone(),
                state: ContainerState::Created,
                run: 0,
            })
            .collect();
        self.podman.pods.insert(
            pod.clone(),
            ModelPod {
                generation,
                created_at: self.now,
                spec,
                fate,
                containers,
                stopping: false,
                ready_at: None,
                changed_at: self.now,
            },
        );
        self.signal(&RuntimeSignal::Changed);
        let latency = self.random.millis(50, 400);
        let start = Inside::StartContainers(pod.clone(), generation, call);
        self.after(latency, Happening::Podman(start));
    }

    fn fate(&mut self) -> Fate {
        let ready_after = (!self.random.chance(8)).then(|| self.random.millis(0, 20_000));
        let ends = match self.random.below(100) {
            _ if self.gentle => None,
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

    fn start_containers(&mut self, pod: &PodName, generation: u64) -> Result<(), RuntimeError> {
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

    fn run_container(&mut self, pod: &PodName, index: usize) {
        let now = self.now;
        let Some(model) = self.podman.pods.get_mut(pod) else {
            return;
        };
        model.stopping = false;
        model.changed_at = now;
        if let Some(after) = model.fate.ready_after {
            model.ready_at = Some(later(now, after));
        }
        let container = &mut model.containers[index];
        container.run += 1;
        container.state = ContainerState::Running { since: now };
        if let Some((after, code)) = model.fate.ends {
            let die = Inside::Die(pod.clone(), model.generation, index, container.run, code);
            self.after(after, Happening::Podman(die));
        }
    }

    pub(super) fn die(
        &mut self,
        pod: &PodName,
        generation: u64,
        index: usize,
        run: u64,
        code: i32,
    ) {
        let now = self.now;
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
            at: now,
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
    pub(super) fn stop_pod(&mut self, pod: &PodName, grace: Duration, call: Option<Call>) {
        let Some(model) = self.podman.pods.get_mut(pod) else {
            return self.reply(call, EffectResult::Stopped(Ok(())));
        };
        model.stopping = true;
        if !model.runs() {
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

    fn end_containers(&mut self, pod: &PodName, generation: u64) {
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
        });
    }

    pub(super) fn remove_pod(&mut self, pod: &PodName) {
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
        });
        self.signal(&RuntimeSignal::Changed);
    }

    /// `podman pod start` of a pod that is there and does not run.
    pub(super) fn start_from_outside(&mut self, pod: &PodName) -> bool {
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

    /// Somebody's container is killed, without a word to Podman.
    pub(super) fn crash(&mut self, pod: &PodName, code: i32) {
        let Some(model) = self.podman.pods.get(pod) else {
            return;
        };
        let (generation, run) = (model.generation, model.containers[0].run);
        self.die(pod, generation, 0, run, code);
    }

    pub(super) fn pause(&mut self, pod: &PodName) {
        let now = self.now;
        let Some(model) = self.podman.pods.get_mut(pod) else {
            return;
        };
        model.changed_at = now;
        for container in &mut model.containers {
            if matches!(container.state, ContainerState::Running { .. }) {
                container.state = ContainerState::Paused;
            }
        }
        let generation = model.generation;
        let latency = self.random.millis(10, 60_000);
        self.signal(&RuntimeSignal::Changed);
        self.after(
            latency,
            Happening::Podman(Inside::Unpause(pod.clone(), generation)),
        );
    }

    /// The machine loses its power: nothing runs, nobody is told.
    pub(super) fn power_cut(&mut self) {
        let now = self.now;
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
                        at: now,
                        oom_killed: false,
                    };
                }
            }
        }
    }

    pub(super) fn observed(&self) -> Vec<ObservedPod> {
        self.podman
            .pods
            .iter()
            .map(|(name, model)| model.observed(name.as_str()))
            .collect()
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).expect("a time in this millennium")
}
