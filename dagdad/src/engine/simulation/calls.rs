//! The way to the model of the runtime: calls that answer in time, late or never, listings
//! that are older than they look, signals that are late, doubled or lost.

use std::time::Duration;

use super::super::effect::Action;
use super::super::event::{EffectResult, Event};
use super::podman::{Inside, Mood};
use super::{Happening, World};
use crate::domain::catalogue::RenderedPod;
use crate::domain::name::PodName;
use crate::domain::observed::RuntimeSignal;
use crate::domain::operation::OperationId;
use crate::ports::{ProbeFailure, RuntimeError};

/// Who waits for a call's answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) incarnation: u64,
    pub(super) number: u64,
    pub(super) pod: PodName,
    pub(super) operation: OperationId,
}

impl World {
    /// Takes up a call; answers it in time, late, with a fault, or with a time-out.
    pub(super) fn call(&mut self, call: Call, action: Action) {
        let (deadline, latency) = match &action {
            Action::Render(_) => (Duration::from_secs(1), self.random.millis(1, 5)),
            Action::EnsureImages(_) => {
                let slow = self.random.chance(20);
                let to = if slow { 60_000 } else { 20 };
                (Duration::from_mins(10), self.random.millis(1, to))
            }
            Action::Play(_) => (Duration::from_mins(2), self.random.millis(50, 600)),
            Action::Stop { grace } => {
                (*grace + Duration::from_secs(15), self.random.millis(1, 200))
            }
            Action::Remove => (Duration::from_secs(30), self.random.millis(1, 300)),
            Action::Diagnose => (Duration::from_secs(5), self.random.millis(1, 50)),
        };
        let local = matches!(action, Action::Render(_));
        let slips = self.faulty() && self.random.chance(3);
        match self.podman.mood {
            _ if local => self.after(
                latency,
                Happening::Podman(Inside::Execute(call, action, true)),
            ),
            Mood::Gone => {
                let error = RuntimeError::Unreachable {
                    reason: "connection refused".to_owned(),
                };
                self.reply_after(latency, call, failed(&action, error));
            }
            Mood::Hung => self.time_out(call, action, deadline),
            Mood::Well if slips => self.time_out(call, action, deadline),
            Mood::Well => {
                self.after(
                    latency,
                    Happening::Podman(Inside::Execute(call, action, true)),
                );
            }
        }
    }

    fn time_out(&mut self, call: Call, action: Action, deadline: Duration) {
        let error = RuntimeError::TimedOut {
            what: "answer".to_owned(),
            after: deadline,
        };
        self.reply_after(deadline, call.clone(), failed(&action, error));
        if self.random.chance(50) {
            let late = self.random.millis(100, 150_000);
            self.after(
                late,
                Happening::Podman(Inside::Execute(call, action, false)),
            );
        }
    }

    fn reply_after(&mut self, latency: Duration, call: Call, result: EffectResult) {
        self.after(latency, Happening::Reply(call, result));
    }

    pub(super) fn reply(&mut self, call: Option<Call>, result: EffectResult) {
        if let Some(call) = call {
            let latency = self.random.millis(0, 5);
            self.reply_after(latency, call, result);
        }
    }

    pub(super) fn execute(&mut self, call: Call, action: Action, answers: bool) {
        let pod = call.pod.clone();
        let waiting = answers.then_some(call);
        match action {
            Action::Render(manifest) => {
                let entry = &self.manifests[&manifest.digest.0];
                let rendered = RenderedPod {
                    spec: entry.spec.clone(),
                    text: manifest.text,
                };
                self.reply(waiting, EffectResult::Rendered(Ok(rendered)));
            }
            Action::EnsureImages(images) => {
                let result = if !self.calm && self.random.chance(5) {
                    Err(RuntimeError::Image {
                        image: images[0].0.clone(),
                        reason: "no such image".to_owned(),
                    })
                } else {
                    Ok(())
                };
                self.reply(waiting, EffectResult::Images(result));
            }
            Action::Play(rendered) => self.play(&pod, &rendered, waiting),
            Action::Stop { grace } => self.stop_pod(&pod, grace, waiting),
            Action::Remove => {
                self.remove_pod(&pod);
                self.reply(waiting, EffectResult::Removed(Ok(())));
            }
            Action::Diagnose => {
                let lines = vec!["last words".to_owned()];
                self.reply(waiting, EffectResult::Diagnosed(lines));
            }
        }
    }

