//! Every field finds its place on the wire.

use std::time::Duration;

use dagda_proto::v1;
use rstest::rstest;

use super::super::{convert, status};
use super::detail;
use crate::domain::admission::{Admission, Denial, Earliest, Figures, Remedy, Room, Victim};
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, EventRecord};
use crate::domain::footprint::{Expectation, Observed};
use crate::domain::name::ObjectName;
use crate::domain::operation::{OperationKind, Progress, Stage};
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::{Failure, Outcome, Phase, Run, RunState, Step};
use crate::engine::example::{at, footprint, name, pod, run, run_id, snapshot, view};
use crate::engine::snapshot::{QueuePlace, RunView, Snapshot};

fn wire(second: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at(second).as_second(),
        nanos: 0,
    }
}

fn room<T>(amount: impl Fn(u64) -> T, from: u64) -> Room<T> {
    Room {
        needed: amount(from),
        available: amount(from + 1),
        ceiling: amount(from + 2),
        capacity: amount(from + 3),
        others: amount(from + 4),
        reserved: amount(from + 5),
    }
}

fn wire_room(from: u64) -> v1::Room {
    v1::Room {
        needed: from,
        available: from + 1,
        ceiling: from + 2,
        capacity: from + 3,
        others: from + 4,
        reserved: from + 5,
    }
}

/// Short of memory and of CPU.
fn denial(remedy: Remedy) -> Box<Denial> {
    Box::new(Denial {
        asked: ObjectName::Pod(name("llama")),
        figures: Figures {
            memory: room(Bytes, 100),
            cpu: room(Millicpu, 200),
            cpu_enforced: true,
        },
        remedy,
        earliest: Some(Earliest {
            at: at(60),
            reason: "qwen is being stopped".to_owned(),
        }),
    })
}

fn victims() -> Vec<Victim> {
    vec![
        Victim {
            pod: name("web"),
            priority: Priority::new(10).unwrap(),
            frees: Footprint {
                memory: Bytes(30),
                cpu: Millicpu(40),
            },
            reason: "optional, priority 10".to_owned(),
        },
        Victim {
            pod: name("qwen"),
            priority: Priority::new(20).unwrap(),
            frees: Footprint {
                memory: Bytes(50),
                cpu: Millicpu(60),
            },
            reason: "optional, priority 20".to_owned(),
        },
    ]
}

#[test]
fn a_denial_tells_the_whole_explanation() {
    let error = CommandError::Insufficient(denial(Remedy::Evict(victims())));
    let told = convert::error_detail(&error);
    assert_eq!(told.code, "insufficient_resources");
    assert_eq!(told.message, error.to_string());
    assert_eq!(
        told.denial,
        Some(v1::Denial {
            kind: "pod".to_owned(),
            name: "llama".to_owned(),
            figures: Some(v1::Figures {
                memory: Some(wire_room(100)),
                cpu: Some(wire_room(200)),
                cpu_enforced: true,
            }),
            short_of: "memory,cpu".to_owned(),
            never_fits: false,
            victims: vec![
                v1::Victim {
                    pod: "web".to_owned(),
                    priority: 10,
                    freed_bytes: 30,
                    freed_cpu_millicores: 40,
                    reason: "optional, priority 10".to_owned(),
                },
                v1::Victim {
                    pod: "qwen".to_owned(),
                    priority: 20,
                    freed_bytes: 50,
                    freed_cpu_millicores: 60,
                    reason: "optional, priority 20".to_owned(),
                },
            ],
            evictable_bytes: 80,
            suggested_command: Some("dagdactl pods start llama --evict".to_owned()),
            earliest_at: Some(wire(60)),
            earliest_reason: Some("qwen is being stopped".to_owned()),
        })
    );
}

#[rstest]
#[case(Remedy::Never, true, 0)]
#[case(Remedy::NotEnough { evictable: footprint(2, 1) }, false, 2 << 30)]
fn a_denial_without_a_way_out_proposes_none(
    #[case] remedy: Remedy,
    #[case] never: bool,
    #[case] evictable: u64,
) {
    let error = CommandError::Insufficient(denial(remedy));
    let told = convert::error_detail(&error).denial.unwrap();
    assert_eq!((told.never_fits, told.evictable_bytes), (never, evictable));
    assert_eq!((told.victims, told.suggested_command), (Vec::new(), None));
}

#[test]
fn a_refused_call_carries_the_explanation_and_other_errors_none() {
    let refused = CommandError::Insufficient(denial(Remedy::Never));
    let refused = status::from_command(&refused);
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(detail(&refused).denial.unwrap().never_fits);
    let other = status::from_command(&CommandError::ShuttingDown);
    assert_eq!(detail(&other).denial, None);
}

#[test]
fn a_pod_is_shown_with_what_is_expected_of_it_and_held_for_it() {
    let mut pod = pod("llama", footprint(1, 1));
    let managed = pod.managed.as_mut().unwrap();
    managed.expected = Expectation {
        footprint: footprint(3, 1),
        declared: footprint(1, 1),
        observed: Some(Observed {
            runs: 4,
            memory_lowest: Bytes(11),
            memory_highest: Bytes(12),
            cpu_highest: Millicpu(13),
            slowest_ready: Some(Duration::from_millis(1500)),
        }),
    };
    managed.reserved = Some(footprint(2, 3));
    managed.runs = vec![run_id(1), run_id(2)];
    managed.operation = Some(OperationKind::Start);
    let told = convert::pod_detail(&pod, pod.managed.as_ref().unwrap());
    assert_eq!(
        told.expected,
        Some(v1::Expectation {
            memory_bytes: 3 << 30,
            cpu_millicores: 1000,
            declared_memory_bytes: 1 << 30,
            declared_cpu_millicores: 1000,
            memory_basis: "observed".to_owned(),
            cpu_basis: "declared".to_owned(),
            observed: Some(v1::ObservedFootprint {
                runs: 4,
                memory_lowest_peak_bytes: 11,
                memory_highest_peak_bytes: 12,
                cpu_highest_peak_millicores: 13,
                slowest_ready_seconds: Some(1.5),
                confidence: "medium".to_owned(),
            }),
        })
    );
    assert_eq!(told.reserved_memory_bytes, Some(2 << 30));
    assert_eq!(told.reserved_cpu_millicores, Some(3000));
    assert_eq!(told.runs, [run_id(1).to_string(), run_id(2).to_string()]);
    assert_eq!(told.operation.as_deref(), Some("start"));
}

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

#[test]
fn an_event_names_its_run() {
    let record = EventRecord {
        id: uuid::Uuid::from_u128(5),
        at: at(5),
        kind: EventKind::RunReady,
        object: Some("ai".to_owned()),
        run: Some(run_id(7)),
        message: "ai is ready".to_owned(),
    };
    let told = convert::event(&record);
    assert_eq!(told.run, Some(run_id(7).to_string()));
    assert_eq!(told.kind, "run_ready");
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
