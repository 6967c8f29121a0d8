//! Alerts, from their beginning to their end, over restarts.

use super::watched::{Watched, essential, pod};
use super::*;
use crate::domain::alert::{Alert, Condition, Severity};
use crate::domain::event::EventKind;
use crate::domain::run::RunState;

/// A box whose workflow has just lost the pod `a`.
fn degraded(pods: &[CataloguePod]) -> Watched {
    let mut watched = Watched::whole(pods);
    assert_eq!(watched.state(), RunState::Running);
    assert_eq!(watched.rows, []);
    watched.bench.exited("a", 3);
    watched.list();
    assert_eq!(watched.state(), RunState::Degraded);
    watched
}

#[test]
fn a_lost_pod_is_told_of_once() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let alert = watched.only(1).clone();
    assert_eq!(alert.condition, Condition::PodDown);
    assert_eq!(
        (alert.object.as_str(), alert.severity),
        ("a", Severity::Warning)
    );
    assert!(
        alert.message.contains("exited with 3")
            && alert.message.ends_with("; workflow ai needs it"),
        "{}",
        alert.message
    );
    assert_eq!(alert.created_at, alert.updated_at);
    for _ in 0..5 {
        watched.bench.wait(60);
        watched.list();
    }
    assert_eq!(*watched.only(1), alert);
    assert_eq!(watched.events, [EventKind::AlertRaised]);
}

#[test]
fn a_lost_essential_pod_is_critical() {
    let watched = degraded(&[essential("a"), pod("b")]);
    assert_eq!(watched.only(1).severity, Severity::Critical);
}

#[test]
fn each_lost_pod_has_its_own_alert() {
    let mut watched = degraded(&[pod("a"), pod("b"), pod("c")]);
    watched.bench.exited("b", 1);
    watched.list();
    let objects: Vec<String> = watched.going_on().into_iter().map(|a| a.object).collect();
    assert_eq!(objects, ["a", "b"]);
    watched.bench.runs("a");
    watched.list();
    watched.pass(65);
    let objects: Vec<String> = watched.going_on().into_iter().map(|a| a.object).collect();
    assert_eq!(objects, ["b"]);
}

#[test]
fn it_is_over_when_the_pod_is_back() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let raised = watched.only(1).clone();
    watched.pass(30);
    let back_at = watched.bench.now;
    watched.bench.runs("a");
    watched.list();
    assert_eq!(watched.state(), RunState::Running);
    assert_eq!(*watched.only(1), raised, "it may come and go");
    watched.pass(65);
    let resolved = watched.only(2);
    assert_eq!(resolved.resolved_at, Some(back_at), "the true time");
    assert!(resolved.updated_at > back_at);
    let same = Alert {
        updated_at: raised.updated_at,
        resolved_at: None,
        ..resolved.clone()
    };
    assert_eq!(same, raised);
    assert_eq!(
        watched.events,
        [EventKind::AlertRaised, EventKind::AlertResolved]
    );

    // The next time is another episode.
    watched.bench.exited("a", 3);
    watched.list();
    assert_eq!(watched.rows.len(), 2);
    assert_eq!(watched.going_on().len(), 1);
}

#[test]
fn it_is_over_when_the_run_ends() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let workflow = "ai".to_owned();
    let (reply, effects) = watched.bench.order(Command::StopWorkflow { workflow });
    assert!(matches!(reply, Reply::Run(_)), "{reply:?}");
    watched.store(&effects);
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
    assert_eq!(watched.bench.status("a"), PodStatus::Stopped);
}

#[test]
fn it_goes_on_over_a_restart() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let raised = watched.only(1).clone();
    for _ in 0..3 {
        watched.restart();
        // Nothing is known of the pods yet.
        assert_eq!(*watched.only(1), raised);
        watched.list();
        assert_eq!(watched.state(), RunState::Degraded);
        assert_eq!(*watched.only(1), raised);
    }
    watched.bench.runs("a");
    watched.list();
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
    watched.restart();
    watched.list();
    watched.only(2);
}

