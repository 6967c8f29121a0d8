//! Workflows, their runs and what admission says, as dagdad sends them.

use dagda_proto::v1;

use super::{at, pods};

/// The id of [`running`].
pub const RUNNING: &str = "019a2f4c-7b1e-7000-8000-000000000001";
/// The id of [`queued`].
pub const QUEUED: &str = "019a2f4d-0c52-7000-8000-000000000002";
/// The id of [`failed`].
pub const FAILED: &str = "019a2f40-1a2b-7000-8000-000000000003";

const GIB: u64 = 1 << 30;

/// On a machine with 23.5 GiB and 8 cores, 80 % and 70 % of which may be given out.
pub fn figures(needed_bytes: u64) -> v1::Figures {
    v1::Figures {
        memory: Some(v1::Room {
            needed: needed_bytes,
            available: 20_221_208_166 - 4_400_000_000 - 5_476_083_302,
            ceiling: 20_221_208_166,
            capacity: 25_276_510_208,
            others: 4_400_000_000,
            reserved: 5_476_083_302,
        }),
        cpu: Some(v1::Room {
            needed: 3500,
            available: 1700,
            ceiling: 5600,
            capacity: 8000,
            others: 400,
            reserved: 3500,
        }),
        cpu_enforced: false,
    }
}

/// Refused, with two pods that would have to go.
pub fn denial(now: i64, kind: &str, name: &str) -> v1::Denial {
    let victim = |pod: &str, priority, freed_bytes, reason: &str| v1::Victim {
        pod: pod.to_owned(),
        priority,
        freed_bytes,
        freed_cpu_millicores: 500,
        reason: reason.to_owned(),
    };
    let verb = if kind == "pod" {
        "pods start"
    } else {
        "workflow run"
    };
    v1::Denial {
        kind: kind.to_owned(),
        name: name.to_owned(),
        figures: Some(figures(13 * GIB)),
        short_of: "memory".to_owned(),
        never_fits: false,
        victims: vec![
            victim("clock", 10, GIB / 2, "optional, priority 10, idle for 2h"),
            victim("adminer", 30, 4 * GIB, "optional, priority 30, idle for 5m"),
        ],
        evictable_bytes: 5 * GIB,
        suggested_command: Some(format!("dagdactl {verb} {name} --evict")),
        earliest_at: Some(at(now + 40)),
        earliest_reason: Some("adminer is being stopped, its grace period ends then".to_owned()),
        spared: Vec::new(),
    }
}

/// More than the machine may ever give.
pub fn never(name: &str) -> v1::Denial {
    v1::Denial {
        figures: Some(figures(40 * GIB)),
        never_fits: true,
        victims: Vec::new(),
        evictable_bytes: 5 * GIB,
        suggested_command: None,
        earliest_at: None,
        earliest_reason: None,
        spared: Vec::new(),
        ..denial(0, "workflow", name)
    }
}

/// Of a pod that was seen to use more memory than it declares.
pub fn expectation() -> v1::Expectation {
    v1::Expectation {
        memory_bytes: 7_086_696_038,
        cpu_millicores: 1500,
        declared_memory_bytes: 6 * GIB,
        declared_cpu_millicores: 1500,
        memory_basis: "observed".to_owned(),
        cpu_basis: "declared".to_owned(),
        observed: Some(v1::ObservedFootprint {
            runs: 7,
            memory_lowest_peak_bytes: 6_012_954_214,
            memory_highest_peak_bytes: 6_442_450_944,
            cpu_highest_peak_millicores: 1234,
            slowest_ready_seconds: Some(43.21),
            confidence: "high".to_owned(),
        }),
    }
}

