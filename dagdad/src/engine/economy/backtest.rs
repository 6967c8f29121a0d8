//! The past, replayed: the recorded samples go through the very same machine, under these rules
//! or others, to see what it would have done.
//!
//! What was recorded is what happened with whatever was done then. What the replay takes from a
//! pod is taken off the recorded figures for as long as it is taken. So the replay is as good as
//! the assumption that a pod would have used the same whether or not others were there. A pod's
//! memory is what was charged to it, page cache included, since that is what is recorded; and what
//! cannot be known is taken for harmless: everything in the catalogue now was so then, runs are
//! left out, nothing is reclaimed, every stop succeeds at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::super::usage::IDLE_CPU_PERCENT;
use super::situation::{PodSituation, Reading, Situation, Stance};
use super::{Act, Change, Economy};
use crate::domain::economy::{
    Backtest, BacktestAct, BacktestOutcome, EconomyRules, Policy, RecordedSample, Rung, Taking,
    Trigger, WhatIf,
};
use crate::domain::name::PodName;
use crate::domain::pod::{Category, Footprint, PodSpec};
use crate::domain::quantity::{Bytes, Millicpu};

/// A stretch without samples longer than this is a gap, where samples stand for less.
const GAP: Duration = Duration::from_secs(30);
/// So many times what a sample stands for may pass before the next one.
const GAP_STRETCHES: u32 = 3;

/// Replays `samples`, oldest first, for a machine of `cpu_count` cores, under `rules` and under
/// each of `what_ifs`.
#[must_use]
pub fn backtest(
    samples: &[RecordedSample],
    pods: &[PodSpec],
    cpu_count: u32,
    rules: &EconomyRules,
    what_ifs: &[WhatIf],
) -> Backtest {
    let others = what_ifs.iter().map(|what_if| what_if.apply(rules));
    let outcomes = std::iter::once(*rules)
        .chain(others)
        .map(|rules| Replay::new(pods, cpu_count, rules).run(samples));
    let gaps = samples.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        passed(before, after).err()
    });
    Backtest {
        since: samples.first().map(|sample| sample.at),
        until: samples.last().map(|sample| sample.at),
        samples: u64::try_from(samples.len()).unwrap_or(u64::MAX),
        gaps: gaps.sum(),
        outcomes: outcomes.collect(),
    }
}

/// The time from one sample to the next; as an error where nobody looked meanwhile.
fn passed(before: &RecordedSample, after: &RecordedSample) -> Result<Duration, Duration> {
    let passed = Duration::try_from(after.at.duration_since(before.at)).unwrap_or_default();
    let longest = GAP.max(before.resolution.max(after.resolution) * GAP_STRETCHES);
    if passed <= longest {
        Ok(passed)
    } else {
        Err(passed)
    }
}

struct Replay<'a> {
    specs: BTreeMap<&'a str, &'a PodSpec>,
    /// Pods that an essential one comes after.
    needed: BTreeSet<&'a PodName>,
    cpu_count: u32,
    rules: EconomyRules,
    economy: Economy,
    /// Since when each pod is up without a break.
    up_since: BTreeMap<PodName, Timestamp>,
    busy_at: BTreeMap<PodName, Timestamp>,
    outcome: BacktestOutcome,
}

impl<'a> Replay<'a> {
    fn new(pods: &'a [PodSpec], cpu_count: u32, rules: EconomyRules) -> Self {
        let essential = pods
            .iter()
            .filter(|pod| pod.category == Category::Essential);
        Self {
            specs: pods.iter().map(|pod| (pod.name.as_str(), pod)).collect(),
            needed: essential.flat_map(|pod| &pod.after).collect(),
            cpu_count,
            rules,
            economy: Economy::default(),
            up_since: BTreeMap::new(),
            busy_at: BTreeMap::new(),
            outcome: BacktestOutcome {
                rules,
                entered: 0,
                active: Duration::ZERO,
                over: Duration::ZERO,
                acts: Vec::new(),
            },
        }
    }

    fn run(mut self, samples: &[RecordedSample]) -> BacktestOutcome {
        let mut before: Option<&RecordedSample> = None;
        for sample in samples {
            let since = before.map(|before| passed(before, sample));
            self.see(sample, since.and_then(Result::ok), before.is_none());
            before = Some(sample);
        }
        self.outcome
    }

