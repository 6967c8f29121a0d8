//! What goes over a pod's network.
//!
//! The containers of a pod share one network namespace, so any process in it tells the whole
//! pod's traffic: `/proc/PID/net/dev` counts each interface of that process's namespace since
//! the interface was made.
//!
//! ```text
//! Inter-|   Receive                                                |  Transmit
//!  face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets …
//!     lo: 8773054  101192    0    0    0     0          0         0 8773054  101192 …
//!   eth0:     976      10    0    0    0     0          0         0    1046      12 …
//! ```
//! Sources: <https://man7.org/linux/man-pages/man5/proc_pid_net.5.html>,
//! <https://man7.org/linux/man-pages/man7/cgroups.7.html> (`cgroup.procs`)

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, readlinkat, statat};

use super::fields::{named, number};
use super::reread::reread;

/// A pod in which no process with a network of its own was found is looked at again after so
/// long: while its containers are made or end, there is none for a moment.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Containers stand one or two levels below their pod's cgroup.
const DEPTH: usize = 3;

/// The processes of this machine, and which network namespaces are the host's.
#[derive(Debug)]
pub struct Processes {
    proc_root: PathBuf,
    /// Those of this process and of PID 1, as far as they can be read; they differ where dagdad
    /// is in a container.
    host: Vec<Namespace>,
}

/// What tells one network namespace from another.
#[derive(Debug, PartialEq, Eq)]
enum Namespace {
    /// The link `ns/net` of a process, which shows only to root and the process's own user.
    Link(CString),
    /// The inode of `net/dev`, which shows to all: each namespace has its own tree below
    /// `/proc/PID/net`.
    /// Source: `proc_net_ns_init` in <https://github.com/torvalds/linux/blob/master/fs/proc/proc_net.c>
    Inode(u64),
}

impl Namespace {
    /// Both of the process at `dir`, as far as they show.
    fn of(dir: impl AsFd) -> impl Iterator<Item = Self> {
        let link = readlinkat(&dir, "ns/net", Vec::new()).map(Self::Link);
        let inode =
            statat(&dir, "net/dev", AtFlags::empty()).map(|found| Self::Inode(found.st_ino));
        [link, inode].into_iter().filter_map(Result::ok)
    }
}

impl Processes {
    pub fn open(proc_root: &Path) -> Self {
        let mut processes = Self {
            proc_root: proc_root.to_owned(),
            host: Vec::new(),
        };
        processes.host = ["self", "1"]
            .iter()
            .filter_map(|process| processes.process(process))
            .flat_map(Namespace::of)
            .collect();
        processes
    }

    /// Looks through the cgroup at `dir` and those below for a process with a network namespace
    /// of its own. Beside a container Podman keeps its monitor (conmon), which is in the host's.
    fn find(&self, dir: &Path, depth: usize) -> Option<OwnedFd> {
        let procs = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        // Those of one cgroup are of one container. 0 is one that cannot be seen from here.
        let first = procs.lines().find(|pid| *pid != "0");
        let found = first.and_then(|pid| self.process(pid));
        if let Some(process) = found.filter(|process| self.is_apart(process)) {
            return Some(process);
        }
        if depth == 0 {
            return None;
        }
        let below = fs::read_dir(dir).ok()?.flatten();
        below
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .find_map(|entry| self.find(&entry.path(), depth - 1))
    }

    /// A handle on the process that no later one of the same number can take over.
    fn process(&self, pid: &str) -> Option<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(CWD, self.proc_root.join(pid), flags, Mode::empty()).ok()
    }

    /// Whether the process is known to be in another network namespace than the host's.
    fn is_apart(&self, process: &OwnedFd) -> bool {
        // The first that shows of both: the link where it can be read.
        let comparable = |found: &Namespace| {
            let kind = std::mem::discriminant(found);
            self.host
                .iter()
                .any(|host| std::mem::discriminant(host) == kind)
        };
        Namespace::of(process)
            .find(comparable)
            .is_some_and(|found| !self.host.contains(&found))
    }
}

/// Counts one pod's traffic from round to round.
#[derive(Debug)]
pub struct PodNetwork {
    cgroup: PathBuf,
    source: Source,
    last: Option<(Instant, u64)>,
}

#[derive(Debug)]
enum Source {
    /// Its directory below `/proc`.
    Process(OwnedFd),
    /// Nothing to count by: the pod shares the host's network, all of which is not its own, or
    /// none of its processes can be seen.
    Nothing { since: Instant },
    /// Not looked for yet.
    Unknown,
}

impl PodNetwork {
    /// Of the pod whose cgroup is the directory `cgroup`.
    pub fn of(cgroup: PathBuf) -> Self {
        Self {
            cgroup,
            source: Source::Unknown,
            last: None,
        }
    }

    /// Bytes a second since the call before; 0 at the first, where they cannot be counted, and
    /// whenever counting began anew.
    pub fn per_second(&mut self, processes: &Processes, now: Instant, buffer: &mut Vec<u8>) -> f64 {
        let Some(total) = self.total(processes, now, buffer) else {
            self.last = None;
            return 0.0;
        };
        let Some((then, before)) = self.last.replace((now, total)) else {
            return 0.0;
        };
        let elapsed = now.saturating_duration_since(then).as_secs_f64();
        if elapsed > 0.0 {
            total.saturating_sub(before) as f64 / elapsed
        } else {
            0.0
        }
    }

