//! A silence: somebody does not want to be told of something for a while. Alerts that it covers
//! are recorded and listed all the same; only nobody is notified.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::alert::{Alert, Condition};

/// One silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// UUIDv7.
    pub id: Uuid,
    /// Of what.
    pub of: Silenced,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// What nobody is notified of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silenced {
    /// Every alert of a condition.
    Condition(Condition),
    /// Every alert about a pod, a workflow or a mount point.
    Object(String),
}

impl Silence {
    /// The longest span that one can be asked for.
    pub const LONGEST: Duration = Duration::from_hours(365 * 24);

    /// Whether it holds at `now`. A clock that is set back makes it hold for twice its span at
    /// most, and not for ever.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        let span = self.until.duration_since(self.created_at);
        let left = self.until.duration_since(now);
        left.is_positive() && left <= span.saturating_mul(2)
    }

    /// Whether nobody is notified of `alert` at `now`.
    #[must_use]
    pub fn covers(&self, alert: &Alert, now: Timestamp) -> bool {
        self.of.covers(alert) && self.holds(now)
    }
}

impl Silenced {
    /// Whether `alert` is of it.
    #[must_use]
    pub fn covers(&self, alert: &Alert) -> bool {
        match self {
            Self::Condition(condition) => alert.condition == *condition,
            Self::Object(object) => alert.object == *object,
        }
    }
}

impl fmt::Display for Silenced {
    /// As people name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Condition(condition) => condition.as_str(),
            Self::Object(object) => object,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    proptest! {
        #[test]
        fn it_holds_for_its_span_and_never_for_longer_than_twice_that(
            span in 1..31_536_000_i64,
            now in -400_000_000..400_000_000_i64,
        ) {
            let silence = Silence {
                id: Uuid::nil(),
                of: Silenced::Condition(Condition::RamHigh),
                created_at: at(0),
                until: at(span),
            };
            prop_assert_eq!(silence.holds(at(now)), now >= -span && now < span);
        }
    }
}
