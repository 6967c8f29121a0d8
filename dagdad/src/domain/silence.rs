//! A silence: somebody does not want to be told of something for a while. Alerts that it covers
//! are recorded and listed all the same; only nobody is notified.

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
    /// Whether nobody is notified of `alert` at `now`.
    #[must_use]
    pub fn covers(&self, alert: &Alert, now: Timestamp) -> bool {
        let of = match &self.of {
            Silenced::Condition(condition) => alert.condition == *condition,
            Silenced::Object(object) => alert.object == *object,
        };
        of && now < self.until
    }
}
