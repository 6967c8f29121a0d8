//! What callers ask for: accepted, refused, or done already.

use std::time::Duration;

use jiff::Timestamp;

use super::super::economy::missed;
use super::super::effect::{Effect, Persist};
use super::super::event::{Command, Reply, Ticket};
use super::super::operation::{At, Operation, Queued, Request};
use super::super::pod::{Life, Pod};
use super::super::state::{RuntimeLink, State};
use crate::domain::admission::Admission;
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, Subject};
use crate::domain::name::PodName;
use crate::domain::observed::PodCondition;
use crate::domain::operation::{
    Done, Intent, OperationId, OperationKind, OperationView, Progress, Stage,
};
use crate::domain::pod::PodSpec;
use crate::domain::state::Wanted;
use crate::ports::Record;

/// What is asked of a pod.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    kind: OperationKind,
    grace: Option<Duration>,
    force: bool,
    admission: Admission,
}

impl Ask {
    const fn new(kind: OperationKind) -> Self {
        Self {
            kind,
            grace: None,
            force: false,
            admission: Admission::Fit,
        }
    }
}

impl State {
    pub(super) fn command(
        &mut self,
        ticket: Ticket,
        command: Command,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.closing {
            let reply = Reply::Refused(CommandError::ShuttingDown);
            return out.push(Effect::Answer { ticket, reply });
        }
        let (pod, ask) = match command {
            Command::Apply { entries, dry_run } => {
                return self.apply(ticket, entries, dry_run, now, out);
            }
            Command::Run { .. } | Command::StopWorkflow { .. } | Command::RemoveWorkflow { .. } => {
                return self.workflow_command(ticket, command, now, out);
            }
            Command::AcknowledgeAlerts { which } => {
                return self.acknowledge_alerts(ticket, &which, now, out);
            }
            Command::Silence { of, span } => {
                return self.silence(ticket, of, span, now, out);
            }
            Command::LiftSilence { which } => {
                return self.lift_silence(ticket, &which, now, out);
            }
            Command::SetEconomy { policy } => {
                return self.set_economy(ticket, policy, now, out);
            }
            Command::ResolveAlert { id } => {
                return self.resolve_alert(ticket, &id, now, out);
            }
            Command::Start { pod, admission } => (
                pod,
                Ask {
                    admission,
                    ..Ask::new(OperationKind::Start)
                },
            ),
            Command::Stop { pod, grace } => (
                pod,
                Ask {
                    grace,
                    ..Ask::new(OperationKind::Stop)
                },
            ),
            Command::Restart { pod } => (pod, Ask::new(OperationKind::Restart)),
            Command::Remove { pod, force } => (
                pod,
                Ask {
                    force,
                    ..Ask::new(OperationKind::Remove)
                },
            ),
        };
        let kind = ask.kind;
        let reply = match self.operate(&pod, ask, now, out) {
            Ok(reply) => reply,
            Err(error) => {
                let object = pod.parse().ok();
                let message = format!("{kind} refused: {error}");
                self.note(EventKind::Refused, object.as_ref(), message, now, out);
                Reply::Refused(error)
            }
        };
        out.push(Effect::Answer { ticket, reply });
    }