#[test]
fn it_is_over_when_the_pod_came_back_while_no_daemon_looked() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    watched.bench.runs("a");
    watched.restart();
    watched.only(1);
    watched.list();
    assert_eq!(watched.state(), RunState::Running);
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
}

#[test]
fn a_daemon_that_ends_changes_no_alert() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let effects = watched.bench.tell(Event::Shutdown);
    watched.store(&effects);
    watched.bench.runs("a");
    watched.list();
    assert_eq!(watched.only(1).resolved_at, None);
}

#[test]
fn it_goes_on_while_the_pod_is_started_again() {
    let mut watched = degraded(&[pod("a"), pod("b")]);
    let reply = watched.command(Command::Run {
        workflow: "ai".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: None,
    });
    assert!(matches!(reply, Reply::Run(_)), "{reply:?}");
    assert_eq!(watched.state(), RunState::Starting);
    assert_eq!(watched.only(1).resolved_at, None);
    let operation = watched.bench.state.pods["a"].operation.as_ref();
    let id = operation.expect("a start").id;
    watched.bench.result(id, EffectResult::Stored);
    let entry = watched.pods[0].clone();
    watched.bench.reach_awaiting(id, &entry);
    watched.bench.runs("a");
    watched.list();
    watched.list();
    assert_eq!(watched.state(), RunState::Running);
    watched.pass(65);
    assert!(watched.only(2).resolved_at.is_some());
}

/// Runs `ai`, whose pod comes up, or whose manifest cannot be filled in.
fn run(watched: &mut Watched, comes_up: bool) {
    let reply = watched.command(Command::Run {
        workflow: "ai".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: None,
    });
    let Reply::Run(run) = reply else {
        panic!("{reply:?}");
    };
    let result = Ok(());
    let effects = watched.bench.tell(Event::RunStored { run, result });
    watched.store(&effects);
    let operation = watched.bench.state.pods["a"].operation.as_ref();
    let id = operation.expect("a start").id;
    watched.bench.result(id, EffectResult::Stored);
    if comes_up {
        let entry = watched.pods[0].clone();
        watched.bench.reach_awaiting(id, &entry);
        watched.bench.runs("a");
    } else {
        let error = CommandError::Invalid("PORT is not set".to_owned());
        let rendered = EffectResult::Rendered(Err(error));
        let effects = watched.bench.result(id, rendered);
        watched.store(&effects);
    }
    watched.list();
    watched.list();
}

const FAILED: Condition = Condition::WorkflowFailed;

#[test]
fn a_failed_run_is_told_of_until_the_workflow_runs() {
    let mut watched = Watched::idle(&[pod("a")]);
    run(&mut watched, false);
    assert_eq!(watched.state(), RunState::RolledBack);
    let raised = watched.only_of(FAILED, 1).clone();
    assert_eq!(
        (raised.object.as_str(), raised.severity),
        ("ai", Severity::Warning)
    );
    assert_eq!(watched.only_of(Condition::PodDown, 1).object, "a");
    assert!(
        raised.message.contains("PORT is not set"),
        "{}",
        raised.message
    );

    // It fails again: the same episode, also for another daemon.
    run(&mut watched, false);
    assert_eq!(*watched.only_of(FAILED, 1), raised);
    watched.restart();
    watched.list();
    assert_eq!(*watched.only_of(FAILED, 1), raised);

    run(&mut watched, true);
    assert_eq!(watched.state(), RunState::Running);
    assert!(watched.only_of(FAILED, 2).resolved_at.is_some());
}

#[test]
fn a_failed_run_is_forgotten_with_its_workflow() {
    let mut watched = Watched::idle(&[pod("a")]);
    run(&mut watched, false);
    watched.only_of(FAILED, 1);
    let workflow = "ai".to_owned();
    // Answered once it is stored.
    let (ticket, command) = (Ticket(99), Command::RemoveWorkflow { workflow });
    let effects = watched.bench.tell(Event::Command { ticket, command });
    watched.store(&effects);
    assert!(watched.only_of(FAILED, 2).resolved_at.is_some());
    assert!(watched.bench.state.workflows.is_empty());
}
