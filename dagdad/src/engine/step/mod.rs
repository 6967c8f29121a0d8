//! The engine's one transition function: `(state, event, now) → effects`. No I/O, no clock,
//! no randomness; the same events at the same times give the same effects.
//!
//! A pod, with no operation under way:
//!
//! ```text
//!                  runs                      ends, or is told to
//!   unseen ──────────────► up ◄───────────────────────────────► down
//!      │                   │ ▲                                    ▲
//!      │ was in error      │ │ runs again                         │ told to stop
//!      ▼        ends badly ▼ │                                    │
//!      └────────────────► failed ────────────────────────────────┘
//! ```
//!
//! An operation (what it waits for):
//!
//! ```text
//!            ┌── start ─► rendering ─► pulling ─► creating ─► awaiting ─► end
//!  storing ──┤  (evicting)    ▲                                   │ crash loop
//!            ├── restart ─► stopping                              ▼
//!            ├── stop ────► stopping ─► end       diagnosing ─► halting ─► end
//!            └── remove ──► stopping ─► removing ─► end
//! ```
//!
//! A stop is asked for once, that of a crash loop ([`crash_loop`]) again where the runtime does
//! not get to it in time.
//!
//! Invariants:
//! - Nothing is asked of the runtime for an operation before its intent is stored.
//! - A pod has at most one operation under way and at most one behind it.
//! - Every operation that was begun is finished: with a report, a closed intent and an event.
//! - A result that belongs to no waiting operation changes nothing.

mod acknowledging;
mod admission;
mod alerts;
mod catalogue;
mod clock;
mod command;
mod consistency;
mod crash_loop;
mod economy;
mod ending;
mod missed;
mod notifying;
mod observation;
mod operation;
mod outcome;
mod reconfiguring;
mod recovery;
mod run;
mod silencing;
#[cfg(test)]
mod tests;
mod usage;
mod workflow;

pub(super) use self::alerts::Watched;
pub(super) use self::economy::Doing;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::effect::{Effect, Persist};
use super::event::Event;
use super::operation::{At, Operation};
use super::pod::{Life, Pod};
use super::state::{Listing, State};
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, EventRecord, Subject};
use crate::domain::name::PodName;
use crate::domain::operation::OperationId;
use crate::domain::run::{Run, RunId};
use crate::domain::sample::Sample;
use crate::ports::{MirrorLink, MirrorStatus, Record, SampleRecord};

/// How often all pods are listed although nothing was reported, to heal gaps.
const RESYNC: SignedDuration = SignedDuration::from_secs(60);
/// How soon a listing that failed is tried again.
const RETRY: SignedDuration = SignedDuration::from_secs(5);
/// How long changes are left to come together before pods are listed.
const SETTLE: SignedDuration = SignedDuration::from_millis(100);
/// How often history is thinned.
const TIDY: SignedDuration = SignedDuration::from_secs(60);
/// How often the use in the rows of running pods is brought up to date.
const REFRESH_ROWS: SignedDuration = SignedDuration::from_secs(60);

/// What becomes of pods when dagdad ends. It stops none: they live on as their `restartPolicy`
/// says, which Podman honours.
pub const PODS_ARE_LEFT: &str = "pods are left to Podman's own policy";

/// Takes in one event and returns what is to be done.
pub fn step(state: &mut State, event: Event, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    let out = &mut effects;
    match event {
        Event::Command { ticket, command } => state.command(ticket, command, now, out),
        Event::Runtime(signal) => state.signal(signal, now, out),
        Event::Listed(answer) => state.listed(answer, now, out),
        Event::Sampled(sample) => state.sampled(sample, now, out),
        Event::Mirror(status) => state.mirror_changed(status, now, out),
        Event::Result {
            pod,
            operation,
            result,
        } => {
            state.effect_result(&pod, operation, result, now, out);
        }
        Event::ChangeStored { ticket, result } => {
            state.change_stored(ticket, result, now, out);
        }
        Event::Probed {
            pod,
            watch,
            check,
            result,
        } => {
            state.probed(&pod, watch, check, result, now, out);
        }
        Event::Diagnosed { pod, log } => state.diagnosed(&pod, log, now, out),
        Event::RunStored { run, result } => state.run_stored(run, result, now, out),
        Event::NotNotified { alert, reason } => state.not_notified(alert, &reason, now, out),
        Event::EconomyStored { id, result } => state.economy_stored(id, result, now, out),
        Event::Eased { pod, id, result } => state.eased(&pod, id, result, now, out),
        Event::Reconfigured { settings, message } => {
            state.reconfigure(*settings, message, now, out);
        }
        Event::NotReconfigured { reason } => state.not_reconfigured(&reason, now, out),
        Event::Tick => {}
        Event::ClockSet(by) => state.clock_set(by, out),
        Event::Shutdown => state.shut_down(now, out),
    }
    state.run_due(now, out);
    state.balance();
    state.start_again(now, out);
    state.advance_evictions(now, out);
    state.advance_runs(now, out);
    state.advance_economy(now, out);
    state.show_active_workflows(now, out);
    state.end_silences(now, out);
    state.watch_alerts(now, out);
    state.observe_usage(now, out);
    state.balance();
    effects
}

