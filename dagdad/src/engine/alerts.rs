//! From conditions to episodes: when something is amiss long enough to be told, and when it is
//! over. Pure: what was seen comes in, what changed goes out.
//!
//! ```text
//!                 ┌────── not over the threshold ──────┐
//!                 ▼                                    │
//!   (unknown) ── over ─► pending ──► held for `hold` ──┼──► firing ──► acknowledged
//!       ▲                                              │      │  ▲          │
//!       │                                              │      │  └ over,    │
//!       │                 below for `clear_hold`       │      ▼    again    ▼
//!       ├────────────────── resolved ◄─────────────────┴── clearing ◄───────┘
//!       │                                                            below
//!       └── below ── put down ◄── resolved by hand
//! ```
//!
//! Invariants:
//! - I5: one alert for one episode, and at most one that goes on for a condition and an object.
//!   What goes on is known over a restart; what is only pending, or clearing, begins anew then.
//! - A span of time counts only while it is watched: where samples stop coming, or the clock
//!   jumps, what was pending or clearing begins anew, so that neither raises nor resolves. What
//!   began between two samples counts from its beginning.
//! - What comes back while it clears is the same episode; from the third time on it is marked
//!   flapping, and has to be quiet for three times as long.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::alert::{Alert, Condition, Culprit, Pace, Severity};

/// So many times it comes back before it is called flapping.
const FLAPPING: u32 = 3;
/// So much longer a flapping one has to be quiet.
const FLAPPING_PATIENCE: u32 = 3;
/// A peak is written again when it has grown by so much, in percent points; the rest of the
/// growth is written with the next change.
const PEAK_STEP: f64 = 1.0;
/// How long an alert that has ended is known here too: its row is written by then.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(1);

/// What is amiss with what.
pub(super) type Key = (Condition, String);

/// What was seen of one condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sight {
    pub(super) level: Level,
    pub(super) severity: Severity,
    /// What was measured, in percent.
    pub(super) value: Option<f64>,
    /// Said of it where it is raised, or gets worse.
    pub(super) message: String,
    pub(super) culprits: Vec<Culprit>,
}

/// How time has passed since a condition was looked at before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// From one sample to the next.
    Sampled(Duration),
    /// It is looked at between two samples. The next one brings the whole time from one to the
    /// other; so much of it is over already.
    Between(Duration),
    /// Nobody looked meanwhile, or the clock is not to be trusted.
    Unwatched,
}

/// On which side of its thresholds a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It holds.
    Over,
    /// Neither: what went on goes on.
    Between,
    /// It does not hold.
    Below,
}

/// What became of an episode.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Raised(Alert),
    /// More severe than before.
    Worsened(Alert),
    /// Worth writing, not worth telling.
    Updated(Alert),
    Resolved(Alert),
}

/// Every condition that is watched and not quiet.
#[derive(Debug, Clone, Default)]
pub(super) struct Episodes {
    by_key: BTreeMap<Key, Episode>,
    /// Those that ended a short while ago.
    ended: Vec<Alert>,
}

#[derive(Debug, Clone)]
enum Episode {
    Pending {
        held: Held,
        peak: Option<(f64, Vec<Culprit>)>,
    },
    Open(Box<Open>),
    /// Resolved by hand while it held: not raised again before it was over once.
    PutDown,
}

#[derive(Debug, Clone)]
struct Open {
    alert: Alert,
    /// The peak as it is in the row.
    written: Option<f64>,
    clearing: Option<Clearing>,
    /// It was below since it last held.
    dipped: bool,
    returns: u32,
}

#[derive(Debug, Clone, Copy)]
struct Clearing {
    since: Timestamp,
    held: Held,
}

/// For how long something was seen to hold. Below zero by what had passed since the last sample
/// when it began: that comes with the next one and is not its own.
#[derive(Debug, Clone, Copy)]
struct Held(SignedDuration);

impl Held {
    fn begin(passed: Passed) -> Self {
        match passed {
            Passed::Between(over) => Self(SignedDuration::ZERO.saturating_sub(signed(over))),
            Passed::Sampled(_) | Passed::Unwatched => Self(SignedDuration::ZERO),
        }
    }

    fn after(self, passed: Passed) -> Self {
        match passed {
            Passed::Sampled(passed) => Self(self.0.saturating_add(signed(passed))),
            Passed::Between(_) => self,
            Passed::Unwatched => Self::begin(passed),
        }
    }

