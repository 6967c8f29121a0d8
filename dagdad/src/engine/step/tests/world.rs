//! A world for the bench that does what it is told: the disk writes, the runtime starts and
//! stops, unless a test holds something up or has it fail.

use std::collections::{BTreeSet, VecDeque};

use super::*;
use crate::domain::catalogue::RenderedPod;
use crate::domain::quantity::Millicpu;
use crate::domain::run::{Run, RunId};
use crate::domain::sample::PodUsage;
use crate::ports::RuntimeError;

/// What does not go as it should.
#[derive(Debug, Default)]
pub(super) struct World {
    /// Not answered: what is asked, of which pod.
    held: BTreeSet<(&'static str, String)>,
    /// Answered with an error.
    failing: BTreeSet<(&'static str, String)>,
    /// They end as soon as they are started.
    jobs: BTreeSet<String>,
    /// Nothing that waits for it is stored.
    full: bool,
}

impl Bench {
    pub(super) fn hold(&mut self, action: &'static str, pod: &str) {
        self.world.held.insert((action, pod.to_owned()));
    }

    pub(super) fn let_go(&mut self, action: &'static str, pod: &str) {
        self.world.held.remove(&(action, pod.to_owned()));
    }

    pub(super) fn has_fail(&mut self, action: &'static str, pod: &str) {
        self.world.failing.insert((action, pod.to_owned()));
    }

    pub(super) fn ends_at_once(&mut self, pod: &str) {
        self.world.jobs.insert(pod.to_owned());
    }

    pub(super) fn disk_is_full(&mut self, full: bool) {
        self.world.full = full;
    }

    /// Does what the effects ask for, and what that leads to, until nothing is left to be done.
    /// Returns all effects, these included.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut all = Vec::new();
        let mut waiting: VecDeque<Effect> = effects.into();
        loop {
            while let Some(effect) = waiting.pop_front() {
                waiting.extend(self.answer(&effect));
                all.push(effect);
            }
            let due = self.state.next_deadline();
            if (due - self.now).get_seconds() >= 1 {
                return all;
            }
            self.now = due;
            waiting.extend(self.tell(Event::Tick));
        }
    }

    /// Tells the engine and does what it asks for.
    pub(super) fn go(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.tell(event);
        self.carry_out(effects)
    }

    /// Gives a command and does what it leads to.
    pub(super) fn order(&mut self, command: Command) -> (Reply, Vec<Effect>) {
        let (reply, effects) = self.command(command);
        (reply, self.carry_out(effects))
    }

    /// Lists, and does what that leads to.
    pub(super) fn look(&mut self) -> Vec<Effect> {
        let mut effects = self.go(Event::Listed(Ok(self.pods.clone())));
        self.wait(1);
        effects.extend(self.go(Event::Tick));
        effects
    }

    fn answer(&mut self, effect: &Effect) -> Vec<Effect> {
        match effect {
            Effect::Persist(Persist::Intent { pod, operation, .. }) => {
                let result = match self.written() {
                    Ok(()) => EffectResult::Stored,
                    Err(error) => EffectResult::NotStored(error),
                };
                self.answer_operation(pod, *operation, result)
            }
            Effect::Persist(Persist::Run { run, .. }) => {
                let (run, result) = (*run, self.written());
                self.tell(Event::RunStored { run, result })
            }
            Effect::Persist(Persist::Economy { id, .. }) => {
                let (id, result) = (*id, self.written());
                self.tell(Event::EconomyStored { id, result })
            }
            Effect::Persist(Persist::Change { ticket, .. }) => {
                let (ticket, result) = (*ticket, self.written());
                self.tell(Event::ChangeStored { ticket, result })
            }
            Effect::Persist(Persist::Fact { then, .. }) => then.clone(),
            Effect::List => self.tell(Event::Listed(Ok(self.pods.clone()))),
            Effect::Operate {
                pod,
                operation,
                action,
            } => {
                let name = action_name(action);
                let key = (name, pod.to_string());
                if self.world.held.contains(&key) {
                    return Vec::new();
                }
                let fails = self.world.failing.contains(&key);
                let result = self.act(pod, action, fails);
                self.answer_operation(pod, *operation, result)
            }
            Effect::Ease {
                spec,
                id,
                easing: _,
            } => {
                let pod = spec.name.clone();
                let key = ("ease", pod.to_string());
                if self.world.held.contains(&key) {
                    return Vec::new();
                }
                let result = if self.world.failing.contains(&key) {
                    Err(RuntimeError::Refused {
                        status: 500,
                        message: "no".to_owned(),
                    })
                } else {
                    Ok(Bytes(0))
                };
                let id = *id;
                self.tell(Event::Eased { pod, id, result })
            }
            Effect::Diagnose(pod) => {
                let key = ("diagnose", pod.to_string());
                if self.world.held.contains(&key) {
                    return Vec::new();
                }
                let (pod, log) = (pod.clone(), vec![format!("last words of {pod}")]);
                self.tell(Event::Diagnosed { pod, log })
            }
            Effect::Persist(Persist::Measurement(_))
            | Effect::Answer { .. }
            | Effect::Report { .. }
            | Effect::Announce { .. }
            | Effect::Tidy
            | Effect::Notify(_)
            | Effect::Abort(_)
            | Effect::Probe { .. } => Vec::new(),
        }
    }

    fn written(&self) -> Result<(), StoreError> {
        if self.world.full {
            Err(store_error())
        } else {
            Ok(())
        }
    }

    fn answer_operation(
        &mut self,
        pod: &PodName,
        operation: OperationId,
        result: EffectResult,
    ) -> Vec<Effect> {
        self.tell(Event::Result {
            pod: pod.clone(),
            operation,
            result,
        })
    }

    fn act(&mut self, pod: &PodName, action: &Action, fails: bool) -> EffectResult {
        let refused = || RuntimeError::Refused {
            status: 500,
            message: "no".to_owned(),
        };
        let done = || if fails { Err(refused()) } else { Ok(()) };
        match action {
            Action::Render(_) if fails => {
                EffectResult::Rendered(Err(CommandError::Invalid("no such variable".to_owned())))
            }
            Action::Render(manifest) => EffectResult::Rendered(Ok(RenderedPod {
                spec: self.state.pods[pod].entry.spec.clone(),
                text: manifest.text.clone(),
            })),
            Action::EnsureImages(_) => EffectResult::Images(done()),
            Action::Play(_) => {
                if !fails && self.world.jobs.contains(pod.as_str()) {
                    self.exited(pod.as_str(), 0);
                } else if !fails {
                    self.runs(pod.as_str());
                }
                EffectResult::Played(done())
            }
            Action::Stop { .. } => {
                if !fails {
                    self.exited(pod.as_str(), 143);
                }
                EffectResult::Stopped(done())
            }
            Action::Remove => {
                if !fails {
                    self.gone(pod.as_str());
                }
                EffectResult::Removed(done())
            }
            Action::Diagnose => EffectResult::Diagnosed(vec![format!("last words of {pod}")]),
        }
    }

    /// Measures a machine on which so many MiB may be given out, and others use so many of them.
    pub(super) fn measure(&mut self, ceiling: u64, others: u64) -> Vec<Effect> {
        self.measure_pods(ceiling, others, &[])
    }

    /// The same, with pods that use so many MiB each.
    pub(super) fn measure_pods(
        &mut self,
        ceiling: u64,
        others: u64,
        pods: &[(&str, u64)],
    ) -> Vec<Effect> {
        let sample = self.sample(ceiling, others, pods);
        self.go(sample)
    }

    pub(super) fn sample(&self, ceiling: u64, others: u64, pods: &[(&str, u64)]) -> Event {
        let used: u64 = pods.iter().map(|(_, mib)| mib).sum();
        let mut host = idle_host(self.now);
        host.memory.total = Bytes::mib(ceiling * 5 / 4);
        host.memory.used = Bytes::mib(others + used);
        let pods = pods.iter().map(|(pod, mib)| {
            let usage = PodUsage {
                anon: Bytes::mib(*mib),
                memory: Bytes::mib(*mib),
                ..PodUsage::default()
            };
            ((*pod).to_owned(), usage)
        });
        Event::Sampled(Sample {
            host,
            pods: pods.collect(),
            unseen: Vec::new(),
        })
    }

    /// Kills the daemon and lets another go on with what was on disk: rows as they would be
    /// written now, the open intents and the active runs.
    pub(super) fn reborn(&mut self) {
        let state = &self.state;
        let pods = state.pods.iter().map(|(name, pod)| {
            let row = state.record_of(name, self.now).expect("nothing is applied");
            (row, (*pod.entry).clone())
        });
        let workflows = state.workflows.values().map(|workflow| {
            let row = workflow.record(Footprint::default(), false, self.now);
            (row, (*workflow.entry).clone())
        });
        let open = state.pods.iter().flat_map(|(name, pod)| {
            let queued = pod.queued.iter().map(|queued| &queued.operation);
            let operations = pod.operation.iter().chain(queued);
            operations.map(|operation| Intent {
                id: operation.id,
                pod: name.clone(),
                kind: operation.kind,
                accepted_at: start(),
                admission: operation.admission,
                run: operation.run,
            })
        });
        let runs = state.runs.values().map(|active| active.run.clone());
        let remembered = Remembered {
            pods: pods.collect(),
            workflows: workflows.collect(),
            runs: runs.filter(Run::active).collect(),
            alerts: state.episodes.alerts().cloned().collect(),
            intents: open.collect(),
            economy: state.economy.record().clone(),
            ..Remembered::default()
        };
        let (state, _) = State::restore(settings(), 2, remembered, self.now);
        self.state = state;
    }

    pub(super) fn run(&self, id: RunId) -> &Run {
        &self.state.runs[&id].run
    }

    pub(super) fn steps(&self, id: RunId) -> Vec<(&str, &'static str)> {
        let members = self.run(id).members.iter();
        members
            .map(|member| (member.pod.as_str(), member.step.as_str()))
            .collect()
    }

    /// What is held for a pod, in MiB.
    pub(super) fn held(&self, pod: &str) -> Option<u64> {
        Some(self.state.pods[pod].reserved?.memory.0 >> 20)
    }

    pub(super) fn ups(&self) -> Vec<&str> {
        let up = |(name, pod): (_, &super::super::super::pod::Pod)| {
            matches!(pod.life, super::super::super::pod::Life::Up { .. }).then_some(name)
        };
        self.state
            .pods
            .iter()
            .filter_map(up)
            .map(PodName::as_str)
            .collect()
    }
}

/// The same pod with a footprint of so many MiB and no CPU to speak of.
pub(super) fn sized(mut entry: CataloguePod, mib: u64) -> CataloguePod {
    entry.spec.footprint = Footprint {
        memory: Bytes::mib(mib),
        cpu: Millicpu(1),
    };
    entry
}

/// The records of events of a kind.
pub(super) fn told(effects: &[Effect], kind: EventKind) -> Vec<String> {
    let events = effects.iter().filter_map(|effect| match effect {
        Effect::Announce { event, .. } if event.kind == kind => Some(event.message.clone()),
        _ => None,
    });
    events.collect()
}

/// What is asked of the runtime in these effects, and of which pod.
pub(super) fn asked(effects: &[Effect], action: &str) -> Vec<String> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Operate {
            pod, action: of, ..
        } if action_name(of) == action => Some(pod.to_string()),
        _ => None,
    });
    asked.collect()
}
