//! Pods that the runtime restarts again and again: they are noticed, and stopped with their last
//! lines.

use jiff::{SignedDuration, Timestamp};

use super::super::effect::{Action, Effect};
use super::super::operation::{AfterDiagnosis, At, Halt, Operation, Request};
use super::super::state::State;
use super::ending::stop_explains;
use super::later;
use super::observation::STEADY_AFTER_DEATH;
use crate::domain::name::PodName;
use crate::domain::operation::{OperationId, OperationKind, Stage};
use crate::domain::pod::RestartPolicy;
use crate::ports::RuntimeError;

/// So many ends of a pod's containers …
const CRASH_LOOP_DEATHS: usize = 5;
/// … within this time are a crash loop: Podman restarts without a pause between.
const CRASH_LOOP_WINDOW: SignedDuration = SignedDuration::from_secs(300);
/// How often its stop is asked for again: a runtime that restarts a pod without a pause may be too
/// busy with that to stop it in time.
const HALTED_AGAIN: u8 = 2;

impl State {
    /// A container of a pod ended, by whatever: the runtime may have started it again already.
    pub(super) fn died(
        &mut self,
        pod: &str,
        container: &str,
        code: i32,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some((name, pod)) = self.catalogued(pod) else {
            return;
        };
        let (creating, awaiting) = match &pod.operation {
            None => (false, false),
            Some(Operation { at, .. }) => match at {
                At::Creating { .. } => (true, false),
                At::Awaiting { .. } => (false, true),
                _ => return,
            },
        };
        let restarted = match pod.entry.spec.restart_policy {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => code != 0,
            RestartPolicy::Never => false,
        };
        let spec = &pod.entry.spec;
        let init = spec.init_containers.iter().any(|i| i.name == container);
        if !restarted || init || stop_explains(pod, now) {
            return;
        }
        pod.deaths.push_back(now);
        let window_start = later(now, -CRASH_LOOP_WINDOW);
        while pod.deaths.front().is_some_and(|at| *at < window_start) {
            pod.deaths.pop_front();
        }
        if let Some(Operation {
            at: At::Awaiting { steady_at, .. },
            ..
        }) = &mut pod.operation
            && steady_at.is_some()
        {
            *steady_at = Some(later(now, STEADY_AFTER_DEATH));
        }
        if creating || pod.deaths.len() < CRASH_LOOP_DEATHS {
            return;
        }
        let first = pod.deaths.front().copied().unwrap_or(now);
        let seconds = (now - first).get_seconds().max(1);
        let message = format!(
            "{name} crashes in a loop: container {container} exited with {code}, {} times in {seconds} s",
            pod.deaths.len()
        );
        pod.deaths.clear();
        if awaiting {
            self.diagnose(&name, message, AfterDiagnosis::Halt, now, out);
        } else {
            let id = OperationId(self.identities.next(now));
            let request = Request {
                verdict: Some(message),
                ..Request::new(OperationKind::Stop)
            };
            self.accept(&name, id, request, now, out);
        }
    }

    /// Its last lines are read: stops it.
    pub(super) fn halt(
        &mut self,
        name: &PodName,
        message: String,
        log: Vec<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let progress = format!("stopping {name}: {message}");
        self.report(name, Stage::Stopping, progress, out);
        let halt = Halt {
            message,
            log,
            again: HALTED_AGAIN,
        };
        self.ask_to_halt(name, halt, now, out);
    }

    fn ask_to_halt(&mut self, name: &PodName, halt: Halt, now: Timestamp, out: &mut Vec<Effect>) {
        let grace = self.pods[name].entry.spec.grace;
        self.proceed(name, At::Halting(halt), Action::Stop { grace }, now, out);
    }

    /// The stop of a crash loop is over, or was in vain.
    pub(super) fn halted(
        &mut self,
        name: &PodName,
        halt: Halt,
        result: Result<(), RuntimeError>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let (Err(RuntimeError::TimedOut { .. }), 1..) = (&result, halt.again) {
            let again = halt.again - 1;
            return self.ask_to_halt(name, Halt { again, ..halt }, now, out);
        }
        let message = match result {
            Ok(()) => format!("{}; it was stopped", halt.message),
            Err(error) => format!("{}; it could not be stopped: {error}", halt.message),
        };
        self.list_after(name, now, out);
        self.stopped_by_us(name, now);
        self.fail_with_log(name, message, halt.log, now, out);
    }
}