impl State {
    fn run_due(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let listing_due = matches!(self.schedule.listing, Listing::Due(at) if at <= now);
        let resync_due = self.schedule.resync_at <= now;
        if (listing_due || resync_due) && !matches!(self.schedule.listing, Listing::UnderWay { .. })
        {
            self.list_now(now, out);
        }
        if resync_due {
            self.schedule.resync_at = later(now, RESYNC);
        }
        if self.schedule.tidy_at <= now {
            self.schedule.tidy_at = later(now, TIDY);
            out.push(Effect::Tidy);
        }
        self.count_steady(now, out);
        self.time_out_awaiting(now, out);
    }

    fn list_now(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if let Listing::UnderWay { again, .. } = &mut self.schedule.listing {
            *again = true;
            return;
        }
        self.schedule.listing = Listing::UnderWay {
            again: false,
            outdated: BTreeSet::new(),
        };
        self.schedule.resync_at = later(now, RESYNC);
        out.push(Effect::List);
    }

    /// Lists after the runtime did something with a pod. What a listing that began before
    /// says of that pod is not believed.
    fn list_after(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        if let Listing::UnderWay { outdated, .. } = &mut self.schedule.listing {
            outdated.insert(name.clone());
        }
        self.list_now(now, out);
    }

    fn list_soon(&mut self, now: Timestamp) {
        match &mut self.schedule.listing {
            Listing::Idle => self.schedule.listing = Listing::Due(later(now, SETTLE)),
            Listing::Due(_) => {}
            Listing::UnderWay { again, .. } => *again = true,
        }
    }

    fn sampled(&mut self, sample: Sample, now: Timestamp, out: &mut Vec<Effect>) {
        self.time_sample(sample.host.at);
        self.host = Some(std::sync::Arc::new(sample.host.clone()));
        self.sampled_at = now;
        self.take_usage(&sample.pods);
        self.others = self.used_by_others(&sample.host);
        self.forget_earlier_lives(sample.host.at);
        self.measure_pods(now);
        self.economy_sees(&sample.host, now, out);
        if self.schedule.record_at <= now {
            let interval = SignedDuration::try_from(self.settings.record_interval)
                .unwrap_or(SignedDuration::from_secs(5));
            // Half an interval of slack, so that a sample that comes a moment early counts.
            self.schedule.record_at = later(now, interval - interval / 2);
            let id = self.identities.next(now);
            let mut records = vec![Record::Sample(Box::new(SampleRecord { id, sample }))];
            if self.schedule.refresh_rows_at <= now {
                self.schedule.refresh_rows_at = later(now, REFRESH_ROWS);
                let running = self
                    .pods
                    .iter()
                    .filter(|(_, pod)| matches!(pod.life, Life::Up { .. }));
                let rows = running.filter_map(|(name, _)| self.record_of(name, now));
                records.extend(rows.map(|row| Record::PutPod(Box::new(row))));
                records.extend(self.unwritten_usage());
            }
            out.push(Effect::Persist(Persist::Measurement(records)));
        }
    }

    fn mirror_changed(&mut self, status: MirrorStatus, now: Timestamp, out: &mut Vec<Effect>) {
        let down = |link: &MirrorLink| matches!(link, MirrorLink::Disconnected { .. });
        match (&self.mirror.link, &status.link) {
            (before, MirrorLink::Disconnected { reason, .. }) if !down(before) => {
                let message =
                    format!("MariaDB takes no records, they wait in the outbox: {reason}");
                self.note(EventKind::StoreDown, None, message, now, out);
            }
            (before, MirrorLink::Connected) if down(before) => {
                let message = format!("MariaDB takes records again; {} wait", status.outbox);
                self.note(EventKind::StoreUp, None, message, now, out);
            }
            _ => {}
        }
        self.mirror = status;
    }

