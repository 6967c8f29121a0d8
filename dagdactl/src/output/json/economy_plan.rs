//! `dagdactl economy plan --json`.

use dagda_proto::v1;
use serde::Serialize;

use super::economy::{GaugeView, RulesView, RungView};
use super::rounded;

/// What economy mode would do now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EconomyPlanView {
    /// In one sentence.
    pub verdict: String,
    /// Under which rules: those of dagdad with what was asked for otherwise.
    pub rules: RulesView,
    /// How it stands with what can be short.
    pub gauges: Vec<GaugeView>,
    /// What would be done, in order, each only if what came before was not enough.
    pub steps: Vec<StepView>,
    /// Whether that would be enough.
    pub enough: bool,
    /// Memory in use after that.
    pub ram_percent_after: f64,
    /// CPU in use after that.
    pub cpu_percent_after: f64,
    /// Pods that would be given back what was taken from them, in order.
    pub restores: Vec<String>,
}

/// One thing that economy mode would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    /// To which pod.
    pub pod: String,
    /// `reclaim`, `throttle`, `freeze` or `stop`.
    pub rung: RungView,
    /// The pod's priority, that of the runs that need it included.
    pub priority: u32,
    /// Memory that it is expected to free.
    pub frees_memory_bytes: u64,
    /// CPU that it is expected to free, in thousandths of a core.
    pub frees_cpu_millicores: u64,
    /// Why this one.
    pub reason: String,
}

impl From<v1::EconomyPlan> for EconomyPlanView {
    fn from(wire: v1::EconomyPlan) -> Self {
        let v1::EconomyPlan {
            rules,
            gauges,
            verdict,
            steps,
            enough,
            ram_percent_after,
            cpu_percent_after,
            restores,
        } = wire;
        Self {
            verdict,
            rules: rules.unwrap_or_default().into(),
            gauges: gauges.into_iter().map(GaugeView::from).collect(),
            steps: steps.into_iter().map(StepView::from).collect(),
            enough,
            ram_percent_after: rounded(ram_percent_after),
            cpu_percent_after: rounded(cpu_percent_after),
            restores,
        }
    }
}

impl From<v1::PlannedStep> for StepView {
    fn from(wire: v1::PlannedStep) -> Self {
        let v1::PlannedStep {
            pod,
            rung,
            priority,
            frees_memory_bytes,
            frees_cpu_millicores,
            reason,
        } = wire;
        Self {
            pod,
            rung: RungView::from_wire(rung),
            priority,
            frees_memory_bytes,
            frees_cpu_millicores,
            reason,
        }
    }
}
