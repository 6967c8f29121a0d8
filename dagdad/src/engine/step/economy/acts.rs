//! The acts themselves: what is asked of the store and the runtime, and what comes of it.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::super::economy::{Act, Retry, Step, given};
use super::super::super::effect::{Easing, Effect, Persist};
use super::super::super::operation::Request;
use super::super::super::pod::Life;
use super::super::super::state::{RuntimeLink, State};
use super::Doing;
use crate::domain::admission::Admission;
use crate::domain::economy::{Policy, Rung, Taken, Taking};
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind};
use crate::domain::pod::Category;
use crate::domain::quantity::Bytes;
use crate::ports::{RuntimeError, StoreError};

impl State {
    pub(super) fn begin_act(&mut self, act: Act, now: Timestamp, out: &mut Vec<Effect>) {
        let rules = self.settings.economy;
        self.economy.begin(act.clone(), &rules, now);
        match act {
            Act::Take(_) => {
                let id = self.identities.next(now);
                self.doing = Some(Doing::Storing { id });
                out.push(Effect::Persist(Persist::Economy {
                    id,
                    records: vec![self.economy_record()],
                }));
            }
            Act::Give(taken) => self.give(&taken, now, out),
        }
    }

    /// What is to be taken is on disk, or could not be written: then it is not taken.
    pub(in crate::engine::step) fn economy_stored(
        &mut self,
        id: Uuid,
        result: Result<(), StoreError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.doing != Some(Doing::Storing { id }) {
            return;
        }
        self.doing = None;
        let Some(Act::Take(step)) = self.economy.under_way().cloned() else {
            return;
        };
        if let Err(error) = result {
            let reason = format!("{error}; it is not done");
            return self.act_failed(&step.pod, &reason, Retry::Soon, now, out);
        }
        // Somebody may have done something with it meanwhile, made it essential, or want no more
        // of this.
        let protected = self.needed_by_essential().contains(&step.pod);
        let untouched = self.pods.get(&step.pod).is_some_and(|pod| {
            let optional = pod.entry.spec.category == Category::Optional;
            let at_rest = pod.operation.is_none() && pod.queued.is_none();
            optional && !protected && at_rest && matches!(pod.life, Life::Up { .. })
        });
        let off = self.economy_policy() == Policy::Off;
        if !untouched || off || self.closing {
            self.economy.failed(Retry::WithOthers);
            return self.put_economy(out);
        }
        self.take(&step, now, out);
    }

    fn take(&mut self, step: &Step, now: Timestamp, out: &mut Vec<Effect>) {
        let (kind, easing) = match step.rung {
            Rung::Stop => return self.shed(step, now, out),
            Rung::Reclaim => (EventKind::Reclaimed, Easing::Reclaim(step.frees.memory)),
            Rung::Throttle => (EventKind::Throttled, Easing::Throttle(step.limit)),
            Rung::Freeze => (EventKind::Frozen, Easing::Freeze),
        };
        self.note(kind, Some(&step.pod), step.message(), now, out);
        self.ease(&step.pod, easing, now, out);
    }

    fn shed(&mut self, step: &Step, now: Timestamp, out: &mut Vec<Effect>) {
        let id = OperationId(self.identities.next(now));
        let stays = self.economy.stays_down(&step.pod);
        let cause = if stays {
            let times = self.settings.economy.sheds_per_hour;
            format!(
                "economy mode: {}; more than {times} times within an hour, so it stays down until somebody starts it",
                step.message()
            )
        } else {
            format!("economy mode: {}", step.message())
        };
        let request = Request {
            cause: Some(cause),
            event: EventKind::Shed,
            ..Request::new(OperationKind::Stop)
        };
        self.accept(&step.pod, id, request, now, out);
        self.doing = Some(Doing::Operating {
            pod: step.pod.clone(),
            id,
        });
    }

    fn ease(&mut self, pod: &PodName, easing: Easing, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get(pod) else {
            return self.economy.failed(Retry::WithOthers);
        };
        let spec = match &pod.life {
            Life::Up { watch, .. } => Arc::clone(watch.spec()),
            Life::Unseen { .. } | Life::Down | Life::Failed { .. } => {
                Arc::new(pod.entry.spec.clone())
            }
        };
        let id = self.identities.next(now);
        self.doing = Some(Doing::Easing { id });
        out.push(Effect::Ease { spec, id, easing });
    }

