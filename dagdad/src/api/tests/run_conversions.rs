//! Every field of a run finds its place on the wire.

use dagda_proto::v1;
use rstest::rstest;

use super::super::convert;
use super::wire;
use crate::domain::admission::{Admission, Earliest};
use crate::domain::operation::{Progress, Stage};
use crate::domain::run::{Failure, Outcome, Phase, Run, RunState, Step};
use crate::engine::example::{at, footprint, name, pod, run, run_id, snapshot, view};
use crate::engine::snapshot::{QueuePlace, RunView, Snapshot};

fn empty() -> Snapshot {
    snapshot(Vec::new(), Vec::new())
}

fn ai(phase: Phase, steps: &[(&str, Step)]) -> Run {
    run(run_id(7), "ai", phase, steps)
}

#[test]
fn a_run_is_told_with_all_its_times_and_pods() {
    let mut run = ai(
        Phase::Starting { deadline: at(300) },
        &[("mariadb", Step::Ready), ("llama", Step::Waiting)],
    );
    run.admission = Admission::Force;
    run.admitted_at = Some(at(1));
    run.ready_at = Some(at(2));
    run.members[1].level = 1;
    run.members[1].after = vec![name("mariadb")];
    run.members[1].since = at(3);
    run.members[1].started_by_run = false;
    let told = convert::run(&view(run), &empty());
    assert_eq!(
        told,
        v1::Run {
            id: run_id(7).to_string(),
            workflow: "ai".to_owned(),
            state: v1::RunState::Starting.into(),
            priority: 70,
            admission: v1::AdmissionMode::Force.into(),
            accepted_at: Some(wire(0)),
            admitted_at: Some(wire(1)),
            ready_at: Some(wire(2)),
            ended_at: None,
            deadline: Some(wire(300)),
            pods: vec![
                v1::RunPod {
                    pod: "mariadb".to_owned(),
                    level: 0,
                    after: Vec::new(),
                    step: "ready".to_owned(),
                    started_by_run: true,
                    since: Some(wire(0)),
                    message: None,
                },
                v1::RunPod {
                    pod: "llama".to_owned(),
                    level: 1,
                    after: vec!["mariadb".to_owned()],
                    step: "waiting".to_owned(),
                    started_by_run: false,
                    since: Some(wire(3)),
                    message: None,
                },
            ],
            failure: None,
            queue: None,
            victims: Vec::new(),
        }
    );
}

#[test]
fn a_queued_run_tells_its_place() {
    let view = RunView {
        place: Some(QueuePlace {
            place: 2,
            length: 3,
            waits_for: "web comes first".to_owned(),
            earliest: Some(Earliest {
                at: at(60),
                reason: "qwen is being stopped".to_owned(),
            }),
        }),
        ..view(ai(Phase::Queued, &[]))
    };
    assert_eq!(
        convert::run(&view, &empty()).queue,
        Some(v1::QueuePlace {
            place: 2,
            length: 3,
            waits_for: "web comes first".to_owned(),
            earliest_at: Some(wire(60)),
            earliest_reason: Some("qwen is being stopped".to_owned()),
        })
    );
}

#[test]
fn a_run_that_makes_room_names_its_victims() {
    let victims = vec![name("qwen"), name("web")];
    let run = ai(Phase::Evicting { victims }, &[]);
    assert_eq!(convert::run(&view(run), &empty()).victims, ["qwen", "web"]);
}

#[test]
fn a_failed_run_tells_why_and_when_it_ended() {
    let failure = Failure {
        code: "timed_out".to_owned(),
        message: "llama is not ready".to_owned(),
        log: vec!["loading".to_owned()],
    };
    let outcome = Outcome::Failed(failure);
    let run = ai(Phase::Ended { at: at(9), outcome }, &[]);
    let told = convert::run(&view(run), &empty());
    assert_eq!(told.ended_at, Some(wire(9)));
    assert_eq!(
        told.failure,
        Some(v1::ErrorDetail {
            code: "timed_out".to_owned(),
            message: "llama is not ready".to_owned(),
            log: vec!["loading".to_owned()],
            denial: None,
        })
    );
}

#[test]
fn every_state_bears_its_own_name_on_the_wire() {
    let failure = || Failure {
        code: String::new(),
        message: String::new(),
        log: Vec::new(),
    };
    let ended = |outcome| Phase::Ended { at: at(9), outcome };
    let phases = [
        Phase::Queued,
        Phase::Evicting {
            victims: Vec::new(),
        },
        Phase::Starting { deadline: at(9) },
        Phase::Running,
        Phase::Degraded,
        Phase::RollingBack(failure()),
        Phase::Stopping,
        ended(Outcome::Stopped),
        ended(Outcome::Failed(failure())),
        ended(Outcome::RolledBack(failure())),
        ended(Outcome::Cancelled),
    ];
    assert_eq!(phases.len(), RunState::ALL.len());
    for phase in phases {
        let expected = format!("RUN_STATE_{}", phase.state().as_str().to_uppercase());
        let told = convert::run(&view(ai(phase, &[])), &empty());
        assert_eq!(told.state().as_str_name(), expected);
    }
}

fn message(step: Step, snapshot: &Snapshot) -> Option<String> {
    let run = ai(Phase::Running, &[("llama", step)]);
    convert::run(&view(run), snapshot).pods.remove(0).message
}

#[test]
fn a_step_with_something_to_say_says_it() {
    let text = || "why".to_owned();
    for step in [
        Step::Lost { message: text() },
        Step::Failed { message: text() },
        Step::Kept { because: text() },
    ] {
        assert_eq!(message(step, &empty()), Some(text()));
    }
}

#[test]
fn a_pod_on_its_way_says_how_far_it_is() {
    let mut pod = pod("llama", footprint(1, 1));
    pod.message = Some("connection refused".to_owned());
    let complaining = snapshot(vec![pod.clone()], Vec::new());
    pod.managed.as_mut().unwrap().progress = Some(Progress {
        stage: Stage::Pulling,
        message: "pulling image".to_owned(),
    });
    let pulling = snapshot(vec![pod], Vec::new());
    for step in [Step::Starting, Step::Stopping] {
        assert_eq!(
            message(step.clone(), &pulling).as_deref(),
            Some("pulling image")
        );
        assert_eq!(
            message(step.clone(), &complaining).as_deref(),
            Some("connection refused")
        );
        assert_eq!(message(step, &empty()), None, "it has left the catalogue");
    }
    for step in [Step::Waiting, Step::Ready, Step::Completed, Step::Stopped] {
        assert_eq!(message(step, &pulling), None);
    }
}

#[test]
fn status_counts_what_runs_and_what_waits() {
    let mut snapshot = empty();
    let ended = Phase::Ended {
        at: at(9),
        outcome: Outcome::Stopped,
    };
    let starting = Phase::Starting { deadline: at(9) };
    let phases = [
        Phase::Queued,
        Phase::Running,
        ended,
        starting,
        Phase::Stopping,
    ];
    snapshot.runs = phases.map(|phase| view(ai(phase, &[]))).into();
    assert_eq!(
        convert::status(&snapshot).runs,
        Some(v1::RunCounts {
            active: 3,
            queued: 1
        })
    );
}

#[rstest]
fn an_admission_comes_back_as_it_was_sent(
    #[values(Admission::Fit, Admission::Evict, Admission::Force)] admission: Admission,
) {
    let mut run = ai(Phase::Queued, &[]);
    run.admission = admission;
    let told = convert::run(&view(run), &empty());
    assert_eq!(convert::from_admission(told.admission), admission);
}
