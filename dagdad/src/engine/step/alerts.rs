//! Alerts: conditions that begin and end, one row for each time from beginning to end.
//!
//! ```text
//!   holds not ──begins──► raised ──ends──► resolved
//! ```
//!
//! Invariants:
//! - I5: one alert for one episode. What goes on is known over a restart, so that it is neither
//!   raised again nor forgotten.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::effect::{Effect, Persist};
use super::super::state::State;
use crate::domain::alert::{Alert, Condition, Severity};
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::pod::Category;
use crate::domain::run::{Phase, Step};
use crate::ports::Record;

impl State {
    /// Compares the alerts with what is.
    pub(super) fn watch_alerts(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if !self.settled || self.closing {
            return;
        }
        let down = self.missed_pods();
        let over: Vec<String> = self
            .alerts
            .keys()
            .filter(|(condition, object)| {
                *condition == Condition::PodDown && !down.contains_key(object.as_str())
            })
            .map(|(_, object)| object.clone())
            .collect();
        for pod in over {
            let message = format!("{pod} is not missed any more");
            self.resolve(Condition::PodDown, &pod, &message, now, out);
        }
        for (pod, (severity, message)) in down {
            self.raise(
                Condition::PodDown,
                pod.as_str(),
                severity,
                &message,
                now,
                out,
            );
        }
    }

    /// Pods that a running workflow has lost.
    fn missed_pods(&self) -> BTreeMap<PodName, (Severity, String)> {
        let runs = self.runs.values().map(|active| &active.run);
        let degraded = runs.filter(|run| run.phase == Phase::Degraded);
        let lost = degraded.flat_map(|run| {
            run.members.iter().filter_map(move |member| {
                let Step::Lost { message } = &member.step else {
                    return None;
                };
                let essential = self
                    .pods
                    .get(&member.pod)
                    .is_some_and(|pod| pod.entry.spec.category == Category::Essential);
                let severity = if essential {
                    Severity::Critical
                } else {
                    Severity::Warning
                };
                let message = format!("{message}; workflow {} needs it", run.workflow);
                Some((member.pod.clone(), (severity, message)))
            })
        });
        lost.collect()
    }

    /// A condition holds; it is news only where it did not before.
    pub(super) fn raise(
        &mut self,
        condition: Condition,
        object: &str,
        severity: Severity,
        message: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let key = (condition, object.to_owned());
        if self.alerts.contains_key(&key) {
            return;
        }
        let alert = Alert {
            id: self.identities.next(now),
            condition,
            object: object.to_owned(),
            severity,
            message: message.to_owned(),
            created_at: now,
            updated_at: now,
            resolved_at: None,
        };
        self.alerts.insert(key, alert.clone());
        let message = format!("{}: {message}", condition.as_str());
        self.write_alert(EventKind::AlertRaised, alert, message, now, out);
    }

    /// A condition holds no more.
    pub(super) fn resolve(
        &mut self,
        condition: Condition,
        object: &str,
        message: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(mut alert) = self.alerts.remove(&(condition, object.to_owned())) else {
            return;
        };
        alert.updated_at = now;
        alert.resolved_at = Some(now);
        let message = format!("{}: {message}", condition.as_str());
        self.write_alert(EventKind::AlertResolved, alert, message, now, out);
    }

    fn write_alert(
        &mut self,
        kind: EventKind,
        alert: Alert,
        message: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let event = self.event_about(kind, Some(&alert.object), None, message, now);
        out.push(Effect::Announce(event.clone()));
        out.push(Effect::Persist(Persist::Fact {
            records: vec![Record::PutAlert(Box::new(alert)), Record::Event(event)],
            then: Vec::new(),
        }));
    }
}
