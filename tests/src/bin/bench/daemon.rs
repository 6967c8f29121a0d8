//! What the daemon itself costs.

use std::time::Duration;

use dagda_tests::TestHost;
use rustix::process::Pid;

use crate::measure::Row;

/// How long CPU use is averaged over.
pub const STRETCH: Duration = Duration::from_mins(1);

/// Resident memory of dagdad (`VmRSS` of `/proc/PID/status`).
pub fn memory(host: &mut TestHost) -> Row {
    let status = read(host.daemon().pid(), "status");
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("VmRSS");
    let kibibytes: f64 = resident
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number of kB");
    let mebibytes = kibibytes / 1024.0;
    Row {
        what: "memory of dagdad, 50 pods".to_owned(),
        ours: format!("{mebibytes:.1} MiB RSS"),
        peer: "none".to_owned(),
        figure: format!("{mebibytes:.1} MiB"),
        target: "≤ 20 MiB".to_owned(),
        met: mebibytes <= 20.0,
    }
}

/// CPU use of dagdad at one sample a second.
pub fn cpu(host: &mut TestHost) -> Row {
    let pid = host.daemon().pid();
    let before = cpu_seconds(pid);
    // A stretch of time is what is measured.
    std::thread::sleep(STRETCH);
    let percent = (cpu_seconds(pid) - before) / STRETCH.as_secs_f64() * 100.0;
    Row {
        what: format!(
            "CPU of dagdad, 30 pods sampled each second, over {} s",
            STRETCH.as_secs()
        ),
        ours: format!("{percent:.2} % of a core"),
        peer: "none".to_owned(),
        figure: format!("{percent:.2} %"),
        target: "≤ 0.3 %".to_owned(),
        met: percent <= 0.3,
    }
}

/// `utime + stime` of all threads, past ones included: fields 14 and 15 of `/proc/PID/stat`.
/// Source: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn cpu_seconds(pid: Pid) -> f64 {
    let stat = read(pid, "stat");
    // The second field, the name, is in parentheses and may hold anything.
    let after_name = stat.rsplit_once(')').expect("a name in parentheses").1;
    let ticks = |index: usize| -> f64 {
        after_name
            .split_whitespace()
            .nth(index)
            .and_then(|field| field.parse().ok())
            .expect("a number of ticks")
    };
    (ticks(11) + ticks(12)) / rustix::param::clock_ticks_per_second() as f64
}

fn read(pid: Pid, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{}/{file}", pid.as_raw_nonzero()))
        .expect("read the daemon's /proc files")
}
