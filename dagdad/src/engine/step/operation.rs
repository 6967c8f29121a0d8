//! An operation's way from its stored intent to its end.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::effect::{Action, Effect};
use super::super::event::EffectResult;
use super::super::eviction::Eviction;
use super::super::operation::{AfterDiagnosis, At, Operation};
use super::super::pod::{Life, Pod};
use super::super::readiness::Watch;
use super::super::state::State;
use super::later;
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::operation::{Done, OperationId, OperationKind, OperationView, Progress, Stage};
use crate::domain::pod::PodSpec;
use crate::domain::state::Wanted;
use crate::ports::RuntimeError;

impl State {
    pub(super) fn effect_result(
        &mut self,
        name: &PodName,
        id: OperationId,
        result: EffectResult,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.queued_stored(name, id, &result, now, out) {
            return;
        }
        let Some(operation) = self
            .operation_mut(name)
            .filter(|operation| operation.id == id)
        else {
            return;
        };
        let (operation_kind, wanted_before) = (operation.kind, operation.wanted_before);
        match (operation.at.clone(), result) {
            (At::Storing, EffectResult::Stored) => self.begin(name, now, out),
            (At::Storing, EffectResult::NotStored(error)) => {
                if let Some(pod) = self.pods.get_mut(name) {
                    pod.wanted = wanted_before;
                }
                self.finish(name, Err(CommandError::Store(error.to_string())), now, out);
            }
            (At::Rendering, EffectResult::Rendered(Ok(rendered))) => {
                if let Err(error) = self.check_ports(&rendered.spec) {
                    return self.fail(name, error, now, out);
                }
                let images = rendered.spec.images();
                let rendered = Arc::new(rendered);
                self.proceed(
                    name,
                    At::Pulling { rendered },
                    Action::EnsureImages(images),
                    now,
                    out,
                );
            }
            (At::Rendering, EffectResult::Rendered(Err(error))) => {
                self.fail(name, error, now, out);
            }
            (At::Pulling { .. }, EffectResult::Pulling(progress)) => {
                let message = format!("pulling {}: {}", progress.image, progress.message);
                self.report(name, Stage::Pulling, message, out);
            }
            (At::Pulling { rendered }, EffectResult::Images(Ok(()))) => {
                self.report(name, Stage::Creating, format!("starting {name}"), out);
                let action = Action::Play(Arc::clone(&rendered));
                let replaces = self.observed.get(name.as_str()).map(|pod| pod.id.clone());
                let at = At::Creating { rendered, replaces };
                self.proceed(name, at, action, now, out);
            }
            (At::Creating { rendered, replaces }, EffectResult::Played(Ok(()))) => {
                self.played(name, Arc::new(rendered.spec.clone()), replaces, now, out);
            }
            (
                At::Creating { rendered, .. },
                EffectResult::Played(Err(RuntimeError::AlreadyRunning { .. })),
            ) => {
                // Somebody was faster, such as the start that an earlier daemon left behind.
                self.played(name, Arc::new(rendered.spec.clone()), None, now, out);
            }
            (At::Pulling { .. }, EffectResult::Images(Err(error)))
            | (At::Creating { .. }, EffectResult::Played(Err(error))) => {
                // Whether a call that timed out was carried out is for the runtime to say.
                self.list_after(name, now, out);
                self.stopped_by_us(name, now);
                self.fail(name, command_error(name, "start", error), now, out);
            }
            (At::Stopping, EffectResult::Stopped(Ok(()))) => self.stopped(name, now, out),
            (At::Stopping, EffectResult::Stopped(Err(error))) => {
                if operation_kind == OperationKind::Restart {
                    self.still_up(name, wanted_before);
                }
                self.list_after(name, now, out);
                self.stopped_by_us(name, now);
                self.finish(name, Err(command_error(name, "stop", error)), now, out);
            }
            (At::Removing, EffectResult::Removed(Ok(()))) => self.removed(name, id, now, out),
            (At::Removing, EffectResult::Removed(Err(error))) => {
                self.list_after(name, now, out);
                self.finish(name, Err(command_error(name, "remove", error)), now, out);
            }
            (At::Diagnosing { message, then }, EffectResult::Diagnosed(log)) => match then {
                AfterDiagnosis::Fail => self.fail_with_log(name, message, log, now, out),
                AfterDiagnosis::Halt => self.halt(name, message, log, now, out),
            },
            (At::Halting(halt), EffectResult::Stopped(result)) => {
                self.halted(name, halt, result, now, out);
            }
            _ => {}
        }
    }

