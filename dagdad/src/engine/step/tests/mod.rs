//! Each transition of the diagrams in [`super`], step by step.

mod admission;
mod alerts;
mod boot;
mod catalogue;
mod clock;
mod commands;
mod degraded_runs;
mod economy;
mod ending_runs;
mod endings;
mod eviction;
mod footprints;
mod idling;
mod measured;
mod missed;
mod pausing;
mod pods;
mod queue;
mod reconfiguring;
mod recovered_runs;
mod recovery;
mod runs;
mod silencing;
mod starting;
mod stopping;
mod taken;
mod watched;
mod workflows;
mod world;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use self::pods::{always, changed, entry, publishing, row, workflow};
use self::world::World;
use super::super::effect::{Action, Easing, Effect, Persist};
use super::super::event::{Command, EffectResult, Event, Reply, Ticket};
use super::super::example;
use super::super::state::{Remembered, Settings, State, Thresholds};
use super::super::workflow::Workflow;
use super::step;
use crate::domain::admission::Admission;
use crate::domain::alert::Rules;
use crate::domain::catalogue::{CataloguePod, RenderedPod};
use crate::domain::economy::{EconomyRules, Policy};
use crate::domain::error::CommandError;
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::observed::{ContainerState, ObservedContainer, ObservedPod, RuntimeSignal};
use crate::domain::operation::{Done, Intent, OperationId, OperationView};
use crate::domain::pod::{Footprint, RestartPolicy};
use crate::domain::quantity::Bytes;
use crate::domain::sample::{HostSample, MemorySample, Sample};
use crate::domain::state::{PodStatus, Wanted};
use crate::domain::workflow::CatalogueWorkflow;
use crate::ports::{PodRecord, Record, StoreError};

const START_TIMEOUT: Duration = Duration::from_mins(1);

/// An engine under test, its clock, and the pods that the model of the runtime lists.
struct Bench {
    state: State,
    now: Timestamp,
    tickets: u64,
    pods: Vec<ObservedPod>,
    world: World,
}

impl Bench {
    /// A daemon that has listed an empty runtime, with these pods in its catalogue.
    fn with(entries: &[CataloguePod]) -> Self {
        Self::with_running(entries, &[])
    }

    /// The same, where some of the pods run and are wanted.
    fn with_running(entries: &[CataloguePod], running: &[&str]) -> Self {
        Self::with_workflows(entries, &[], running)
    }

    /// The same, with workflows too.
    fn with_workflows(
        entries: &[CataloguePod],
        workflows: &[CatalogueWorkflow],
        running: &[&str],
    ) -> Self {
        let rows = entries.iter().map(|entry| {
            let up = running.contains(&entry.spec.name.as_str());
            let (wanted, status) = if up {
                (Wanted::Up, PodStatus::Running)
            } else {
                (Wanted::Down, PodStatus::Stopped)
            };
            (row(entry, wanted, status), entry.clone())
        });
        let workflows = workflows.iter().map(|entry| {
            let letter = entry.spec.name.as_str().as_bytes()[0];
            let id = Uuid::from_u128(u128::from(letter) << 8);
            let workflow = Workflow::new(id, Arc::new(entry.clone()), start());
            let row = workflow.record(Footprint::default(), false, start());
            (row, entry.clone())
        });
        let mut bench = Self::remembering(Remembered {
            pods: rows.collect(),
            workflows: workflows.collect(),
            ..Remembered::default()
        });
        for pod in running {
            bench.runs(pod);
        }
        bench.list();
        bench
    }

    /// A daemon that has listed nothing yet.
    fn restored(rows: Vec<(PodRecord, CataloguePod)>, intents: Vec<Intent>) -> Self {
        Self::remembering(Remembered {
            pods: rows,
            intents,
            ..Remembered::default()
        })
    }

    /// A daemon that goes on with all this and has listed nothing yet.
    fn remembering(remembered: Remembered) -> Self {
        let mut bench = Self::unmeasured(remembered);
        bench.tell(Event::Sampled(Sample {
            host: idle_host(start()),
            pods: Vec::new(),
            unseen: Vec::new(),
        }));
        bench.tell(Event::Tick);
        bench
    }

    /// The same, where the host was not measured yet either.
    fn unmeasured(remembered: Remembered) -> Self {
        let (state, _) = State::restore(settings(), 1, remembered, start());
        Self {
            state,
            now: start(),
            tickets: 0,
            pods: Vec::new(),
            world: World::default(),
        }
    }

