//! What Podman runs: two calls for everything, and an inspection only of what they leave out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::cgroup;
use super::client::{Call, Client, encode};
use super::wire;
use crate::domain::observed::{ContainerState, ObservedContainer, ObservedPod};
use crate::domain::pod::{Protocol, PublishedPort};
use crate::ports::RuntimeError;

/// A container that ended stays `stopped` until Podman has cleaned up behind it, or has started
/// it again as its restart policy says: some 100 ms. After this long, nobody will.
const CLEANED_UP_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// A pod that publishes more ports than there are numbers publishes some of them twice over. A
/// row of ports takes a few bytes in a listing, and here as many as it has ports.
pub const MOST_PORTS: usize = 1 << 16;

/// Pods and containers, as one listing gave them.
#[derive(Debug)]
pub struct Listing {
    /// All pods.
    pub pods: Vec<wire::Pod>,
    /// All containers, those outside of pods included.
    pub containers: Vec<wire::Container>,
}

impl Listing {
    /// Asks Podman.
    pub async fn fetch(client: &Client, deadline: Duration) -> Result<Self, RuntimeError> {
        let what = "list the pods";
        let (pods, containers) = tokio::try_join!(
            client.read::<Option<Vec<_>>>(Call::get("/pods/json", what), deadline),
            client.read::<Option<Vec<_>>>(Call::get("/containers/json?all=true", what), deadline),
        )?;
        Ok(Self {
            pods: pods.unwrap_or_default(),
            containers: containers.unwrap_or_default(),
        })
    }

    /// The pod of this name and all its containers, the infra container included.
    pub fn pod(&self, name: &str) -> Option<(&wire::Pod, Vec<&wire::Container>)> {
        let pod = self.pods.iter().find(|pod| pod.name == name)?;
        Some((
            pod,
            self.containers
                .iter()
                .filter(|container| container.pod == pod.id)
                .collect(),
        ))
    }
}

impl wire::Container {
    /// The name in the manifest of pod `pod`: Podman's own is `POD-NAME`.
    pub fn manifest_name(&self, pod: &str) -> &str {
        let name = self.names.first().map_or("", String::as_str);
        name.strip_prefix(pod)
            .and_then(|rest| rest.strip_prefix('-'))
            .unwrap_or(name)
    }

    /// Whether its process runs or is paused.
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused")
    }

    /// Whether it has a process, or is about to have one, or to lose it.
    pub fn is_live(&self) -> bool {
        matches!(
            self.state.as_str(),
            "running" | "paused" | "stopping" | "stopped"
        )
    }
}

/// What inspections found, kept so that each is made once.
#[derive(Debug, Default)]
pub struct Inspected {
    /// By pod id.
    cgroups: Mutex<HashMap<String, Option<String>>>,
    /// By container id and end.
    oom_kills: Mutex<HashMap<(String, i64), bool>>,
    /// Names of init containers by pod name, as far as dagdad itself played them: no listing
    /// and no inspection tells them apart.
    init_containers: Mutex<HashMap<String, HashSet<String>>>,
}

impl Inspected {
    /// Remembers which containers of `pod` are init containers.
    pub fn remember_init(&self, pod: &str, names: impl Iterator<Item = String>) {
        locked(&self.init_containers).insert(pod.to_owned(), names.collect());
    }

    /// All pods, from `listing` and what had to be looked at besides.
    pub async fn observe(
        &self,
        client: &Client,
        listing: &Listing,
        deadline: Duration,
        now: Timestamp,
    ) -> Vec<ObservedPod> {
        let mut pods = Vec::with_capacity(listing.pods.len());
        for pod in &listing.pods {
            let containers: Vec<_> = listing
                .containers
                .iter()
                .filter(|container| container.pod == pod.id)
                .collect();
            let cgroup = self.cgroup(client, pod, &containers, deadline).await;
            let mut observed = Vec::with_capacity(containers.len());
            for container in containers.iter().filter(|container| !container.is_infra) {
                let oom_killed = self.oom_killed(client, container, deadline).await;
                let mut seen = self.container(pod, container, oom_killed, now);
                if process_is_gone(container, &containers, &pod.id) {
                    seen.state = ContainerState::Stopping;
                }
                observed.push(seen);
            }
            pods.push(ObservedPod {
                id: pod.id.clone(),
                name: pod.name.clone(),
                created_at: pod.created,
                containers: observed,
                ports: held_ports(&containers),
                cgroup,
            });
        }
        self.forget_all_but(listing);
        pods
    }

    fn container(
        &self,
        pod: &wire::Pod,
        container: &wire::Container,
        oom_killed: bool,
        now: Timestamp,
    ) -> ObservedContainer {
        let name = container.manifest_name(&pod.name);
        ObservedContainer {
            id: container.id.clone(),
            name: name.to_owned(),
            image: container.image.clone(),
            init: locked(&self.init_containers)
                .get(&pod.name)
                .is_some_and(|names| names.contains(name)),
            state: state(container, oom_killed, now),
            restarts: container.restarts,
        }
    }

