//! The configuration is read again: what goes on goes on, under the new rules.

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::state::{Settings, State};
use super::later;
use crate::domain::event::EventKind;

impl State {
    /// Replaces the settings. Deadlines that were set stay; whatever is decided from now on is
    /// decided by what is said now.
    pub(super) fn reconfigure(
        &mut self,
        settings: Settings,
        message: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let before = self.economy_policy();
        self.settings = settings;
        self.reloads += 1;
        let policy = self.economy_policy();
        self.economy.go_by(&self.settings.economy, (before, policy));
        if self.situation.is_some() {
            self.situation = self.situation(now).map(std::sync::Arc::new);
        }
        // A shorter interval does not wait for the end of a longer one.
        let interval = self.settings.record_interval;
        let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        let soonest = later(now, interval);
        self.schedule.record_at = self.schedule.record_at.min(soonest);
        self.note(EventKind::Reloaded, None, message, now, out);
    }

    /// The settings stay as they are; that much is recorded.
    pub(super) fn not_reconfigured(&mut self, reason: &str, now: Timestamp, out: &mut Vec<Effect>) {
        let message = format!("the configuration was not reloaded, the one before stays: {reason}");
        self.note(EventKind::ReloadFailed, None, message, now, out);
    }
}
