//! The machine by itself, driven by a box that does what it is told.

mod giving;
mod modes;
mod past;
mod plans;
mod properties;
mod taking;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};

const SAMPLE: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(15);

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn name(text: &str) -> PodName {
    text.parse().unwrap()
}

/// RAM 80 to 75 %, CPU 70 to 65 %, pressure 20 to 10 %; hold 30 s, recovery 2 min, grace 1 min.
fn rules() -> EconomyRules {
    EconomyRules::of(80.0, 70.0)
}

/// A pod that may be taken from, up for a day, in GiB and cores.
fn pod(priority: u8, gib: u64, cores: u64) -> PodSituation {
    let used = Footprint {
        memory: Bytes::gib(gib),
        cpu: Millicpu(cores * 1000),
    };
    PodSituation {
        priority: Priority::new(priority).unwrap(),
        needed_by_run: false,
        stance: Stance::Open,
        may_freeze: false,
        up_since: Some(start() - SignedDuration::from_hours(24)),
        used,
        reclaimable: Bytes(0),
        idle: None,
        expected: used,
    }
}

/// A box of 100 GiB and ten cores, so that a GiB is a percent and a core is ten.
#[derive(Debug, Clone)]
struct Box {
    economy: Economy,
    rules: EconomyRules,
    policy: Policy,
    now: Timestamp,
    situation: Situation,
}

impl Box {
    /// `others` GiB and percent of CPU are used besides the pods.
    fn new(pods: &[(&str, PodSituation)], others_gib: u64, others_cpu: f64) -> Self {
        let mut situation = Situation {
            reading: Reading {
                at: start(),
                ram_total: Bytes::gib(100),
                ram_used: Bytes::gib(others_gib),
                swap_free: Bytes(0),
                cpu_percent: others_cpu,
                cpu_count: 10,
                pressure: Some(0.0),
            },
            promised: Footprint::default(),
            pods: BTreeMap::new(),
        };
        for (pod, figures) in pods {
            situation.reading.ram_used += figures.used.memory;
            situation.reading.cpu_percent += figures.used.cpu.0 as f64 / 100.0;
            situation.pods.insert(name(pod), figures.clone());
        }
        Self {
            economy: Economy::default(),
            rules: rules(),
            policy: Policy::Auto,
            now: start(),
            situation,
        }
    }

    fn reading(&mut self) -> &mut Reading {
        &mut self.situation.reading
    }

    fn pod(&mut self, pod: &str) -> &mut PodSituation {
        self.situation.pods.get_mut(&name(pod)).unwrap()
    }

    /// One sample, with what it leads to.
    fn sample(&mut self) -> (Vec<Change>, Option<Act>) {
        self.sample_after(Some(SAMPLE))
    }

    fn sample_after(&mut self, passed: Option<Duration>) -> (Vec<Change>, Option<Act>) {
        self.now += SAMPLE;
        self.situation.reading.at = self.now;
        let reading = self.situation.reading;
        let changes = self.economy.see(reading, &self.rules, self.policy, passed);
        (changes, self.next())
    }

    fn next(&self) -> Option<Act> {
        let Self {
            economy,
            rules,
            policy,
            now,
            situation,
        } = self;
        economy.next(situation, rules, *policy, LONGEST, *now)
    }

    /// Samples for so long without doing anything; what became of it.
    fn watch(&mut self, seconds: u64) -> Vec<Change> {
        let samples = seconds / SAMPLE.as_secs();
        (0..samples).flat_map(|_| self.sample().0).collect()
    }

    /// Samples until there is something to do, for ten minutes at most.
    fn await_act(&mut self) -> Option<Act> {
        (0..120).find_map(|_| self.sample().1)
    }

    /// Does it at once.
    fn carry_out(&mut self, act: &Act) {
        self.economy.begin(act.clone(), &self.rules, self.now);
        match act {
            Act::Take(step) => planning::apply(&mut self.situation, step),
            Act::Give(taken) => {
                let now = self.now;
                let pod = self.situation.pods.get_mut(&taken.pod).unwrap();
                let before = pod.used;
                pod.used.cpu = taken.used.cpu;
                if taken.taking.rung() == Rung::Stop {
                    pod.used.memory = taken.used.memory;
                    pod.up_since = Some(now);
                }
                let after = pod.used;
                let reading = &mut self.situation.reading;
                reading.ram_used = reading.ram_used.saturating_sub(before.memory) + after.memory;
                reading.cpu_percent += (after.cpu.0 as f64 - before.cpu.0 as f64) / 100.0;
            }
        }
        self.economy.done(self.now);
    }

    fn active(&self) -> bool {
        self.economy.record().active.is_some()
    }
}

/// Who is stopped, throttled, frozen.
fn taken(act: Option<&Act>) -> Option<(&str, Rung)> {
    match act? {
        Act::Take(step) => Some((step.pod.as_str(), step.rung)),
        Act::Give(_) => None,
    }
}

fn given_back(act: Option<&Act>) -> Option<&str> {
    match act? {
        Act::Give(taken) => Some(taken.pod.as_str()),
        Act::Take(_) => None,
    }
}
