//! What people do with alerts: take note of them, or end them.

use jiff::Timestamp;

use super::super::effect::{Effect, Persist};
use super::super::event::{Reply, Ticket};
use super::super::state::State;
use crate::domain::alert::{Alert, Condition};
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, Subject};
use crate::domain::notification::Occasion;
use crate::ports::Record;

impl State {
    /// Takes note of one alert, or of all of a condition.
    pub(super) fn acknowledge_alerts(
        &mut self,
        ticket: Ticket,
        which: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let found = self.alerts_of(which).map_or_else(
            || self.alert_beginning_with(which).map(|alert| vec![alert]),
            Ok,
        );
        let alerts = match found {
            Ok(alerts) => alerts,
            Err(error) => return refuse(ticket, error, out),
        };
        let mut changed = Vec::new();
        let mut as_they_are = Vec::new();
        for alert in alerts {
            match self.episodes.acknowledge(alert.id, now) {
                Some(acknowledged) => {
                    changed.push(acknowledged.clone());
                    as_they_are.push(acknowledged);
                }
                None => as_they_are.push(alert),
            }
        }
        let kind = EventKind::AlertAcknowledged;
        self.answer_with(ticket, kind, changed, as_they_are, now, out);
    }

    /// Ends an alert by hand.
    pub(super) fn resolve_alert(
        &mut self,
        ticket: Ticket,
        id: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let alert = match self.alert_beginning_with(id) {
            Ok(alert) => alert,
            Err(error) => return refuse(ticket, error, out),
        };
        // A failed run is no condition that lasts: the next one that fails is news.
        let lasts = alert.condition != Condition::WorkflowFailed;
        let changed: Vec<Alert> = self
            .episodes
            .put_down(alert.id, lasts, now)
            .into_iter()
            .collect();
        let kind = EventKind::AlertResolved;
        self.answer_with(ticket, kind, changed.clone(), changed, now, out);
    }

    /// Writes what changed, and answers once it is on disk.
    fn answer_with(
        &mut self,
        ticket: Ticket,
        kind: EventKind,
        changed: Vec<Alert>,
        alerts: Vec<Alert>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let reply = Reply::Alerts {
            alerts,
            changed: !changed.is_empty(),
        };
        let mut records = Vec::new();
        let mut then = Vec::new();
        for alert in changed {
            let message = format!("{}: by hand", alert.condition.as_str());
            let event = self.event_about(kind, Some(&alert.object), None, message, now);
            out.push(Effect::Announce {
                event: event.clone(),
                subject: Subject::alert(&alert),
            });
            records.push(Record::PutAlert(Box::new(alert.clone())));
            records.push(Record::Event(event));
            if kind == EventKind::AlertResolved {
                then.extend(self.notification(Occasion::Resolved, alert, now));
            }
        }
        let answer = Effect::Answer { ticket, reply };
        if records.is_empty() {
            return out.push(answer);
        }
        then.push(answer);
        out.push(Effect::Persist(Persist::Fact { records, then }));
    }

    /// All of a condition that go on; `None` where `which` is no condition.
    fn alerts_of(&self, which: &str) -> Option<Vec<Alert>> {
        let condition = Condition::ALL
            .into_iter()
            .find(|condition| condition.as_str() == which)?;
        let of = |alert: &&Alert| alert.condition == condition;
        Some(self.episodes.alerts().filter(of).cloned().collect())
    }

    fn alert_beginning_with(&self, id: &str) -> Result<Alert, CommandError> {
        let asked = id.to_ascii_lowercase();
        let mut found = self
            .episodes
            .alerts()
            .filter(|alert| !asked.is_empty() && alert.id.to_string().starts_with(&asked));
        match (found.next(), found.next()) {
            (Some(alert), None) => Ok(alert.clone()),
            (None, _) => Err(CommandError::NoSuchAlert {
                which: id.escape_debug().to_string(),
            }),
            (Some(first), Some(second)) => Err(CommandError::Invalid(format!(
                "more than one alert begins with {asked}: {} ({} of {}), {} ({} of {}); give more of the id",
                first.id,
                first.condition.as_str(),
                first.object,
                second.id,
                second.condition.as_str(),
                second.object,
            ))),
        }
    }
}

pub(super) fn refuse(ticket: Ticket, error: CommandError, out: &mut Vec<Effect>) {
    let reply = Reply::Refused(error);
    out.push(Effect::Answer { ticket, reply });
}
