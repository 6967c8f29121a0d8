//! The host's CPU, load and memory.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use sysinfo::{CpuRefreshKind, MINIMUM_CPU_UPDATE_INTERVAL, System};

use crate::domain::quantity::Bytes;
use crate::domain::sample::{DiskSample, HostSample, MemorySample};

use super::SamplerError;
use super::fields::{kibibytes, named};
use super::pressure::PressureFiles;
use super::reread::reread;

/// Reads the host.
pub struct Host {
    system: System,
    cpu: CpuBaseline,
    cores: u32,
    /// For what `sysinfo` does not tell: how much memory is cache.
    meminfo: Option<File>,
    pressure: Option<PressureFiles>,
}

/// What CPU use is counted from. `sysinfo`'s first refresh counts from boot, which says nothing
/// about now, and it ignores refreshes that follow each other too closely.
enum CpuBaseline {
    /// Refreshed once, at this moment: no use is known yet.
    Boot(Instant),
    /// Refreshed at least twice.
    Known,
}

impl Host {
    pub fn open(proc_root: &Path) -> Result<Self, SamplerError> {
        let unreadable = |reason: String| SamplerError::Proc { reason };
        let mut system = System::new().map_err(|error| unreadable(error.to_string()))?;
        system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
        system.refresh_memory();
        let cores = u32::try_from(system.cpus().len()).unwrap_or(u32::MAX);
        if cores == 0 {
            return Err(unreadable("/proc/stat names no CPU".to_owned()));
        }
        if system.total_memory() == 0 {
            return Err(unreadable("/proc/meminfo gives no MemTotal".to_owned()));
        }
        Ok(Self {
            system,
            cpu: CpuBaseline::Boot(Instant::now()),
            cores,
            meminfo: File::open(proc_root.join("meminfo")).ok(),
            pressure: PressureFiles::open(proc_root),
        })
    }

    /// Number of logical cores.
    pub fn cores(&self) -> u32 {
        self.cores
    }

    pub fn sample(&mut self, disks: Vec<DiskSample>, buffer: &mut Vec<u8>) -> HostSample {
        let load = System::load_average().unwrap_or_default();
        HostSample {
            at: Timestamp::now(),
            cpu_percent: self.cpu_percent(),
            cpu_count: self.cores,
            load_1m: load.one,
            load_5m: load.five,
            load_15m: load.fifteen,
            memory: self.memory(buffer),
            disks,
            pressure: self
                .pressure
                .as_ref()
                .and_then(|files| files.sample(buffer)),
        }
    }

    fn cpu_percent(&mut self) -> f64 {
        if let CpuBaseline::Boot(at) = self.cpu {
            if at.elapsed() < MINIMUM_CPU_UPDATE_INTERVAL {
                return 0.0;
            }
            self.cpu = CpuBaseline::Known;
        }
        self.system.refresh_cpu_usage();
        let percent = f64::from(self.system.global_cpu_usage());
        if percent.is_finite() {
            percent.clamp(0.0, 100.0)
        } else {
            0.0
        }
    }

    fn memory(&mut self, buffer: &mut Vec<u8>) -> MemorySample {
        self.system.refresh_memory();
        let [total, available] = [self.system.total_memory(), self.system.available_memory()];
        let cached = self
            .meminfo
            .as_ref()
            .and_then(|file| reread(file, buffer).ok())
            .map_or(0, cached);
        MemorySample {
            total: Bytes(total),
            used: Bytes(total.saturating_sub(available)),
            available: Bytes(available),
            cached: Bytes(cached),
            swap_total: Bytes(self.system.total_swap()),
            swap_used: Bytes(
                self.system
                    .total_swap()
                    .saturating_sub(self.system.free_swap()),
            ),
        }
    }
}

/// `Cached + Buffers + SReclaimable` of `/proc/meminfo`, in bytes. Fields:
/// <https://docs.kernel.org/filesystems/proc.html#meminfo>
pub fn cached(meminfo: &[u8]) -> u64 {
    named(meminfo, b':')
        .filter(|(name, _)| matches!(*name, b"Cached" | b"Buffers" | b"SReclaimable"))
        .filter_map(|(_, value)| kibibytes(value))
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_is_the_page_cache_with_buffers_and_reclaimable_slab() {
        let meminfo = b"MemTotal:       24684092 kB\nBuffers:            3592 kB\nCached:            32940 kB\nSwapCached:            7 kB\nSReclaimable:     179148 kB\nHugePages_Total:       0\n";
        assert_eq!(cached(meminfo), (3592 + 32_940 + 179_148) * 1024);
    }

    #[test]
    fn the_first_use_of_the_cpu_is_zero_and_later_ones_are_percentages() {
        let mut host = Host::open(Path::new("/proc")).unwrap();
        assert!(host.cpu_percent().abs() < f64::EPSILON, "counted from boot");
        let long_ago = Instant::now()
            .checked_sub(MINIMUM_CPU_UPDATE_INTERVAL)
            .unwrap();
        host.cpu = CpuBaseline::Boot(long_ago);
        assert!((0.0..=100.0).contains(&host.cpu_percent()));
        assert!(matches!(host.cpu, CpuBaseline::Known));
    }

    #[test]
    fn memory_agrees_with_the_kernel() {
        let mut host = Host::open(Path::new("/proc")).unwrap();
        let memory = host.memory(&mut Vec::new());
        let text = std::fs::read("/proc/meminfo").unwrap();
        let field = |wanted: &[u8]| {
            named(&text, b':')
                .find(|(name, _)| *name == wanted)
                .and_then(|(_, value)| kibibytes(value))
                .unwrap()
        };
        assert_eq!(memory.total, Bytes(field(b"MemTotal")));
        assert_eq!(memory.swap_total, Bytes(field(b"SwapTotal")));
        assert_eq!(memory.used + memory.available, memory.total);
        assert!(memory.cached > Bytes(0) && memory.cached < memory.total);
    }
}
