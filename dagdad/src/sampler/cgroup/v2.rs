//! Files of the v2 interface. All of them count the cgroups below, too.
//! Source: <https://docs.kernel.org/admin-guide/cgroup-v2.html>

use super::{MemorySplit, PageCache};
use crate::sampler::fields::{named, number};

/// `usage_usec` of `cpu.stat`, in nanoseconds.
pub fn cpu_nanoseconds(stat: &[u8]) -> Option<u64> {
    let (_, usage) = named(stat, b' ').find(|(name, _)| *name == b"usage_usec")?;
    number(usage)?.checked_mul(1000)
}

/// `memory.stat`: `anon`, `file`, `shmem` and `file_mapped`; `file` and `file_mapped` hold
/// `shmem` too.
pub fn memory_split(stat: &[u8]) -> Option<MemorySplit> {
    let (mut anon, mut file, mut shmem, mut mapped) = (None, None, None, None);
    for (name, value) in named(stat, b' ') {
        match name {
            b"anon" => anon = number(value),
            b"file" => file = number(value),
            b"shmem" => shmem = number(value),
            b"file_mapped" => mapped = number(value),
            _ => {}
        }
        if let (Some(anon), Some(all), Some(shmem), Some(mapped)) = (anon, file, shmem, mapped) {
            return Some(MemorySplit::new(anon, PageCache { all, shmem, mapped }));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(usage in 0..1_u64 << 50, anon in 0..1_u64 << 50, mapped in 0..1_u64 << 50, unmapped in 0..1_u64 << 50, shmem in 0..1_u64 << 50) {
            let file = mapped + unmapped;
            let cpu = format!("usage_usec {usage}\nuser_usec 1\nsystem_usec 2\n");
            prop_assert_eq!(cpu_nanoseconds(cpu.as_bytes()), Some(usage * 1000));
            let memory = format!("anon {anon}\nfile {}\nkernel 5\nshmem {shmem}\nfile_mapped {}\ninactive_anon 7\n", file + shmem, mapped + shmem);
            prop_assert_eq!(memory_split(memory.as_bytes()), Some(MemorySplit { anon: anon + shmem, file, mapped }));
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = (cpu_nanoseconds(&text), memory_split(&text));
        }
    }

    #[test]
    fn half_a_file_is_none() {
        assert_eq!(memory_split(b"anon 1\nfile 2\nshmem 0\n"), None);
        assert_eq!(cpu_nanoseconds(b"user_usec 1\n"), None);
        assert_eq!(
            cpu_nanoseconds(b"usage_usec 18446744073709551615\n"),
            None,
            "overflow"
        );
    }
}