fn declared(memory_bytes: u64, cpu_millicores: u64) -> v1::Expectation {
    v1::Expectation {
        memory_bytes,
        cpu_millicores,
        declared_memory_bytes: memory_bytes,
        declared_cpu_millicores: cpu_millicores,
        memory_basis: "declared".to_owned(),
        cpu_basis: "declared".to_owned(),
        observed: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The order of the sample workflow: pod, level, after.
const ORDER: [(&str, u32, &[&str]); 4] = [
    ("mariadb", 0, &[]),
    ("llama", 1, &["mariadb"]),
    ("qwen", 1, &["mariadb"]),
    ("n8n", 2, &["llama", "qwen"]),
];

/// One that runs, one that waits in the queue, one that can never fit, one that fits.
pub fn workflows(now: i64) -> Vec<v1::Workflow> {
    let workflow = |name: &str, pods: &[&str], memory| v1::Workflow {
        name: name.to_owned(),
        priority: 50,
        pods: names(pods),
        expected_memory_bytes: memory,
        expected_cpu_millicores: 500,
        ..v1::Workflow::default()
    };
    vec![
        v1::Workflow {
            description: Some("Llama and Qwen behind n8n".to_owned()),
            priority: 70,
            run: Some(running(now)),
            expected_cpu_millicores: 3500,
            fits: true,
            ..workflow(
                "ai-complete",
                &["mariadb", "llama", "qwen", "n8n"],
                13 * GIB,
            )
        },
        v1::Workflow {
            run: Some(queued(now)),
            denial: Some(denial(now, "workflow", "batch")),
            ..workflow("batch", &["mariadb", "batch"], 13 * GIB)
        },
        v1::Workflow {
            denial: Some(never("giant")),
            ..workflow("giant", &["giant"], 40 * GIB)
        },
        v1::Workflow {
            fits: true,
            ..workflow("tools", &["adminer"], GIB / 2)
        },
    ]
}

/// All of a workflow.
pub fn workflow_detail(now: i64) -> v1::WorkflowDetail {
    let known = pods(now);
    let members = ORDER.map(|(pod, level, after)| v1::Member {
        pod: pod.to_owned(),
        level,
        after: names(after),
        state: known.iter().find(|known| known.name == pod).cloned(),
    });
    v1::WorkflowDetail {
        workflow: workflows(now).into_iter().next(),
        timeout: Some(prost_types::Duration {
            seconds: 300,
            nanos: 0,
        }),
        on_failure: "rollback".to_owned(),
        members: members.into(),
        manifest: "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: ai-complete}\n"
            .to_owned(),
        manifest_digest: "60303ae22b998861".to_owned(),
    }
}

/// A plan that fits.
pub fn plan() -> v1::WorkflowPlan {
    let expected = |pod: &str| match pod {
        "llama" => expectation(),
        "mariadb" => v1::Expectation {
            observed: Some(v1::ObservedFootprint {
                runs: 2,
                memory_lowest_peak_bytes: 90 << 20,
                memory_highest_peak_bytes: 100 << 20,
                cpu_highest_peak_millicores: 80,
                slowest_ready_seconds: Some(2.1),
                confidence: "low".to_owned(),
            }),
            ..declared(GIB / 2, 500)
        },
        _ => declared(3 * GIB, 1000),
    };
    let pods = ORDER.map(|(pod, level, after)| v1::PlannedPod {
        pod: pod.to_owned(),
        level,
        after: names(after),
        expected: Some(expected(pod)),
        running: pod == "mariadb",
    });
    v1::WorkflowPlan {
        name: "ai-complete".to_owned(),
        pods: pods.into(),
        figures: Some(figures(6 * GIB)),
        fits: true,
        denial: None,
        warnings: vec![
            "3.5 cores are asked for and 1.7 are available: the pods will share them".to_owned(),
        ],
        timeout: Some(prost_types::Duration {
            seconds: 300,
            nanos: 0,
        }),
        on_failure: "rollback".to_owned(),
        expected_seconds: Some(62.4),
    }
}

/// The same plan where it does not fit.
pub fn refused_plan(now: i64) -> v1::WorkflowPlan {
    let denial = denial(now, "workflow", "ai-complete");
    v1::WorkflowPlan {
        figures: denial.figures,
        fits: false,
        denial: Some(denial),
        warnings: Vec::new(),
        expected_seconds: None,
        ..plan()
    }
}

/// A run in which each pod has come to `steps`.
pub fn run(now: i64, state: v1::RunState, steps: [&str; 4]) -> v1::Run {
    let pods = ORDER.into_iter().zip(steps);
    let pods = pods.map(|((pod, level, after), step)| v1::RunPod {
        pod: pod.to_owned(),
        level,
        after: names(after),
        step: step.to_owned(),
        started_by_run: level > 0 && step != "waiting",
        since: Some(at(now - 20)),
        message: None,
    });
    v1::Run {
        id: RUNNING.to_owned(),
        workflow: "ai-complete".to_owned(),
        state: state.into(),
        priority: 70,
        admission: v1::AdmissionMode::Fit.into(),
        accepted_at: Some(at(now - 7300)),
        admitted_at: Some(at(now - 7300)),
        ready_at: None,
        ended_at: None,
        deadline: None,
        pods: pods.collect(),
        failure: None,
        queue: None,
        victims: Vec::new(),
    }
}

/// All pods are ready.
pub fn running(now: i64) -> v1::Run {
    v1::Run {
        ready_at: Some(at(now - 7235)),
        ..run(now, v1::RunState::Running, ["ready"; 4])
    }
}

/// The second of three in the queue.
pub fn queued(now: i64) -> v1::Run {
    v1::Run {
        id: QUEUED.to_owned(),
        workflow: "batch".to_owned(),
        priority: 50,
        accepted_at: Some(at(now - 90)),
        admitted_at: None,
        queue: Some(v1::QueuePlace {
            place: 2,
            length: 3,
            waits_for: "4.1 GiB of memory are missing, and nightly comes first".to_owned(),
            earliest_at: Some(at(now + 40)),
            earliest_reason: Some("qwen is being stopped, its grace period ends then".to_owned()),
        }),
        ..run(now, v1::RunState::Queued, ["waiting"; 4])
    }
}

/// A pod did not come up; what was started is stopped again.
pub fn failed(now: i64) -> v1::Run {
    let mut run = run(
        now,
        v1::RunState::RolledBack,
        ["kept", "stopped", "failed", "waiting"],
    );
    run.pods[0].message = Some("it ran before the run".to_owned());
    run.pods[2].message = Some("container server exited with 1".to_owned());
    v1::Run {
        id: FAILED.to_owned(),
        admission: v1::AdmissionMode::Evict.into(),
        accepted_at: Some(at(now - 600)),
        admitted_at: Some(at(now - 588)),
        ended_at: Some(at(now - 500)),
        failure: Some(v1::ErrorDetail {
            code: "pod_failed".to_owned(),
            message: "qwen did not come up: container server exited with 1; see: dagdactl pods \
                      logs qwen"
                .to_owned(),
            log: vec![
                "loading model".to_owned(),
                "error: \u{1b}[31mcannot open weights.gguf\u{1b}[0m".to_owned(),
            ],
            denial: None,
        }),
        ..run
    }
}

/// The failed run and what happened in it.
pub fn run_detail(now: i64) -> v1::RunDetail {
    let event = |number: u8, seconds: i64, kind: &str, object: &str, message: &str| v1::Event {
        id: format!("019a2f40-0000-7000-8000-0000000000{number:02}"),
        at: Some(at(now - seconds)),
        kind: kind.to_owned(),
        object: Some(object.to_owned()),
        message: message.to_owned(),
        run: Some(FAILED.to_owned()),
    };
    v1::RunDetail {
        run: Some(failed(now)),
        events: vec![
            event(1, 600, "evicted", "clock", "stopped for ai-complete"),
            event(2, 588, "run_started", "ai-complete", "4 pods in 3 steps"),
            event(
                3,
                510,
                "pod_failed",
                "qwen",
                "container server exited with 1",
            ),
            event(
                4,
                500,
                "run_failed",
                "ai-complete",
                "rolled back: qwen did not come up",
            ),
        ],
    }
}
