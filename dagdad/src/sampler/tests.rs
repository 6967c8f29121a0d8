//! The sampler on this machine, with a real cgroup and a real process in it.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

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

/// A database file of 32 MiB and more.
async fn write_database(path: &std::path::Path) {
    let mut database = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    let rows = "CREATE TABLE rows AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 34000) SELECT randomblob(1024) AS row FROM n";
    sqlx::query(rows).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

/// SQLite reads a database through a mapping of its file where it is asked to: a process that
/// maps a file, without a line of unsafe code here. The pages are the cgroup's, since a process
/// in it was the first to touch them.
#[tokio::test]
async fn a_mapped_file_shows_in_the_cgroup_that_it_belongs_to() {
    // Not in /tmp, which may be memory: no file is behind that.
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let [written, copy] = ["written", "copy"].map(|name| dir.path().join(name));
    write_database(&written).await;
    let mut cgroup = RealCgroup::create("mapped");
    let mut sampler = HostSampler::start(&SamplerOptions::default()).unwrap();
    cgroup.run(&format!(
        "cp '{}' '{}'\necho ready\nexec sleep 1000",
        written.display(),
        copy.display()
    ));
    let read = measure(&mut sampler, &cgroup);
    assert!(read.file >= Bytes::mib(32), "{read:?}");
    assert!(read.mapped < Bytes::mib(8), "only programs: {read:?}");

    let mut database = SqliteConnectOptions::new()
        .filename(&copy)
        .read_only(true)
        .pragma("mmap_size", "1073741824")
        .connect()
        .await
        .unwrap();
    sqlx::query("SELECT max(row) FROM rows")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let mut rounds = std::iter::repeat_with(|| measure(&mut sampler, &cgroup)).take(1_000_000);
    // The kernel may take a moment to add up what its CPUs counted.
    let mapped = rounds
        .find(|usage| usage.mapped >= Bytes::mib(32))
        .expect("what is mapped shows in some round");
    assert!(mapped.file >= mapped.mapped, "{mapped:?}");
    assert!(mapped.working_set() >= mapped.anon + Bytes::mib(32));

    database.close().await.unwrap();
    rounds
        .find(|usage| usage.mapped < Bytes::mib(8))
        .expect("what is not mapped any more does not count in some round");
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