    fn reaches(self, hold: Duration) -> bool {
        self.0.max(SignedDuration::ZERO) >= signed(hold)
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

impl Episodes {
    /// What an earlier daemon left going on.
    pub(super) fn restored(alerts: Vec<Alert>) -> Self {
        let open = |alert: Alert| {
            let key = (alert.condition, alert.object.clone());
            (key, Episode::Open(Box::new(Open::new(alert))))
        };
        Self {
            by_key: alerts.into_iter().map(open).collect(),
            ended: Vec::new(),
        }
    }

    /// The alerts that go on, by condition and object.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.by_key.values().filter_map(|episode| match episode {
            Episode::Open(open) => Some(&open.alert),
            Episode::Pending { .. } | Episode::PutDown => None,
        })
    }

    /// The alerts that ended a short while ago.
    pub(super) fn ended(&self) -> &[Alert] {
        &self.ended
    }

    /// Forgets what ended longer ago.
    pub(super) fn forget_ended(&mut self, now: Timestamp) {
        // Also what ended later than now: the clock was set back.
        let lately = |at: Timestamp| now.duration_since(at).abs() <= REMEMBERED;
        self.ended.retain(|alert| lately(alert.updated_at));
    }

    /// What is remembered of `condition`: its objects.
    pub(super) fn objects(&self, condition: Condition) -> Vec<String> {
        let keys = self.by_key.keys().filter(|(of, _)| *of == condition);
        keys.map(|(_, object)| object.clone()).collect()
    }

    /// Whether something may change by time alone.
    pub(super) fn contains(&self, condition: Condition, object: &str) -> bool {
        let mut keys = self.by_key.keys();
        keys.any(|(of, known)| *of == condition && known == object)
    }

    /// Takes in what was seen `now`.
    pub(super) fn see(
        &mut self,
        key: Key,
        pace: Pace,
        sight: Sight,
        passed: Passed,
        now: Timestamp,
        id: impl FnOnce() -> Uuid,
    ) -> Option<Change> {
        match (self.by_key.remove(&key), sight.level) {
            (None, Level::Over) => {
                let pending = (Held::begin(passed), None);
                self.pend(key, pace, pending, sight, now, id)
            }
            (Some(Episode::Pending { held, peak }), Level::Over) => {
                self.pend(key, pace, (held.after(passed), peak), sight, now, id)
            }
            (None, _) | (Some(Episode::Pending { .. } | Episode::PutDown), Level::Below) => None,
            (Some(Episode::Pending { .. }), Level::Between) => None,
            (Some(Episode::PutDown), Level::Over | Level::Between) => {
                self.by_key.insert(key, Episode::PutDown);
                None
            }
            (Some(Episode::Open(mut open)), level) => {
                let change = match level {
                    Level::Over => open.goes_on(sight, now),
                    Level::Between => {
                        open.clearing = None;
                        None
                    }
                    Level::Below => open.clears(pace, passed, now),
                };
                if open.alert.resolved_at.is_none() {
                    self.by_key.insert(key, Episode::Open(open));
                } else {
                    self.ended.push(open.alert);
                }
                change
            }
        }
    }

    fn pend(
        &mut self,
        key: Key,
        pace: Pace,
        (held, peak): (Held, Option<(f64, Vec<Culprit>)>),
        sight: Sight,
        now: Timestamp,
        id: impl FnOnce() -> Uuid,
    ) -> Option<Change> {
        let Sight {
            level: _,
            severity,
            value,
            message,
            culprits,
        } = sight;
        let higher = value.filter(|value| peak.as_ref().is_none_or(|(peak, _)| value > peak));
        let peak = match (higher, peak) {
            (Some(value), Some((_, known))) if culprits.is_empty() => Some((value, known)),
            (Some(value), _) => Some((value, culprits)),
            // A pod that has just come is measured a little later than the host.
            (None, Some((peak, unknown))) if unknown.is_empty() => Some((peak, culprits)),
            (None, peak) => peak,
        };
        if !held.reaches(pace.hold) {
            let pending = Episode::Pending { held, peak };
            self.by_key.insert(key, pending);
            return None;
        }
        let (peak, culprits) = peak.unzip();
        let alert = Alert {
            id: id(),
            condition: key.0,
            object: key.1.clone(),
            severity,
            message,
            created_at: now,
            updated_at: now,
            acknowledged_at: None,
            resolved_at: None,
            peak,
            culprits: culprits.unwrap_or_default(),
            flapping: false,
        };
        let open = Open::new(alert.clone());
        self.by_key.insert(key, Episode::Open(Box::new(open)));
        Some(Change::Raised(alert))
    }

    /// Somebody takes note of an alert; `None` where it does not go on or is known already.
    pub(super) fn acknowledge(&mut self, id: Uuid, now: Timestamp) -> Option<Alert> {
        let open = self.by_key.values_mut().find_map(|episode| match episode {
            Episode::Open(open) if open.alert.id == id => Some(open),
            _ => None,
        })?;
        if open.alert.acknowledged_at.is_some() {
            return None;
        }
        open.alert.acknowledged_at = Some(now);
        Some(open.written(now))
    }

    /// Somebody resolves an alert; `None` where it does not go on. What `lasts` is not raised
    /// again before it was over once.
    pub(super) fn put_down(&mut self, id: Uuid, lasts: bool, now: Timestamp) -> Option<Alert> {
        let key = self.alerts().find(|alert| alert.id == id)?;
        let key = (key.condition, key.object.clone());
        let alert = self.end(&key, now)?;
        if lasts {
            self.by_key.insert(key, Episode::PutDown);
        }
        Some(alert)
    }

    /// Ends an episode at once.
    pub(super) fn end(&mut self, key: &Key, now: Timestamp) -> Option<Alert> {
        match self.by_key.remove(key)? {
            Episode::Open(mut open) => {
                let alert = open.resolve(now, now);
                self.ended.push(alert.clone());
                Some(alert)
            }
            Episode::Pending { .. } | Episode::PutDown => None,
        }
    }
}

