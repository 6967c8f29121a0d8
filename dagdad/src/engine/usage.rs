//! What a pod has used, from run to run. `domain::footprint` says what to expect from it.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::footprint::{self, Expectation, PodRun, RUNS_KEPT};
use crate::domain::name::PodName;
use crate::domain::pod::Footprint;
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::sample::PodUsage;

/// A pod that uses less than this, in percent of one core, does nothing to speak of.
pub(super) const IDLE_CPU_PERCENT: f64 = 2.0;
/// A pod with less traffic than this, in bytes a second, serves nobody to speak of. Probes and
/// keep-alives stay well below: a health check each ten seconds is some 100 B/s. An answer of a
/// language model, streamed word by word, is some 2 KiB/s.
const IDLE_NETWORK: f64 = 1024.0;
/// Over which time CPU use is averaged: a burst that is shorter is no need.
const CPU_MEAN_SECONDS: f64 = 30.0;
/// Starts that are told less than this apart are one: records keep microseconds, the runtime
/// tells more.
const SAME_START: SignedDuration = SignedDuration::from_secs(1);

/// What is known of a pod's use.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    /// Its latest runs that have ended, oldest first.
    ended: VecDeque<PodRun>,
    /// The run that goes on.
    current: Option<Current>,
    /// When it was last seen doing something.
    pub(super) busy_at: Timestamp,
}

#[derive(Debug, Clone)]
struct Current {
    run: PodRun,
    /// Mean CPU use in percent of one core, and when it was last brought up to date.
    cpu: Option<(f64, Timestamp)>,
    /// Changed since it was last written.
    unwritten: bool,
}

impl Usage {
    pub(super) const fn none(now: Timestamp) -> Self {
        Self {
            ended: VecDeque::new(),
            current: None,
            busy_at: now,
        }
    }

    /// Takes up what an earlier daemon has written, in any order.
    pub(super) fn remember(&mut self, run: PodRun) {
        if run.ended_at.is_none() {
            self.current = Some(Current {
                run,
                cpu: None,
                unwritten: false,
            });
        } else {
            self.keep(run);
        }
    }

    fn keep(&mut self, run: PodRun) {
        // One that was never measured, or never came to anything, says nothing.
        if run.memory_peak == Bytes(0) || (run.ready_after.is_none() && !run.completed) {
            return;
        }
        let place = self
            .ended
            .partition_point(|earlier| earlier.started_at <= run.started_at);
        self.ended.insert(place, run);
        while self.ended.len() > RUNS_KEPT {
            self.ended.pop_front();
        }
    }

    /// The pod runs since `since`. Returns a run of before that has ended unseen.
    pub(super) fn begins(
        &mut self,
        id: Uuid,
        pod: &PodName,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<PodRun> {
        if self.watches(since) {
            return None;
        }
        let unseen = self.ends(false, now);
        self.busy_at = now;
        self.current = Some(Current {
            run: PodRun {
                id,
                pod: pod.clone(),
                started_at: since,
                ready_after: None,
                ended_at: None,
                completed: false,
                memory_peak: Bytes(0),
                cpu_peak: Millicpu(0),
            },
            cpu: None,
            unwritten: true,
        });
        unseen
    }

    /// Whether the run that is watched is the one that began at `since`.
    pub(super) fn watches(&self, since: Timestamp) -> bool {
        self.running_since()
            .is_some_and(|known| known.duration_since(since).abs() < SAME_START)
    }

    /// Since when the pod has done nothing, where that is `timeout` or longer ago.
    pub(super) fn idle_since(&self, timeout: Duration, now: Timestamp) -> Option<Timestamp> {
        let idle = Duration::try_from(now.duration_since(self.busy_at)).ok()?;
        (idle >= timeout).then_some(self.busy_at)
    }

    /// Since when the run goes on that is being watched.
    pub(super) fn running_since(&self) -> Option<Timestamp> {
        Some(self.current.as_ref()?.run.started_at)
    }

    /// The pod is ready; only the first time counts.
    pub(super) fn becomes_ready(&mut self, now: Timestamp) {
        if let Some(Current { run, unwritten, .. }) = &mut self.current
            && run.ready_after.is_none()
        {
            run.ready_after = Some((now - run.started_at).try_into().unwrap_or(Duration::ZERO));
            *unwritten = true;
        }
    }

    pub(super) fn measured(&mut self, usage: &PodUsage, now: Timestamp) {
        if usage.cpu_percent >= IDLE_CPU_PERCENT || usage.network_per_second >= IDLE_NETWORK {
            self.busy_at = now;
        }
        let Some(Current {
            run,
            cpu,
            unwritten,
        }) = &mut self.current
        else {
            return;
        };
        let mean = match *cpu {
            // A mean over less than its time would take a burst at the start for a need.
            None => 0.0,
            Some((mean, then)) => {
                let elapsed = now.duration_since(then).as_secs_f64().max(0.0);
                let weight = 1.0 - (-elapsed / CPU_MEAN_SECONDS).exp();
                mean + (usage.cpu_percent - mean) * weight
            }
        };
        *cpu = Some((mean, now));
        let working_set = usage.working_set();
        let cpu_now = Footprint::of_cpu_percent(mean);
        if working_set > run.memory_peak || cpu_now > run.cpu_peak {
            run.memory_peak = run.memory_peak.max(working_set);
            run.cpu_peak = run.cpu_peak.max(cpu_now);
            *unwritten = true;
        }
    }

    /// The pod runs no more. Returns the run that has ended.
    pub(super) fn ends(&mut self, completed: bool, now: Timestamp) -> Option<PodRun> {
        let Current { mut run, .. } = self.current.take()?;
        run.ended_at = Some(now);
        run.completed = completed;
        self.keep(run.clone());
        Some(run)
    }

    /// The run that goes on, where it changed since it was last asked for.
    pub(super) fn unwritten(&mut self) -> Option<PodRun> {
        let current = self.current.as_mut().filter(|current| current.unwritten)?;
        current.unwritten = false;
        Some(current.run.clone())
    }

    /// What to expect of the pod.
    pub(super) fn expect(&self, declared: Footprint, ceiling: Footprint) -> Expectation {
        let current = self.current.iter().map(|current| &current.run);
        let counts = |run: &&PodRun| run.memory_peak > Bytes(0) && run.ready_after.is_some();
        let runs: Vec<PodRun> = self
            .ended
            .iter()
            .chain(current.filter(counts))
            .cloned()
            .collect();
        footprint::expect(declared, &runs, ceiling)
    }

    /// How long the pod took at most to run to its end, where it did.
    pub(super) fn longest_completed(&self) -> Option<Duration> {
        self.ended
            .iter()
            .filter(|run| run.completed)
            .filter_map(|run| (run.ended_at? - run.started_at).try_into().ok())
            .max()
    }
}
