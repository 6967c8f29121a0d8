//! `dagdactl pods list --json` and `dagdactl pods stats --json`; with `--watch` the same
//! document once a line.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::{rounded, time, word};

word! {
    /// Whether economy mode may stop the pod.
    CategoryView from Category { Essential = "essential", Optional = "optional" }
}

word! {
    /// A pod's state as one word.
    PodStateView from PodState {
        Stopped = "stopped",
        Starting = "starting",
        Running = "running",
        Stopping = "stopping",
        Error = "error",
    }
}

/// `{"pods":[…]}`, in dagdad's order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodListView {
    /// The pods.
    pub pods: Vec<PodView>,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodView {
    /// Its name.
    pub name: String,
    /// `essential` or `optional`; `null` for an unmanaged pod.
    pub category: Option<CategoryView>,
    /// 0 to 100; `null` for an unmanaged pod.
    pub priority: Option<u32>,
    /// `stopped`, `starting`, `running`, `stopping` or `error`.
    pub state: PodStateView,
    /// Whether it runs and does its work.
    pub ready: bool,
    /// Since when it has been in this state.
    pub since: Option<Timestamp>,
    /// CPU in percent of one core; `null` while it does not run or has not been measured.
    pub cpu_percent: Option<f64>,
    /// Memory; `null` as above.
    pub ram_bytes: Option<u64>,
    /// Of it, anonymous: what only swap or the pod's end frees.
    pub ram_anon_bytes: Option<u64>,
    /// Of it, file-backed: page cache, mapped model weights.
    pub ram_file_bytes: Option<u64>,
    /// Of what is file-backed, mapped: the pod would be slow without it.
    pub ram_mapped_bytes: Option<u64>,
    /// What it receives and sends; `null` as above.
    pub network_bytes_per_second: Option<f64>,
    /// Ports that it publishes.
    pub ports: Vec<PortView>,
    /// Its manifest was changed after it was started; a restart makes it use the new one.
    pub changed: bool,
    /// False for a pod that only Podman knows.
    pub managed: bool,
    /// Why it is in this state, where there is more to say.
    pub message: Option<String>,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PortView {
    /// The address on the host; `null` for every address.
    pub host_ip: Option<String>,
    /// The port on the host.
    pub host_port: u32,
    /// The port inside the pod.
    pub container_port: u32,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// `{"pods":[…]}` of `pods stats`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatsView {
    /// The pods that run, or those that were asked for.
    pub pods: Vec<PodStatsView>,
}

/// What a pod uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodStatsView {
    /// Its name.
    pub name: String,
    /// As in [`PodView`].
    pub state: PodStateView,
    /// CPU in percent of one core; `null` while it does not run or has not been measured.
    pub cpu_percent: Option<f64>,
    /// Memory; `null` as above.
    pub ram_bytes: Option<u64>,
    /// Of it, anonymous.
    pub ram_anon_bytes: Option<u64>,
    /// Of it, file-backed.
    pub ram_file_bytes: Option<u64>,
    /// Of what is file-backed, mapped.
    pub ram_mapped_bytes: Option<u64>,
}

impl From<v1::ListPodsResponse> for PodListView {
    fn from(wire: v1::ListPodsResponse) -> Self {
        let v1::ListPodsResponse { pods } = wire;
        Self {
            pods: pods.into_iter().map(PodView::from).collect(),
        }
    }
}

impl From<v1::Pod> for PodView {
    fn from(wire: v1::Pod) -> Self {
        let v1::Pod {
            name,
            managed,
            category,
            priority,
            state,
            ready,
            since,
            usage,
            ports,
            changed,
            message,
        } = wire;
        let measured = usage.is_some();
        let v1::Usage {
            cpu_percent,
            ram_bytes,
            ram_anon_bytes,
            ram_file_bytes,
            ram_mapped_bytes,
            network_bytes_per_second,
        } = usage.unwrap_or_default();
        Self {
            name,
            category: managed.then(|| CategoryView::from_wire(category)),
            priority: managed.then_some(priority),
            state: PodStateView::from_wire(state),
            ready,
            since: since.and_then(time),
            cpu_percent: measured.then_some(rounded(cpu_percent)),
            ram_bytes: measured.then_some(ram_bytes),
            ram_anon_bytes: measured.then_some(ram_anon_bytes),
            ram_file_bytes: measured.then_some(ram_file_bytes),
            ram_mapped_bytes: measured.then_some(ram_mapped_bytes),
            network_bytes_per_second: measured.then_some(rounded(network_bytes_per_second)),
            ports: ports.into_iter().map(PortView::from).collect(),
            changed,
            managed,
            message,
        }
    }
}

impl From<v1::Port> for PortView {
    fn from(wire: v1::Port) -> Self {
        let v1::Port {
            host_ip,
            host_port,
            container_port,
            protocol,
        } = wire;
        let host_ip = (!host_ip.is_empty()).then_some(host_ip);
        Self {
            host_ip,
            host_port,
            container_port,
            protocol,
        }
    }
}

impl From<PodView> for PodStatsView {
    fn from(pod: PodView) -> Self {
        let PodView {
            name,
            state,
            cpu_percent,
            ram_bytes,
            ram_anon_bytes,
            ram_file_bytes,
            ram_mapped_bytes,
            ..
        } = pod;
        Self {
            name,
            state,
            cpu_percent,
            ram_bytes,
            ram_anon_bytes,
            ram_file_bytes,
            ram_mapped_bytes,
        }
    }
}
