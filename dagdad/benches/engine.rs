//! What the engine's one task spends on an event: with 50 pods, half of them running.

#![allow(clippy::unwrap_used)] // a bench that cannot be set up has nothing to measure

use std::collections::VecDeque;
use std::time::Duration;

use dagdad::domain::admission::Admission;
use dagdad::domain::alert::Rules;
use dagdad::domain::catalogue::{CataloguePod, Digest, Manifest};
use dagdad::domain::economy::{EconomyRules, Policy};
use dagdad::domain::name::PodName;
use dagdad::domain::observed::{ContainerState, ObservedContainer, ObservedPod};
use dagdad::domain::pod::{
    Category, ContainerSpec, Footprint, PodSpec, Priority, PullPolicy, RestartPolicy,
};
use dagdad::domain::quantity::Bytes;
use dagdad::domain::sample::{HostSample, MemorySample, PodUsage, Sample};
use dagdad::domain::state::{PodStatus, Wanted};
use dagdad::engine::effect::{Action, Effect, Persist};
use dagdad::engine::event::{Command, EffectResult, Event, Ticket};
use dagdad::engine::state::{Remembered, Settings, State, Thresholds};
use dagdad::engine::step::step;
use dagdad::ports::PodRecord;
use divan::Bencher;
use jiff::Timestamp;

const PODS: u128 = 50;

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_hours(500_000)
}

fn entry(name: &str) -> CataloguePod {
    CataloguePod {
        spec: PodSpec {
            name: name.parse().unwrap(),
            category: Category::Optional,
            priority: Priority::default(),
            after: Vec::new(),
            freeze: false,
            idle_timeout: dagdad::domain::pod::DEFAULT_IDLE_TIMEOUT,
            footprint: Footprint::DEFAULT,
            grace: Duration::from_secs(30),
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
            text: "apiVersion: v1".to_owned(),
            digest: Digest("0".repeat(64)),
        },
    }
}

fn row(number: u128) -> (PodRecord, CataloguePod) {
    let entry = entry(&format!("pod-{number}"));
    let record = PodRecord {
        id: uuid::Uuid::from_u128(number),
        name: entry.spec.name.clone(),
        manifest: entry.manifest.clone(),
        category: Category::Optional,
        priority: Priority::default(),
        port: None,
        footprint: Footprint::DEFAULT,
        wanted: Wanted::Down,
        status: PodStatus::Stopped,
        message: None,
        started_digest: None,
        usage: PodUsage::default(),
        created_at: now(),
        updated_at: now(),
    };
    (record, entry)
}

fn running(number: u128) -> ObservedPod {
    ObservedPod {
        id: number.to_string(),
        name: format!("pod-{number}"),
        created_at: now(),
        containers: vec![ObservedContainer {
            id: number.to_string(),
            name: "server".to_owned(),
            image: "image".to_owned(),
            init: false,
            state: ContainerState::Running { since: now() },
            restarts: 0,
        }],
        ports: Vec::new(),
        cgroup: None,
    }
}

/// A daemon that has measured the host and listed its pods, every second of which runs.
fn state() -> State {
    let settings = Settings {
        start_timeout: Duration::from_mins(1),
        sample_interval: Duration::from_secs(5),
        record_interval: Duration::from_secs(5),
        thresholds: Thresholds {
            ram_percent: 80.0,
            cpu_percent: 70.0,
        },
        cpu_enforced: false,
        alerts: Rules::default(),
        economy_policy: Policy::Auto,
        economy: EconomyRules::of(80.0, 70.0),
    };
    let remembered = Remembered {
        pods: (0..PODS).map(row).collect(),
        ..Remembered::default()
    };
    let (mut state, _) = State::restore(settings, 1, remembered, now());
    step(&mut state, Event::Tick, now());
    step(&mut state, Event::Sampled(sample()), now());
    let pods = (0..PODS).step_by(2).map(running).collect();
    step(&mut state, Event::Listed(Ok(pods)), now());
    state
}

fn sample() -> Sample {
    Sample {
        host: HostSample {
            at: now(),
            cpu_percent: 10.0,
            cpu_count: 2,
            load_1m: 0.1,
            load_5m: 0.1,
            load_15m: 0.1,
            memory: MemorySample {
                total: Bytes::gib(64),
                used: Bytes::gib(8),
                ..MemorySample::default()
            },
            disks: Vec::new(),
            pressure: None,
        },
        pods: (0..PODS)
            .step_by(2)
            .map(|number| (format!("pod-{number}"), PodUsage::default()))
            .collect(),
        unseen: Vec::new(),
    }
}

#[divan::bench]
fn sample_and_snapshot(bencher: Bencher<'_, '_>) {
    let mut state = state();
    let mut at = now();
    bencher.with_inputs(sample).bench_local_values(|sample| {
        at += Duration::from_secs(1);
        let effects = step(&mut state, Event::Sampled(sample), at);
        (effects, state.snapshot(now()))
    });
}

#[divan::bench]
fn listing_without_news(bencher: Bencher<'_, '_>) {
    let mut state = state();
    let pods = || Event::Listed(Ok((0..PODS).step_by(2).map(running).collect()));
    bencher
        .with_inputs(pods)
        .bench_local_values(|listed| step(&mut state, listed, now()));
}

/// From the command to the first thing asked of the runtime; the store answers at once.
fn first_action(mut state: State, pod: &PodName, admission: Admission) -> (PodName, Action) {
    let command = Command::Start {
        pod: pod.to_string(),
        admission,
    };
    let ticket = Ticket(1);
    let mut effects: VecDeque<Effect> =
        step(&mut state, Event::Command { ticket, command }, now()).into();
    loop {
        match effects.pop_front().unwrap() {
            Effect::Operate { pod, action, .. } => return (pod, action),
            Effect::Persist(Persist::Intent { pod, operation, .. }) => {
                let result = EffectResult::Stored;
                let stored = Event::Result {
                    pod,
                    operation,
                    result,
                };
                effects.extend(step(&mut state, stored, now()));
            }
            _ => {}
        }
    }
}

#[divan::bench]
fn start_to_first_action(bencher: Bencher<'_, '_>) {
    let settled = state();
    let pod = "pod-1".parse().unwrap();
    let (acted_on, _) = first_action(settled.clone(), &pod, Admission::Fit);
    assert_eq!(acted_on, pod);
    bencher
        .with_inputs(|| settled.clone())
        .bench_local_values(|state| first_action(state, &pod, Admission::Fit));
}

/// Where it does not fit: until the first of those that make room for it is told to stop.
#[divan::bench]
fn evicting_start_to_first_stop(bencher: Bencher<'_, '_>) {
    let mut crowded = state();
    let mut full = sample();
    full.host.memory.used = Bytes::gib(39);
    step(&mut crowded, Event::Sampled(full), now());
    let pod = "pod-1".parse().unwrap();
    let (acted_on, action) = first_action(crowded.clone(), &pod, Admission::Evict);
    assert!(acted_on != pod && matches!(action, Action::Stop { .. }));
    bencher
        .with_inputs(|| crowded.clone())
        .bench_local_values(|state| first_action(state, &pod, Admission::Evict));
}
