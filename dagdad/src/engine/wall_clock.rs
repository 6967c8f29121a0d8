//! Notices that the clock on the wall was set, by the clock that nobody sets.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A clock that is further off than this was set: one that is being put right slowly gains or
/// loses far less between two events, as samples come every few seconds.
const SET: Duration = Duration::from_secs(1);

/// When it was last looked at, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct WallClock {
    wall: Timestamp,
    steady: Instant,
}

impl WallClock {
    pub(super) fn now() -> Self {
        Self {
            wall: Timestamp::now(),
            steady: Instant::now(),
        }
    }

    /// By how much it was set since it was last looked at; it shows `wall` now.
    pub(super) fn look(&mut self, wall: Timestamp) -> Option<SignedDuration> {
        self.set_by(wall, Instant::now())
    }

    /// `None` where it was not set. The time that the machine slept counts too: the steady clock
    /// stood still.
    fn set_by(&mut self, wall: Timestamp, steady: Instant) -> Option<SignedDuration> {
        let passed = steady.saturating_duration_since(self.steady);
        let shown = wall.duration_since(self.wall);
        *self = Self { wall, steady };
        let by = shown.checked_sub(SignedDuration::try_from(passed).ok()?)?;
        (by.unsigned_abs() >= SET).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_was_set_is_noticed() {
        let (mut wall, mut steady) = (Timestamp::UNIX_EPOCH, Instant::now());
        let mut clock = WallClock { wall, steady };
        let mut after = |passed: u64, shown: i64| {
            wall += SignedDuration::from_millis(shown);
            steady += Duration::from_millis(passed);
            clock.set_by(wall, steady)
        };
        assert_eq!(after(5000, 5000), None);
        assert_eq!(after(5000, 5900), None, "it is being put right slowly");
        assert_eq!(after(5000, 4100), None);
        let hour = SignedDuration::from_hours(1);
        assert_eq!(after(1000, 1000 - 3_600_000), Some(-hour));
        assert_eq!(after(1000, 1000), None, "it is told once");
        assert_eq!(after(0, 3_600_000), Some(hour));
    }
}