    fn give(&mut self, taken: &Taken, now: Timestamp, out: &mut Vec<Effect>) {
        let name = &taken.pod;
        let easing = match taken.taking {
            Taking::Shed { .. } => return self.start_restored(name, now, out),
            Taking::Throttled { .. } => Easing::Throttle(None),
            Taking::Frozen => Easing::Thaw,
        };
        let message = format!("economy mode gives back: {}", given(taken));
        self.note(EventKind::Restored, Some(name), message, now, out);
        self.ease(name, easing, now, out);
    }

    fn start_restored(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let admitted = self
            .pods
            .get(name)
            .map_or(Ok(()), |pod| self.check_ports(&pod.entry.spec))
            .and_then(|()| self.admit_pod(name, OperationKind::Start, Admission::Fit, now, out));
        match admitted {
            Ok(request) => {
                let id = OperationId(self.identities.next(now));
                let request = Request {
                    cause: Some("since economy mode had stopped it and it fits again".to_owned()),
                    event: EventKind::Restored,
                    ..request
                };
                self.accept(name, id, request, now, out);
                let pod = name.clone();
                self.doing = Some(Doing::Operating { pod, id });
            }
            // The budget holds more for others than economy mode knows of: later.
            Err(_) => self.economy.failed(Retry::WithOthers),
        }
    }

    /// The runtime has done something for economy mode, or has not.
    pub(in crate::engine::step) fn eased(
        &mut self,
        pod: &PodName,
        id: Uuid,
        result: Result<Bytes, RuntimeError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.doing != Some(Doing::Easing { id }) {
            return;
        }
        self.doing = None;
        match result {
            Ok(_) => {
                self.economy.done(now);
                self.put_economy(out);
            }
            Err(error) => {
                let retry = match error {
                    RuntimeError::TimedOut { .. } => Retry::OnceUndone,
                    RuntimeError::Unsupported(_) => Retry::ByOtherRungs,
                    _ => Retry::WithOthers,
                };
                self.act_failed(pod, &error.to_string(), retry, now, out);
            }
        }
    }

    fn act_failed(
        &mut self,
        pod: &PodName,
        reason: &str,
        retry: Retry,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let what = match self.economy.under_way() {
            Some(Act::Take(step)) => format!("{} {pod}", step.rung.as_str()),
            Some(Act::Give(taken)) => format!("undo {} {pod}", taken.taking.rung().as_str()),
            None => return,
        };
        let message = format!("economy mode could not {what}: {reason}");
        self.note(EventKind::EconomyFailed, Some(pod), message, now, out);
        self.economy.failed(retry);
        self.put_economy(out);
    }

    /// Looks whether the stop or start is at its end that economy mode asked for.
    pub(super) fn see_operation_of_economy(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(Doing::Operating { pod: name, id }) = &self.doing else {
            return;
        };
        let (name, id) = (name.clone(), id.to_owned());
        let pod = self.pods.get(&name);
        let goes_on = pod.is_some_and(|pod| {
            let under_way = pod.operation.as_ref().map(|operation| operation.id);
            let queued = pod.queued.as_ref().map(|queued| queued.operation.id);
            under_way == Some(id) || queued == Some(id)
        });
        if goes_on {
            return;
        }
        self.doing = None;
        let up = pod.is_some_and(|pod| matches!(pod.life, Life::Up { .. }));
        let down = pod.is_some_and(|pod| !up && pod.operation.is_none());
        match self.economy.under_way() {
            Some(Act::Take(_)) if down => self.economy.done(now),
            Some(Act::Give(_)) if up => self.economy.done(now),
            Some(Act::Give(_)) if down => {
                self.economy.failed(Retry::WithOthers);
                // Where nobody answers it may still come up later.
                if !matches!(self.runtime, RuntimeLink::Down { .. }) {
                    self.economy.give_up(&name);
                    let message = format!(
                        "economy mode could not start {name} again; it stays down until somebody starts it: dagdactl pods start {name}"
                    );
                    self.note(EventKind::EconomyFailed, Some(&name), message, now, out);
                }
            }
            Some(_) => self.economy.failed(Retry::WithOthers),
            None => {}
        }
        self.put_economy(out);
    }
}
