//! What a manifest asks for, reduced to what Dagda decides by. The manifest itself goes to
//! Podman unreduced.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::name::PodName;
use super::quantity::{Bytes, Millicpu};

/// Kubernetes' default for `terminationGracePeriodSeconds`.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(30);

/// Where `dagda/idle-timeout` says nothing.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_mins(10);

/// Whether economy mode may stop a pod (`dagda/category`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Category {
    /// Never stopped by economy mode.
    Essential,
    /// The default: may be shed.
    #[default]
    Optional,
}

/// `dagda/priority`: 0 to 100; among optional pods the lowest is shed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// The highest priority there is.
    pub const MAX: u8 = 100;

    /// `None` above [`Priority::MAX`].
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= Self::MAX {
            Some(Self(value))
        } else {
            None
        }
    }

    /// As a number, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(50)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a pod is expected to use: the sum over its containers of `resources.requests`,
/// else `limits`, else [`Footprint::DEFAULT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Memory in bytes.
    pub memory: Bytes,
    /// CPU in thousandths of a core.
    pub cpu: Millicpu,
}

impl Footprint {
    /// Assumed for a container that declares nothing: 512 MiB and one core.
    pub const DEFAULT: Self = Self {
        memory: Bytes::mib(512),
        cpu: Millicpu(1000),
    };

    /// CPU use in percent of one core as an amount of CPU, rounded.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the range is checked
    pub fn of_cpu_percent(percent: f64) -> Millicpu {
        Millicpu((percent * 10.0).round().clamp(0.0, 1e15) as u64)
    }
}

/// A pod of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct PodSpec {
    /// `metadata.name`.
    pub name: PodName,
    /// `dagda/category`.
    pub category: Category,
    /// `dagda/priority`.
    pub priority: Priority,
    /// `dagda/after`: pods that come before this one where both run.
    pub after: Vec<PodName>,
    /// `dagda/freeze`: economy mode may pause it instead of stopping it.
    pub freeze: bool,
    /// `dagda/idle-timeout`, else [`DEFAULT_IDLE_TIMEOUT`]: it counts as idle once it has had no
    /// CPU and no network traffic to speak of for so long.
    pub idle_timeout: Duration,
    /// What it is expected to use, as declared.
    pub footprint: Footprint,
    /// `spec.terminationGracePeriodSeconds`, else [`DEFAULT_GRACE`].
    pub grace: Duration,
    /// `spec.restartPolicy`.
    pub restart_policy: RestartPolicy,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// `spec.initContainers`, in order.
    pub init_containers: Vec<ContainerSpec>,
    /// `spec.containers`, in order; at least one.
    pub containers: Vec<ContainerSpec>,
}

impl PodSpec {
    /// Every port the pod publishes on the host.
    pub fn published_ports(&self) -> impl Iterator<Item = PublishedPort> {
        let host_network = self.host_network;
        self.containers
            .iter()
            .flat_map(|container| &container.ports)
            .filter_map(move |port| {
                let host_port = port
                    .host_port
                    .or(host_network.then_some(port.container_port))?;
                Some(PublishedPort {
                    host_ip: port.host_ip,
                    host_port,
                    container_port: port.container_port,
                    protocol: port.protocol,
                })
            })
    }

    /// The image of every container, init containers first, each once.
    #[must_use]
    pub fn images(&self) -> Vec<(String, PullPolicy)> {
        let mut images: Vec<(String, PullPolicy)> = Vec::new();
        for container in self.init_containers.iter().chain(&self.containers) {
            let image = (container.image.clone(), container.pull_policy);
            if !images.contains(&image) {
                images.push(image);
            }
        }
        images
    }

    /// What must hold before the pod counts as ready, in the order it is checked.
    ///
    /// Every container's `readinessProbe`; for a pod that has none, each published TCP port
    /// that must accept; for a pod with neither, nothing: running is enough.
    #[must_use]
    pub fn readiness(&self) -> Vec<Readiness> {
        let probes: Vec<Readiness> = self
            .containers
            .iter()
            .filter_map(|container| {
                let probe = container.readiness.clone()?;
                Some(Readiness::Probe {
                    container: container.name.clone(),
                    probe,
                })
            })
            .collect();
        if !probes.is_empty() {
            return probes;
        }
        self.published_ports()
            .filter(|port| port.protocol == Protocol::Tcp)
            .map(|port| Readiness::Accepts { port })
            .collect()
    }
}

