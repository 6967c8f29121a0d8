//! Every form that a run, a pod's life, an intent, an event, an alert, economy mode and a silence
//! can have.

use std::collections::HashSet;
use std::time::Duration;

use dagdad::domain::admission::Admission;
use dagdad::domain::alert::{Alert, Condition, Culprit, Severity};
use dagdad::domain::economy::{Active, Cause, EconomyRecord, Policy, Taken, Taking, Trigger};
use dagdad::domain::event::{EventKind, EventRecord};
use dagdad::domain::footprint::PodRun;
use dagdad::domain::operation::{Intent, OperationKind};
use dagdad::domain::pod::{Footprint, Priority};
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::domain::run::{Failure, Outcome, Phase, Run, RunId, RunMember, RunState, Step};
use dagdad::domain::silence::{Silence, Silenced};
use dagdad::domain::workflow::OnFailure;
use jiff::Timestamp;
use uuid::Uuid;

use crate::records::{EPOCH, alert, at, event, names, pod_run, run, silence, start};

fn failure() -> Failure {
    Failure {
        code: "pod_failed".to_owned(),
        message: "llama ended: \"exit code 1\"\n\\ été 🦙".to_owned(),
        log: vec![String::new(), "CUDA error: \t out of memory".to_owned()],
    }
}

/// Every phase there is.
pub fn phases() -> Vec<Phase> {
    let ended = |outcome| Phase::Ended {
        at: at(77),
        outcome,
    };
    let phases = vec![
        Phase::Queued,
        Phase::Evicting {
            victims: names(["qwen", "n8n"]),
        },
        Phase::Evicting { victims: vec![] },
        Phase::Starting {
            deadline: Timestamp::from_microsecond(EPOCH * 1_000_000 + 1).unwrap(),
        },
        Phase::Running,
        Phase::Degraded,
        Phase::RollingBack(failure()),
        Phase::Stopping,
        ended(Outcome::Stopped),
        ended(Outcome::Failed(failure())),
        ended(Outcome::Failed(Failure {
            code: String::new(),
            message: String::new(),
            log: vec![],
        })),
        ended(Outcome::RolledBack(failure())),
        ended(Outcome::Cancelled),
    ];
    let states: HashSet<RunState> = phases.iter().map(Phase::state).collect();
    assert_eq!(states.len(), RunState::ALL.len(), "a state is missing here");
    phases
}

/// Every step there is.
pub fn steps() -> Vec<Step> {
    let text = || "it's \"gone\"\n\\ 🦙".to_owned();
    let steps = vec![
        Step::Waiting,
        Step::Starting,
        Step::Ready,
        Step::Completed,
        Step::Lost { message: text() },
        Step::Failed { message: text() },
        Step::Failed {
            message: String::new(),
        },
        Step::Stopping,
        Step::Stopped,
        Step::Kept { because: text() },
    ];
    // Whoever adds a step is led here by the compiler.
    for step in &steps {
        match step {
            Step::Waiting
            | Step::Starting
            | Step::Ready
            | Step::Completed
            | Step::Lost { .. }
            | Step::Failed { .. }
            | Step::Stopping
            | Step::Stopped
            | Step::Kept { .. } => {}
        }
    }
    let words: HashSet<&str> = steps.iter().map(Step::as_str).collect();
    assert_eq!(words.len(), 9, "a step is missing here");
    steps
}

/// A run in each phase, with the other columns in every form, oldest first.
pub fn runs() -> Vec<Run> {
    let mut runs: Vec<Run> = (0..)
        .zip(phases())
        .map(|(n, phase)| run("ai-complete", at(n), phase))
        .collect();
    let since = |step: Step| RunMember {
        pod: "llama".parse().unwrap(),
        level: u32::MAX,
        after: names(["mariadb", "n8n"]),
        step,
        since: Timestamp::from_microsecond(EPOCH * 1_000_000 + 42).unwrap(),
        started_by_run: true,
    };
    runs[0].members = steps().into_iter().map(since).collect();
    runs[1].members = vec![];
    for (run, admission) in runs.iter_mut().zip(Admission::ALL) {
        run.admission = admission;
        run.on_failure = OnFailure::Keep;
        run.priority = Priority::new(100).unwrap();
        run.admitted_at = Some(at(1));
    }
    runs[3].timeout = Duration::ZERO;
    runs[4].timeout = Duration::from_micros(1);
    runs[4].ready_at = Some(at(2));
    runs[5].timeout = Duration::from_hours(24 * 365 * 100);
    runs
}

pub fn pod_runs() -> Vec<PodRun> {
    let full = PodRun {
        ready_after: Some(Duration::ZERO),
        ended_at: Some(at(5)),
        completed: true,
        ..pod_run("llama", at(0))
    };
    let empty = PodRun {
        ready_after: None,
        memory_peak: Bytes(0),
        cpu_peak: Millicpu(0),
        ..pod_run("llama", at(6))
    };
    vec![full, empty, pod_run("n8n", at(1))]
}

