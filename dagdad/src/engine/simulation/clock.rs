//! The clock on the wall, which is not the time that passes: it is set, and goes on while the
//! machine sleeps.

use jiff::{SignedDuration, Timestamp};

use super::World;
use crate::engine::event::Event;

/// By so much it is wrong while it is wrong.
const LAG: SignedDuration = SignedDuration::from_hours(1);
/// For how long a laptop is closed.
const NAP: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct Clock {
    slept: SignedDuration,
    /// It is an hour slow until somebody sets it.
    pub(super) slow: bool,
}

impl World {
    /// What the clock on the wall shows: the time that the daemon and Podman go by.
    pub(super) fn clock(&self) -> Timestamp {
        let lag = if self.clock.slow {
            LAG
        } else {
            SignedDuration::ZERO
        };
        let ahead = self.clock.slept - lag;
        if ahead.is_zero() {
            return self.now;
        }
        self.now.checked_add(ahead).expect("a time")
    }

    /// Somebody sets the clock, or closes the lid for a while.
    pub(super) fn shift_clock(&mut self) {
        let before = self.clock();
        if self.random.chance(50) {
            self.clock.slept += NAP;
        } else {
            self.clock.slow = !self.clock.slow;
        }
        let shows = self.clock();
        self.note(|| format!("the clock jumps to {shows}"));
        self.tell(Event::ClockSet(shows.duration_since(before)));
    }
}