    fn shut_down(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.closing = true;
        let queued = |pod: &'_ Pod| pod.queued.as_ref().map(|queued| queued.operation.id);
        let open: Vec<OperationId> = self
            .pods
            .values()
            .flat_map(|pod| {
                let under_way = pod.operation.as_ref().map(|operation| operation.id);
                under_way.into_iter().chain(queued(pod))
            })
            .collect();
        for operation in &open {
            out.push(Effect::Report {
                operation: *operation,
                view: crate::domain::operation::OperationView::Finished(Err(
                    CommandError::ShuttingDown,
                )),
            });
        }
        let message = match open.len() {
            0 => format!("dagdad stopped; {PODS_ARE_LEFT}"),
            1 => format!("dagdad stopped; {PODS_ARE_LEFT}, 1 operation goes on at its next start"),
            n => format!("dagdad stopped; {PODS_ARE_LEFT}, {n} operations go on at its next start"),
        };
        self.note(EventKind::DaemonStopped, None, message, now, out);
    }

    fn time_out_awaiting(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let late: Vec<(PodName, Timestamp)> = self
            .pods
            .iter()
            .filter_map(|(name, pod)| match pod.operation {
                Some(Operation {
                    at: At::Awaiting { deadline, .. },
                    ..
                }) if deadline <= now => Some((name.clone(), deadline)),
                _ => None,
            })
            .collect();
        for (name, _) in late {
            let after = self.settings.start_timeout;
            let up = |pod: &Pod| matches!(pod.life, Life::Up { .. });
            if !self.pods.get(&name).is_some_and(up) {
                let message = format!(
                    "{name} was started but does not run after {}; look at `dagdactl pods logs {name}`",
                    humantime::format_duration(after),
                );
                self.fail(&name, CommandError::TimedOut { message, after }, now, out);
                continue;
            }
            let complaint = self.pods.get(&name).and_then(Pod::message);
            let message = format!(
                "{name} was started but is not ready after {}{}; it is left running: look at `dagdactl pods logs {name}`",
                humantime::format_duration(after),
                complaint
                    .map(|complaint| format!(" ({complaint})"))
                    .unwrap_or_default(),
            );
            self.finish(
                &name,
                Err(CommandError::TimedOut { message, after }),
                now,
                out,
            );
        }
    }

    /// Records an event and tells its followers.
    fn note(
        &mut self,
        kind: EventKind,
        object: Option<&PodName>,
        message: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let event = self.event(kind, object, message, now);
        let subject = match object {
            Some(_) => Subject::Pod,
            None => Subject::Other,
        };
        tell(event, subject, out);
    }

    /// Records an event of a run and tells its followers.
    fn note_run(
        &mut self,
        kind: EventKind,
        run: &Run,
        message: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let object = Some(run.workflow.as_str());
        let event = self.event_about(kind, object, Some(run.id), message, now);
        tell(event, Subject::Workflow, out);
    }

    fn event(
        &mut self,
        kind: EventKind,
        object: Option<&PodName>,
        message: String,
        now: Timestamp,
    ) -> EventRecord {
        let run = object.and_then(|pod| self.run_of(pod));
        self.event_about(kind, object.map(PodName::as_str), run, message, now)
    }

    fn event_about(
        &mut self,
        kind: EventKind,
        object: Option<&str>,
        run: Option<RunId>,
        message: String,
        now: Timestamp,
    ) -> EventRecord {
        EventRecord {
            id: self.identities.next(now),
            at: now,
            kind,
            object: object.map(ToOwned::to_owned),
            run,
            message,
        }
    }

    /// The run that what happens to a pod belongs to: the one that acts on it, else the latest
    /// that has it up.
    fn run_of(&self, pod: &PodName) -> Option<RunId> {
        let operation = self.pods.get(pod).and_then(|pod| pod.operation.as_ref());
        let acting = operation.and_then(|operation| operation.run);
        acting.or_else(|| {
            let mut runs = self.runs.values().rev().map(|active| &active.run);
            runs.find(|run| run.needs_pods() && run.member(pod).is_some())
                .map(|run| run.id)
        })
    }

    /// Writes a pod's row as it is now.
    fn put_row(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let row = self.record_of(name, now);
        out.extend(row.map(|row| {
            Effect::Persist(Persist::Fact {
                records: vec![Record::PutPod(Box::new(row))],
                then: Vec::new(),
            })
        }));
    }

    /// Records an event together with the pod's row as it is now.
    fn note_pod(
        &mut self,
        kind: EventKind,
        name: &PodName,
        message: String,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let event = self.event(kind, Some(name), message, now);
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Pod,
        });
        let mut records = vec![Record::Event(event)];
        records.extend(
            self.record_of(name, now)
                .map(|row| Record::PutPod(Box::new(row))),
        );
        out.push(Effect::Persist(Persist::Fact {
            records,
            then: Vec::new(),
        }));
    }
}

/// Records an event and tells its followers.
fn tell(event: EventRecord, subject: Subject, out: &mut Vec<Effect>) {
    out.push(Effect::Announce {
        event: event.clone(),
        subject,
    });
    out.push(Effect::Persist(Persist::Fact {
        records: vec![Record::Event(event)],
        then: Vec::new(),
    }));
}

pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
