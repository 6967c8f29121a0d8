//! What becomes of what was asked.

use uuid::Uuid;

use super::*;
use crate::domain::caller::Caller;
use crate::domain::operation::{Intent, OperationKind};
use crate::engine::example::{at, name, run_id};

const TICKET: Ticket = Ticket(7);

fn entry(verb: &str, object: &str) -> AuditEntry {
    let anna = Caller {
        uid: 1000,
        gid: 1000,
        pid: Some(7),
        user: Some("anna".to_owned()),
        role: None,
    };
    AuditEntry::asked(Uuid::now_v7(), at(0), &anna, verb, Some(object))
}

fn asked(object: &str) -> Auditing {
    let mut auditing = Auditing::default();
    auditing.ask(TICKET, entry("pods start", object));
    auditing
}

fn operation() -> OperationId {
    OperationId(Uuid::now_v7())
}

fn intent(pod: &str, operation: OperationId) -> Effect {
    let intent = Intent {
        id: operation,
        pod: name(pod),
        kind: OperationKind::Start,
        accepted_at: at(0),
        admission: crate::domain::admission::Admission::Fit,
        run: None,
    };
    Effect::Persist(Persist::Intent {
        pod: name(pod),
        operation,
        records: vec![Record::OpenIntent(intent)],
    })
}

fn answer(reply: Reply) -> Effect {
    Effect::Answer {
        ticket: TICKET,
        reply,
    }
}

fn no_such_pod() -> CommandError {
    CommandError::no_such_pod("lama", std::iter::empty())
}

/// What the last record of a job says, where it is of the audit.
fn written(effect: &Effect) -> Option<&AuditEntry> {
    let Effect::Persist(job) = effect else {
        return None;
    };
    let (Persist::Intent { records, .. }
    | Persist::Run { records, .. }
    | Persist::Fact { records, .. }
    | Persist::Measurement(records)) = job
    else {
        return None;
    };
    match records.last() {
        Some(Record::PutAudit(entry)) => Some(entry),
        _ => None,
    }
}

#[test]
fn it_is_written_with_the_intent_and_knows_its_operation() {
    let mut auditing = asked("llama");
    let operation = operation();
    let mut effects = vec![
        Effect::Persist(Persist::Measurement(Vec::new())),
        Effect::List,
        intent("llama", operation),
    ];
    auditing.write_down(TICKET, &mut effects);
    assert_eq!(effects.len(), 3, "no write of its own");
    assert_eq!(written(&effects[0]), None);
    let entry = written(&effects[2]).unwrap();
    assert_eq!(
        (entry.outcome, entry.operation),
        (AuditOutcome::Asked, Some(operation))
    );
}

/// The first that is stopped to make room is another's operation.
#[test]
fn the_operation_of_another_pod_is_not_its_own() {
    let mut auditing = asked("llama");
    let mut effects = vec![intent("qwen", operation())];
    auditing.write_down(TICKET, &mut effects);
    assert_eq!(written(&effects[0]).unwrap().operation, None);
}

#[test]
fn an_answer_that_waits_for_a_fact_is_written_with_it() {
    let mut auditing = asked("llama");
    let done = Reply::Done(Done {
        message: "llama was already running".to_owned(),
        changed: false,
    });
    let mut effects = vec![Effect::Persist(Persist::Fact {
        records: vec![],
        then: vec![answer(done.clone())],
    })];
    auditing.write_down(TICKET, &mut effects);
    let entry = written(&effects[0]).unwrap();
    assert_eq!(
        (entry.outcome, entry.message.as_str()),
        (AuditOutcome::Done, "llama was already running")
    );
    assert_eq!(auditing.answered(TICKET, &done), None, "not twice");
}

#[test]
fn a_refusal_that_writes_nothing_is_written_by_itself() {
    let mut auditing = asked("lama");
    let refused = Reply::Refused(no_such_pod());
    let mut effects = vec![answer(refused.clone())];
    auditing.write_down(TICKET, &mut effects);
    assert_eq!(effects, [answer(refused.clone())]);
    let entry = auditing.answered(TICKET, &refused).unwrap();
    assert_eq!(entry.outcome, AuditOutcome::Refused);
    assert!(
        entry.message.starts_with("not_found: no pod named lama"),
        "{}",
        entry.message
    );
}

/// It waits for its turn: an `apply` behind another.
#[test]
fn what_has_neither_record_nor_answer_yet_is_written_alone() {
    let mut auditing = asked("llama");
    let mut effects = vec![];
    auditing.write_down(TICKET, &mut effects);
    let [effect] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(written(effect).unwrap().outcome, AuditOutcome::Asked);
}

#[test]
fn what_nobody_asked_is_not_written() {
    let mut auditing = Auditing::default();
    let mut effects = vec![intent("llama", operation())];
    let before = effects.clone();
    auditing.write_down(TICKET, &mut effects);
    assert_eq!(effects, before);
    assert_eq!(auditing.answered(TICKET, &Reply::Run(run_id(1))), None);
}

/// Two ask for the same: both rows end with the one operation.
#[test]
fn all_who_share_an_operation_are_told_its_end() {
    let mut auditing = Auditing::default();
    let operation = operation();
    for ticket in [1, 2] {
        auditing.ask(Ticket(ticket), entry("pods start", "llama"));
        let told = auditing.answered(Ticket(ticket), &Reply::Operation(operation));
        let told = told.unwrap();
        assert_eq!(
            (told.outcome, told.operation),
            (AuditOutcome::Accepted, Some(operation))
        );
    }
    let failed = CommandError::PodFailed {
        message: "llama ended: exit code 1".to_owned(),
        log: vec!["password: hunter2".to_owned()],
    };
    let ended = auditing.ended(operation, &Err(failed.clone()));
    assert_eq!(ended.len(), 2);
    for record in &ended {
        let Record::PutAudit(entry) = record else {
            panic!("{record:?}");
        };
        assert_eq!(
            (entry.outcome, entry.message.as_str()),
            (AuditOutcome::Failed, "pod_failed: llama ended: exit code 1")
        );
    }
    assert_eq!(auditing.ended(operation, &Err(failed)), []);
}

#[test]
fn a_run_stays_accepted() {
    let mut auditing = asked("ai");
    let told = auditing.answered(TICKET, &Reply::Run(run_id(1))).unwrap();
    assert_eq!(
        (told.outcome, told.message),
        (AuditOutcome::Accepted, format!("run {}", run_id(1)))
    );
}

/// A manifest may hold a secret, and what is wrong with it may quote it.
#[test]
fn what_is_invalid_is_not_quoted() {
    let error = CommandError::Invalid("pods[0].env: hunter2 is no value".to_owned());
    assert_eq!(said(&error), "invalid");
}
