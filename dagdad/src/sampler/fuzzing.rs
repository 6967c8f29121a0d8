//! What holds for every text that the kernel, or what looks like it, may give.

use std::collections::HashSet;

use super::cgroup::layout::own_path;
use super::cgroup::{MemorySplit, v1, v2};
use super::disks::chosen_mounts;
use super::fields::{kibibytes, named, number};
use super::host::cached;
use super::network::total;
use super::pressure::{Line, avg10};

/// Feeds a file of `/proc/pressure`.
///
/// # Panics
/// Where a pressure is no percentage.
pub fn psi(input: &[u8]) {
    for line in [Line::Some, Line::Full] {
        if let Some(percent) = avg10(input, line) {
            assert!((0.0..=100.0).contains(&percent), "{percent}");
            assert!(percent.is_sign_positive(), "{percent}");
        }
    }
}

/// Feeds the files of a cgroup, of v1 and v2, and `/proc/self/cgroup`.
///
/// # Panics
/// Where more is mapped than there is, or a number is another one when it is read again.
pub fn cgroup(input: &[u8]) {
    for (_, value) in named(input, b' ') {
        if let Some(value) = number(value) {
            assert_eq!(number(value.to_string().as_bytes()), Some(value));
        }
        if let Some(bytes) = kibibytes(value) {
            assert_eq!(bytes % 1024, 0);
        }
    }
    let splits = [v1::memory_split(input), v2::memory_split(input)];
    for MemorySplit { file, mapped, .. } in splits.into_iter().flatten() {
        assert!(mapped <= file, "{mapped} of {file}");
    }
    let _ = (v1::cpu_nanoseconds(input), v2::cpu_nanoseconds(input));
    let membership = String::from_utf8_lossy(input);
    for controller in [None, Some("memory"), Some("cpuacct")] {
        if let Some(path) = own_path(&membership, controller) {
            assert!(!path.contains('\n'), "{path:?}");
        }
    }
}

/// Feeds a mount table, `/proc/meminfo` and `/proc/PID/net/dev`.
///
/// # Panics
/// Where a mount point is chosen twice, or in another order than they are told.
pub fn proc(input: &[u8]) {
    let mounts = chosen_mounts(input);
    let lines = input.split(|&byte| byte == b'\n').count();
    assert!(mounts.len() <= lines);
    let distinct: HashSet<_> = mounts.iter().collect();
    assert_eq!(distinct.len(), mounts.len(), "{mounts:?}");
    let depths = mounts.iter().map(|mount| mount.components().count());
    assert!(depths.is_sorted(), "{mounts:?}");
    let _ = (cached(input), total(input));
}
