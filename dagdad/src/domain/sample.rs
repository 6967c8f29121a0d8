//! What was measured, at one moment.

use jiff::Timestamp;

use super::quantity::Bytes;

/// The host at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct HostSample {
    /// When.
    pub at: Timestamp,
    /// Use of all cores together since the sample before, 0 to 100.
    pub cpu_percent: f64,
    /// Number of logical cores.
    pub cpu_count: u32,
    /// Load average over one minute.
    pub load_1m: f64,
    /// Load average over five minutes.
    pub load_5m: f64,
    /// Load average over fifteen minutes.
    pub load_15m: f64,
    /// Memory and swap.
    pub memory: MemorySample,
    /// Each mounted disk that matters, by mount point.
    pub disks: Vec<DiskSample>,
    /// `None` where the kernel offers no PSI.
    pub pressure: Option<PressureSample>,
}

impl HostSample {
    /// The fullest disk's use in percent; 0 without disks.
    #[must_use]
    pub fn disk_percent(&self) -> f64 {
        self.disks
            .iter()
            .map(DiskSample::used_percent)
            .fold(0.0, f64::max)
    }
}

/// Memory, from `/proc/meminfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemorySample {
    /// `MemTotal`.
    pub total: Bytes,
    /// `MemTotal − MemAvailable`.
    pub used: Bytes,
    /// `MemAvailable`.
    pub available: Bytes,
    /// `Cached + Buffers + SReclaimable`: page cache, mapped model weights included.
    pub cached: Bytes,
    /// `SwapTotal`.
    pub swap_total: Bytes,
    /// `SwapTotal − SwapFree`.
    pub swap_used: Bytes,
}

impl MemorySample {
    /// Used memory in percent of the total.
    #[must_use]
    pub fn used_percent(&self) -> f64 {
        self.used.percent_of(self.total)
    }
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSample {
    /// Where it is mounted.
    pub mount: String,
    /// Its size.
    pub total: Bytes,
    /// What an ordinary user can still write.
    pub available: Bytes,
}

impl DiskSample {
    /// Used space in percent of the size.
    #[must_use]
    pub fn used_percent(&self) -> f64 {
        self.total
            .saturating_sub(self.available)
            .percent_of(self.total)
    }
}

/// Pressure stall information, `/proc/pressure/*`: the share of time in which at least one
/// task (`some`) waited, in percent.
/// Source: <https://docs.kernel.org/accounting/psi.html>
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PressureSample {
    /// CPU, `some avg10`.
    pub cpu_some_avg10: f64,
    /// Memory, `some avg10`.
    pub memory_some_avg10: f64,
    /// Memory, `full avg10`: all non-idle tasks waited at once.
    pub memory_full_avg10: f64,
    /// I/O, `some avg10`.
    pub io_some_avg10: f64,
}

/// A pod's use of the host at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PodUsage {
    /// In percent of one core since the sample before: 200 is two cores; 0 at the first.
    pub cpu_percent: f64,
    /// Bytes sent and received in a second since the sample before, loopback left out; 0 at the
    /// first, and for a pod that shares the host's network.
    pub network_per_second: f64,
    /// What is charged to the pod: anonymous, file-backed and kernel memory.
    pub memory: Bytes,
    /// Anonymous memory: what only swap or the pod's end frees.
    pub anon: Bytes,
    /// File-backed memory: page cache, mapped model weights.
    pub file: Bytes,
    /// The part of `file` that is mapped (model weights, programs). The kernel can drop it, but
    /// the pod would read it again at once.
    pub mapped: Bytes,
}

impl PodUsage {
    /// What the pod cannot do without: anonymous and mapped memory. Page cache that it only
    /// read through is left out, since the kernel drops that first and nobody misses it.
    #[must_use]
    pub fn working_set(&self) -> Bytes {
        self.anon + self.mapped
    }
}

/// One round of measuring.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The host.
    pub host: HostSample,
    /// Each pod that was asked for and could be measured, by the runtime's name for it.
    pub pods: Vec<(String, PodUsage)>,
    /// Pods whose cgroup files are out of sight from here.
    pub unseen: Vec<String>,
}

/// A stretch of the host's past: one sample, or the mean of many.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPoint {
    /// When the stretch began.
    pub at: Timestamp,
    /// Mean CPU use in percent.
    pub cpu_percent: f64,
    /// Mean memory use in percent.
    pub ram_percent: f64,
    /// Mean memory use in bytes.
    pub ram_used: Bytes,
    /// Mean use of the fullest disk in percent.
    pub disk_percent: f64,
    /// Highest memory pressure (`some avg10`) in the stretch; 0 where there is no PSI.
    pub memory_pressure: f64,
}
