//! A machine that is really made short of memory, by as much as a test can take back.
//!
//! Other programs come and go beside the test. So all sizes are parts of what one pod, the victim,
//! uses, which is large beside what they come and go by; and how much is missing to a shortage is
//! measured at the moment it is made. In twelfths of the victim:
//!
//! ```text
//!   what others use │ two small pods │ the victim │     free     │ too much │
//!                   0                2            14       20  22         26
//!                                          economy mode ends ┘  └ it begins
//! ```
//!
//! Without the victim, 8 are free below the threshold: its end alone is enough, also where others
//! take more meanwhile. With it and without what was eaten on top, there is room for it.
//!
//! The kernel itself is one of the others: a virtual machine that reports free pages to its host
//! holds back some of what was just freed (up to 1 GiB was seen, given back within two minutes),
//! which nobody has and yet nobody can get. <https://docs.kernel.org/mm/free_page_reporting.html>

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::PATIENCE;
use crate::manifest::MIB;
use crate::memory::Memory;
use crate::podman::eater::Unmanaged;

/// So long after memory was made short it is looked at whether it still is.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Only one test of a process may do this at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The sizes, as they are on this machine now.
#[derive(Debug)]
pub struct Squeeze {
    /// What the victim uses, in bytes.
    victim: u64,
    threshold: u64,
    total: u64,
    _alone: MutexGuard<'static, ()>,
}

impl Squeeze {
    /// Lays it out, before any of the pods is up.
    ///
    /// # Panics
    /// The machine has too little memory left for it.
    pub fn measure() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { total, available } = Memory::now();
        let used = total - available;
        let victim = (total / 100 * 12).min(3072 * MIB).min(available / 4);
        assert!(
            victim >= 256 * MIB,
            "only {} MiB of memory are available: too little to tell a shortage from what others use",
            available / MIB
        );
        Self {
            victim,
            threshold: used + victim / 12 * 22,
            total,
            _alone: alone,
        }
    }

    /// From where on memory is short, in percent.
    pub fn threshold_percent(&self) -> f64 {
        self.percent(self.threshold)
    }

    /// How far below it economy mode ends, in percent points.
    pub fn hysteresis_percent(&self) -> f64 {
        self.percent(self.victim / 12 * 2)
    }

    /// What the victim uses, in MiB.
    pub fn victim_mib(&self) -> u64 {
        self.victim / MIB
    }

    /// What two other pods use each, in MiB.
    pub fn small_mib(&self) -> u64 {
        self.victim / MIB / 12
    }

    /// What has to be eaten now so that memory is short, in MiB.
    ///
    /// # Panics
    /// The machine does not have so much left.
    pub fn missing_mib(&self) -> u64 {
        let now = Memory::now();
        let missing = (self.threshold + self.victim / 12 * 4).saturating_sub(now.used());
        assert!(
            missing + self.victim / 12 < now.available,
            "others took the memory that the test counts on: {now:?}, {missing} bytes to be eaten"
        );
        missing / MIB
    }

    /// Makes memory short, from outside of any pod, until `seen` within the time that it is given.
    ///
    /// # Panics
    /// It is never seen.
    #[must_use]
    pub fn make_short(&self, seen: impl FnMut(Duration) -> bool) -> Vec<Unmanaged> {
        let mut eaters = vec![Unmanaged::eating(self.missing_mib())];
        eaters.extend(self.keep_short(seen));
        eaters
    }

    /// Keeps memory short that was made so, until `seen` within the time that it is given. Where
    /// others give back meanwhile what they had when it was measured, that is eaten.
    ///
    /// # Panics
    /// It is never seen.
    #[must_use]
    pub fn keep_short(&self, mut seen: impl FnMut(Duration) -> bool) -> Vec<Unmanaged> {
        let begun = Instant::now();
        let mut eaters = Vec::new();
        while !seen(LOOK_AGAIN) {
            let now = Memory::now();
            assert!(
                begun.elapsed() < PATIENCE,
                "nobody sees it: {now:?}, {self:?}"
            );
            if !self.is_short() {
                eaters.push(Unmanaged::eating(self.missing_mib()));
            }
        }
        eaters
    }

    /// Whether memory is short now.
    pub fn is_short(&self) -> bool {
        Memory::now().used() >= self.threshold
    }

    fn percent(&self, bytes: u64) -> f64 {
        bytes as f64 * 100.0 / self.total as f64
    }
}
