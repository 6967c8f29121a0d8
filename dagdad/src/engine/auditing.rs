//! What becomes of what was asked. The row of a command is written in the transaction of the
//! first record that its step writes, so that nothing is done for it that is not on record, and
//! no command waits for a write of its own. It is written again with the answer, and once more
//! when the operation that it became has ended.

use std::collections::HashMap;

use super::effect::{Effect, Persist};
use super::event::{Reply, Ticket};
use crate::domain::audit::{AuditEntry, AuditOutcome};
use crate::domain::error::CommandError;
use crate::domain::operation::{Done, OperationId};
use crate::ports::Record;

/// What was asked and has not come to its end.
#[derive(Debug, Default)]
pub(super) struct Auditing {
    asked: HashMap<Ticket, AuditEntry>,
    /// By several callers, perhaps.
    under_way: HashMap<OperationId, Vec<AuditEntry>>,
}

impl Auditing {
    pub(super) fn ask(&mut self, ticket: Ticket, entry: AuditEntry) {
        self.asked.insert(ticket, entry);
    }

    /// Puts what was asked into the first of the records that the step's `effects` write. Where
    /// they answer it and write nothing, the answer is written by itself, without anybody waiting
    /// for it.
    pub(super) fn write_down(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) {
        let answered =
            |effect: &Effect| matches!(effect, Effect::Answer { ticket: of, .. } if *of == ticket);
        let Some(entry) = self.asked.get_mut(&ticket) else {
            return;
        };
        let jobs = effects.iter_mut().filter_map(|effect| match effect {
            Effect::Persist(Persist::Measurement(_)) => None,
            Effect::Persist(job) => Some(job),
            _ => None,
        });
        let Some(job) = { jobs }.next() else {
            if !effects.iter().any(answered) {
                effects.insert(0, alone(entry.clone()));
            }
            return;
        };
        let mut entry = entry.clone();
        match job {
            // It is answered once these are written: the answer is known already.
            Persist::Fact { records, then } => {
                let reply = then.iter().find_map(|effect| match effect {
                    Effect::Answer { ticket: of, reply } if *of == ticket => Some(reply),
                    _ => None,
                });
                if let Some(reply) = reply
                    && !matches!(reply, Reply::Operation(_))
                {
                    entry = told(entry, reply);
                    log(&entry);
                    self.asked.remove(&ticket);
                }
                records.push(Record::PutAudit(Box::new(entry)));
            }
            Persist::Intent {
                pod,
                operation,
                records,
            } => {
                if entry.object.as_deref() == Some(pod.as_str()) {
                    entry.operation = Some(*operation);
                    self.asked.insert(ticket, entry.clone());
                }
                records.push(Record::PutAudit(Box::new(entry)));
            }
            Persist::Run { records, .. }
            | Persist::Economy { records, .. }
            | Persist::Change { records, .. }
            | Persist::Measurement(records) => records.push(Record::PutAudit(Box::new(entry))),
        }
    }

    /// What is to be written with the answer, and told to the journal.
    pub(super) fn answered(&mut self, ticket: Ticket, reply: &Reply) -> Option<AuditEntry> {
        let entry = told(self.asked.remove(&ticket)?, reply);
        if let Reply::Operation(operation) = reply {
            let sharing = self.under_way.entry(*operation).or_default();
            sharing.push(entry.clone());
        }
        Some(entry)
    }

    /// What is to be written with the end of an operation.
    pub(super) fn ended(
        &mut self,
        operation: OperationId,
        result: &Result<Done, CommandError>,
    ) -> Vec<Record> {
        let asked = self.under_way.remove(&operation).unwrap_or_default();
        let ended = asked.into_iter().map(|entry| match result {
            Ok(done) => entry.ended(AuditOutcome::Done, &done.message),
            Err(error) => entry.ended(AuditOutcome::Failed, &said(error)),
        });
        ended.map(Box::new).map(Record::PutAudit).collect()
    }
}

/// Written by itself.
pub(super) fn alone(entry: AuditEntry) -> Effect {
    Effect::Persist(Persist::Fact {
        records: vec![Record::PutAudit(Box::new(entry))],
        then: Vec::new(),
    })
}

fn told(entry: AuditEntry, reply: &Reply) -> AuditEntry {
    match reply {
        Reply::Operation(operation) => AuditEntry {
            operation: Some(*operation),
            ..entry.ended(AuditOutcome::Accepted, "")
        },
        Reply::Run(run) => entry.ended(AuditOutcome::Accepted, &format!("run {run}")),
        Reply::Done(done) => entry.ended(AuditOutcome::Done, &done.message),
        Reply::Alerts { .. } | Reply::Silences(_) | Reply::Applied(_) => {
            entry.ended(AuditOutcome::Done, "")
        }
        Reply::Refused(error) => entry.ended(AuditOutcome::Refused, &said(error)),
    }
}

/// Code and words. What is invalid is not quoted: it may be a manifest's text, with a secret.
pub(crate) fn said(error: &CommandError) -> String {
    match error {
        CommandError::Invalid(_) => error.code().to_owned(),
        _ => format!("{}: {error}", error.code()),
    }
}

/// Tells the journal, one line a command.
pub(super) fn log(entry: &AuditEntry) {
    let AuditEntry {
        id: _,
        at: _,
        uid,
        user,
        pid,
        verb,
        object,
        operation: _,
        outcome,
        message,
    } = entry;
    let who = user.as_deref().unwrap_or("a user without a name");
    let object = object.as_deref().unwrap_or_default();
    let outcome = outcome.as_str();
    let asked = format!("{verb} {}", object.escape_debug());
    let asked = asked.trim_end();
    macro_rules! tell {
        ($level:ident) => {
            tracing::$level!(
                dagda_user = user.as_deref(),
                dagda_uid = uid,
                dagda_pid = pid,
                dagda_verb = verb,
                dagda_object = object,
                dagda_outcome = outcome,
                "{who} (uid {uid}) asked for `{asked}`: {outcome}{}{message}",
                if message.is_empty() { "" } else { ", " },
            )
        };
    }
    if entry.outcome == AuditOutcome::Denied {
        tell!(warn);
    } else {
        tell!(info);
    }
}

#[cfg(test)]
mod tests;
