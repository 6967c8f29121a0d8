//! Runs on their way up, and while they run.

use super::world::{asked, sized, told};
use super::*;
use crate::domain::catalogue::Entries;
use crate::domain::pod::Priority;
use crate::domain::run::{Failure, Outcome, Phase, RunId, RunState};
use crate::domain::workflow::OnFailure;

pub(super) fn run_as(workflow: &str, admission: Admission) -> Command {
    Command::Run {
        workflow: workflow.to_owned(),
        admission,
        queue: false,
        timeout: None,
    }
}

pub(super) fn run(workflow: &str) -> Command {
    run_as(workflow, Admission::Fit)
}

pub(super) fn stop_workflow(workflow: &str) -> Command {
    Command::StopWorkflow {
        workflow: workflow.to_owned(),
    }
}

/// `w`: `b` and `c` after `a`, `d` after both; 100 MiB each.
pub(super) fn diamond(on_failure: OnFailure) -> Bench {
    let pods = ["a", "b", "c", "d", "x"].map(|name| sized(always(name), 100));
    let mut workflow = workflow(
        "w",
        &[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])],
    );
    workflow.spec.on_failure = on_failure;
    let mut bench = Bench::with_workflows(&pods, &[workflow], &[]);
    bench.measure(1_000, 0);
    bench
}

impl Bench {
    pub(super) fn run_accepted(&mut self, command: Command) -> (RunId, Vec<Effect>) {
        match self.order(command) {
            (Reply::Run(id), effects) => (id, effects),
            (reply, _) => panic!("not accepted: {reply:?}"),
        }
    }

    pub(super) fn phase(&self, id: RunId) -> RunState {
        self.run(id).phase.state()
    }

    pub(super) fn run_failure(&self, id: RunId) -> &Failure {
        self.run(id).phase.failure().expect("a failure")
    }
}

#[test]
fn pods_start_in_order_and_the_run_is_running_once_all_are_ready() {
    let mut bench = diamond(OnFailure::Rollback);
    for pod in ["a", "b", "c", "d"] {
        bench.hold("play", pod);
    }
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "play"), ["a"]);
    assert_eq!(bench.phase(id), RunState::Starting);
    for (playing, next) in [("a", vec!["b", "c"]), ("b", vec![]), ("c", vec!["d"])] {
        let effects = bench.play(playing);
        assert_eq!(asked(&effects, "play"), next, "after {playing}");
    }
    let effects = bench.play("d");
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(
        told(&effects, EventKind::RunReady),
        ["w is running: all its pods are ready"]
    );
    assert!(bench.run(id).members.iter().all(|m| m.started_by_run));
    assert_eq!(bench.run(id).ready_at, Some(bench.now));
}

impl Bench {
    /// A play that was held up comes to its end.
    fn play(&mut self, pod: &str) -> Vec<Effect> {
        let operation = self.state.pods[pod].operation.as_ref().unwrap().id;
        self.runs(pod);
        let effects = self.result(operation, EffectResult::Played(Ok(())));
        self.carry_out(effects)
    }
}

#[test]
fn nothing_is_done_before_the_run_is_stored() {
    let mut bench = diamond(OnFailure::Rollback);
    let (reply, effects) = bench.command(run("w"));
    assert!(matches!(reply, Reply::Run(_)), "{reply:?}");
    let intents = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Persist(Persist::Intent { .. })));
    assert!(!intents, "{effects:?}");
    assert_eq!(bench.held("d"), Some(100), "its places are held already");
}

#[test]
fn a_run_that_is_not_stored_fails_and_gives_its_places_back() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.disk_is_full(true);
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(bench.phase(id), RunState::Failed);
    assert_eq!(bench.run_failure(id).code, "store_failed");
    assert_eq!(bench.held("a"), None);
    assert_eq!(asked(&effects, "render"), [""; 0]);
    let runs = run_rows(&effects);
    assert_eq!(
        runs.last().unwrap(),
        bench.run(id),
        "it is written once it can be"
    );
    assert_eq!(workflow_active(&effects), Some(false));
}

/// The runs that these effects write.
pub(super) fn run_rows(effects: &[Effect]) -> Vec<crate::domain::run::Run> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Persist::Run { records, .. } | Persist::Fact { records, .. }) => {
            Some(records)
        }
        _ => None,
    });
    let runs = records.flatten().filter_map(|record| match record {
        Record::PutRun(run) => Some((**run).clone()),
        _ => None,
    });
    runs.collect()
}

fn workflow_active(effects: &[Effect]) -> Option<bool> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Persist::Fact { records, .. }) => Some(records),
        _ => None,
    });
    let mut rows = records.flatten().filter_map(|record| match record {
        Record::PutWorkflow(row) => Some(row.active),
        _ => None,
    });
    rows.next_back()
}

