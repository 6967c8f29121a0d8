//! Which mounted file systems matter, and how full they are.
//!
//! Sizes come from `statvfs` on the mounts chosen here rather than from `sysinfo`: its list
//! hides every mount point whose name begins with `/run`, `/sys` or `/proc` (`/sysdata`
//! included) and touches FUSE mounts, which may never answer.
//!
//! Network and FUSE file systems are left out: they are some other machine's disks, and
//! `statvfs` on a dead NFS mount never returns. Local disks may still be slow to answer, so
//! a thread measures them and rounds take its last result.

use std::collections::HashSet;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use procfs::process::MountInfo;

use crate::domain::quantity::Bytes;
use crate::domain::sample::DiskSample;

/// How long [`DiskWatch::start`] waits for the first result, so that the first round has it.
const FIRST_RESULT: Duration = Duration::from_millis(500);

/// Measures disks on a thread of its own, which ends when this is dropped.
pub struct DiskWatch {
    requests: SyncSender<()>,
    results: Arc<Mutex<Vec<DiskSample>>>,
    interval: Duration,
    asked: Instant,
    stuck: bool,
}

impl DiskWatch {
    /// Starts the thread and waits a moment for its first result.
    pub fn start(proc_root: &Path, interval: Duration) -> io::Result<Self> {
        let (requests, wanted) = sync_channel(1);
        let (first_done, first) = sync_channel(1);
        let results = Arc::new(Mutex::new(Vec::new()));
        let (mountinfo, shared) = (proc_root.join("self/mountinfo"), Arc::clone(&results));
        thread::Builder::new()
            .name("disks".to_owned())
            .spawn(move || {
                publish(&mountinfo, &shared);
                let _ = first_done.send(());
                measure_on_request(&wanted, &mountinfo, &shared);
            })?;
        // Without a first result in time, rounds begin without disks.
        let _ = first.recv_timeout(FIRST_RESULT);
        Ok(Self {
            requests,
            results,
            interval,
            asked: Instant::now(),
            stuck: false,
        })
    }

    /// The last result, and asks for a new one where it is time. Never waits for a disk.
    pub fn latest(&mut self, now: Instant) -> Vec<DiskSample> {
        if now.duration_since(self.asked) >= self.interval {
            self.asked = now;
            let stuck = matches!(self.requests.try_send(()), Err(TrySendError::Full(())));
            if stuck && !self.stuck {
                tracing::warn!(
                    "a disk has not told its size for {:?}; figures of disks are old",
                    self.interval
                );
            }
            self.stuck = stuck;
        }
        self.results
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn measure_on_request(wanted: &Receiver<()>, mountinfo: &Path, results: &Mutex<Vec<DiskSample>>) {
    while wanted.recv().is_ok() {
        publish(mountinfo, results);
    }
}

fn publish(mountinfo: &Path, results: &Mutex<Vec<DiskSample>>) {
    match fs::read(mountinfo) {
        Ok(table) => {
            let measured = chosen_mounts(&table)
                .iter()
                .filter_map(|mount| measure(mount))
                .collect();
            *results.lock().unwrap_or_else(PoisonError::into_inner) = measured;
        }
        Err(error) => tracing::warn!(
            "cannot read {}: {error}; figures of disks are old",
            mountinfo.display()
        ),
    }
}

/// `None` for what is no directory (a file bound into a container) or has no size.
fn measure(mount: &Path) -> Option<DiskSample> {
    if !fs::metadata(mount).ok()?.is_dir() {
        return None;
    }
    let sizes = rustix::fs::statvfs(mount).ok()?;
    let bytes = |blocks: u64| Bytes(blocks.saturating_mul(sizes.f_frsize));
    (sizes.f_blocks > 0).then(|| DiskSample {
        mount: mount.to_string_lossy().into_owned(),
        total: bytes(sizes.f_blocks),
        available: bytes(sizes.f_bavail),
    })
}

/// The mount points that matter in a `/proc/self/mountinfo`, sorted, `/` first:
/// - what holds `/`, whatever it is;
/// - every other writable file system on a block device (and btrfs, ZFS and bcachefs, which
///   have no device number of their own), each once, at its shortest mount point;
/// - not what containers mount for themselves below `containers/storage/overlay`.
///
/// Format: <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>
pub fn chosen_mounts(mountinfo: &[u8]) -> Vec<PathBuf> {
    let mut visible: Vec<(PathBuf, MountInfo)> = Vec::new();
    let mut points = HashSet::new();
    // From the end: a later mount on the same point hides the earlier one.
    for line in mountinfo
        .rsplit(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        // A name that is not UTF-8 costs that line, not the table.
        let Some(mount) = std::str::from_utf8(line)
            .ok()
            .and_then(|line| MountInfo::from_line(line).ok())
        else {
            continue;
        };
        let point = unescape(mount.mount_point.as_os_str().as_encoded_bytes());
        if points.insert(point.clone()) {
            visible.push((point, mount));
        }
    }
    visible.retain(|(point, mount)| point == Path::new("/") || matters(point, mount));
    visible.sort_by(|(a, _), (b, _)| (a.components().count(), a).cmp(&(b.components().count(), b)));
    let mut seen = HashSet::new();
    visible.retain(|(_, mount)| seen.insert(file_system(mount)));
    visible.into_iter().map(|(point, _)| point).collect()
}

fn matters(point: &Path, mount: &MountInfo) -> bool {
    let on_device = !mount.majmin.starts_with("0:") || manages_own_devices(&mount.fs_type);
    let image = matches!(
        mount.fs_type.as_str(),
        "squashfs" | "erofs" | "iso9660" | "udf" | "cramfs" | "romfs"
    );
    // What cannot be written cannot fill up either.
    let writable = !mount.super_options.contains_key("ro");
    let parts: Vec<_> = point.iter().collect();
    let of_containers = parts
        .windows(3)
        .any(|part| part == ["containers", "storage", "overlay"]);
    on_device && !image && writable && !of_containers
}

/// File systems over devices of their own choice, with device number 0 in the mount table.
fn manages_own_devices(fs_type: &str) -> bool {
    matches!(fs_type, "btrfs" | "zfs" | "bcachefs")
}

/// What two mounts of the same space have in common: the device number; for btrfs subvolumes
/// the source; for ZFS data sets the pool.
fn file_system(mount: &MountInfo) -> String {
    match (&mount.mount_source, mount.fs_type.as_str()) {
        (Some(source), "zfs") => source.split('/').next().unwrap_or(source).to_owned(),
        (Some(source), fs_type) if manages_own_devices(fs_type) => source.clone(),
        _ => mount.majmin.clone(),
    }
}

/// Undoes the kernel's `\040` for space, tab, newline and backslash.
fn unescape(text: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = if let [
            b'\\',
            a @ b'0'..=b'3',
            b @ b'0'..=b'7',
            c @ b'0'..=b'7',
            tail @ ..,
        ] = rest
        {
            Some(((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), tail))
        } else {
            None
        };
        let (byte, tail) = octal.unwrap_or((byte, after));
        plain.push(byte);
        rest = tail;
    }
    std::ffi::OsString::from_vec(plain).into()
}

#[cfg(test)]
mod tests;
