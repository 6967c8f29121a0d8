//! Sampling the host and its pods: the adapter behind [`Sampler`].
//!
//! One round reads a handful of kernel files for the host and four for each pod. Files stay
//! open between rounds and are read into one buffer, so that a round of thirty pods costs well
//! under two milliseconds. Disks are measured on a thread of their own (`disks.rs`), since
//! `statvfs` may hang where everything else here answers at once.

mod cgroup;
mod disks;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod host;
mod network;
mod pressure;
mod reread;
pub mod squeeze;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::domain::sample::Sample;
use crate::ports::{SampledPod, Sampler};

use self::cgroup::PodCgroups;
use self::disks::DiskWatch;
use self::host::Host;

/// Where and how often to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamplerOptions {
    /// Where procfs is mounted. CPU, load and memory come through `sysinfo`, which reads
    /// `/proc` whatever this says.
    pub proc_root: PathBuf,
    /// Where the cgroup file systems are mounted.
    pub cgroup_root: PathBuf,
    /// Disks are measured anew no more often than this.
    pub disk_interval: Duration,
}

impl Default for SamplerOptions {
    fn default() -> Self {
        Self {
            proc_root: "/proc".into(),
            cgroup_root: "/sys/fs/cgroup".into(),
            disk_interval: Duration::from_secs(30),
        }
    }
}

/// Why sampling cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SamplerError {
    /// `/proc/stat` and `/proc/meminfo` are the least there must be.
    #[error("cannot read the host's CPU and memory from /proc ({reason}); mount procfs there")]
    Proc {
        /// What is missing.
        reason: String,
    },
    /// No thread for the disks.
    #[error("cannot start the thread that measures the disks: {0}; raise the limit on tasks")]
    Thread(#[source] std::io::Error),
}

/// Measures this machine.
pub struct HostSampler {
    host: Host,
    disks: DiskWatch,
    pods: PodCgroups,
    /// Reused for every file of every round.
    buffer: Vec<u8>,
}

impl HostSampler {
    /// Begins to measure: finds out how cgroups are mounted, takes the counters that the first
    /// round's CPU use is counted from, and starts the thread that measures the disks.
    ///
    /// # Errors
    /// [`SamplerError`] where the host's own figures cannot be read.
    pub fn start(options: &SamplerOptions) -> Result<Self, SamplerError> {
        let host = Host::open(&options.proc_root)?;
        let disks = DiskWatch::start(&options.proc_root, options.disk_interval)
            .map_err(SamplerError::Thread)?;
        let pods = PodCgroups::open(&options.proc_root, &options.cgroup_root, host.cores());
        Ok(Self {
            host,
            disks,
            pods,
            buffer: vec![0; reread::BUFFER],
        })
    }
}

impl Sampler for HostSampler {
    fn sample(&mut self, pods: &[SampledPod]) -> Sample {
        let host = self
            .host
            .sample(self.disks.latest(Instant::now()), &mut self.buffer);
        let (pods, unseen) = self.pods.sample(pods, &mut self.buffer);
        Sample { host, pods, unseen }
    }
}

#[cfg(test)]
mod tests;
