use std::time::Duration;

use super::*;
use proptest::prelude::*;
use rstest::rstest;

/// A cgroup file system in a directory.
struct Tree {
    root: tempfile::TempDir,
    cpu: (&'static str, Version),
    memory: (&'static str, Version),
}

const CPU_STAT: &str = "user_usec 271310663\nsystem_usec 115841666\nnice_usec 0\nnr_periods 0\n";

impl Tree {
    /// A tree with each resource in its directory below the root.
    fn new(
        cpu: (&'static str, Version),
        memory: (&'static str, Version),
        controllers: &[(&str, &str)],
    ) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (dir, names) in controllers {
            fs::create_dir_all(root.path().join(dir)).unwrap();
            fs::write(root.path().join(dir).join("cgroup.controllers"), names).unwrap();
        }
        let tree = Self { root, cpu, memory };
        tree.pod("", 0, [0; 5]);
        tree
    }

    /// Writes the files of the cgroup at `path`: CPU time in microseconds, and memory charged,
    /// anonymous, page cache, shared and mapped in bytes.
    fn pod(&self, path: &str, cpu_usec: u64, [charged, anon, cache, shmem, mapped]: [u64; 5]) {
        let write = |dir: &str, file: &str, text: String| {
            let dir = self.root.path().join(dir).join(path);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join(file), text).unwrap();
        };
        match self.cpu {
            (dir, Version::V1) => write(dir, "cpuacct.usage", format!("{}\n", cpu_usec * 1000)),
            (dir, Version::V2) => write(
                dir,
                "cpu.stat",
                format!("usage_usec {cpu_usec}\n{CPU_STAT}"),
            ),
        }
        match self.memory {
            (dir, Version::V1) => {
                write(dir, "memory.usage_in_bytes", format!("{charged}\n"));
                write(
                    dir,
                    "memory.stat",
                    format!(
                        "cache 0\nrss 4096\nrss_huge 0\nshmem 0\nmapped_file 0\nhierarchical_memory_limit 9223372036854771712\n\
                         total_cache {cache}\ntotal_rss {anon}\ntotal_rss_huge 0\ntotal_shmem {shmem}\ntotal_mapped_file {mapped}\n\
                         total_inactive_anon 8491008\ntotal_active_anon 1593344\ntotal_inactive_file 1\ntotal_active_file 2\n"
                    ),
                );
            }
            (dir, Version::V2) => {
                write(dir, "memory.current", format!("{charged}\n"));
                write(
                    dir,
                    "memory.stat",
                    format!(
                        "anon {anon}\nfile {cache}\nkernel 299008\nkernel_stack 16384\npagetables 90112\nsec_pagetables 0\n\
                         percpu 720\nsock 0\nvmalloc 0\nshmem {shmem}\nzswap 0\nfile_mapped {mapped}\nfile_dirty 0\n\
                         inactive_anon 8491008\nactive_anon 1593344\ninactive_file 1\nactive_file 2\nunevictable 0\n"
                    ),
                );
            }
        }
    }

    fn open(&self) -> PodCgroups {
        PodCgroups::open(Path::new("/nonexistent"), self.root.path(), 4)
    }
}

fn v1() -> Tree {
    Tree::new(("cpu,cpuacct", Version::V1), ("memory", Version::V1), &[])
}
fn v1_with_split_directories() -> Tree {
    Tree::new(("cpuacct", Version::V1), ("memory", Version::V1), &[])
}
fn v2() -> Tree {
    Tree::new(
        ("", Version::V2),
        ("", Version::V2),
        &[("", "cpuset cpu io memory hugetlb pids rdma misc\n")],
    )
}
fn hybrid() -> Tree {
    Tree::new(
        ("cpu,cpuacct", Version::V1),
        ("memory", Version::V1),
        &[("unified", "hugetlb\n")],
    )
}
fn v1_memory_with_v2_cpu() -> Tree {
    Tree::new(
        ("unified", Version::V2),
        ("memory", Version::V1),
        &[("unified", "cpu io\n")],
    )
}
fn v1_cpu_with_v2_memory() -> Tree {
    Tree::new(
        ("cpuacct", Version::V1),
        ("unified", Version::V2),
        &[("unified", "memory\n")],
    )
}

fn pod(name: &str, cgroup: &str) -> SampledPod {
    SampledPod {
        name: name.to_owned(),
        cgroup: Some(cgroup.to_owned()),
    }
}

const MIB: u64 = 1 << 20;

#[rstest]
#[case::v1(v1())]
#[case::v1_with_split_directories(v1_with_split_directories())]
#[case::v2(v2())]
#[case::hybrid(hybrid())]
#[case::v1_memory_with_v2_cpu(v1_memory_with_v2_cpu())]
#[case::v1_cpu_with_v2_memory(v1_cpu_with_v2_memory())]
fn reads_each_layout(#[case] tree: Tree) {
    let slice = "machine.slice/machine-libpod_pod_1a.slice";
    tree.pod(
        slice,
        5_000_000,
        [100 * MIB, 40 * MIB, 50 * MIB, 8 * MIB, 30 * MIB],
    );
    let mut pods = tree.open();
    let (seen, unseen) = pods.sample(
        &[
            pod("llama", &format!("/{slice}")),
            pod("gone", "/machine.slice/other.slice"),
            SampledPod {
                name: "unknown".into(),
                cgroup: None,
            },
        ],
        &mut Vec::new(),
    );
    let usage = PodUsage {
        network_per_second: 0.0,
        cpu_percent: 0.0,
        memory: Bytes(100 * MIB),
        anon: Bytes(48 * MIB),
        file: Bytes(42 * MIB),
        mapped: Bytes(22 * MIB),
    };
    assert_eq!(seen, [("llama".to_owned(), usage)]);
    assert_eq!(unseen, ["gone", "unknown"]);
}

/// Anonymous, page cache, shared and mapped; then what is made of them: anonymous with shared,
/// file, and mapped.
#[rstest]
#[case::weights_that_a_model_maps([10, 900, 0, 850], [10, 900, 850])]
#[case::a_file_that_is_only_read([10, 900, 0, 0], [10, 900, 0])]
#[case::shared_memory_that_is_mapped([10, 500, 500, 500], [510, 0, 0])]
#[case::shared_memory_and_a_mapped_file([10, 900, 500, 800], [510, 400, 300])]
#[case::a_tmpfs_that_nobody_maps([10, 900, 500, 300], [510, 400, 0])]
#[case::mapped_meanwhile([10, 900, 0, 950], [10, 900, 900])]
fn nothing_counts_twice(
    #[case] kernel: [u64; 4],
    #[case] expected: [u64; 3],
    #[values(v1(), v2())] tree: Tree,
) {
    let [anon, cache, shmem, mapped] = kernel;
    tree.pod("a", 0, [2000, anon, cache, shmem, mapped]);
    let usage = tree.open().sample(&[pod("a", "/a")], &mut Vec::new()).0[0].1;
    assert_eq!([usage.anon, usage.file, usage.mapped], expected.map(Bytes));
    assert!(usage.working_set() <= usage.anon + usage.file);
}

#[rstest]
#[case::v1(v1())]
#[case::v2(v2())]
fn counts_cpu_from_round_to_round(#[case] tree: Tree) {
    tree.pod("a", 1_000, [0; 5]);
    let mut pods = tree.open();
    let mut cpu = || {
        pods.sample(&[pod("a", "/a")], &mut Vec::new()).0[0]
            .1
            .cpu_percent
    };
    assert!(cpu() < f64::EPSILON, "the first is zero");
    tree.pod("a", 3_600_000_000, [0; 5]);
    assert!(
        (cpu() - 400.0).abs() < f64::EPSILON,
        "an hour since a moment ago: all four cores"
    );
    tree.pod("a", 10, [0; 5]);
    assert!(cpu() < f64::EPSILON, "the pod began anew");
}

#[test]
fn pods_below_its_own_cgroup_are_found_apart_in_each_hierarchy() {
    let tree = v1();
    let proc = tempfile::tempdir().unwrap();
    fs::create_dir(proc.path().join("self")).unwrap();
    fs::write(
        proc.path().join("self/cgroup"),
        "4:memory:/box/inner\n2:cpu,cpuacct:/box\n0::/\n",
    )
    .unwrap();
    tree.pod("pods/a", 0, [MIB, 0, 0, 0, 0]);
    for (hierarchy, own) in [("memory", "box/inner"), ("cpu,cpuacct", "box")] {
        let root = tree.root.path().join(hierarchy);
        fs::create_dir_all(root.join(own)).unwrap();
        fs::rename(root.join("pods"), root.join(own).join("pods")).unwrap();
    }
    let mut pods = PodCgroups::open(proc.path(), tree.root.path(), 4);
    let (seen, unseen) = pods.sample(&[pod("a", "/pods/a")], &mut Vec::new());
    assert!(unseen.is_empty());
    assert_eq!(seen[0].1.memory, Bytes(MIB));
}

#[test]
fn a_pod_that_moved_is_counted_anew() {
    let tree = v2();
    tree.pod("one", 1_000, [MIB, 0, 0, 0, 0]);
    tree.pod("two", 9_000_000_000, [2 * MIB, 0, 0, 0, 0]);
    let mut pods = tree.open();
    let mut usage = |cgroup| pods.sample(&[pod("a", cgroup)], &mut Vec::new()).0[0].1;
    assert_eq!(usage("/one").memory, Bytes(MIB));
    let moved = usage("/two");
    assert_eq!(moved.memory, Bytes(2 * MIB));
    assert!(moved.cpu_percent < f64::EPSILON);
}

#[test]
fn pods_not_asked_for_are_forgotten_and_half_pods_are_unseen() {
    let tree = v1();
    tree.pod("a", 0, [0; 5]);
    tree.pod("b", 0, [0; 5]);
    let mut pods = tree.open();
    pods.sample(&[pod("a", "/a"), pod("b", "/b")], &mut Vec::new());
    pods.sample(&[pod("b", "/b")], &mut Vec::new());
    assert_eq!(pods.readers.keys().collect::<Vec<_>>(), ["b"]);

    // Emptied in place: the open handle reads nothing, and opening it anew mends nothing.
    fs::write(tree.root.path().join("memory/b/memory.stat"), "").unwrap();
    let (seen, unseen) = pods.sample(&[pod("b", "/b")], &mut Vec::new());
    assert!(seen.is_empty());
    assert_eq!(unseen, ["b"]);
    assert!(pods.readers.is_empty());
}

#[test]
fn without_any_hierarchy_all_pods_are_unseen() {
    let nothing = tempfile::tempdir().unwrap();
    let mut pods = PodCgroups::open(Path::new("/nonexistent"), nothing.path(), 4);
    assert_eq!(pods.sample(&[pod("a", "/a")], &mut Vec::new()).1, ["a"]);
}

proptest! {
    #[test]
    fn cpu_is_never_negative_nor_more_than_all_cores(
        rounds in prop::collection::vec((0_u64..5_000, any::<u64>()), 1..20),
        cores in 1_u32..256,
    ) {
        let mut meter = CpuMeter::default();
        let mut now = Instant::now();
        for (index, (milliseconds, used)) in rounds.into_iter().enumerate() {
            now += Duration::from_millis(milliseconds);
            let percent = meter.percent(now, used, cores);
            prop_assert!((0.0..=f64::from(cores) * 100.0).contains(&percent), "{}", percent);
            prop_assert!(index > 0 || percent == 0.0);
        }
    }

    #[test]
    fn cpu_is_time_used_over_time_passed(seconds in 1_u64..100, percent in 0_u64..=400, before in 0..1_u64 << 60) {
        let mut meter = CpuMeter::default();
        let start = Instant::now();
        meter.percent(start, before, 4);
        let measured = meter.percent(start + Duration::from_secs(seconds), before + seconds * percent * 10_000_000, 4);
        // A counter near 2^60 is still exact in the difference.
        prop_assert!((measured - percent as f64).abs() < 1e-6, "{} {}", measured, percent);
    }
}