    fn see(&mut self, sample: &RecordedSample, passed: Option<Duration>, first: bool) {
        let situation = self.situation(sample, first);
        let reading = situation.reading;
        let span = passed.unwrap_or_default();
        if self.economy.record().active.is_some() {
            self.outcome.active += span;
        }
        let over = |trigger| reading.reaches(trigger, self.rules.band(trigger).enter);
        if Trigger::ALL.into_iter().any(over) {
            self.outcome.over += span;
        }
        let changes = self.economy.see(reading, &self.rules, Policy::Auto, passed);
        let entered = |change: &&Change| matches!(change, Change::Entered(_));
        let entered = changes.iter().filter(entered).count();
        self.outcome.entered += u32::try_from(entered).unwrap_or(u32::MAX);
        let now = sample.at;
        let next = self
            .economy
            .next(&situation, &self.rules, Policy::Auto, GAP, now);
        if let Some(act) = next {
            let (pod, rung, restored) = match &act {
                Act::Take(step) => (step.pod.clone(), step.rung, false),
                Act::Give(taken) => (taken.pod.clone(), taken.taking.rung(), true),
            };
            if restored {
                self.up_since.insert(pod.clone(), now);
            }
            self.outcome.acts.push(BacktestAct {
                at: now,
                pod,
                rung,
                restored,
            });
            self.economy.begin(act, &self.rules, now);
            self.economy.done(now);
        }
    }

    /// The box as it was recorded, less what the replay has taken.
    fn situation(&mut self, sample: &RecordedSample, first: bool) -> Situation {
        let mut reading = Reading {
            at: sample.at,
            ram_total: sample.ram_total,
            ram_used: sample.ram_used,
            swap_free: Bytes(0),
            cpu_percent: sample.cpu_percent,
            cpu_count: self.cpu_count,
            pressure: sample.pressure,
        };
        let recorded: BTreeMap<&str, Footprint> = sample
            .pods
            .iter()
            .map(|(name, cpu_percent, memory)| {
                let used = Footprint {
                    memory: *memory,
                    cpu: Footprint::of_cpu_percent(*cpu_percent),
                };
                (name.as_str(), used)
            })
            .collect();
        let mut pods = BTreeMap::new();
        for (name, spec) in &self.specs {
            let recorded = recorded.get(name).copied();
            match recorded {
                Some(used) => {
                    // Those that are there at the beginning were so before.
                    let since = if first { Timestamp::MIN } else { sample.at };
                    self.up_since.entry(spec.name.clone()).or_insert(since);
                    let busy = used.cpu >= Footprint::of_cpu_percent(IDLE_CPU_PERCENT);
                    let busy_at = self.busy_at.entry(spec.name.clone()).or_insert(sample.at);
                    if busy {
                        *busy_at = sample.at;
                    }
                }
                None => {
                    self.up_since.remove(&spec.name);
                    self.busy_at.remove(&spec.name);
                }
            }
            let left = self.left(&spec.name, recorded);
            if let (Some(recorded), Some(left)) = (recorded, left) {
                reading = reading.without(Footprint {
                    memory: recorded.memory.saturating_sub(left.memory),
                    cpu: recorded.cpu.saturating_sub(left.cpu),
                });
            } else if let Some(recorded) = recorded {
                reading = reading.without(recorded);
            }
            pods.insert(spec.name.clone(), self.pod(spec, recorded, left, sample.at));
        }
        Situation {
            reading,
            promised: Footprint::default(),
            pods,
        }
    }

    /// What a pod uses of what was recorded; `None` where it is down, in the past or here.
    fn left(&self, name: &PodName, recorded: Option<Footprint>) -> Option<Footprint> {
        let mut left = recorded?;
        let taken = self.economy.record().taken.iter();
        for taken in taken.filter(|taken| taken.pod == *name) {
            match taken.taking {
                Taking::Throttled { to } => left.cpu = left.cpu.min(to),
                Taking::Frozen => left.cpu = Millicpu(0),
                Taking::Shed { .. } => return None,
            }
        }
        Some(left)
    }

    fn pod(
        &self,
        spec: &PodSpec,
        recorded: Option<Footprint>,
        left: Option<Footprint>,
        now: Timestamp,
    ) -> PodSituation {
        let protected = spec.category == Category::Essential || self.needed.contains(&spec.name);
        let idle = self.busy_at.get(&spec.name).and_then(|at| {
            let idle = Duration::try_from(now.duration_since(*at)).ok()?;
            (idle >= spec.idle_timeout).then_some(idle)
        });
        PodSituation {
            priority: spec.priority,
            needed_by_run: false,
            stance: if protected {
                Stance::Protected
            } else {
                Stance::Open
            },
            may_freeze: spec.freeze,
            up_since: left.and(self.up_since.get(&spec.name).copied()),
            used: left.unwrap_or_default(),
            reclaimable: Bytes(0),
            idle,
            // Where it was down by itself, its return costs nothing.
            expected: recorded.unwrap_or_default(),
        }
    }
}

impl BacktestOutcome {
    /// How often a pod would have been stopped.
    #[must_use]
    pub fn sheds(&self) -> usize {
        let shed = |act: &&BacktestAct| act.rung == Rung::Stop && !act.restored;
        self.acts.iter().filter(shed).count()
    }

    /// How often a pod that would have been stopped would have been started again.
    #[must_use]
    pub fn restores(&self) -> usize {
        let started = |act: &&BacktestAct| act.rung == Rung::Stop && act.restored;
        self.acts.iter().filter(started).count()
    }
}
