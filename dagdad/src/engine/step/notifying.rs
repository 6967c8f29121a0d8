//! Whom alerts are told to besides those who look: at most once for each occasion, once the
//! alert's row is on disk. A daemon that is killed in between does not tell it again; the row and
//! the event are there.
//!
//! ```text
//!   raised, worsened, resolved ──► silenced? ── no ──► row on disk ──► hook, webhook
//!                                      │ yes                               │ fails for good
//!                                      ▼                                   ▼
//!                       told at the silence's end,                 an event, and no alert:
//!                       where it goes on still                     nothing that could loop
//! ```
//!
//! What is over while it is silenced is not told at all, even where its beginning was: a silence
//! is a silence. Nor is what an earlier daemon left going on told again.

use jiff::Timestamp;
use uuid::Uuid;

use super::super::effect::Effect;
use super::super::state::State;
use super::tell;
use crate::domain::alert::Alert;
use crate::domain::event::{EventKind, Subject};
use crate::domain::notification::{Notification, Occasion};

impl State {
    /// What notifies people of `alert`, unless that is silenced.
    pub(super) fn notification(
        &self,
        occasion: Occasion,
        alert: Alert,
        now: Timestamp,
    ) -> Option<Effect> {
        let mut silences = self.silences.values();
        if silences.any(|silence| silence.covers(&alert, now)) {
            return None;
        }
        let notification = Notification { occasion, alert };
        Some(Effect::Notify(Box::new(notification)))
    }

    /// Nobody could be told: that much is recorded. It raises no alert, since nobody could be
    /// told of that either.
    pub(super) fn not_notified(
        &mut self,
        alert: Uuid,
        reason: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let known = self.episodes.alerts().find(|known| known.id == alert);
        let object = known.map(|alert| alert.object.clone());
        let subject = known.map_or(Subject::Other, Subject::alert);
        let of = known.map_or_else(
            || format!("alert {alert}, which is over"),
            |alert| format!("{} of {}", alert.condition.as_str(), alert.object),
        );
        let message = format!("nobody was notified of {of}: {reason}");
        let kind = EventKind::NotificationFailed;
        let event = self.event_about(kind, object.as_deref(), None, message, now);
        tell(event, subject, out);
    }
}
