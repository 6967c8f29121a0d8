//! `dagdactl resources --json` and `dagdactl resources --since DUR --json`.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::status::HostView;
use super::{rounded, time};

/// The host now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourcesView {
    /// `null` until dagdad has measured it for the first time.
    pub host: Option<HostView>,
    /// Memory use up to which pods are admitted, in percent.
    pub ram_threshold_percent: f64,
    /// CPU use up to which pods are admitted, in percent.
    pub cpu_threshold_percent: f64,
}

/// The host's past: `{"points":[…]}`, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryView {
    /// At most 120 points.
    pub points: Vec<HistoryPointView>,
}

/// The mean over the stretch that begins at `at` and ends where the next point begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryPointView {
    /// Its beginning.
    pub at: Option<Timestamp>,
    /// Use of all cores together, 0 to 100.
    pub cpu_percent: f64,
    /// Used memory in percent of the total.
    pub ram_percent: f64,
    /// Used memory.
    pub ram_used_bytes: u64,
    /// Use of the fullest disk.
    pub disk_percent: f64,
    /// The highest memory pressure (`some avg10`) in the stretch, in percent.
    pub memory_pressure: f64,
}

impl From<v1::GetResourcesResponse> for ResourcesView {
    fn from(wire: v1::GetResourcesResponse) -> Self {
        let v1::GetResourcesResponse {
            host,
            ram_threshold_percent,
            cpu_threshold_percent,
        } = wire;
        Self {
            host: host.map(HostView::from),
            ram_threshold_percent: rounded(ram_threshold_percent),
            cpu_threshold_percent: rounded(cpu_threshold_percent),
        }
    }
}

impl From<v1::GetHistoryResponse> for HistoryView {
    fn from(wire: v1::GetHistoryResponse) -> Self {
        let v1::GetHistoryResponse { points } = wire;
        Self {
            points: points.into_iter().map(HistoryPointView::from).collect(),
        }
    }
}

impl From<v1::HistoryPoint> for HistoryPointView {
    fn from(wire: v1::HistoryPoint) -> Self {
        let v1::HistoryPoint {
            at,
            cpu_percent,
            ram_percent,
            ram_used_bytes,
            disk_percent,
            memory_pressure,
        } = wire;
        Self {
            at: at.and_then(time),
            cpu_percent: rounded(cpu_percent),
            ram_percent: rounded(ram_percent),
            ram_used_bytes,
            disk_percent: rounded(disk_percent),
            memory_pressure: rounded(memory_pressure),
        }
    }
}