    /// The cgroup of the pod called `name`.
    pub async fn cgroup_of(
        &self,
        client: &Client,
        listing: &Listing,
        name: &str,
        deadline: Duration,
    ) -> Result<String, RuntimeError> {
        let (pod, containers) = listing.pod(name).ok_or_else(|| no_such_pod(name))?;
        self.cgroup(client, pod, &containers, deadline)
            .await
            .ok_or_else(|| {
                RuntimeError::Unsupported(format!(
                    "pod {name} has no cgroup of its own that can be seen from here"
                ))
            })
    }

    /// The pod's own cgroup, known only while one of its processes runs.
    async fn cgroup(
        &self,
        client: &Client,
        pod: &wire::Pod,
        containers: &[&wire::Container],
        deadline: Duration,
    ) -> Option<String> {
        if let Some(known) = locked(&self.cgroups).get(&pod.id) {
            return known.clone();
        }
        let pid = containers
            .iter()
            .map(|container| container.pid)
            .find(|&pid| pid != 0)?;
        let found = if let Some(path) = cgroup::of_pod(pid, &pod.id) {
            Some(path)
        } else {
            // Podman's processes are out of sight from here; its own word has to do.
            let call = Call::get(format!("/pods/{}/json", encode(&pod.id)), "inspect the pod");
            let detail = client.read::<wire::PodDetail>(call, deadline).await.ok()?;
            (detail.create_cgroup && !detail.cgroup_path.is_empty())
                .then(|| format!("/{}", detail.cgroup_path.trim_start_matches('/')))
        };
        locked(&self.cgroups).insert(pod.id.clone(), found.clone());
        found
    }

    /// Whether the kernel killed a container that failed. Where nobody can tell, it did not.
    async fn oom_killed(
        &self,
        client: &Client,
        container: &wire::Container,
        deadline: Duration,
    ) -> bool {
        if container.state != "exited" || container.exit_code == 0 {
            return false;
        }
        let key = (container.id.clone(), container.exited_at);
        if let Some(&known) = locked(&self.oom_kills).get(&key) {
            return known;
        }
        let path = format!("/containers/{}/json", encode(&container.id));
        let call = Call::get(path, "inspect the container");
        let Ok(detail) = client.read::<wire::ContainerDetail>(call, deadline).await else {
            return false;
        };
        locked(&self.oom_kills).insert(key, detail.state.oom_killed);
        detail.state.oom_killed
    }

    fn forget_all_but(&self, listing: &Listing) {
        let pods: HashSet<&str> = listing.pods.iter().map(|pod| pod.id.as_str()).collect();
        locked(&self.cgroups).retain(|id, _| pods.contains(id.as_str()));
        let containers: HashSet<&str> = listing
            .containers
            .iter()
            .map(|container| container.id.as_str())
            .collect();
        locked(&self.oom_kills).retain(|(id, _), _| containers.contains(id.as_str()));
    }
}

/// What is answered for a pod that is not there.
pub fn no_such_pod(name: &str) -> RuntimeError {
    RuntimeError::NotFound {
        what: format!("pod {name}"),
    }
}

/// The value in `mutex`; nothing that holds one of these can panic half-way.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn state(container: &wire::Container, oom_killed: bool, now: Timestamp) -> ContainerState {
    let at = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let exited = || ContainerState::Exited {
        code: container.exit_code,
        at: at(container.exited_at),
        oom_killed,
    };
    match container.state.as_str() {
        "running" => ContainerState::Running {
            since: at(container.started_at),
        },
        "paused" => ContainerState::Paused,
        "exited" => exited(),
        "stopped" if now.duration_since(at(container.exited_at)) > CLEANED_UP_WITHIN => exited(),
        "stopped" | "stopping" | "removing" => ContainerState::Stopping,
        _ => ContainerState::Created,
    }
}

/// Whether a container that Podman still calls running has ended. Podman learns of it some
/// 100 ms later, from conmon. Believed only where the pod's other processes are to be seen from
/// here, which they are not from within another container.
fn process_is_gone(
    container: &wire::Container,
    siblings: &[&wire::Container],
    pod_id: &str,
) -> bool {
    let gone = |pid: u32| !Path::new(&format!("/proc/{pid}")).exists();
    container.state == "running"
        && container.pid != 0
        && gone(container.pid)
        && siblings
            .iter()
            .any(|infra| infra.is_infra && cgroup::of_pod(infra.pid, pod_id).is_some())
}

/// The host ports of a pod, at most [`MOST_PORTS`]: those of its infra container, while that
/// runs or is paused.
pub fn held_ports(containers: &[&wire::Container]) -> Vec<PublishedPort> {
    containers
        .iter()
        .filter(|container| container.is_infra && container.is_running())
        .flat_map(|infra| &infra.ports)
        .flat_map(published)
        .take(MOST_PORTS)
        .collect()
}

fn published(mapping: &wire::PortMapping) -> impl Iterator<Item = PublishedPort> {
    let protocols: BTreeSet<Protocol> = mapping
        .protocol
        .split(',')
        .map(|protocol| match protocol {
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => Protocol::Tcp,
        })
        .collect();
    protocols.into_iter().flat_map(move |protocol| {
        (0..mapping.range.max(1)).filter_map(move |offset| {
            Some(PublishedPort {
                host_ip: mapping.host_ip.parse().ok(),
                host_port: mapping.host_port.checked_add(offset)?,
                container_port: mapping.container_port.checked_add(offset)?,
                protocol,
            })
        })
    })
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
