//! What Podman's events mean for Dagda.
//!
//! Measured with Podman 4.3.1 on pods made by `play kube`, in this order (`c` is a regular
//! container, `infra` the pod's own):
//!
//! | what happens | events |
//! | --- | --- |
//! | `podman pod stop` | pod `stop`; infra `died`; c `died`, `cleanup`, `cleanup`; then several more pod `stop` |
//! | `podman pod kill` | pod `kill`; c and infra `kill`, `died`, `cleanup`; pod `stop` |
//! | `podman pod rm -f` | (c `stop`;) c `died`, `remove`; infra `died`, `remove`; up to 3 s later pod `remove` |
//! | `podman pod restart` | c `restart`, `died`, `init`, `start`; pod `stop`; pod `start` |
//! | `podman stop c` | c `stop` (often missing), `died`, `cleanup`, `cleanup`; if c was the last one: pod `stop`, infra `died` |
//! | `podman kill c` | c `kill`, `died`, `cleanup`; then as above |
//! | c ends, not restarted | c `died`, `cleanup`; if c was the last one: pod `stop`, infra `died` |
//! | c ends, restarted by its policy | c `died`, `restart`, `init`, `start`, once each time, without pause or end |
//! | killed for want of memory | as any end, exit code 137; there is no event of its own |
//! | a process in `podman exec` | c `exec`, `exec_died` |
//!
//! So a pod `stop` alone says nothing: Podman also stops a pod whose last container ended by
//! itself (the pod's exit policy). On a busy machine the order says nothing either: what is asked
//! for may be reported after the containers died of it, and what Podman does by itself before it
//! reports the `cleanup` that led to it. Two things are sure: a pod or its infra container that
//! stops while a regular container runs was told to, and so was a container that is cleaned up
//! behind twice, by whoever stopped it and by the process that its monitor starts at its end.
//! A `podman pod restart` counts as asked for too; the `start` behind it says that the pod lives.
//! `died` carries the exit code but no pod; containers are known by their ids.

use std::collections::HashMap;

use super::list::Listing;
use super::wire;
use crate::domain::observed::RuntimeSignal;

/// Knows pods and containers well enough to read events.
#[derive(Debug, Default)]
pub struct Tracker {
    /// Pod names by id.
    pods: HashMap<String, String>,
    /// Containers in pods, by id.
    containers: HashMap<String, Tracked>,
}

#[derive(Debug)]
struct Tracked {
    pod_id: String,
    /// Podman's name, `POD-NAME`.
    name: String,
    infra: bool,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Created,
    Running,
    /// Nobody was seen to clean up behind it.
    Died,
    /// Once so far.
    CleanedUp,
}

impl Tracker {
    /// Begins with what a listing shows.
    pub fn new(listing: &Listing) -> Self {
        let pods = listing
            .pods
            .iter()
            .map(|pod| (pod.id.clone(), pod.name.clone()))
            .collect();
        let containers = listing
            .containers
            .iter()
            .filter(|container| !container.pod.is_empty())
            .map(|container| {
                let tracked = Tracked {
                    pod_id: container.pod.clone(),
                    name: container.names.first().cloned().unwrap_or_default(),
                    infra: container.is_infra,
                    phase: match container.state.as_str() {
                        "running" | "paused" | "stopping" => Phase::Running,
                        "stopped" | "exited" | "removing" => Phase::Died,
                        _ => Phase::Created,
                    },
                };
                (container.id.clone(), tracked)
            })
            .collect();
        Self { pods, containers }
    }

    /// Takes note of `event` and says what it means.
    pub fn apply(&mut self, event: &wire::Event) -> Vec<RuntimeSignal> {
        match event.kind.as_str() {
            "pod" => self.apply_to_pod(event),
            "container" => self.apply_to_container(event),
            _ => Vec::new(),
        }
    }

    fn apply_to_pod(&mut self, event: &wire::Event) -> Vec<RuntimeSignal> {
        let id = &event.actor.id;
        if let Some(name) = event.attribute("name") {
            self.pods.insert(id.clone(), name.to_owned());
        }
        let mut signals = Vec::new();
        let asked_for = match event.action.as_str() {
            "stop" => self.runs(id),
            "kill" | "remove" => true,
            _ => false,
        };
        if asked_for {
            signals.extend(self.stop_requested(id));
        }
        if event.action == "remove" {
            self.pods.remove(id);
            self.containers
                .retain(|_, container| container.pod_id != *id);
        }
        signals.push(RuntimeSignal::Changed);
        signals
    }

