//! Silences: set, lifted, and over by themselves.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::effect::{Effect, Persist};
use super::super::event::{Reply, Ticket};
use super::super::state::State;
use super::acknowledging::refuse;
use super::later;
use crate::domain::alert::{Alert, HOST, MARIADB};
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, Subject};
use crate::domain::notification::Occasion;
use crate::domain::silence::{Silence, Silenced};
use crate::ports::Record;

impl State {
    /// Nobody is notified of something for a while. A second silence of the same thing takes the
    /// place of the first.
    pub(super) fn silence(
        &mut self,
        ticket: Ticket,
        of: Silenced,
        span: Duration,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if span.is_zero() || span > Silence::LONGEST {
            let error = "a silence lasts for longer than 0 s and for 365 days at most; give a span such as 2h";
            return refuse(ticket, CommandError::Invalid(error.to_owned()), out);
        }
        if let Silenced::Object(object) = &of
            && !self.may_be_amiss(object)
        {
            let what = object.escape_debug().to_string();
            return refuse(ticket, CommandError::NothingToSilence { what }, out);
        }
        let known = self.silences.values().find(|silence| silence.of == of);
        let (id, created_at) = match known {
            Some(known) if known.created_at <= now => (known.id, known.created_at),
            // The clock was set back.
            Some(known) => (known.id, now),
            None => (self.identities.next(now), now),
        };
        let until = later(
            now,
            SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX),
        );
        let silence = Silence {
            id,
            of,
            created_at,
            until,
        };
        self.silences.insert(id, silence.clone());
        let message = format!(
            "nobody is notified of {} for {}, until {}",
            silence.of,
            humantime::format_duration(span),
            whole(until),
        );
        let record = Record::PutSilence(Box::new(silence.clone()));
        let answer = Effect::Answer {
            ticket,
            reply: Reply::Silences(vec![silence.clone()]),
        };
        self.write_silence(&silence.of, record, message, vec![answer], now, out);
    }

    /// People are notified again. What was raised meanwhile and goes on is told now.
    pub(super) fn lift_silence(
        &mut self,
        ticket: Ticket,
        which: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let silence = match self.silence_called(which, now) {
            Ok(silence) => silence,
            Err(error) => return refuse(ticket, error, out),
        };
        let message = format!(
            "people are notified of {} again: its silence, until {}, is lifted",
            silence.of,
            whole(silence.until),
        );
        let answer = Effect::Answer {
            ticket,
            reply: Reply::Silences(vec![silence.clone()]),
        };
        self.break_silence(&silence, message, Some(answer), now, out);
    }

    /// Forgets the silences that are over.
    pub(super) fn end_silences(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let over = |silence: &&Silence| silence.until <= now;
        let over: Vec<Silence> = self.silences.values().filter(over).cloned().collect();
        for silence in over {
            let message = format!(
                "people are notified of {} again: its silence is over",
                silence.of
            );
            self.break_silence(&silence, message, None, now, out);
        }
    }

    fn break_silence(
        &mut self,
        silence: &Silence,
        message: String,
        answer: Option<Effect>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.silences.remove(&silence.id);
        let untold = |alert: &&Alert| {
            silence.of.covers(alert)
                && alert.created_at >= silence.created_at
                && alert.acknowledged_at.is_none()
        };
        let untold = self.episodes.alerts().filter(untold).cloned();
        let then = untold
            .filter_map(|alert| self.notification(Occasion::Raised, alert, now))
            .chain(answer)
            .collect();
        let record = Record::DeleteSilence(silence.id);
        self.write_silence(&silence.of, record, message, then, now, out);
    }

    fn write_silence(
        &mut self,
        of: &Silenced,
        record: Record,
        message: String,
        then: Vec<Effect>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let object = match of {
            Silenced::Condition(_) => None,
            Silenced::Object(object) => Some(object.as_str()),
        };
        let event = self.event_about(EventKind::Silenced, object, None, message, now);
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Other,
        });
        let records = vec![record, Record::Event(event)];
        out.push(Effect::Persist(Persist::Fact { records, then }));
    }

    /// Whether there is something of this name that an alert could be about.
    fn may_be_amiss(&self, object: &str) -> bool {
        let mut disks = self.host.iter().flat_map(|host| &host.disks);
        object == HOST
            || object == MARIADB
            || self.pods.contains_key(object)
            || self.workflows.contains_key(object)
            || disks.any(|disk| disk.mount == object)
            || self.episodes.alerts().any(|alert| alert.object == object)
    }

    /// The silence of this condition or object, or whose id begins so.
    fn silence_called(&self, which: &str, now: Timestamp) -> Result<Silence, CommandError> {
        let held = || self.silences.values().filter(|s| s.holds(now));
        if let Some(silence) = held().find(|silence| silence.of.to_string() == which) {
            return Ok(silence.clone());
        }
        let asked = which.to_ascii_lowercase();
        let called = |id: Uuid| !asked.is_empty() && id.to_string().starts_with(&asked);
        let mut found = held().filter(|silence| called(silence.id));
        match (found.next(), found.next()) {
            (Some(silence), None) => Ok(silence.clone()),
            (None, _) => Err(CommandError::NoSuchSilence {
                which: which.escape_debug().to_string(),
            }),
            (Some(first), Some(second)) => Err(CommandError::Invalid(format!(
                "more than one silence begins with {asked}: {} (of {}), {} (of {}); give more of the id",
                first.id, first.of, second.id, second.of,
            ))),
        }
    }
}

/// Without parts of a second.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
