//! The machine's memory, and how much of it a test's dagdad may give out.
//!
//! A box under test shares its machine with compilers, other tests and whatever its owner runs,
//! so no test can count on a number of bytes. Footprints are declared, not used: a pod that asks
//! for a third of the room needs none of it. So tests ask for shares of the [`Room`] that leave
//! a wide margin on both sides, and what the others use may come and go by that margin.

/// What the kernel says of the machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// `MemTotal`, bytes.
    pub total: u64,
    /// `MemAvailable`, bytes.
    pub available: u64,
}

/// What there was to give out when it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    bytes: u64,
    /// The threshold that makes it so.
    pub threshold_percent: f64,
}

impl Memory {
    /// As it is now.
    ///
    /// # Panics
    /// `/proc/meminfo` is not as the kernel writes it.
    pub fn now() -> Self {
        let text = std::fs::read_to_string("/proc/meminfo").expect("read /proc/meminfo");
        let bytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes =
                line.and_then(|rest| rest.trim_end_matches("kB").trim().parse::<u64>().ok());
            kibibytes.unwrap_or_else(|| panic!("no {name} in /proc/meminfo")) * 1024
        };
        Self {
            total: bytes("MemTotal:"),
            available: bytes("MemAvailable:"),
        }
    }

    /// What is used, as dagdad counts it.
    pub fn used(self) -> u64 {
        self.total - self.available
    }
}

impl Room {
    /// Four fifths of what is available now. The last fifth stays out of it, as no ceiling is
    /// above the machine.
    pub fn measure() -> Self {
        let memory = Memory::now();
        let bytes = memory.available / 5 * 4;
        let threshold_percent = (memory.used() + bytes) as f64 * 100.0 / memory.total as f64;
        Self {
            bytes,
            threshold_percent,
        }
    }

    /// So many hundredths of it, in bytes.
    pub const fn percent(self, share: u64) -> u64 {
        self.bytes / 100 * share
    }
}

/// A meal of a pod that is seen whatever the rest of the machine does meanwhile, and when an alert
/// of it is to be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meal {
    /// What the pod takes.
    pub mib: u64,
    /// What the machine uses with half of it, in percent of its memory.
    pub percent: f64,
    /// What it uses with less of it.
    pub clear_percent: f64,
}

impl Meal {
    /// A third of what is available now, but no more than 4 GiB.
    pub fn measure() -> Self {
        let memory = Memory::now();
        let bytes = (memory.available / 3).min(4 << 30);
        let with = |share: f64| {
            let used = memory.used() as f64 + bytes as f64 * share;
            used * 100.0 / memory.total as f64
        };
        Self {
            mib: bytes >> 20,
            percent: with(0.5),
            clear_percent: with(0.4),
        }
    }
}
