//! The sampler on this machine, with a real cgroup and a real process in it.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::domain::quantity::Bytes;
use crate::domain::sample::PodUsage;

/// Directories of one cgroup in every mounted hierarchy, removed at the end, and the process
/// that lives in it.
struct RealCgroup {
    name: String,
    dirs: Vec<PathBuf>,
    process: Option<Child>,
}

impl RealCgroup {
    fn create(purpose: &str) -> Self {
        let name = format!("dagda-test-{purpose}-{}", std::process::id());
        let root = PathBuf::from("/sys/fs/cgroup");
        let unified = root.join("cgroup.controllers").exists();
        if unified {
            // A child has `memory.*` only where its parent hands the controller down.
            let _ = fs::write(root.join("cgroup.subtree_control"), "+memory");
        }
        let parents = if unified {
            vec![root]
        } else {
            // `cpuacct` and the like may be symbolic links to one `cpu,cpuacct`.
            let mut all: Vec<_> = ["cpuacct", "memory", "unified"]
                .iter()
                .filter_map(|name| fs::canonicalize(root.join(name)).ok())
                .collect();
            all.dedup();
            all
        };
        let dirs: Vec<_> = parents.iter().map(|parent| parent.join(&name)).collect();
        for dir in &dirs {
            fs::create_dir(dir).unwrap_or_else(|error| {
                panic!("this test makes a cgroup of its own and needs {} writable (run it as root): {error}", dir.display())
            });
        }
        assert!(
            !dirs.is_empty(),
            "no cgroup file system is mounted below /sys/fs/cgroup"
        );
        Self {
            name,
            dirs,
            process: None,
        }
    }

    /// Runs a shell script inside; returns when it has written a line.
    fn run(&mut self, script: &str) {
        // The shell enters the cgroup itself, before it does anything that counts.
        let mut shell = vec![
            "-ec".to_owned(),
            format!("for dir; do echo $$ > $dir/cgroup.procs; done\n{script}"),
            "sh".to_owned(),
        ];
        shell.extend(self.dirs.iter().map(|dir| dir.display().to_string()));
        let mut child = Command::new("sh")
            .args(shell)
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut first = [0];
        let read = child.stdout.as_mut().unwrap().read(&mut first).unwrap();
        self.process = Some(child);
        assert_eq!(read, 1, "the script ended before it was ready");
    }

    fn end(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for RealCgroup {
    fn drop(&mut self) {
        self.end();
        for dir in &self.dirs {
            let _ = fs::remove_dir(dir);
        }
    }
}

fn measure(sampler: &mut HostSampler, cgroup: &RealCgroup) -> PodUsage {
    let pod = SampledPod {
        name: "real".into(),
        cgroup: Some(format!("/{}", cgroup.name)),
    };
    let sample = sampler.sample(&[pod]);
    assert!(
        sample.unseen.is_empty(),
        "the files of {:?} were not found",
        cgroup.dirs
    );
    sample.pods[0].1
}

/// Burns CPU for ever, after telling that it holds 32 MiB.
const HUNGRY: &str =
    "hold=$(head -c 33554432 /dev/zero | tr '\\0' x)\necho ready\nwhile :; do :; done";

#[test]
fn a_hungry_process_shows_in_its_cgroup() {
    let mut cgroup = RealCgroup::create("hungry");
    let mut sampler = HostSampler::start(&SamplerOptions::default()).unwrap();
    cgroup.run(HUNGRY);

    let first = measure(&mut sampler, &cgroup);
    assert!(first.cpu_percent < f64::EPSILON, "{first:?}");
    assert!(first.anon >= Bytes::mib(32), "{first:?}");
    assert!(first.memory >= first.anon, "{first:?}");

    // However little of a core a busy machine leaves to it, the counter must move.
    let burning = std::iter::repeat_with(|| measure(&mut sampler, &cgroup))
        .take(1_000_000)
        .find(|usage| usage.cpu_percent > 0.0)
        .expect("the loop's CPU time shows in some round");
    assert!(
        burning.cpu_percent <= 100.0 * f64::from(sampler.host.cores()),
        "{burning:?}"
    );
}

#[test]
fn a_cgroup_made_anew_under_the_same_path_is_found_and_a_removed_one_is_unseen() {
    let mut sampler = HostSampler::start(&SamplerOptions::default()).unwrap();
    let mut cgroup = RealCgroup::create("anew");
    cgroup.run(HUNGRY);
    let before = measure(&mut sampler, &cgroup);
    assert!(before.anon >= Bytes::mib(32), "{before:?}");

    drop(cgroup);
    let cgroup = RealCgroup::create("anew");
    let after = measure(&mut sampler, &cgroup);
    assert!(after.anon < Bytes::mib(32), "{after:?}");
    assert!(after.cpu_percent < f64::EPSILON, "{after:?}");

    let pod = SampledPod {
        name: "real".into(),
        cgroup: Some(format!("/{}", cgroup.name)),
    };
    drop(cgroup);
    assert_eq!(sampler.sample(&[pod]).unseen, ["real"]);
}

#[test]
fn the_host_is_measured_whole() {
    let mut sampler = HostSampler::start(&SamplerOptions::default()).unwrap();
    let host = sampler.sample(&[]).host;
    assert!(host.cpu_count >= 1);
    assert!((0.0..=100.0).contains(&host.cpu_percent));
    assert!(host.memory.total > Bytes(0) && host.memory.used > Bytes(0));
    assert_eq!(
        host.disks.first().map(|disk| disk.mount.as_str()),
        Some("/")
    );
    assert_eq!(
        host.pressure.is_some(),
        fs::read("/proc/pressure/memory").is_ok()
    );
}
