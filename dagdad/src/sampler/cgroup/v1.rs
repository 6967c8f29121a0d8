//! Files of the v1 controllers.
//! Sources: <https://docs.kernel.org/admin-guide/cgroup-v1/cpuacct.html>,
//! <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html#stat-file>

use super::{MemorySplit, PageCache};
use crate::sampler::fields::{named, number};

/// `cpuacct.usage`: CPU time of the cgroup and all below it, in nanoseconds.
pub fn cpu_nanoseconds(usage: &[u8]) -> Option<u64> {
    number(usage)
}

/// `memory.stat`. The plain fields leave out the cgroups below, in which a pod's containers
/// are: only those that begin with `total_` count the whole pod. `total_mapped_file` "includes
/// tmpfs/shmem"; `total_shmem` is missing before Linux 4.13.
pub fn memory_split(stat: &[u8]) -> Option<MemorySplit> {
    let (mut rss, mut cache, mut mapped, mut shmem) = (None, None, None, 0);
    for (name, value) in named(stat, b' ') {
        match name {
            b"total_rss" => rss = number(value),
            b"total_cache" => cache = number(value),
            b"total_mapped_file" => mapped = number(value),
            b"total_shmem" => shmem = number(value)?,
            _ => {}
        }
    }
    let cache = PageCache {
        all: cache?,
        shmem,
        mapped: mapped?,
    };
    Some(MemorySplit::new(rss?, cache))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(rss in 0..1_u64 << 50, mapped in 0..1_u64 << 50, unmapped in 0..1_u64 << 50, shmem in 0..1_u64 << 50) {
            let file = mapped + unmapped;
            let text = format!(
                "cache 1\nrss 2\nshmem 3\nmapped_file 4\nhierarchical_memory_limit 9\ntotal_cache {}\ntotal_rss {rss}\ntotal_rss_huge 4\ntotal_shmem {shmem}\ntotal_mapped_file {}\n",
                file + shmem,
                mapped + shmem,
            );
            prop_assert_eq!(memory_split(text.as_bytes()), Some(MemorySplit { anon: rss + shmem, file, mapped }));
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = (cpu_nanoseconds(&text), memory_split(&text));
        }
    }

    #[test]
    fn half_a_file_is_none() {
        assert_eq!(memory_split(b"cache 1\nrss 2\ntotal_cache 3\n"), None);
        assert_eq!(memory_split(b"total_cache 3\ntotal_rss 2\n"), None);
        assert_eq!(cpu_nanoseconds(b""), None);
    }
}