    /// All bytes so far.
    fn total(&mut self, processes: &Processes, now: Instant, buffer: &mut Vec<u8>) -> Option<u64> {
        match &self.source {
            Source::Process(process) => {
                if let Some(total) = read(process, buffer) {
                    return Some(total);
                }
                // It is gone. Another one may be of another namespace.
                self.last = None;
            }
            Source::Nothing { since } if now < *since + LOOK_AGAIN => return None,
            Source::Nothing { .. } | Source::Unknown => {}
        }
        let Some(process) = processes.find(&self.cgroup, DEPTH) else {
            self.source = Source::Nothing { since: now };
            return None;
        };
        let total = read(&process, buffer);
        self.source = Source::Process(process);
        total
    }
}

fn read(process: &OwnedFd, buffer: &mut Vec<u8>) -> Option<u64> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = File::from(openat(process, "net/dev", flags, Mode::empty()).ok()?);
    total(reread(&file, buffer).ok()?)
}

/// Bytes received and sent over all interfaces but the loopback; `None` where the text is not as
/// the kernel writes it.
pub fn total(text: &[u8]) -> Option<u64> {
    // The two lines of the heading have no colon.
    named(text, b':')
        .filter(|(interface, _)| interface.trim_ascii() != b"lo")
        .try_fold(0_u64, |sum, (_, counters)| {
            let mut counters = counters
                .split(u8::is_ascii_whitespace)
                .filter(|field| !field.is_empty());
            let received = number(counters.next()?)?;
            let sent = number(counters.nth(7)?)?;
            sum.checked_add(received)?.checked_add(sent)
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    const HEADING: &str = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";

    fn line(interface: &str, received: u64, sent: u64) -> String {
        format!("{interface:>6}: {received:7} 10 0 0 0 0 0 3 {sent:7} 12 0 0 0 0 0 0\n")
    }

    /// A procfs and a cgroup file system in directories.
    struct Machine {
        dir: tempfile::TempDir,
    }

    impl Machine {
        /// dagdad is in a container, PID 1 in the host's namespace.
        fn new() -> Self {
            let made = Self {
                dir: tempfile::tempdir().unwrap(),
            };
            made.process("self", "net:[7]", "");
            made.process("1", "net:[1]", "");
            made
        }

        fn process(&self, pid: &str, namespace: &str, interfaces: &str) {
            let dir = self.dir.path().join("proc").join(pid);
            for part in ["ns", "net"] {
                fs::create_dir_all(dir.join(part)).unwrap();
            }
            let _ = fs::remove_file(dir.join("ns/net"));
            symlink(namespace, dir.join("ns/net")).unwrap();
            fs::write(dir.join("net/dev"), format!("{HEADING}{interfaces}")).unwrap();
        }

        /// As to an ordinary user.
        fn hides_namespaces(&self, pid: &str) {
            fs::remove_file(self.dir.path().join("proc").join(pid).join("ns/net")).unwrap();
        }

        /// The kernel shows both the same files.
        fn shares_network(&self, pid: &str, other: &str) {
            let file = |pid: &str| self.dir.path().join("proc").join(pid).join("net/dev");
            fs::remove_file(file(pid)).unwrap();
            fs::hard_link(file(other), file(pid)).unwrap();
        }

        fn ends(&self, pid: &str) {
            fs::remove_dir_all(self.dir.path().join("proc").join(pid)).unwrap();
        }

        fn cgroup(&self, path: &str, pids: &[&str]) -> PathBuf {
            let dir = self.dir.path().join("cgroup").join(path);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("cgroup.procs"), pids.join("\n")).unwrap();
            dir
        }

        fn processes(&self) -> Processes {
            Processes::open(&self.dir.path().join("proc"))
        }
    }

    /// Bytes a second in rounds that are two seconds apart, with something done before each.
    fn rounds(made: &Machine, pod: PathBuf, before: &[&dyn Fn()]) -> Vec<f64> {
        let processes = made.processes();
        let mut network = PodNetwork::of(pod);
        let begin = Instant::now();
        let mut buffer = Vec::new();
        let mut seconds = 0;
        let mut round = |prepare: &&dyn Fn()| {
            prepare();
            seconds += 2;
            network.per_second(
                &processes,
                begin + Duration::from_secs(seconds),
                &mut buffer,
            )
        };
        before.iter().map(&mut round).collect()
    }

    fn assert_rates(rates: &[f64], expected: &[f64]) {
        assert_eq!(rates.len(), expected.len());
        for (rate, expected) in rates.iter().zip(expected) {
            assert!((rate - expected).abs() < 1e-9, "{rates:?}");
        }
    }

    #[test]
    fn what_all_interfaces_but_the_loopback_carry_is_counted_from_round_to_round() {
        let made = Machine::new();
        let pod = made.cgroup("pod", &[]);
        made.cgroup("pod/conmon", &["20"]);
        made.cgroup("pod/libpod-a", &["21", "22"]);
        made.process("20", "net:[1]", &line("eth0", 5_000_000, 0));
        let carried = |eth0: u64, tap0: u64| {
            let text = [
                line("lo", 99_999, 99_999),
                line("eth0", eth0, 100),
                line("tap0", 0, tap0),
            ];
            made.process("21", "net:[3]", &text.concat());
        };
        let rates = rounds(
            &made,
            pod,
            &[
                &|| carried(1_000, 0),
                &|| carried(5_000, 1_000),
                &|| carried(5_000, 1_000),
                &|| carried(10, 0),
            ],
        );
        assert_rates(&rates, &[0.0, 2_500.0, 0.0, 0.0]);
    }

    #[test]
    fn a_pod_on_the_hosts_network_has_none_of_its_own() {
        for host in ["net:[1]", "net:[7]"] {
            let made = Machine::new();
            let pod = made.cgroup("pod", &[]);
            made.cgroup("pod/libpod-a/container", &["21"]);
            let busy = |bytes| made.process("21", host, &line("eth0", bytes, 0));
            let rates = rounds(&made, pod, &[&|| busy(0), &|| busy(1 << 20)]);
            assert_rates(&rates, &[0.0, 0.0]);
        }
    }

    #[test]
    fn who_may_not_see_the_namespaces_of_others_tells_them_by_their_files() {
        let made = Machine::new();
        made.hides_namespaces("1");
        let pods = [made.cgroup("own", &["21"]), made.cgroup("shared", &["22"])];
        let carried = |bytes| {
            made.process("21", "net:[3]", &line("eth0", bytes, 0));
            made.hides_namespaces("21");
            made.process("22", "net:[1]", &line("eth0", bytes, 0));
            made.hides_namespaces("22");
            made.shares_network("22", "1");
        };
        let rates = pods.map(|pod| rounds(&made, pod, &[&|| carried(0), &|| carried(2_000)]));
        assert_rates(&rates[0], &[0.0, 1_000.0]);
        assert_rates(&rates[1], &[0.0, 0.0]);
    }

    #[test]
    fn when_the_process_is_gone_another_one_is_found_and_counting_begins_anew() {
        let made = Machine::new();
        let pod = made.cgroup("pod", &["21"]);
        let runs = |pid: &str, bytes| made.process(pid, "net:[3]", &line("eth0", bytes, 0));
        let rates = rounds(
            &made,
            pod,
            &[
                &|| runs("21", 0),
                &|| runs("21", 2_000),
                &|| {
                    made.ends("21");
                    made.cgroup("pod", &["30"]);
                    runs("30", 50_000);
                },
                &|| runs("30", 54_000),
            ],
        );
        assert_rates(&rates, &[0.0, 1_000.0, 0.0, 2_000.0]);
    }

    #[test]
    fn a_process_of_the_same_number_is_not_taken_for_the_one_that_is_gone() {
        let made = Machine::new();
        let pod = made.cgroup("pod", &["21"]);
        let runs = |bytes| made.process("21", "net:[3]", &line("eth0", bytes, 0));
        let rates = rounds(
            &made,
            pod,
            &[&|| runs(0), &|| {
                made.ends("21");
                made.cgroup("pod", &[]);
                made.process("21", "net:[9]", &line("eth0", 1 << 30, 0));
            }],
        );
        assert_rates(&rates, &[0.0, 0.0]);
    }

    #[test]
    fn a_pod_in_which_nothing_is_to_be_seen_is_looked_at_again_after_a_while() {
        let made = Machine::new();
        // 0 is a process outside of this PID namespace, 40 one that has ended by now.
        let pod = made.cgroup("pod", &["0", "40"]);
        let nothing: &dyn Fn() = &|| {};
        let appears = || {
            made.cgroup("pod", &["21"]);
            made.process("21", "net:[3]", &line("eth0", 0, 0));
        };
        let sends = || made.process("21", "net:[3]", &line("eth0", 0, 2_000));
        let rates = rounds(
            &made,
            pod,
            &[
                nothing, &appears, nothing, nothing, nothing, nothing, &sends,
            ],
        );
        assert_rates(&rates, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1_000.0]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(interfaces in prop::collection::vec(("[a-z]{3,6}[0-9]", 0..1_u64 << 40, 0..1_u64 << 40), 0..5)) {
            let mut text = HEADING.to_owned() + &line("lo", 1, 2);
            for (interface, received, sent) in &interfaces {
                text += &line(interface, *received, *sent);
            }
            let expected: u64 = interfaces.iter().map(|(_, received, sent)| received + sent).sum();
            prop_assert_eq!(total(text.as_bytes()), Some(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = total(&text);
        }
    }

    #[test]
    fn half_a_line_is_none() {
        assert_eq!(total(b"  eth0: 1 2 3\n"), None);
        assert_eq!(
            total(b"  eth0: 18446744073709551615 0 0 0 0 0 0 0 1 0\n"),
            None,
            "overflow"
        );
    }
}
