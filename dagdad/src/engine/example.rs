//! Hand-made snapshots to test readers with.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::admission::{Budget, Evictable, Holder, Limit};
use super::economy::Economy;
use super::snapshot::{ManagedView, MemberView, PodView, RunView, Snapshot, WorkflowView};
use super::state::{RuntimeLink, Thresholds};
use crate::domain::admission::Admission;
use crate::domain::catalogue::{CataloguePod, Digest, Manifest};
use crate::domain::economy::{EconomyRules, EconomyView, Policy};
use crate::domain::footprint::{Expectation, Observed};
use crate::domain::name::PodName;
use crate::domain::pod::{
    Category, ContainerSpec, Footprint, PodSpec, Priority, PullPolicy, RestartPolicy,
};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::run::{Phase, Run, RunId, RunMember, Step};
use crate::domain::sample::{HostSample, MemorySample};
use crate::domain::state::PodStatus;
use crate::domain::workflow::{CatalogueWorkflow, Member, OnFailure, WorkflowSpec};
use crate::ports::{MirrorLink, MirrorStatus};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A box that does nothing, of which nothing else is known.
pub(crate) fn host(at: Timestamp) -> HostSample {
    HostSample {
        at,
        cpu_percent: 0.0,
        cpu_count: 1,
        load_1m: 0.0,
        load_5m: 0.0,
        load_15m: 0.0,
        memory: MemorySample::default(),
        disks: Vec::new(),
        pressure: None,
    }
}

pub(crate) fn name(text: &str) -> PodName {
    text.parse().unwrap()
}

pub(crate) fn footprint(gib: u64, cores: u64) -> Footprint {
    Footprint {
        memory: Bytes::gib(gib),
        cpu: Millicpu(cores * 1000),
    }
}

/// A box of 20 GiB and 10 cores, of which 80 % and 70 % may be given out, without pods.
pub(crate) fn budget() -> Budget {
    Budget {
        at: at(0),
        memory: Limit {
            capacity: Bytes::gib(20),
            ceiling: Bytes::gib(16),
            others: Bytes::gib(1),
        },
        cpu: Limit {
            capacity: Millicpu(10_000),
            ceiling: Millicpu(7_000),
            others: Millicpu(500),
        },
        ..Budget::default()
    }
}

/// A pod that holds its place and may be stopped for others.
pub(crate) fn evictable(need: Footprint, priority: u8) -> Holder {
    Holder {
        need,
        release: None,
        evictable: Some(Evictable {
            priority: Priority::new(priority).unwrap(),
            run_priority: None,
            busy_at: at(0),
        }),
    }
}

/// A catalogue without runs on an idle, measured box.
pub(crate) fn snapshot(mut pods: Vec<PodView>, mut workflows: Vec<WorkflowView>) -> Snapshot {
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    workflows.sort_by(|a, b| a.entry.spec.name.cmp(&b.entry.spec.name));
    Snapshot {
        alerts: Vec::new(),
        ended_alerts: Vec::new(),
        economy: EconomyView {
            policy: Policy::Auto,
            active: None,
            rules: EconomyRules::of(80.0, 70.0),
            gauges: Vec::new(),
            taken: Vec::new(),
            next: String::new(),
        },
        economy_mode: Economy::default(),
        situation: None,
        silences: Vec::new(),
        started_at: at(0),
        host: None,
        pods,
        workflows,
        runs: Vec::new(),
        budget: Some(Arc::new(budget())),
        thresholds: Thresholds {
            ram_percent: 80.0,
            cpu_percent: 70.0,
        },
        reloads: 0,
        unmanaged: Vec::new(),
        runtime: RuntimeLink::Unknown,
        mirror: MirrorStatus {
            link: MirrorLink::Disabled,
            outbox: 0,
        },
        settled: true,
    }
}

