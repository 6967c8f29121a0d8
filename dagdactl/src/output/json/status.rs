//! `dagdactl status --json`, and with `--watch` the same document once a line.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::{rounded, time, word};

word! {
    /// When economy mode acts.
    EconomyPolicyView from EconomyPolicy { Auto = "auto", On = "on", Off = "off" }
}

/// The whole box at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusView {
    /// dagdad's version.
    pub version: String,
    /// The host; `null` until dagdad has measured it for the first time.
    pub host: Option<HostView>,
    /// Economy mode.
    pub economy: EconomyView,
    /// How many pods.
    pub pods: PodCountsView,
    /// How many workflow runs.
    pub runs: RunCountsView,
    /// How many alerts.
    pub alerts: AlertCountsView,
    /// Where records go.
    pub store: StoreView,
    /// The runtime that runs the pods.
    pub runtime: RuntimeView,
    /// When dagdad began.
    pub started_at: Option<Timestamp>,
}

/// The host at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostView {
    /// When it was measured.
    pub at: Option<Timestamp>,
    /// Use of all cores together, 0 to 100.
    pub cpu_percent: f64,
    /// Number of logical cores.
    pub cpu_count: u32,
    /// Load average over one minute.
    pub load_1m: f64,
    /// Load average over five minutes.
    pub load_5m: f64,
    /// Load average over fifteen minutes.
    pub load_15m: f64,
    /// Used memory in percent of the total.
    pub ram_percent: f64,
    /// What is not available to new processes.
    pub ram_used_bytes: u64,
    /// What new processes can have without swapping.
    pub ram_available_bytes: u64,
    /// Page cache.
    pub ram_cached_bytes: u64,
    /// All memory.
    pub ram_total_bytes: u64,
    /// Used swap.
    pub swap_used_bytes: u64,
    /// All swap.
    pub swap_total_bytes: u64,
    /// Use of the fullest disk.
    pub disk_percent: f64,
    /// Each mounted disk that matters.
    pub disks: Vec<DiskView>,
    /// How much work has to wait; `null` where the kernel does not tell.
    pub pressure: Option<PressureView>,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiskView {
    /// Where it is mounted.
    pub mount: String,
    /// Used space in percent of the size.
    pub used_percent: f64,
    /// Its size.
    pub total_bytes: u64,
    /// What an ordinary user can still write.
    pub available_bytes: u64,
}

/// Pressure stall information: the share of the last ten seconds in which work waited, in percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_field_names)] // the keys are the kernel's words
pub struct PressureView {
    /// Some task waited for a CPU.
    pub cpu_some_avg10: f64,
    /// Some task waited for memory.
    pub memory_some_avg10: f64,
    /// All tasks waited for memory at once.
    pub memory_full_avg10: f64,
    /// Some task waited for a disk.
    pub io_some_avg10: f64,
}

/// Economy mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EconomyView {
    /// When it acts: `auto`, `on` or `off`.
    pub policy: EconomyPolicyView,
    /// Whether it acts now.
    pub active: bool,
    /// Why it does.
    pub reason: Option<String>,
    /// Pods that it stopped and will start again when there is room.
    pub shed: Vec<String>,
}

/// How many pods.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodCountsView {
    /// In state `running`.
    pub running: u32,
    /// In the catalogue.
    pub total: u32,
    /// In state `error`.
    pub error: u32,
    /// In Podman but not in the catalogue.
    pub unmanaged: u32,
}

/// How many workflow runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunCountsView {
    /// Under way.
    pub active: u32,
    /// Waiting for their turn.
    pub queued: u32,
}

/// How many alerts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertCountsView {
    /// Firing, not resolved.
    pub firing: u32,
}

/// Where records go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreView {
    /// `disabled`, `connecting`, `connected` or `disconnected`.
    pub mariadb: String,
    /// Rows that wait for MariaDB.
    pub outbox: u64,
    /// Why it is not connected.
    pub reason: Option<String>,
}

/// The runtime that runs the pods.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuntimeView {
    /// Whether Podman answers.
    pub connected: bool,
    /// Podman's version, while it does.
    pub version: Option<String>,
    /// Why it does not.
    pub reason: Option<String>,
}

