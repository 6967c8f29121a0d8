//! `dagdactl workflow plan NAME --json`.

use std::time::Duration;

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::admission::{DenialView, ExpectationView, FiguresView, SparedView, VictimView};
use super::rounded;

/// What a run would do, and whether it would be admitted now. What does not fit has the keys
/// of a refusal, see [`DenialView`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanView {
    /// The workflow.
    pub name: String,
    /// Whether a run would be admitted now.
    pub fits: bool,
    /// By which numbers.
    #[serde(flatten)]
    pub figures: FiguresView,
    /// What is missing: `memory`, `cpu` or `memory,cpu`; `null` where it fits.
    pub short_of: Option<String>,
    /// It needs more than the ceiling: it can never fit here.
    pub never_fits: bool,
    /// The pods to stop so that it fits, in the order in which to stop them.
    pub victims: Vec<VictimView>,
    /// What all pods that may be stopped would free together; `null` where it fits.
    pub evictable_bytes: Option<u64>,
    /// The command that runs it; `null` where there is none.
    pub suggested_command: Option<String>,
    /// When it fits without anybody doing anything, where that can be justified.
    pub earliest_at: Option<Timestamp>,
    /// By what.
    pub earliest_reason: Option<String>,
    /// Optional pods that are left alone, since a run of a higher priority needs them.
    pub spared: Vec<SparedView>,
    /// What does not stand in the way, but should be known.
    pub warnings: Vec<String>,
    /// How long its pods may take to become ready.
    pub timeout_seconds: f64,
    /// What becomes of its pods when one fails: `rollback` or `keep`.
    pub on_failure: String,
    /// How long it took until all were ready at worst, going by what was seen; `null` where
    /// that is not known of every pod.
    pub expected_seconds: Option<f64>,
    /// Its pods, level by level.
    pub pods: Vec<PlannedPodView>,
}

/// A pod of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedPodView {
    /// Its name.
    pub pod: String,
    /// 0 starts first; pods of one level start together.
    pub level: u32,
    /// The pods of the workflow that it comes after.
    pub after: Vec<String>,
    /// It runs already: nothing is needed for it.
    pub running: bool,
    /// What it is expected to use.
    pub expected: ExpectationView,
}

impl From<v1::WorkflowPlan> for PlanView {
    fn from(wire: v1::WorkflowPlan) -> Self {
        let v1::WorkflowPlan {
            name,
            pods,
            figures,
            fits,
            denial,
            warnings,
            timeout,
            on_failure,
            expected_seconds,
        } = wire;
        let timeout = timeout.and_then(|timeout| Duration::try_from(timeout).ok());
        let suggested_command = fits.then(|| format!("dagdactl workflow run {name}"));
        let fitting = Self {
            name,
            fits,
            figures: figures.unwrap_or_default().into(),
            short_of: None,
            never_fits: false,
            victims: Vec::new(),
            evictable_bytes: None,
            suggested_command,
            earliest_at: None,
            earliest_reason: None,
            spared: Vec::new(),
            warnings,
            timeout_seconds: timeout.unwrap_or_default().as_secs_f64(),
            on_failure,
            expected_seconds: expected_seconds.map(rounded),
            pods: pods.into_iter().map(PlannedPodView::from).collect(),
        };
        let Some(denial) = denial else { return fitting };
        let DenialView {
            kind: _,
            name: _,
            // Those of the plan itself: the same numbers.
            figures: _,
            short_of,
            never_fits,
            victims,
            evictable_bytes,
            suggested_command,
            earliest_at,
            earliest_reason,
            spared,
        } = denial.into();
        Self {
            short_of: Some(short_of),
            never_fits,
            victims,
            evictable_bytes: Some(evictable_bytes),
            suggested_command,
            earliest_at,
            earliest_reason,
            spared,
            ..fitting
        }
    }
}

impl From<v1::PlannedPod> for PlannedPodView {
    fn from(wire: v1::PlannedPod) -> Self {
        let v1::PlannedPod {
            pod,
            level,
            after,
            expected,
            running,
        } = wire;
        Self {
            pod,
            level,
            after,
            running,
            expected: expected.unwrap_or_default().into(),
        }
    }
}