    fn apply_to_container(&mut self, event: &wire::Event) -> Vec<RuntimeSignal> {
        let id = &event.actor.id;
        match event.action.as_str() {
            "create" => {
                let Some(tracked) = Tracked::new(event) else {
                    return Vec::new();
                };
                self.containers.insert(id.clone(), tracked);
                vec![RuntimeSignal::Changed]
            }
            "start" => self.enter(id, Phase::Running),
            "died" => {
                let mut signals: Vec<_> = self.died(event).into_iter().collect();
                signals.extend(self.pod_of_infra(id).and_then(|pod| {
                    let asked_for = self.runs(&pod);
                    asked_for.then(|| self.stop_requested(&pod))?
                }));
                signals.extend(self.enter(id, Phase::Died));
                signals
            }
            "cleanup" => {
                let again = self.phase(id) == Some(Phase::CleanedUp);
                let stopped = again.then(|| self.stopped(id)).flatten();
                let mut signals: Vec<_> = stopped.into_iter().collect();
                signals.extend(self.enter(id, Phase::CleanedUp));
                signals
            }
            "stop" | "kill" => self.stopped(id).into_iter().collect(),
            "remove" => {
                // An init container that is done is removed too, before the others start.
                let mut signals: Vec<_> = self
                    .request(id, |other| {
                        matches!(other.phase, Phase::Died | Phase::CleanedUp)
                    })
                    .into_iter()
                    .collect();
                if self.containers.remove(id).is_some() {
                    signals.push(RuntimeSignal::Changed);
                }
                signals
            }
            "pause" | "unpause" | "rename" | "oom" if self.containers.contains_key(id) => {
                vec![RuntimeSignal::Changed]
            }
            // `init` and `restart` precede a `start`; `exec` and health checks change no pod.
            _ => Vec::new(),
        }
    }

    fn enter(&mut self, id: &str, phase: Phase) -> Vec<RuntimeSignal> {
        match self.containers.get_mut(id) {
            Some(container) => {
                container.phase = phase;
                vec![RuntimeSignal::Changed]
            }
            None => Vec::new(),
        }
    }

    fn died(&self, event: &wire::Event) -> Option<RuntimeSignal> {
        let container = self
            .containers
            .get(&event.actor.id)
            .filter(|container| !container.infra)?;
        let pod = self.pods.get(&container.pod_id)?;
        let name = container
            .name
            .strip_prefix(pod.as_str())?
            .strip_prefix('-')?;
        Some(RuntimeSignal::Died {
            pod: pod.clone(),
            container: name.to_owned(),
            code: event
                .attribute("containerExitCode")
                .and_then(|code| code.parse().ok())?,
        })
    }

    fn phase(&self, id: &str) -> Option<Phase> {
        self.containers.get(id).map(|container| container.phase)
    }

    /// Somebody stopped the regular container `id`: if none of the others runs, the pod.
    fn stopped(&self, id: &str) -> Option<RuntimeSignal> {
        self.request(id, |other| other.phase != Phase::Running)
    }

    /// Somebody ended the regular container `id`: if none of the others is left, the pod.
    fn request(&self, id: &str, gone: impl Fn(&Tracked) -> bool) -> Option<RuntimeSignal> {
        let container = self
            .containers
            .get(id)
            .filter(|container| !container.infra)?;
        let last = self
            .containers
            .iter()
            .filter(|(other, tracked)| {
                other.as_str() != id && !tracked.infra && tracked.pod_id == container.pod_id
            })
            .all(|(_, tracked)| gone(tracked));
        if last {
            self.stop_requested(&container.pod_id)
        } else {
            None
        }
    }

    /// Whether one of the pod's regular containers does.
    fn runs(&self, pod_id: &str) -> bool {
        self.regular(pod_id)
            .any(|container| container.phase == Phase::Running)
    }

    /// The id of the pod whose infra container this is.
    fn pod_of_infra(&self, id: &str) -> Option<String> {
        let container = self.containers.get(id).filter(|it| it.infra)?;
        Some(container.pod_id.clone())
    }

    fn regular(&self, pod_id: &str) -> impl Iterator<Item = &Tracked> {
        self.containers
            .values()
            .filter(move |container| !container.infra && container.pod_id == pod_id)
    }

    fn stop_requested(&self, pod_id: &str) -> Option<RuntimeSignal> {
        let pod = self.pods.get(pod_id)?.clone();
        let id = pod_id.to_owned();
        Some(RuntimeSignal::StopRequested { pod, id })
    }
}

impl Tracked {
    /// From a `create` event; `None` for a container outside of pods.
    fn new(event: &wire::Event) -> Option<Self> {
        let pod_id = event.attribute("podId")?.to_owned();
        let name = event.attribute("name")?.to_owned();
        // `podman pod create` names it after the first 12 digits of the pod's id.
        let infra = name
            .strip_suffix("-infra")
            .is_some_and(|id| pod_id.starts_with(id));
        Some(Self {
            pod_id,
            name,
            infra,
            phase: Phase::Created,
        })
    }
}

impl wire::Event {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.actor
            .attributes
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