impl From<v1::Status> for StatusView {
    fn from(wire: v1::Status) -> Self {
        let v1::Status {
            version,
            started_at,
            host,
            economy,
            pods,
            runs,
            alerts,
            store,
            runtime,
        } = wire;
        Self {
            version,
            host: host.map(HostView::from),
            economy: economy.unwrap_or_default().into(),
            pods: pods.unwrap_or_default().into(),
            runs: runs.unwrap_or_default().into(),
            alerts: alerts.unwrap_or_default().into(),
            store: store.unwrap_or_default().into(),
            runtime: runtime.unwrap_or_default().into(),
            started_at: started_at.and_then(time),
        }
    }
}

impl From<v1::Host> for HostView {
    fn from(wire: v1::Host) -> Self {
        let v1::Host {
            at,
            cpu_percent,
            cpu_count,
            load_1m,
            load_5m,
            load_15m,
            ram_percent,
            ram_used_bytes,
            ram_available_bytes,
            ram_cached_bytes,
            ram_total_bytes,
            swap_used_bytes,
            swap_total_bytes,
            disk_percent,
            disks,
            pressure,
        } = wire;
        Self {
            at: at.and_then(time),
            cpu_percent: rounded(cpu_percent),
            cpu_count,
            load_1m: rounded(load_1m),
            load_5m: rounded(load_5m),
            load_15m: rounded(load_15m),
            ram_percent: rounded(ram_percent),
            ram_used_bytes,
            ram_available_bytes,
            ram_cached_bytes,
            ram_total_bytes,
            swap_used_bytes,
            swap_total_bytes,
            disk_percent: rounded(disk_percent),
            disks: disks.into_iter().map(DiskView::from).collect(),
            pressure: pressure.map(PressureView::from),
        }
    }
}

impl From<v1::Disk> for DiskView {
    fn from(wire: v1::Disk) -> Self {
        let v1::Disk {
            mount,
            used_percent,
            total_bytes,
            available_bytes,
        } = wire;
        Self {
            mount,
            used_percent: rounded(used_percent),
            total_bytes,
            available_bytes,
        }
    }
}

impl From<v1::Pressure> for PressureView {
    fn from(wire: v1::Pressure) -> Self {
        let v1::Pressure {
            cpu_some_avg10,
            memory_some_avg10,
            memory_full_avg10,
            io_some_avg10,
        } = wire;
        Self {
            cpu_some_avg10: rounded(cpu_some_avg10),
            memory_some_avg10: rounded(memory_some_avg10),
            memory_full_avg10: rounded(memory_full_avg10),
            io_some_avg10: rounded(io_some_avg10),
        }
    }
}

impl From<v1::Economy> for EconomyView {
    fn from(wire: v1::Economy) -> Self {
        let v1::Economy {
            policy,
            active,
            reason,
            shed,
        } = wire;
        Self {
            policy: EconomyPolicyView::from_wire(policy),
            active,
            reason,
            shed,
        }
    }
}

impl From<v1::PodCounts> for PodCountsView {
    fn from(wire: v1::PodCounts) -> Self {
        let v1::PodCounts {
            running,
            total,
            error,
            unmanaged,
        } = wire;
        Self {
            running,
            total,
            error,
            unmanaged,
        }
    }
}

impl From<v1::RunCounts> for RunCountsView {
    fn from(wire: v1::RunCounts) -> Self {
        let v1::RunCounts { active, queued } = wire;
        Self { active, queued }
    }
}

impl From<v1::AlertCounts> for AlertCountsView {
    fn from(wire: v1::AlertCounts) -> Self {
        let v1::AlertCounts { firing } = wire;
        Self { firing }
    }
}

impl From<v1::StoreStatus> for StoreView {
    fn from(wire: v1::StoreStatus) -> Self {
        let v1::StoreStatus {
            mariadb,
            outbox,
            reason,
        } = wire;
        Self {
            mariadb,
            outbox,
            reason,
        }
    }
}

impl From<v1::RuntimeStatus> for RuntimeView {
    fn from(wire: v1::RuntimeStatus) -> Self {
        let v1::RuntimeStatus {
            connected,
            version,
            reason,
        } = wire;
        Self {
            connected,
            version,
            reason,
        }
    }
}