#[test]
fn each_step_is_written_before_its_intent() {
    let mut bench = diamond(OnFailure::Rollback);
    let (_, effects) = bench.run_accepted(run("w"));
    let mut written = Vec::new();
    for effect in &effects {
        match effect {
            Effect::Persist(Persist::Run { records, .. } | Persist::Fact { records, .. }) => {
                for record in records {
                    if let Record::PutRun(run) = record {
                        written.push(run.clone());
                    }
                }
            }
            Effect::Persist(Persist::Intent { pod, .. }) => {
                let member = written.last().unwrap().member(pod).unwrap();
                assert!(member.started_by_run, "{pod}");
                assert_eq!(member.step.as_str(), "starting");
            }
            _ => {}
        }
    }
    assert!(written.len() > 4);
}

#[test]
fn a_run_does_not_fit_as_a_whole() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.measure(350, 0);
    let (reply, effects) = bench.order(run("w"));
    let denial = super::admission::denial(&reply);
    assert_eq!(denial.figures.memory.needed, Bytes::mib(400));
    assert_eq!(asked(&effects, "render"), [""; 0]);
    assert_eq!(bench.held("a"), None);
}

#[test]
fn what_runs_already_is_not_started_again_nor_counted_twice() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("a"));
    bench.measure(400, 0);
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "play"), ["b", "c", "d"]);
    assert_eq!(bench.phase(id), RunState::Running);
    assert!(
        !bench
            .run(id)
            .member(&"a".parse().unwrap())
            .unwrap()
            .started_by_run
    );
}

#[test]
fn a_start_that_somebody_else_gave_is_joined() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "a");
    bench.order(start_command("a"));
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "play"), [""; 0]);
    assert_eq!(bench.steps(id)[0], ("a", "starting"));
    bench.play("a");
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn two_runs_that_share_a_pod_start_it_once() {
    let pods = ["a", "b", "c"].map(|name| sized(always(name), 100));
    let workflows = [
        workflow("v", &[("a", &[]), ("b", &["a"])]),
        workflow("w", &[("a", &[]), ("c", &["a"])]),
    ];
    let mut bench = Bench::with_workflows(&pods, &workflows, &[]);
    bench.hold("play", "a");
    let (v, effects) = bench.run_accepted(run("v"));
    assert_eq!(asked(&effects, "play"), ["a"]);
    let (w, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "play"), [""; 0]);
    bench.play("a");
    assert_eq!(
        (bench.phase(v), bench.phase(w)),
        (RunState::Running, RunState::Running)
    );
}

#[test]
fn a_run_that_starts_lets_others_make_room_first() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("x"));
    bench.measure(450, 0);
    let (id, effects) = bench.run_accepted(run_as("w", Admission::Evict));
    assert_eq!(
        told(&effects, EventKind::Evicted),
        ["stop of x, to make room for w"]
    );
    assert_eq!(asked(&effects, "play"), ["a", "b", "c", "d"]);
    let phases: Vec<_> = run_rows(&effects)
        .iter()
        .map(|run| run.phase.state())
        .collect();
    assert_eq!(phases[0], RunState::Evicting);
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn further_victims_are_written_before_they_are_stopped() {
    let mut pods = ["a", "x", "y"].map(|name| sized(always(name), 100));
    pods[1].spec.priority = Priority::new(10).unwrap();
    let mut bench = Bench::with_workflows(&pods, &[workflow("w", &[("a", &[])])], &["x", "y"]);
    bench.measure(200, 0);
    bench.hold("stop", "x");
    let (id, _) = bench.run_accepted(run_as("w", Admission::Evict));
    let stop = bench.state.pods["x"].operation.as_ref().unwrap().id;
    bench.measure(200, 50);
    bench.exited("x", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    bench.wait(5);
    let effects = bench.measure(200, 50);
    let row = effects.iter().position(|effect| {
        let Effect::Persist(Persist::Fact { records, .. }) = effect else {
            return false;
        };
        records.iter().any(|record| {
            matches!(record, Record::PutRun(run) if matches!(
                &run.phase,
                Phase::Evicting { victims } if victims.iter().any(|v| v.as_str() == "y")
            ))
        })
    });
    let intent = effects.iter().position(|effect| {
        matches!(effect, Effect::Persist(Persist::Intent { pod, .. }) if pod.as_str() == "y")
    });
    assert!(row.expect("a row") < intent.expect("an intent"));
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_run_for_which_no_room_can_be_made_fails_and_has_started_nothing() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(start_command("x"));
    bench.measure(450, 0);
    bench.hold("stop", "x");
    let (id, _) = bench.run_accepted(run_as("w", Admission::Evict));
    assert_eq!(bench.phase(id), RunState::Evicting);
    let stop = bench.state.pods["x"].operation.as_ref().unwrap().id;
    bench.measure(450, 400);
    bench.exited("x", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    bench.wait(5);
    bench.measure(450, 400);
    assert_eq!(bench.phase(id), RunState::Failed);
    assert_eq!(bench.run_failure(id).code, "insufficient_resources");
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn a_forced_run_is_recorded_as_such() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.measure(350, 0);
    let (id, effects) = bench.run_accepted(run_as("w", Admission::Force));
    assert_eq!(told(&effects, EventKind::Forced).len(), 1);
    assert_eq!(bench.run(id).admission, Admission::Force);
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_run_ends_once_all_its_pods_ran_to_their_end() {
    let pods = ["a", "b"].map(|name| sized(entry(name, RestartPolicy::Never), 100));
    let mut bench =
        Bench::with_workflows(&pods, &[workflow("w", &[("a", &[]), ("b", &["a"])])], &[]);
    bench.ends_at_once("a");
    bench.ends_at_once("b");
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "play"), ["a", "b"]);
    assert_eq!(bench.steps(id), [("a", "completed"), ("b", "completed")]);
    assert_eq!(bench.phase(id), RunState::Stopped);
}

#[test]
fn a_job_that_ended_well_does_not_make_a_run_degraded() {
    let pods = [
        sized(entry("a", RestartPolicy::OnFailure), 100),
        sized(always("b"), 100),
    ];
    let mut bench =
        Bench::with_workflows(&pods, &[workflow("w", &[("a", &[]), ("b", &["a"])])], &[]);
    bench.ends_at_once("a");
    let (id, _) = bench.run_accepted(run("w"));
    assert_eq!(bench.steps(id), [("a", "completed"), ("b", "ready")]);
    assert_eq!(bench.phase(id), RunState::Running);
    assert_eq!(bench.held("a"), None);
    bench.reborn();
    bench.measure(1_000, 0);
    bench.look();
    assert_eq!(bench.steps(id), [("a", "completed"), ("b", "ready")]);
    bench.order(remove("a", true));
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_job_that_had_run_before_is_run_again() {
    let pods = [sized(entry("a", RestartPolicy::Never), 100)];
    let mut bench = Bench::with_workflows(&pods, &[workflow("w", &[("a", &[])])], &[]);
    bench.ends_at_once("a");
    bench.order(start_command("a"));
    let (_, effects) = bench.run_accepted(run("w"));
    assert_eq!(asked(&effects, "play"), ["a"]);
}

#[test]
fn a_pod_that_leaves_the_catalogue_fails_a_run_that_starts() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "a");
    let (id, _) = bench.run_accepted(run("w"));
    bench.order(remove("d", true));
    assert_eq!(bench.run_failure(id).message, "d has left the catalogue");
    bench.play("a");
    assert_eq!(bench.phase(id), RunState::RolledBack);
    assert_eq!(bench.ups(), [""; 0]);
}