    pub(super) fn operate(
        &mut self,
        asked: &str,
        ask: Ask,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, CommandError> {
        let Ask {
            kind,
            grace,
            force,
            admission,
        } = ask;
        let name = self.find(asked)?;
        if kind != OperationKind::Start {
            self.person_decides(&name, out);
        }
        let pod = &self.pods[&name];
        if let Some(joined) = join(pod, kind) {
            return Ok(Reply::Operation(joined));
        }
        if pod.operation.is_none() {
            let up = matches!(pod.life, Life::Up { .. });
            match (kind, &pod.life) {
                (OperationKind::Start, Life::Up { .. }) => {
                    let taken = self.economy_view().taken;
                    let missed = taken.iter().find(|view| view.taken.pod == name).map(missed);
                    let how = match missed {
                        Some(missed) => format!("was already running, {missed}"),
                        None => "was already running".to_owned(),
                    };
                    return Ok(self.already(&name, Wanted::Up, &how, now, out));
                }
                (OperationKind::Stop, Life::Down) => {
                    return Ok(self.already(&name, Wanted::Down, "was already stopped", now, out));
                }
                (OperationKind::Remove, _) if up && !force => {
                    return Err(CommandError::Busy {
                        pod: name,
                        state: pod.status().as_str(),
                    });
                }
                _ => {}
            }
            if let RuntimeLink::Down { reason } = &self.runtime {
                return Err(CommandError::RuntimeDown {
                    reason: reason.clone(),
                });
            }
            if kind == OperationKind::Start {
                self.check_ports(&pod.entry.spec)?;
            }
        } else if kind == OperationKind::Remove && !force {
            return Err(CommandError::Busy {
                pod: name,
                state: pod.status().as_str(),
            });
        }
        if kind == OperationKind::Remove && !force {
            self.check_runs(&name)?;
        }
        let request = match kind {
            OperationKind::Start | OperationKind::Restart => {
                self.admit_pod(&name, kind, admission, now, out)?
            }
            OperationKind::Stop | OperationKind::Remove => Request {
                grace,
                ..Request::new(kind)
            },
        };
        let id = OperationId(self.identities.next(now));
        self.accept(&name, id, request, now, out);
        Ok(Reply::Operation(id))
    }

    /// Stores an operation's intent and lines it up.
    pub(super) fn accept(
        &mut self,
        name: &PodName,
        id: OperationId,
        request: Request,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(pod) = self.pods.get_mut(name) else {
            return;
        };
        // What is displaced never was: what it changed goes back with it.
        let wanted_before = pod
            .queued
            .as_ref()
            .map_or(pod.wanted, |queued| queued.operation.wanted_before);
        let kind = request.kind;
        let event = request.event;
        let message = match (&request.verdict, &request.cause) {
            (Some(verdict), _) => verdict.clone(),
            (None, Some(cause)) => format!("{kind} of {name}, {cause}"),
            (None, None) => format!("{kind} of {name}"),
        };
        let intent = Intent {
            id,
            pod: name.clone(),
            kind,
            accepted_at: now,
            admission: request.admission,
            run: request.run,
        };
        if request.verdict.is_none() {
            pod.wanted = kind.wants();
        }
        let mut operation = Operation::new(id, request, wanted_before, At::Storing);
        operation.progress.message.clone_from(&message);
        let mut displaced = None;
        if pod.operation.is_none() {
            pod.deaths.clear();
            pod.operation = Some(operation);
        } else {
            displaced = pod.queued.replace(Queued {
                operation,
                stored: false,
            });
        }
        let event = self.event(event, Some(name), message.clone(), now);
        out.push(Effect::Announce {
            event: event.clone(),
            subject: Subject::Pod,
        });
        let mut records = vec![Record::OpenIntent(intent), Record::Event(event)];
        records.extend(
            self.record_of(name, now)
                .map(|row| Record::PutPod(Box::new(row))),
        );
        out.push(Effect::Persist(Persist::Intent {
            pod: name.clone(),
            operation: id,
            records,
        }));
        out.push(Effect::Report {
            operation: id,
            view: OperationView::Running(Progress {
                stage: Stage::Preparing,
                message,
            }),
        });
        if let Some(displaced) = displaced {
            let cancelled = displaced.operation;
            Self::close_cancelled(name, cancelled.id, cancelled.kind, kind, now, out);
        }
    }

    pub(super) fn already(
        &mut self,
        name: &PodName,
        wanted: Wanted,
        how: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Reply {
        if let Some(pod) = self.pods.get_mut(name)
            && pod.wanted != wanted
        {
            pod.wanted = wanted;
            self.put_row(name, now, out);
        }
        Reply::Done(Done {
            message: format!("{name} {how}"),
            changed: false,
        })
    }

    pub(super) fn find(&self, asked: &str) -> Result<PodName, CommandError> {
        if let Some((name, _)) = self.pods.get_key_value(asked) {
            return Ok(name.clone());
        }
        Err(CommandError::no_such_pod(asked, self.pods.keys()))
    }

    /// Refuses a start whose host ports another pod holds or is about to hold.
    pub(in crate::engine) fn check_ports(&self, spec: &PodSpec) -> Result<(), CommandError> {
        for wanted in spec.published_ports() {
            let observed = self
                .observed
                .values()
                .filter(|pod| pod.name != spec.name.as_str())
                .filter(|pod| match self.pods.get(pod.name.as_str()) {
                    // The listing may be older than what was done with the pod.
                    Some(known) if self.settled => matches!(known.life, Life::Up { .. }),
                    _ => matches!(
                        pod.condition(),
                        PodCondition::Running { .. } | PodCondition::Paused
                    ),
                })
                .find(|pod| pod.ports.iter().any(|port| port.collides_with(&wanted)))
                .map(|pod| pod.name.clone());
            let starting = || {
                self.pods
                    .iter()
                    .filter(|(name, pod)| {
                        **name != spec.name && pod.operation.as_ref().is_some_and(Operation::rising)
                    })
                    .find(|(_, pod)| {
                        pod.entry
                            .spec
                            .published_ports()
                            .any(|port| port.collides_with(&wanted))
                    })
                    .map(|(name, _)| name.to_string())
            };
            if let Some(holder) = observed.or_else(starting) {
                let port = wanted.host_port;
                return Err(CommandError::PortTaken {
                    pod: spec.name.clone(),
                    port,
                    holder,
                });
            }
        }
        Ok(())
    }
}

/// The operation of the same kind that is under way or lined up already.
fn join(pod: &Pod, kind: OperationKind) -> Option<OperationId> {
    if let Some(queued) = &pod.queued {
        return (queued.operation.kind == kind).then_some(queued.operation.id);
    }
    let operation = pod.operation.as_ref()?;
    let same = operation.kind == kind && operation.verdict.is_none();
    // A pod on its way up for a restart will be up for a start as well.
    let covered = kind == OperationKind::Start
        && operation.kind == OperationKind::Restart
        && operation.verdict.is_none();
    (same || covered).then_some(operation.id)
}
