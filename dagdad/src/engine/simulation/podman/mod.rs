//! The model of the runtime: pods of one or two containers that take time to come up, end,
//! loop, hang, and go on whether or not the daemon lives.

mod easing;
mod ending;
mod pod;
mod starting;

use std::collections::BTreeMap;

pub(super) use self::easing::Eased;
pub(super) use self::pod::ModelPod;
use super::super::effect::{Action, Easing};
use super::super::event::EffectResult;
use super::calls::Call;
use super::{Happening, World};
use crate::domain::name::PodName;
use crate::domain::observed::{ContainerState, ObservedPod, RuntimeSignal};

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

/// What goes on inside the runtime.
#[derive(Debug, Clone)]
pub(super) enum Inside {
    Execute(Call, Action, bool),
    StartContainers(PodName, u64, Option<Call>),
    Die(PodName, u64, usize, u64, i32),
    Restart(PodName, u64, usize, u64),
    Ended(PodName, u64, Option<Call>),
    Unpause(PodName, u64),
    Ease(Eased, Easing, bool),
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
            Inside::Ease(eased, easing, answers) => self.carry_out(eased, easing, answers),
            Inside::Unpause(pod, generation) => self.unpause(&pod, generation),
        }
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

    fn unpause(&mut self, pod: &PodName, generation: u64) {
        let (now, clock) = (self.now, self.clock());
        if let Some(model) = self
            .podman
            .pods
            .get_mut(pod)
            .filter(|model| model.generation == generation)
        {
            model.changed_at = now;
            for container in &mut model.containers {
                if container.state == ContainerState::Paused {
                    container.state = ContainerState::Running { since: clock };
                }
            }
            self.signal(&RuntimeSignal::Changed);
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
