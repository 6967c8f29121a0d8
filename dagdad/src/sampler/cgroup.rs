//! What each pod uses, straight from its cgroup's files.

pub mod layout;
pub mod v1;
pub mod v2;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use crate::domain::quantity::Bytes;
use crate::domain::sample::PodUsage;
use crate::ports::SampledPod;

use self::layout::{Layout, Version};
use super::network::{PodNetwork, Processes};
use super::reread::reread;

/// Reads pods, keeping their files open from round to round.
pub struct PodCgroups {
    layout: Layout,
    processes: Processes,
    cores: u32,
    readers: HashMap<String, PodReader>,
    round: u64,
}

impl PodCgroups {
    pub fn open(proc_root: &Path, cgroup_root: &Path, cores: u32) -> Self {
        let own = fs::read_to_string(proc_root.join("self/cgroup")).unwrap_or_default();
        let user = rustix::process::getuid().as_raw();
        let layout = Layout::detect(cgroup_root, &own, user);
        tracing::debug!(dagda_layout = ?layout, "cgroups");
        Self {
            layout,
            processes: Processes::open(proc_root),
            cores,
            readers: HashMap::new(),
            round: 0,
        }
    }

    /// The use of each pod whose files can be read, and the names of the others. Pods not
    /// asked for any more are forgotten.
    pub fn sample(
        &mut self,
        pods: &[SampledPod],
        buffer: &mut Vec<u8>,
    ) -> (Vec<(String, PodUsage)>, Vec<String>) {
        self.round += 1;
        let mut seen = Vec::with_capacity(pods.len());
        let mut unseen = Vec::new();
        for pod in pods {
            match self.measure(pod, buffer) {
                Some(usage) => seen.push((pod.name.clone(), usage)),
                None => unseen.push(pod.name.clone()),
            }
        }
        let round = self.round;
        self.readers.retain(|_, reader| reader.round == round);
        (seen, unseen)
    }

    fn measure(&mut self, pod: &SampledPod, buffer: &mut Vec<u8>) -> Option<PodUsage> {
        let cgroup = pod.cgroup.as_deref()?;
        let known = self
            .readers
            .get_mut(&pod.name)
            .filter(|reader| reader.cgroup == cgroup);
        if let Some(reader) = known
            && let Some(usage) = reader.measure(self.cores, &self.processes, buffer)
        {
            reader.round = self.round;
            return Some(usage);
        }
        // New, moved, or gone and made anew: whatever was counted before counts no more.
        let mut reader = PodReader::open(&mut self.layout, cgroup)?;
        let usage = reader.measure(self.cores, &self.processes, buffer)?;
        reader.round = self.round;
        self.readers.insert(pod.name.clone(), reader);
        Some(usage)
    }
}

/// The open files of one pod.
struct PodReader {
    cgroup: String,
    cpu_version: Version,
    cpu: File,
    meter: CpuMeter,
    memory_version: Version,
    memory_charged: File,
    memory_stat: File,
    network: PodNetwork,
    /// The round in which it was last of use.
    round: u64,
}

impl PodReader {
    fn open(layout: &mut Layout, cgroup: &str) -> Option<Self> {
        let cpu = layout.cpu.as_mut()?;
        let cpu_file = cpu.find(cgroup, cpu.version.cpu_file())?;
        let memory = layout.memory.as_mut()?;
        let memory_file = memory.find(cgroup, memory.version.memory_file())?;
        Some(Self {
            cgroup: cgroup.to_owned(),
            cpu_version: cpu.version,
            cpu: File::open(cpu_file).ok()?,
            meter: CpuMeter::default(),
            memory_version: memory.version,
            network: PodNetwork::of(memory_file.parent()?.to_owned()),
            memory_stat: File::open(memory_file.with_file_name("memory.stat")).ok()?,
            memory_charged: File::open(memory_file).ok()?,
            round: 0,
        })
    }

    fn measure(
        &mut self,
        cores: u32,
        processes: &Processes,
        buffer: &mut Vec<u8>,
    ) -> Option<PodUsage> {
        let text = reread(&self.cpu, buffer).ok()?;
        let used = match self.cpu_version {
            Version::V1 => v1::cpu_nanoseconds(text),
            Version::V2 => v2::cpu_nanoseconds(text),
        }?;
        let cpu_percent = self.meter.percent(Instant::now(), used, cores);
        let charged = super::fields::number(reread(&self.memory_charged, buffer).ok()?)?;
        let text = reread(&self.memory_stat, buffer).ok()?;
        let MemorySplit { anon, file, mapped } = match self.memory_version {
            Version::V1 => v1::memory_split(text),
            Version::V2 => v2::memory_split(text),
        }?;
        Some(PodUsage {
            cpu_percent,
            memory: Bytes(charged),
            anon: Bytes(anon),
            file: Bytes(file),
            mapped: Bytes(mapped),
            network_per_second: self.network.per_second(processes, Instant::now(), buffer),
        })
    }
}

/// A cgroup's memory in bytes by what frees it.
///
/// Shared memory (`shmem`: tmpfs, SysV and POSIX shared memory) lives in the page cache, and
/// the kernel counts it there. Nothing but swap or its owner's end frees it, so here it counts
/// as anonymous.
///
/// Pages belong to the cgroup that read them first. A file that somebody else read before the
/// pod mapped it counts there, not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySplit {
    /// Anonymous and shared memory.
    pub anon: u64,
    /// Page cache that a file backs.
    pub file: u64,
    /// The part of `file` that is mapped, at least.
    pub mapped: u64,
}

/// The kernel's own figures for the page cache of a cgroup, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PageCache {
    /// All of it, shared memory too.
    all: u64,
    /// Shared memory, mapped or not.
    shmem: u64,
    /// What is mapped, shared memory too: `NR_FILE_MAPPED` counts every mapped page that is not
    /// anonymous (`folio_add_file_rmap_ptes` and its like in the kernel's `mm/rmap.c`).
    mapped: u64,
}

impl MemorySplit {
    /// How much of the shared memory is mapped, the kernel does not tell. All of it is taken to
    /// be, as it mostly is: it was counted as anonymous, and nothing counts twice.
    fn new(anonymous: u64, PageCache { all, shmem, mapped }: PageCache) -> Self {
        // The figures are not of one instant: the part can exceed the whole for a moment.
        let file = all.saturating_sub(shmem);
        Self {
            anon: anonymous.saturating_add(shmem),
            file,
            mapped: mapped.saturating_sub(shmem).min(file),
        }
    }
}

/// Makes a percentage of one core out of a counter of CPU time.
#[derive(Debug, Default)]
struct CpuMeter {
    last: Option<(Instant, u64)>,
}

impl CpuMeter {
    /// Use since the call before, in percent of one core, at most 100 for each of `cores`;
    /// 0 at the first call and whenever the counter went backwards (the pod began anew).
    /// `used` is in nanoseconds. `now` is of the monotonic clock: setting the time of day
    /// changes nothing here.
    fn percent(&mut self, now: Instant, used: u64, cores: u32) -> f64 {
        let Some((then, before)) = self.last.replace((now, used)) else {
            return 0.0;
        };
        let elapsed = now.saturating_duration_since(then).as_nanos() as f64;
        let spent = used.saturating_sub(before) as f64;
        if elapsed > 0.0 {
            (spent * 100.0 / elapsed).min(f64::from(cores) * 100.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests;