    fn tell(&mut self, event: Event) -> Vec<Effect> {
        step(&mut self.state, event, self.now)
    }

    fn wait(&mut self, seconds: i64) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
    }

    /// Lists what there is, twice where a listing was under way already, and lets a second
    /// pass, in which a pod with nothing to check has run for long enough.
    fn list(&mut self) -> Vec<Effect> {
        let answer = Event::Listed(Ok(self.pods.clone()));
        let mut effects = self.tell(answer.clone());
        self.wait(1);
        effects.extend(self.tell(Event::Tick));
        if effects.contains(&Effect::List) {
            effects.extend(self.tell(answer));
            self.wait(1);
            effects.extend(self.tell(Event::Tick));
        }
        effects
    }

    fn command(&mut self, command: Command) -> (Reply, Vec<Effect>) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let effects = self.tell(Event::Command { ticket, command });
        let reply = effects
            .iter()
            .find_map(|effect| match effect {
                Effect::Answer { reply, .. } => Some(reply.clone()),
                _ => None,
            })
            .expect("an answer at once");
        (reply, effects)
    }

    /// A command that becomes an operation whose intent is stored.
    fn accepted(&mut self, command: Command) -> (OperationId, Vec<Effect>) {
        let (id, _) = self.unstored(command);
        let effects = self.result(id, EffectResult::Stored);
        (id, effects)
    }

    fn unstored(&mut self, command: Command) -> (OperationId, Vec<Effect>) {
        match self.command(command) {
            (Reply::Operation(id), effects) => (id, effects),
            (reply, _) => panic!("not accepted: {reply:?}"),
        }
    }

    fn start(&mut self, pod: &str) -> (OperationId, Vec<Effect>) {
        self.accepted(start_command(pod))
    }

    fn stop(&mut self, pod: &str) -> (OperationId, Vec<Effect>) {
        self.accepted(stop(pod))
    }

    fn result(&mut self, operation: OperationId, result: EffectResult) -> Vec<Effect> {
        let name = |(name, pod): (&PodName, &super::super::pod::Pod)| {
            let of = pod.operation.iter().map(|operation| operation.id);
            let queued = pod.queued.iter().map(|queued| queued.operation.id);
            of.chain(queued)
                .any(|id| id == operation)
                .then(|| name.clone())
        };
        let pod = self
            .state
            .pods
            .iter()
            .find_map(name)
            .expect("an operation in the state");
        self.tell(Event::Result {
            pod,
            operation,
            result,
        })
    }

    /// Brings a stored start to where its pod is played.
    fn reach_creating(&mut self, id: OperationId, entry: &CataloguePod) -> Vec<Effect> {
        self.reach_pulling(id, entry);
        self.result(id, EffectResult::Images(Ok(())))
    }

    fn reach_pulling(&mut self, id: OperationId, entry: &CataloguePod) -> Vec<Effect> {
        let rendered = RenderedPod {
            spec: entry.spec.clone(),
            text: String::new(),
        };
        self.result(id, EffectResult::Rendered(Ok(rendered)))
    }

    /// Brings a stored start to where its pod is waited for.
    fn reach_awaiting(&mut self, id: OperationId, entry: &CataloguePod) -> Vec<Effect> {
        self.reach_creating(id, entry);
        self.result(id, EffectResult::Played(Ok(())))
    }

    /// From now on the runtime lists the pod as running.
    fn runs(&mut self, pod: &str) {
        let since = self.now;
        self.becomes(pod, ContainerState::Running { since });
    }

    fn exited(&mut self, pod: &str, code: i32) {
        let at = self.now;
        let oom_killed = false;
        self.becomes(
            pod,
            ContainerState::Exited {
                code,
                at,
                oom_killed,
            },
        );
    }

    fn becomes(&mut self, pod: &str, state: ContainerState) {
        self.gone(pod);
        self.pods.push(ObservedPod {
            id: pod.to_owned(),
            name: pod.to_owned(),
            created_at: start(),
            containers: vec![ObservedContainer {
                id: "c".to_owned(),
                name: "server".to_owned(),
                image: "image".to_owned(),
                init: false,
                state,
                restarts: 0,
            }],
            ports: Vec::new(),
            cgroup: None,
        });
    }

    fn gone(&mut self, pod: &str) {
        self.pods.retain(|other| other.name != pod);
    }

    fn died(&mut self, pod: &str, code: i32) -> Vec<Effect> {
        self.signal(RuntimeSignal::Died {
            pod: pod.to_owned(),
            container: "server".to_owned(),
            code,
        })
    }

    fn stop_requested(&mut self, pod: &str) -> Vec<Effect> {
        self.stop_requested_of(pod, pod)
    }

    /// Of one pod by the name, which need not be the one that has it now.
    fn stop_requested_of(&mut self, pod: &str, id: &str) -> Vec<Effect> {
        self.signal(RuntimeSignal::StopRequested {
            pod: pod.to_owned(),
            id: id.to_owned(),
        })
    }

    fn signal(&mut self, signal: RuntimeSignal) -> Vec<Effect> {
        self.tell(Event::Runtime(signal))
    }

    fn status(&self, pod: &str) -> PodStatus {
        self.state
            .snapshot(self.now)
            .pod(pod)
            .expect("a pod")
            .status
    }

    fn message(&self, pod: &str) -> String {
        let message = self
            .state
            .snapshot(self.now)
            .pod(pod)
            .expect("a pod")
            .message
            .clone();
        message.unwrap_or_default()
    }

    fn wanted(&self, pod: &str) -> Wanted {
        self.state.pods[pod].wanted
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A host with 64 GiB and eight cores on which nothing runs.
fn idle_host(at: Timestamp) -> HostSample {
    HostSample {
        cpu_count: 8,
        memory: MemorySample {
            total: Bytes::gib(64),
            available: Bytes::gib(64),
            ..MemorySample::default()
        },
        ..example::host(at)
    }
}

fn settings() -> Settings {
    Settings {
        start_timeout: START_TIMEOUT,
        sample_interval: Duration::from_secs(5),
        record_interval: Duration::from_secs(5),
        thresholds: Thresholds {
            ram_percent: 80.0,
            cpu_percent: 70.0,
        },
        cpu_enforced: false,
        alerts: Rules::default(),
        economy_policy: Policy::Off,
        economy: EconomyRules::of(80.0, 70.0),
    }
}

fn start_command(pod: &str) -> Command {
    Command::Start {
        pod: pod.to_owned(),
        admission: Admission::Fit,
    }
}

fn stop(pod: &str) -> Command {
    let (pod, grace) = (pod.to_owned(), None);
    Command::Stop { pod, grace }
}

fn restart(pod: &str) -> Command {
    Command::Restart {
        pod: pod.to_owned(),
    }
}

fn remove(pod: &str, force: bool) -> Command {
    let pod = pod.to_owned();
    Command::Remove { pod, force }
}

fn store_error() -> StoreError {
    StoreError::Failed("no room".to_owned())
}

/// How the operation ended in these effects, if it did.
fn ending(effects: &[Effect], id: OperationId) -> Option<Result<Done, CommandError>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Report {
            operation,
            view: OperationView::Finished(result),
        } if *operation == id => Some(result.clone()),
        Effect::Persist(Persist::Fact { then, .. }) => ending(then, id),
        _ => None,
    })
}

