//! What a process holds of the machine.

use rustix::process::Pid;

/// A process as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vitals {
    /// Open file descriptors, sockets included.
    pub descriptors: usize,
    /// Sockets among them.
    pub sockets: usize,
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
        // One may be closed between its being listed and its being looked at.
        let descriptors: Vec<_> = descriptors
            .filter_map(|it| std::fs::read_link(it.ok()?.path()).ok())
            .collect();
        let sockets = descriptors
            .iter()
            .filter(|it| it.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("read status");
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
            .expect("VmRSS in kB");
        Self {
            descriptors: descriptors.len(),
            sockets: sockets.count(),
            resident: resident * 1024,
        }
    }
}