    /// Begins the effects of an operation whose intent is on disk.
    pub(super) fn begin(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        let Some(operation) = &pod.operation else {
            return;
        };
        if !self.settled {
            // What is there is not known yet; the first listing takes it up.
            if let Some(operation) = self.operation_mut(name) {
                operation.at = At::Recovering;
            }
            return;
        }
        let grace = operation.grace.unwrap_or(pod.entry.spec.grace);
        let runs = matches!(pod.life, Life::Up { .. });
        if let Some(message) = operation.verdict.clone() {
            let at = At::Diagnosing {
                message,
                then: AfterDiagnosis::Halt,
            };
            return self.proceed(name, at, Action::Diagnose, now, out);
        }
        match operation.kind {
            OperationKind::Start if runs => {
                // It came up while the intent was being stored.
                self.list_now(now, out);
                self.await_ready(name, Arc::new(pod_spec(self, name)), now);
            }
            OperationKind::Start => self.make_room(name, now, out),
            OperationKind::Remove if !runs => {
                self.proceed(name, At::Removing, Action::Remove, now, out);
            }
            OperationKind::Stop | OperationKind::Restart | OperationKind::Remove => {
                self.report(name, Stage::Stopping, format!("stopping {name}"), out);
                self.proceed(name, At::Stopping, Action::Stop { grace }, now, out);
            }
        }
    }

    /// Waits for the start's victims to go, where there are any.
    fn make_room(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let victims = self
            .operation_mut(name)
            .map(|operation| std::mem::take(&mut operation.victims))
            .unwrap_or_default();
        if victims.is_empty() {
            return self.render(name, now, out);
        }
        let names: Vec<&str> = victims.iter().map(PodName::as_str).collect();
        let message = format!("stopping {} to make room for {name}", names.join(", "));
        self.report(name, Stage::Preparing, message, out);
        if let Some(operation) = self.operation_mut(name) {
            operation.at = At::Evicting(Eviction::of(victims));
        }
    }

    pub(super) fn render(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        if let (Some(by), Some(operation)) = (pod.to_go_down(), &pod.operation) {
            let error = CommandError::Cancelled {
                pod: name.clone(),
                kind: operation.kind,
                by,
            };
            return self.finish(name, Err(error), now, out);
        }
        let manifest = pod.entry.manifest.clone();
        if let Some(operation) = &mut pod.operation {
            operation.digest = Some(manifest.digest.clone());
        }
        self.proceed(name, At::Rendering, Action::Render(manifest), now, out);
    }

    pub(super) fn proceed(
        &mut self,
        name: &PodName,
        at: At,
        action: Action,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(operation) = self.operation_mut(name) else {
            return;
        };
        operation.at = at;
        let operation = operation.id;
        if let (Action::Stop { grace }, Some(pod)) = (&action, self.pods.get_mut(name)) {
            pod.down_by = SignedDuration::try_from(*grace)
                .ok()
                .map(|grace| later(now, grace));
        }
        out.push(Effect::Operate {
            pod: name.clone(),
            operation,
            action,
        });
    }

    pub(super) fn played(
        &mut self,
        name: &PodName,
        spec: Arc<PodSpec>,
        replaces: Option<String>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let Some(operation) = &mut pod.operation else {
            return;
        };
        pod.started_digest = operation.digest.take();
        pod.stop_asked = None;
        if replaces.is_some() {
            // What is still to be told of our own stop is told of the one that was replaced.
            pod.stopped_by_us = None;
        }
        pod.replaced = replaces;
        let kind = operation.kind;
        self.list_after(name, now, out);
        if let Some(by) = self.pods.get(name).and_then(Pod::to_go_down) {
            // It runs all the same, and has its place until it is down.
            self.come_up(name, true, now, out);
            let error = CommandError::Cancelled {
                pod: name.clone(),
                kind,
                by,
            };
            return self.finish(name, Err(error), now, out);
        }
        self.report(
            name,
            Stage::Awaiting,
            format!("{name} runs, waiting until it is ready"),
            out,
        );
        self.await_ready(name, spec, now);
    }