    /// Lists as the pods are at some moment of the call; the answer is older than it looks.
    pub(super) fn list(&mut self) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        let incarnation = daemon.incarnation;
        let slow = !self.calm && self.random.chance(10);
        let slips = self.faulty() && self.random.chance(2);
        let (latency, answer) = match self.podman.mood {
            Mood::Gone => {
                let reason = "connection refused".to_owned();
                let error = RuntimeError::Unreachable { reason };
                (Duration::from_millis(1), Err(error))
            }
            Mood::Hung => (Duration::from_secs(10), Err(list_timed_out())),
            Mood::Well if slips => (Duration::from_secs(10), Err(list_timed_out())),
            Mood::Well => {
                let to = if slow { 5_000 } else { 30 };
                (self.random.millis(1, to), Ok(self.observed()))
            }
        };
        self.after(latency, Happening::Tell(incarnation, Event::Listed(answer)));
    }

    pub(super) fn probe(&mut self, pod: &PodName) -> Result<(), ProbeFailure> {
        let failure = || Err(ProbeFailure("connection refused".to_owned()));
        if self.podman.mood != Mood::Well || (self.faulty() && self.random.chance(2)) {
            return failure();
        }
        match self.podman.pods.get(pod) {
            Some(model) if model.ready(self.now) => Ok(()),
            _ => failure(),
        }
    }

    /// Reports a change: at once, late, twice or never.
    pub(super) fn signal(&mut self, signal: &RuntimeSignal) {
        let Some(daemon) = &self.daemon else {
            return;
        };
        let incarnation = daemon.incarnation;
        if self.podman.mood != Mood::Well || (self.faulty() && self.random.chance(4)) {
            return;
        }
        let times = if self.faulty() && self.random.chance(4) {
            2
        } else {
            1
        };
        for _ in 0..times {
            let to = if self.faulty() && self.random.chance(5) {
                20_000
            } else {
                200
            };
            let latency = self.random.millis(0, to);
            let event = Event::Runtime(signal.clone());
            self.after(latency, Happening::Tell(incarnation, event));
        }
    }

    pub(super) fn change_mood(&mut self, mood: Mood) {
        self.podman.mood = mood;
        let Some(daemon) = &self.daemon else {
            return;
        };
        let incarnation = daemon.incarnation;
        let signal = match mood {
            Mood::Well => RuntimeSignal::Connected {
                version: "4.3.1".to_owned(),
            },
            Mood::Gone => RuntimeSignal::Disconnected {
                reason: "connection refused".to_owned(),
            },
            // A connection that hangs looks like one with nothing to say.
            Mood::Hung => return,
        };
        let latency = self.random.millis(0, 500);
        self.after(
            latency,
            Happening::Tell(incarnation, Event::Runtime(signal)),
        );
    }
}

fn list_timed_out() -> RuntimeError {
    RuntimeError::TimedOut {
        what: "list the pods".to_owned(),
        after: Duration::from_secs(10),
    }
}

fn failed(action: &Action, error: RuntimeError) -> EffectResult {
    match action {
        Action::Render(_) => unreachable!("rendering asks no runtime"),
        Action::EnsureImages(_) => EffectResult::Images(Err(error)),
        Action::Play(_) => EffectResult::Played(Err(error)),
        Action::Stop { .. } => EffectResult::Stopped(Err(error)),
        Action::Remove => EffectResult::Removed(Err(error)),
        Action::Diagnose => EffectResult::Diagnosed(Vec::new()),
    }
}