fn failure(effects: &[Effect], id: OperationId) -> CommandError {
    ending(effects, id).expect("an end").expect_err("a failure")
}

fn success(effects: &[Effect], id: OperationId) -> String {
    ending(effects, id)
        .expect("an end")
        .expect("a success")
        .message
}

/// What is asked of the runtime in these effects.
fn actions(effects: &[Effect]) -> Vec<&'static str> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Operate { action, .. } => Some(action_name(action)),
        Effect::Abort(_) => Some("abort"),
        _ => None,
    });
    asked.collect()
}

const fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Render(_) => "render",
        Action::EnsureImages(_) => "pull",
        Action::Play(_) => "play",
        Action::Stop { .. } => "stop",
        Action::Remove => "remove",
        Action::Diagnose => "diagnose",
    }
}

/// The last row of the pod that these effects write.
fn written(effects: &[Effect], pod: &str) -> Option<PodRecord> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(
            Persist::Intent { records, .. }
            | Persist::Change { records, .. }
            | Persist::Fact { records, .. },
        ) => Some(records),
        _ => None,
    });
    let mut rows = records.flatten().filter_map(|record| match record {
        Record::PutPod(row) if row.name.as_str() == pod => Some((**row).clone()),
        _ => None,
    });
    rows.next_back()
}
