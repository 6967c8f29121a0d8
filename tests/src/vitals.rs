//! What a process holds of the machine.

use rustix::process::Pid;

/// A process as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vitals {
    /// Open file descriptors.
    pub descriptors: usize,
    /// Resident memory, bytes.
    pub resident: u64,
}

impl Vitals {
    /// Reads `/proc/PID/fd` and `/proc/PID/status`.
    ///
    /// # Panics
    /// The process is gone, or another user's.
    pub fn of(pid: Pid) -> Self {
        let pid = pid.as_raw_nonzero();
        let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("list descriptors");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("read status");
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
            .expect("VmRSS in kB");
        Self {
            descriptors: descriptors.count(),
            resident: resident * 1024,
        }
    }
}