#[test]
fn a_pod_that_leaves_the_catalogue_degrades_a_run_that_runs() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    let (reply, _) = bench.order(remove("d", false));
    assert!(matches!(reply, Reply::Refused(CommandError::Busy { .. })));
    bench.order(stop("d"));
    let (reply, _) = bench.order(remove("d", false));
    assert!(matches!(
        reply,
        Reply::Refused(CommandError::NeededByRun { .. })
    ));
    bench.order(remove("d", true));
    assert_eq!(bench.phase(id), RunState::Degraded);
    let (reply, _) = bench.order(run("w"));
    assert!(matches!(
        reply,
        Reply::Refused(CommandError::MissingPod { .. })
    ));
}

#[test]
fn the_timeout_is_the_callers_where_he_gives_one() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "a");
    let (id, _) = bench.run_accepted(Command::Run {
        workflow: "w".to_owned(),
        admission: Admission::Fit,
        queue: false,
        timeout: Some(Duration::from_secs(7)),
    });
    let Phase::Starting { deadline } = bench.run(id).phase else {
        panic!("{:?}", bench.run(id));
    };
    assert_eq!((deadline - bench.now).get_seconds(), 7);
}

#[test]
fn a_run_goes_on_as_begun_whatever_becomes_of_its_workflow() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "a");
    let (id, _) = bench.run_accepted(run("w"));
    let mut other = workflow("w", &[("x", &[])]);
    other.manifest.digest = crate::domain::catalogue::Digest("w 1".to_owned());
    let (reply, _) = bench.command(Command::Apply {
        entries: Entries {
            workflows: vec![other.clone()],
            ..Entries::default()
        },
        dry_run: true,
    });
    let Reply::Applied(applied) = reply else {
        panic!("{reply:?}");
    };
    assert!(applied[0].notes[0].contains("goes on as it was begun"));
    let command = Command::Apply {
        entries: Entries {
            workflows: vec![other],
            ..Entries::default()
        },
        dry_run: false,
    };
    bench.tickets += 1;
    bench.go(Event::Command {
        ticket: Ticket(bench.tickets),
        command,
    });
    bench.play("a");
    assert_eq!(bench.ups(), ["a", "b", "c", "d"]);
    assert_eq!(bench.phase(id), RunState::Running);
}

#[test]
fn a_run_that_ended_is_remembered_for_a_while() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.disk_is_full(true);
    let (id, _) = bench.run_accepted(run("w"));
    assert!(matches!(
        bench.run(id).phase,
        Phase::Ended {
            outcome: Outcome::Failed(_),
            ..
        }
    ));
    bench.wait(299);
    bench.go(Event::Tick);
    assert!(bench.state.runs.contains_key(&id));
    bench.wait(2);
    bench.go(Event::Tick);
    assert!(!bench.state.runs.contains_key(&id));
}
