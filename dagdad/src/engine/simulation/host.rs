//! The model of the machine: what it has, what others use of it, and the sampler that measures
//! it, as a rule in time.

use std::time::Duration;

use jiff::Timestamp;

use super::super::event::Event;
use super::super::state::State;
use super::load::part;
use super::random::Random;
use super::{Happening, Others, World};
use crate::domain::observed::PodCondition;
use crate::domain::quantity::Bytes;
use crate::domain::sample::{HostSample, MemorySample, PodUsage, Sample};
use crate::domain::state::PodStatus;

/// How often the machine is measured.
const INTERVAL: Duration = Duration::from_secs(5);
/// What others use at least, and how much more at most.
const OTHERS: (Bytes, u64) = (Bytes::mib(200), 800);

#[derive(Debug)]
pub(super) struct Host {
    capacity: Bytes,
    cores: u32,
    /// What is used by all that is no pod.
    pub(super) others: Bytes,
    /// In percent of one core.
    others_cpu_percent: f64,
}

impl Host {
    /// A machine on which most of the pods do not fit together.
    pub(super) fn small(random: &mut Random) -> Self {
        Self {
            capacity: Bytes::mib(2_048 + 256 * random.below(20)),
            cores: random.pick(&[1, 2, 4, 4]),
            others: OTHERS.0 + Bytes::mib(random.below(OTHERS.1)),
            others_cpu_percent: 20.0,
        }
    }
}

impl World {
    /// Measures, and does so again after a while.
    pub(super) fn measure(&mut self, incarnation: u64) {
        let (missed, late) = if self.calm {
            (false, false)
        } else {
            (self.random.chance(5), self.random.chance(5))
        };
        let pause = if late {
            INTERVAL + self.random.millis(0, 60_000)
        } else {
            INTERVAL
        };
        self.after(pause, Happening::Measure(incarnation));
        if !self.calm && !self.climate.steady() {
            self.drift();
        }
        if missed || self.daemon.is_none() {
            return;
        }
        let sample = self.sample();
        let slow = self.faulty() && self.random.chance(3);
        let takes = self.random.millis(0, if slow { 3_000 } else { 20 });
        self.after(takes, Happening::Tell(incarnation, Event::Sampled(sample)));
    }

    /// What others use changes: as a rule a little, now and then at once; or as it does on a
    /// machine that is busy.
    fn drift(&mut self) {
        if self.climate.others == Others::Busy {
            let (now, random) = (self.now, &mut self.random);
            let cpu = self.load.cpu.at(now, random);
            self.host.others_cpu_percent = cpu * f64::from(self.host.cores);
            let ram = part(self.host.capacity, self.load.ram.at(now, random));
            self.host.others = ram.max(OTHERS.0);
            return;
        }
        let (least, more) = OTHERS;
        let step = if self.random.chance(2) { more } else { 50 };
        let change = Bytes::mib(self.random.below(step));
        let others = if self.random.chance(50) {
            self.host.others + change
        } else {
            self.host.others.saturating_sub(change)
        };
        self.host.others = others.clamp(least, least + Bytes::mib(more));
    }

    /// What others use stays as it is, with room for pods.
    pub(super) fn settle_load(&mut self) {
        self.load.settle(self.now, &mut self.random);
        if self.climate.others == Others::Busy {
            self.host.others_cpu_percent = 20.0;
            self.host.others = OTHERS.0 + Bytes::mib(self.random.below(OTHERS.1));
        }
    }

    fn sample(&mut self) -> Sample {
        let (disks, pressure) = (self.disks(), self.pressure());
        let mut anon = Bytes(0);
        let mut cached = Bytes(0);
        let mut cpu = self.host.others_cpu_percent;
        let mut pods = Vec::new();
        for (name, model) in &self.podman.pods {
            let Some(usage) = model.usage(self.now) else {
                continue;
            };
            anon += usage.anon;
            cached += usage.file;
            cpu += usage.cpu_percent;
            let state = self.daemon.as_ref().map(|daemon| &daemon.state);
            if state.is_some_and(|state| asked_for(state, name.as_str())) {
                pods.push((name.to_string(), usage));
            }
        }
        let Host {
            capacity,
            cores,
            others,
            ..
        } = self.host;
        let used = others + anon;
        Sample {
            host: HostSample {
                at: self.clock(),
                cpu_percent: (cpu / f64::from(cores)).min(100.0),
                cpu_count: cores,
                load_1m: 0.0,
                load_5m: 0.0,
                load_15m: 0.0,
                memory: MemorySample {
                    total: capacity,
                    used,
                    available: capacity.saturating_sub(used),
                    cached,
                    ..MemorySample::default()
                },
                disks,
                pressure,
            },
            pods,
            unseen: Vec::new(),
        }
    }
}

/// Whether the sampler is asked to measure a pod, as `crate::sampling` does it.
fn asked_for(state: &State, name: &str) -> bool {
    if let Some(pod) = state.pods.get(name) {
        return matches!(pod.status(), PodStatus::Running | PodStatus::Stopping);
    }
    let condition = state.observed.get(name).map(|pod| pod.condition());
    matches!(
        condition,
        Some(PodCondition::Running { .. } | PodCondition::Paused | PodCondition::Stopping)
    )
}

/// What a pod uses once it has grown up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Appetite {
    anon: Bytes,
    mapped: Bytes,
    /// Files that it has read, and that the kernel keeps for it.
    cache: Bytes,
    cpu_percent: f64,
    /// How long it takes to grow up.
    grows: Duration,
}

impl Appetite {
    /// Within the footprint `declared`, or not always where it need not be `modest`.
    pub(super) fn some(
        declared: crate::domain::pod::Footprint,
        modest: bool,
        random: &mut Random,
    ) -> Self {
        let percent = 20 + random.below(if modest { 65 } else { 110 });
        let whole = declared.memory.0 / 100 * percent;
        let mapped = whole / 100 * random.pick(&[0, 10, 60]);
        let busy = random.chance(60);
        Self {
            anon: Bytes(whole - mapped),
            mapped: Bytes(mapped),
            cache: Bytes(whole / 100 * random.pick(&[0, 5, 40])),
            cpu_percent: if busy {
                declared.cpu.0 as f64 / 10.0 * percent as f64 / 100.0
            } else {
                0.5
            },
            grows: random.millis(1_000, 120_000),
        }
    }

    /// What it uses `age` after its start. It takes a while before it uses anything to speak
    /// of, so that it is known to run by then.
    pub(super) fn at(&self, since: Timestamp, now: Timestamp) -> PodUsage {
        const LOADING: f64 = 15.0;
        let age = now.duration_since(since).as_secs_f64() - LOADING;
        let grown = (age / self.grows.as_secs_f64()).clamp(0.0, 1.0);
        let part = |whole: Bytes| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // of a part
            let part = (whole.0 as f64 * grown) as u64;
            Bytes(part)
        };
        let (anon, mapped) = (part(self.anon), part(self.mapped));
        let file = mapped + part(self.cache);
        PodUsage {
            network_per_second: 0.0,
            cpu_percent: self.cpu_percent * grown,
            memory: anon + file,
            anon,
            file,
            mapped,
        }
    }
}
