//! What one round of sampling costs. A daemon that samples thirty pods each second may spend
//! 3 ms a second on all it does (0.3 % of a core).
//!
//! Rounds are 210 ms apart: closer together, `sysinfo` leaves out reading the CPU counters, and
//! caches stay warmer than they are in the daemon.

#![allow(clippy::unwrap_used)] // a benchmark may fail as a test does

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use dagdad::ports::{SampledPod, Sampler};
use dagdad::sampler::{HostSampler, SamplerOptions};
use divan::Bencher;

const PODS: usize = 30;

fn main() {
    divan::main();
}

fn pods(prefix: &str, count: usize) -> Vec<SampledPod> {
    (0..count)
        .map(|index| SampledPod {
            name: format!("pod-{index}"),
            cgroup: Some(format!("/{prefix}{index}")),
        })
        .collect()
}

fn bench(bencher: Bencher<'_, '_>, cgroup_root: &Path, pods: &[SampledPod]) {
    let options = SamplerOptions {
        cgroup_root: cgroup_root.to_owned(),
        ..SamplerOptions::default()
    };
    let mut sampler = HostSampler::start(&options).unwrap();
    assert!(sampler.sample(pods).unseen.is_empty());
    bencher
        .with_inputs(|| sleep(Duration::from_millis(210)))
        .bench_local_values(|()| sampler.sample(pods));
}

/// The host alone.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn host(bencher: Bencher<'_, '_>) {
    bench(bencher, Path::new("/sys/fs/cgroup"), &[]);
}

/// The host and thirty pods, whose v2 files are plain files.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn host_and_30_fake_pods(bencher: Bencher<'_, '_>) {
    let root = tempfile::tempdir().unwrap();
    fs::write(
        root.path().join("cgroup.controllers"),
        "cpu io memory pids\n",
    )
    .unwrap();
    for index in 0..PODS {
        let dir = root.path().join(format!("pod{index}"));
        fs::create_dir(&dir).unwrap();
        fs::write(
            dir.join("cpu.stat"),
            "usage_usec 387152329\nuser_usec 271310663\nsystem_usec 115841666\n",
        )
        .unwrap();
        fs::write(dir.join("memory.current"), "104857600\n").unwrap();
        fs::write(
            dir.join("memory.stat"),
            "anon 41943040\nfile 52428800\nkernel 299008\nshmem 0\nfile_mapped 0\n".to_owned()
                + &"filler_field 1234567\n".repeat(50),
        )
        .unwrap();
    }
    bench(bencher, root.path(), &pods("pod", PODS));
}

/// The host and thirty real, empty cgroups, which the kernel formats anew at each read. Needs
/// root.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn host_and_30_real_cgroups(bencher: Bencher<'_, '_>) {
    let prefix = format!("dagda-bench-{}-", std::process::id());
    let cgroups = RealCgroups::create(&prefix);
    bench(bencher, Path::new("/sys/fs/cgroup"), &pods(&prefix, PODS));
    drop(cgroups);
}

/// The host and thirty real cgroups with a process each that has a network of its own. Needs
/// root.
#[divan::bench(sample_count = 40, sample_size = 1)]
fn host_and_30_real_pods_with_networks(bencher: Bencher<'_, '_>) {
    let prefix = format!("dagda-bench-net-{}-", std::process::id());
    let cgroups = RealCgroups::create(&prefix);
    let processes = NetworkedProcesses::start(&cgroups);
    bench(bencher, Path::new("/sys/fs/cgroup"), &pods(&prefix, PODS));
    drop(processes);
    drop(cgroups);
}

/// One in each cgroup; ended when dropped.
struct NetworkedProcesses(Vec<Child>);

impl NetworkedProcesses {
    fn start(cgroups: &RealCgroups) -> Self {
        let mut started = Self(Vec::new());
        for index in 0..PODS {
            let suffix = format!("-{index}");
            let dirs = cgroups
                .0
                .iter()
                .filter(|dir| dir.to_string_lossy().ends_with(&suffix));
            let mut child = Command::new("unshare")
                .args(["--net", "sh", "-ec"])
                .arg("for dir; do echo $$ > $dir/cgroup.procs; done; echo; exec sleep 1000")
                .arg("sh")
                .args(dirs)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let ready = child.stdout.as_mut().unwrap().read(&mut [0]).unwrap();
            started.0.push(child);
            assert_eq!(ready, 1, "unshare --net failed");
        }
        started
    }
}

impl Drop for NetworkedProcesses {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Removed when dropped.
struct RealCgroups(Vec<PathBuf>);

impl RealCgroups {
    fn create(prefix: &str) -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let parents = if root.join("cgroup.controllers").exists() {
            vec![root.to_owned()]
        } else {
            let found = ["cpuacct", "memory"]
                .iter()
                .filter_map(|name| fs::canonicalize(root.join(name)).ok());
            found.collect()
        };
        let mut made = Self(Vec::new());
        for dir in parents
            .iter()
            .flat_map(|parent| (0..PODS).map(move |index| parent.join(format!("{prefix}{index}"))))
        {
            fs::create_dir(&dir).unwrap_or_else(|error| {
                panic!("cannot make {} (run as root): {error}", dir.display())
            });
            made.0.push(dir);
        }
        made
    }
}

impl Drop for RealCgroups {
    fn drop(&mut self) {
        for dir in &self.0 {
            let _ = fs::remove_dir(dir);
        }
    }
}