/// A stopped pod that has never run.
pub(crate) fn pod(text: &str, footprint: Footprint) -> PodView {
    let entry = CataloguePod {
        spec: PodSpec {
            name: name(text),
            category: Category::Optional,
            priority: Priority::default(),
            after: Vec::new(),
            freeze: false,
            idle_timeout: crate::domain::pod::DEFAULT_IDLE_TIMEOUT,
            footprint,
            grace: Duration::from_secs(10),
            restart_policy: RestartPolicy::Always,
            host_network: false,
            init_containers: Vec::new(),
            containers: vec![ContainerSpec {
                name: "server".to_owned(),
                image: "image".to_owned(),
                pull_policy: PullPolicy::IfNotPresent,
                ports: Vec::new(),
                readiness: None,
                memory_limit: None,
                cpu_limit: None,
            }],
        },
        manifest: Manifest {
            text: format!("kind: Pod # {text}"),
            digest: Digest(format!("digest of {text}")),
        },
    };
    PodView {
        name: text.to_owned(),
        managed: Some(ManagedView {
            entry: Arc::new(entry),
            operation: None,
            progress: None,
            expected: Expectation::declared(footprint),
            reserved: None,
            runs: Vec::new(),
            idle_since: None,
        }),
        status: PodStatus::Stopped,
        ready: false,
        since: Some(at(0)),
        usage: None,
        ports: Vec::new(),
        changed: false,
        message: None,
        observed: None,
    }
}

/// The pod after a run in which it took so many seconds to become ready.
pub(crate) fn seen(mut pod: PodView, ready_after: u64) -> PodView {
    let managed = pod.managed.as_mut().unwrap();
    let Footprint { memory, cpu } = managed.expected.footprint;
    managed.expected.observed = Some(Observed {
        runs: 1,
        memory_lowest: memory,
        memory_highest: memory,
        cpu_highest: cpu,
        slowest_ready: Some(Duration::from_secs(ready_after)),
    });
    pod
}

/// The pod while it runs and is ready.
pub(crate) fn ready(mut pod: PodView) -> PodView {
    pod.status = PodStatus::Running;
    pod.ready = true;
    pod
}

/// A workflow whose pods are given with their levels and whom they come after, in order.
pub(crate) fn workflow(text: &str, members: &[(&str, u32, &[&str])]) -> WorkflowView {
    let after = |after: &[&str]| -> Vec<PodName> { after.iter().copied().map(name).collect() };
    let spec = WorkflowSpec {
        name: text.parse().unwrap(),
        description: Some(format!("What {text} is for")),
        members: members
            .iter()
            .map(|(pod, _, before)| Member {
                pod: name(pod),
                after: after(before),
            })
            .collect(),
        priority: Priority::new(70).unwrap(),
        timeout: Duration::from_mins(5),
        on_failure: OnFailure::Rollback,
    };
    WorkflowView {
        entry: Arc::new(CatalogueWorkflow {
            spec,
            manifest: Manifest {
                text: format!("kind: Workflow # {text}"),
                digest: Digest(format!("digest of {text}")),
            },
        }),
        members: members
            .iter()
            .map(|(pod, level, before)| MemberView {
                pod: name(pod),
                level: *level,
                after: after(before),
            })
            .collect(),
        run: None,
    }
}

pub(crate) fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

/// A run accepted and admitted at second 0, whose pods are each in the step given.
pub(crate) fn run(id: RunId, workflow: &str, phase: Phase, members: &[(&str, Step)]) -> Run {
    Run {
        id,
        workflow: workflow.parse().unwrap(),
        priority: Priority::new(70).unwrap(),
        on_failure: OnFailure::Rollback,
        timeout: Duration::from_mins(5),
        admission: Admission::Fit,
        accepted_at: at(0),
        admitted_at: Some(at(0)),
        ready_at: None,
        phase,
        members: members
            .iter()
            .map(|(pod, step)| RunMember {
                pod: name(pod),
                level: 0,
                after: Vec::new(),
                step: step.clone(),
                since: at(0),
                started_by_run: true,
            })
            .collect(),
    }
}

pub(crate) fn view(run: Run) -> RunView {
    RunView {
        run: Arc::new(run),
        place: None,
    }
}