    pub(super) fn await_ready(&mut self, name: &PodName, spec: Arc<PodSpec>, now: Timestamp) {
        let timeout = SignedDuration::try_from(self.settings.start_timeout)
            .unwrap_or(SignedDuration::from_hours(24));
        let pod = self.pods.get(name);
        let run = pod.and_then(|pod| pod.operation.as_ref()?.run);
        let deadline = run.and_then(|run| self.patience_of(run));
        if let Some(operation) = self.operation_mut(name) {
            operation.at = At::Awaiting {
                spec,
                deadline: deadline.unwrap_or(later(now, timeout)),
                steady_at: None,
            };
        }
    }

    pub(super) fn stopped(&mut self, name: &PodName, now: Timestamp, out: &mut Vec<Effect>) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        let Some(kind) = pod.operation.as_ref().map(|operation| operation.kind) else {
            return;
        };
        pod.become_life(Life::Down, now);
        pod.deaths.clear();
        pod.stopped_by_us = Some(now);
        pod.down_by = None;
        self.list_after(name, now, out);
        match kind {
            OperationKind::Start | OperationKind::Stop => {
                let done = Done {
                    message: format!("{name} is stopped"),
                    changed: true,
                };
                self.finish(name, Ok(done), now, out);
            }
            OperationKind::Restart => self.render(name, now, out),
            OperationKind::Remove => self.proceed(name, At::Removing, Action::Remove, now, out),
        }
    }

    /// A restart whose stop failed wants of the pod what was wanted before, unless it runs.
    fn still_up(&mut self, name: &PodName, wanted_before: Wanted) {
        if let Some(pod) = self.pods.get_mut(name)
            && !matches!(pod.life, Life::Up { .. })
        {
            pod.wanted = wanted_before;
        }
    }

    /// What the runtime reports of this in a moment is no news.
    pub(super) fn stopped_by_us(&mut self, name: &PodName, now: Timestamp) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.stopped_by_us = Some(now);
        }
    }

    /// Reads the last lines of a pod that failed while it was started, then fails the start.
    pub(super) fn diagnose(
        &mut self,
        name: &PodName,
        message: String,
        then: AfterDiagnosis,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.proceed(
            name,
            At::Diagnosing { message, then },
            Action::Diagnose,
            now,
            out,
        );
    }

    /// Begins to watch a pod that runs.
    pub(super) fn watch(
        &mut self,
        spec: Arc<PodSpec>,
        fresh: bool,
        out: &mut Vec<Effect>,
    ) -> Watch {
        self.last_watch += 1;
        let (watch, probes) = Watch::begin(self.last_watch, spec, fresh);
        out.extend(probes);
        watch
    }

    /// Tells whoever watches a pod's operation how far it is.
    pub(super) fn report(
        &mut self,
        name: &PodName,
        stage: Stage,
        message: String,
        out: &mut Vec<Effect>,
    ) {
        let Some(operation) = self.operation_mut(name) else {
            return;
        };
        let progress = Progress { stage, message };
        operation.progress = progress.clone();
        out.push(Effect::Report {
            operation: operation.id,
            view: OperationView::Running(progress),
        });
    }

    pub(super) fn operation_mut(&mut self, name: &PodName) -> Option<&mut Operation> {
        self.pods.get_mut(name)?.operation.as_mut()
    }
}

fn pod_spec(state: &State, name: &PodName) -> PodSpec {
    state.pods[name].entry.spec.clone()
}

fn command_error(name: &PodName, verb: &str, error: RuntimeError) -> CommandError {
    match error {
        RuntimeError::Unreachable { reason } => CommandError::RuntimeDown { reason },
        RuntimeError::TimedOut { after, .. } => CommandError::TimedOut {
            message: format!(
                "cannot {verb} {name}: {error}; whether it was done shows in `dagdactl pods list` once Podman answers again"
            ),
            after,
        },
        RuntimeError::NoRoom {
            image,
            needed,
            available,
            path,
        } => CommandError::DiskFull {
            image,
            needed,
            available,
            path,
        },
        other => CommandError::Runtime(format!("cannot {verb} {name}: {other}")),
    }
}