impl Open {
    fn new(alert: Alert) -> Self {
        Self {
            written: alert.peak,
            alert,
            clearing: None,
            dipped: false,
            returns: 0,
        }
    }

    /// It still holds, or again.
    fn goes_on(&mut self, sight: Sight, now: Timestamp) -> Option<Change> {
        let Sight {
            level: _,
            severity,
            value,
            message,
            culprits,
        } = sight;
        self.clearing = None;
        if std::mem::take(&mut self.dipped) {
            self.returns = self.returns.saturating_add(1);
        }
        let mut named = false;
        if let Some(value) = value
            && self.alert.peak.is_none_or(|peak| value > peak)
        {
            self.alert.peak = Some(value);
            // A daemon that has just begun has not measured its pods yet.
            if !culprits.is_empty() {
                self.alert.culprits = culprits;
            }
        } else if self.alert.culprits.is_empty() && !culprits.is_empty() {
            self.alert.culprits = culprits;
            named = true;
        }
        let flaps = !self.alert.flapping && self.returns >= FLAPPING;
        self.alert.flapping |= flaps;
        let worse = severity > self.alert.severity;
        if worse {
            self.alert.severity = severity;
            self.alert.message = message;
        }
        let higher = match (self.alert.peak, self.written) {
            (Some(peak), Some(written)) => peak >= written + PEAK_STEP,
            (peak, written) => peak != written,
        };
        if worse {
            Some(Change::Worsened(self.written(now)))
        } else if flaps || higher || named {
            Some(Change::Updated(self.written(now)))
        } else {
            None
        }
    }

    /// It does not hold.
    fn clears(&mut self, pace: Pace, passed: Passed, now: Timestamp) -> Option<Change> {
        self.dipped = true;
        let clearing = match self.clearing {
            Some(Clearing { since, held }) if passed != Passed::Unwatched => Clearing {
                since,
                held: held.after(passed),
            },
            _ => Clearing {
                since: now,
                held: Held::begin(passed),
            },
        };
        self.clearing = Some(clearing);
        let patience = if self.alert.flapping {
            pace.clear_hold * FLAPPING_PATIENCE
        } else {
            pace.clear_hold
        };
        clearing
            .held
            .reaches(patience)
            .then(|| Change::Resolved(self.resolve(clearing.since, now)))
    }

    /// It ended `at`, which was found out `now`.
    fn resolve(&mut self, at: Timestamp, now: Timestamp) -> Alert {
        // A clock that was set back does not let it end before it began.
        self.alert.resolved_at = Some(at.max(self.alert.created_at));
        self.written(now)
    }

    fn written(&mut self, now: Timestamp) -> Alert {
        self.written = self.alert.peak;
        self.alert.updated_at = now;
        self.alert.clone()
    }
}

#[cfg(test)]
mod tests;
