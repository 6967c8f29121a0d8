//! Having the kernel drop memory of a pod that it can read again or swap.
//!
//! cgroup v2 has `memory.reclaim` for that, from Linux 5.19 on: the number of bytes to reclaim
//! is written to it, and the write returns when that is done or, with `EAGAIN`, when less was
//! to be had. Source: <https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files>

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::list::no_such_pod;
use crate::domain::quantity::Bytes;
use crate::ports::RuntimeError;

/// As a verb phrase for errors.
pub const WHAT: &str = "reclaim memory of the pod";

/// How much is asked for at once, so that the deadline is looked at now and then: nothing ends
/// a write that has begun, and on a slow disk swapping takes its time.
const STEP: Bytes = Bytes::mib(64);

/// Reclaims up to `goal` of the pod whose cgroup below `root` is `cgroup`; returns how much less
/// it has than before.
pub async fn reclaim(
    root: &Path,
    cgroup: &str,
    pod: &str,
    goal: Bytes,
    deadline: Duration,
) -> Result<Bytes, RuntimeError> {
    let dir = root.join(cgroup.trim_start_matches('/'));
    if !dir.join("memory.reclaim").exists() {
        return Err(unsupported(root, &dir));
    }
    let pod = pod.to_owned();
    let until = Instant::now() + deadline;
    tokio::task::spawn_blocking(move || reclaim_in_steps(&dir, &pod, goal, until))
        .await
        .map_err(|panic| RuntimeError::Protocol(panic.to_string()))?
}

fn reclaim_in_steps(
    dir: &Path,
    pod: &str,
    goal: Bytes,
    until: Instant,
) -> Result<Bytes, RuntimeError> {
    let before = current(dir, pod)?;
    let mut left = goal.min(before);
    while left > Bytes(0) && Instant::now() < until {
        let step = left.min(STEP);
        match fs::write(dir.join("memory.reclaim"), step.0.to_string()) {
            Ok(()) => left = left.saturating_sub(step),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(refusal(&error, dir, pod)),
        }
    }
    Ok(before.saturating_sub(current(dir, pod)?))
}

/// All memory that is charged to the cgroup.
fn current(dir: &Path, pod: &str) -> Result<Bytes, RuntimeError> {
    let path = dir.join("memory.current");
    let text = fs::read_to_string(&path).map_err(|error| refusal(&error, dir, pod))?;
    text.trim()
        .parse()
        .map(Bytes)
        .map_err(|_| RuntimeError::Protocol(format!("{} says {:?}", path.display(), text.trim())))
}

fn refusal(error: &io::Error, dir: &Path, pod: &str) -> RuntimeError {
    match error
        .raw_os_error()
        .map(rustix::io::Errno::from_raw_os_error)
    {
        // The cgroup went with the pod.
        Some(rustix::io::Errno::NOENT | rustix::io::Errno::NODEV) => no_such_pod(pod),
        _ => RuntimeError::Unsupported(format!(
            "memory of pod {pod} cannot be reclaimed: {}: {error}; dagdad needs to be root, or the cgroup's owner",
            dir.join("memory.reclaim").display()
        )),
    }
}

fn unsupported(root: &Path, dir: &Path) -> RuntimeError {
    let reason = if !root.join("cgroup.controllers").exists() {
        "it takes cgroup v2, and this machine has v1 (boot with systemd.unified_cgroup_hierarchy=1)"
            .to_owned()
    } else if dir.join("memory.current").exists() {
        "it takes Linux 5.19 or later".to_owned()
    } else {
        format!("{} has no memory controller", dir.display())
    };
    RuntimeError::Unsupported(format!("memory of pods cannot be reclaimed here: {reason}"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A cgroup v2 file system in a directory, with one pod.
    struct Tree {
        root: tempfile::TempDir,
        pod: PathBuf,
    }

    impl Tree {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let pod = root.path().join("machine.slice/pod");
            fs::create_dir_all(&pod).unwrap();
            fs::write(root.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
            fs::write(pod.join("memory.current"), "104857600\n").unwrap();
            fs::write(pod.join("memory.reclaim"), "").unwrap();
            Self { root, pod }
        }

        async fn reclaim(&self, goal: Bytes) -> Result<Bytes, RuntimeError> {
            let root = self.root.path();
            reclaim(root, "/machine.slice/pod", "pod", goal, PATIENCE).await
        }

        async fn refusal(&self) -> String {
            match self.reclaim(Bytes::mib(1)).await {
                Err(RuntimeError::Unsupported(reason)) => reason,
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_went_is_measured() {
        let tree = Tree::new();
        let (current, asked) = (
            tree.pod.join("memory.current"),
            tree.pod.join("memory.reclaim"),
        );
        fs::remove_file(&current).unwrap();
        mknodat(CWD, &current, FileType::Fifo, Mode::RWXU, 0).unwrap();
        // As the kernel does: it has less once it was asked for it.
        let kernel = std::thread::spawn(move || {
            fs::write(&current, "104857600\n").unwrap();
            while fs::read_to_string(&asked).unwrap() != "31457280" {
                std::thread::yield_now();
            }
            fs::write(&current, "83886080\n").unwrap();
        });
        assert_eq!(
            tree.reclaim(Bytes::mib(30)).await,
            Ok(Bytes::mib(20)),
            "less than asked for, as it may be"
        );
        kernel.join().unwrap();
    }

    #[tokio::test]
    async fn no_more_is_asked_for_than_there_is() {
        let tree = Tree::new();
        assert_eq!(tree.reclaim(Bytes::gib(1)).await, Ok(Bytes(0)));
        let asked = fs::read_to_string(tree.pod.join("memory.reclaim")).unwrap();
        assert_eq!(asked, Bytes::mib(100 - 64).0.to_string(), "the second step");
    }

    #[tokio::test]
    async fn where_the_kernel_cannot_it_is_said_why() {
        let tree = Tree::new();
        fs::remove_file(tree.pod.join("memory.reclaim")).unwrap();
        assert!(tree.refusal().await.contains("Linux 5.19"));
        fs::remove_file(tree.pod.join("memory.current")).unwrap();
        assert!(tree.refusal().await.contains("no memory controller"));
        fs::remove_file(tree.root.path().join("cgroup.controllers")).unwrap();
        assert!(tree.refusal().await.contains("cgroup v2"));
    }

    #[test]
    fn a_cgroup_that_is_gone_is_no_pod() {
        let dir = Path::new("/sys/fs/cgroup/pod");
        let refused = |errno: rustix::io::Errno| refusal(&errno.into(), dir, "llama");
        for gone in [rustix::io::Errno::NODEV, rustix::io::Errno::NOENT] {
            assert_eq!(refused(gone), no_such_pod("llama"));
        }
        let RuntimeError::Unsupported(reason) = refused(rustix::io::Errno::ACCESS) else {
            panic!("a refusal is no missing pod");
        };
        assert!(reason.contains("/sys/fs/cgroup/pod/memory.reclaim"));
    }
}
