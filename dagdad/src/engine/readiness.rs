//! Whether a running pod is ready.
//!
//! ```text
//!   pod runs ──► every check: asked ──holds──► passed ──fails N times──► failed
//!                     ▲  └─fails─► asked again │  ▲                        │
//!                     └────────────────────────┘  └──────── holds ─────────┘
//! ```
//!
//! A pod is ready when all its checks have passed. A published port that accepted once is
//! not asked again; a probe is asked for as long as the pod runs.

use std::sync::Arc;
use std::time::Duration;

use super::effect::Effect;
use crate::domain::pod::{PodSpec, Readiness};
use crate::ports::ProbeFailure;

/// Waits between two checks of a pod that is not ready yet: they double from the first to
/// the second, so that a quick pod is seen quickly and a slow one is left in peace.
const EAGER: (Duration, Duration) = (Duration::from_millis(25), Duration::from_secs(1));

/// The checks of one running pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// Distinguishes this watch from earlier ones of the same pod.
    pub id: u64,
    spec: Arc<PodSpec>,
    checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq)]
struct Check {
    readiness: Readiness,
    passed: bool,
    /// In a row: successes while it has not passed, failures while it has.
    streak: u32,
    asked: u32,
    last_failure: Option<String>,
}

impl Watch {
    /// Begins to watch a pod that runs as `spec` says; returns the first checks to make.
    /// `fresh` is whether it was started just now, so that initial delays count.
    pub fn begin(id: u64, spec: Arc<PodSpec>, fresh: bool) -> (Self, Vec<Effect>) {
        let checks: Vec<Check> = spec
            .readiness()
            .into_iter()
            .map(|readiness| Check {
                readiness,
                passed: false,
                streak: 0,
                asked: 0,
                last_failure: None,
            })
            .collect();
        let watch = Self { id, spec, checks };
        let effects = (0..watch.checks.len())
            .map(|index| {
                let delay = match &watch.checks[index].readiness {
                    Readiness::Probe { probe, .. } if fresh => probe.initial_delay,
                    Readiness::Probe { .. } | Readiness::Accepts { .. } => Duration::ZERO,
                };
                watch.ask(index, delay)
            })
            .collect();
        (watch, effects)
    }

    /// What is checked, by index.
    #[cfg(test)]
    pub(super) fn readiness(&self) -> impl Iterator<Item = &Readiness> {
        self.checks.iter().map(|check| &check.readiness)
    }

    /// What the pod runs as.
    pub fn spec(&self) -> &Arc<PodSpec> {
        &self.spec
    }

    /// Whether all checks have passed.
    pub fn ready(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// What the checks that have not passed saw last.
    pub fn complaint(&self) -> Option<String> {
        let complaints: Vec<&str> = self
            .checks
            .iter()
            .filter(|check| !check.passed)
            .filter_map(|check| check.last_failure.as_deref())
            .collect();
        (!complaints.is_empty()).then(|| complaints.join("; "))
    }

    /// Takes in a check's answer and returns the next check to make, if any.
    pub fn answer(&mut self, index: usize, result: Result<(), ProbeFailure>) -> Option<Effect> {
        let check = self.checks.get_mut(index)?;
        check.asked = check.asked.saturating_add(1);
        let (success_threshold, failure_threshold, period) = match &check.readiness {
            Readiness::Probe { probe, .. } => (
                probe.success_threshold,
                probe.failure_threshold,
                probe.period,
            ),
            Readiness::Accepts { .. } => (1, 1, EAGER.1),
        };
        let held = result.is_ok();
        check.last_failure = result.err().map(|failure| failure.0);
        if held == check.passed {
            check.streak = 0;
        } else {
            check.streak += 1;
            let threshold = if held {
                success_threshold
            } else {
                failure_threshold
            };
            if check.streak >= threshold {
                check.passed = held;
                check.streak = 0;
                check.asked = 0;
            }
        }
        let delay = match (&check.readiness, check.passed) {
            (Readiness::Accepts { .. }, true) => return None,
            (Readiness::Probe { .. }, true) => period,
            (_, false) => eager_delay(check.asked).min(period),
        };
        Some(self.ask(index, delay))
    }

    /// Leaves a check's answer out and returns the same check, to be made again at leisure.
    pub fn ask_again(&self, index: usize) -> Option<Effect> {
        let period = match &self.checks.get(index)?.readiness {
            Readiness::Probe { probe, .. } => probe.period,
            Readiness::Accepts { .. } => EAGER.1,
        };
        Some(self.ask(index, period))
    }

    fn ask(&self, index: usize, after: Duration) -> Effect {
        Effect::Probe {
            spec: Arc::clone(&self.spec),
            watch: self.id,
            check: index,
            readiness: self.checks[index].readiness.clone(),
            after,
        }
    }
}

fn eager_delay(asked: u32) -> Duration {
    EAGER.0.saturating_mul(1 << asked.min(10)).min(EAGER.1)
}

#[cfg(test)]
mod tests;