pub fn intents() -> Vec<Intent> {
    let kinds = [
        OperationKind::Start,
        OperationKind::Stop,
        OperationKind::Restart,
        OperationKind::Remove,
    ];
    let run = RunId(Uuid::now_v7());
    let mut intents = Vec::new();
    for kind in kinds {
        for admission in Admission::ALL {
            intents.push(Intent {
                kind,
                admission,
                run: (admission != Admission::Fit).then_some(run),
                ..start("llama", at(i64::try_from(intents.len()).unwrap()))
            });
        }
    }
    intents
}

/// Every condition and severity, going on and resolved, each other one acknowledged and with all
/// that was measured, oldest first.
pub fn alerts() -> Vec<Alert> {
    let mut alerts = Vec::new();
    for condition in Condition::ALL {
        for severity in Severity::ALL {
            for resolved_at in [None, Some(at(99))] {
                let second = i64::try_from(alerts.len()).unwrap();
                let full = alerts.len() % 4 > 1;
                let culprits = [("llama", 203.14), ("it's \"n8n\" 🦙", 0.5)];
                let culprits = culprits.map(|(pod, cpu_percent)| Culprit {
                    pod: pod.to_owned(),
                    cpu_percent,
                    memory: Bytes(6_442_450_945),
                });
                alerts.push(Alert {
                    acknowledged_at: full.then_some(at(51)),
                    peak: full.then_some(97.25),
                    culprits: if full { culprits.to_vec() } else { vec![] },
                    flapping: full,
                    condition,
                    severity,
                    updated_at: resolved_at.unwrap_or(at(50)),
                    resolved_at,
                    ..alert("llama", at(second))
                });
            }
        }
    }
    alerts
}

/// An event of each kind, oldest first, every other one about an object.
pub fn events() -> Vec<EventRecord> {
    (0..)
        .zip(EventKind::ALL)
        .map(|(n, kind)| EventRecord {
            kind: *kind,
            ..event(at(n), (n % 2 == 0).then_some("llama"), kind.as_str())
        })
        .collect()
}

/// Everything that can be taken from a pod.
fn takings() -> [Taking; 4] {
    let takings = [
        Taking::Throttled { to: Millicpu(250) },
        Taking::Frozen,
        Taking::Shed { for_good: false },
        Taking::Shed { for_good: true },
    ];
    // Whoever adds one is led here by the compiler.
    for taking in &takings {
        match taking {
            Taking::Throttled { .. } | Taking::Frozen | Taking::Shed { .. } => {}
        }
    }
    takings
}

/// Economy mode by each policy and none, not active and active for each cause, with nothing and
/// with everything taken; what is there in one is missing in the next.
pub fn economies() -> Vec<EconomyRecord> {
    let short = |trigger| Cause::Short {
        trigger,
        value: 91.234_567_89,
        threshold: 79.9,
    };
    let causes = [None, Some(Cause::Policy)]
        .into_iter()
        .chain(Trigger::ALL.map(|trigger| Some(short(trigger))));
    let taken: Vec<Taken> = (0..)
        .zip(takings())
        .map(|(n, taking)| Taken {
            pod: "llama".parse().unwrap(),
            taking,
            at: Timestamp::from_microsecond(EPOCH * 1_000_000 + n).unwrap(),
            used: Footprint {
                memory: Bytes(6_442_450_945),
                cpu: Millicpu(1_999),
            },
            reason: "it's \"idle\"\n\\ 🦙".to_owned(),
        })
        .collect();
    let mut economies = Vec::new();
    for (n, cause) in (0..).zip(causes) {
        for (full, policy) in [None].into_iter().chain(Policy::ALL.map(Some)).enumerate() {
            let full = full % 2 == 1;
            economies.push(EconomyRecord {
                policy,
                active: cause.map(|cause| Active {
                    since: at(n),
                    cause,
                }),
                taken: if full { taken.clone() } else { vec![] },
                sheds: if full {
                    names(["llama", "n8n"])
                        .into_iter()
                        .zip([at(1), at(2)])
                        .collect()
                } else {
                    vec![]
                },
            });
        }
    }
    economies
}

/// A silence of each condition and of some objects, oldest first; the first one is over.
pub fn silences() -> Vec<Silence> {
    let conditions = Condition::ALL.map(Silenced::Condition);
    let objects = ["llama", "/var/lib", "it's \"n8n\"\n\\ 🦙", ""];
    let objects = objects.map(|object| Silenced::Object(object.to_owned()));
    (0..)
        .zip(conditions.into_iter().chain(objects))
        .map(|(n, of)| silence(of, at(n), at(n * 3_600)))
        .collect()
}
