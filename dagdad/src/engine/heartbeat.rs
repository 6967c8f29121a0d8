//! A sign of life that only the engine's own task gives, for whoever restarts dagdad without it.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// What the engine does as long as it lives.
pub struct Heartbeat {
    every: Duration,
    beat: Box<dyn FnMut() + Send>,
    due: Instant,
}

impl Heartbeat {
    /// Calls `beat` at once and then `every` so often. It must not wait for anybody: the engine
    /// does nothing else meanwhile.
    pub fn new(every: Duration, beat: impl FnMut() + Send + 'static) -> Self {
        Self {
            every,
            beat: Box::new(beat),
            due: Instant::now(),
        }
    }

    /// Beats where that is due.
    pub(super) fn beat_if_due(&mut self) {
        let now = Instant::now();
        if self.due <= now {
            (self.beat)();
            self.due = now + self.every;
        }
    }

    /// When it is due next.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a heartbeat each {:?}", self.every)
    }
}