/// One container of a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerSpec {
    /// `name`, unique in the pod.
    pub name: String,
    /// `image`, as written.
    pub image: String,
    /// `imagePullPolicy`.
    pub pull_policy: PullPolicy,
    /// `ports`.
    pub ports: Vec<PortSpec>,
    /// `readinessProbe`.
    pub readiness: Option<Probe>,
    /// `resources.limits.memory`.
    pub memory_limit: Option<Bytes>,
    /// `resources.limits.cpu`.
    pub cpu_limit: Option<Millicpu>,
}

/// When an image is pulled before a start (`imagePullPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PullPolicy {
    /// At each start.
    Always,
    /// Where the machine does not have it.
    IfNotPresent,
    /// Never: a missing image fails the start.
    Never,
}

/// `spec.restartPolicy`: what Podman does when a container ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RestartPolicy {
    /// Kubernetes' default.
    #[default]
    Always,
    /// Only after a non-zero exit.
    OnFailure,
    /// Never.
    Never,
}

/// A transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum Protocol {
    /// The default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// One entry of a container's `ports`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortSpec {
    /// `name`, which probes may refer to.
    pub name: Option<String>,
    /// `containerPort`.
    pub container_port: u16,
    /// `hostPort`; `None` where the port is not published.
    pub host_port: Option<u16>,
    /// `hostIP`; `None` is every address.
    pub host_ip: Option<IpAddr>,
    /// `protocol`.
    pub protocol: Protocol,
}

/// A port that a pod takes on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublishedPort {
    /// `None` is every address.
    pub host_ip: Option<IpAddr>,
    /// The port on the host.
    pub host_port: u16,
    /// The port inside the pod.
    pub container_port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

impl PublishedPort {
    /// Whether both cannot be published at once.
    #[must_use]
    pub fn collides_with(&self, other: &Self) -> bool {
        let any = |ip: Option<IpAddr>| ip.is_none_or(|ip| ip.is_unspecified());
        self.host_port == other.host_port
            && self.protocol == other.protocol
            && (any(self.host_ip) || any(other.host_ip) || self.host_ip == other.host_ip)
    }
}

/// One thing that must hold before a pod is ready.
#[derive(Debug, Clone, PartialEq)]
pub enum Readiness {
    /// A container's own probe.
    Probe {
        /// The container it belongs to.
        container: String,
        /// What to ask.
        probe: Probe,
    },
    /// A published TCP port accepts a connection and keeps it.
    Accepts {
        /// The port.
        port: PublishedPort,
    },
}

/// A Kubernetes `readinessProbe`.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// What is asked.
    pub action: ProbeAction,
    /// `initialDelaySeconds`: not asked before.
    pub initial_delay: Duration,
    /// `periodSeconds`, 10 s by default.
    pub period: Duration,
    /// `timeoutSeconds`, 1 s by default.
    pub timeout: Duration,
    /// `successThreshold`, at least 1.
    pub success_threshold: u32,
    /// `failureThreshold`, 3 by default: failures in a row until a ready pod is not.
    pub failure_threshold: u32,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAction {
    /// `httpGet`: an answer of 200 to 399 is a success.
    HttpGet {
        /// Path and query, beginning with `/`.
        path: String,
        /// Port inside the pod (names are resolved by the parser).
        port: u16,
        /// Sent as they are; `Host` replaces the default.
        headers: Vec<(String, String)>,
        /// `httpGet.host`; the pod itself where absent.
        host: Option<String>,
    },
    /// `tcpSocket`: a connection is a success.
    TcpSocket {
        /// Port inside the pod.
        port: u16,
        /// `tcpSocket.host`; the pod itself where absent.
        host: Option<String>,
    },
    /// `exec`: exit code 0 is a success.
    Exec {
        /// Program and arguments, run inside the container.
        command: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(ip: Option<&str>, host_port: u16) -> PublishedPort {
        PublishedPort {
            host_ip: ip.map(|ip| ip.parse().unwrap()),
            host_port,
            container_port: 80,
            protocol: Protocol::Tcp,
        }
    }

    #[test]
    fn ports_collide_on_one_address_or_on_any() {
        assert!(port(None, 80).collides_with(&port(Some("127.0.0.1"), 80)));
        assert!(port(Some("0.0.0.0"), 80).collides_with(&port(Some("127.0.0.1"), 80)));
        assert!(!port(Some("127.0.0.2"), 80).collides_with(&port(Some("127.0.0.1"), 80)));
        assert!(!port(None, 81).collides_with(&port(None, 80)));
    }
}
