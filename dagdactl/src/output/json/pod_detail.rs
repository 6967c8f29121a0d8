//! `dagdactl pods show NAME --json`.

use std::time::Duration;

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::admission::ExpectationView;
use super::pods::PodView;
use super::time;

/// All that is known of a pod: the keys of [`PodView`] and these.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodDetailView {
    /// As in `pods list`.
    #[serde(flatten)]
    pub pod: PodView,
    /// Pods that start before it.
    pub after: Vec<String>,
    /// Memory that its manifest says it uses.
    pub declared_memory_bytes: u64,
    /// CPU that its manifest says it uses, in thousandths of a core.
    pub declared_cpu_millicores: u64,
    /// How long it may take to end before it is killed.
    pub grace_period_seconds: f64,
    /// `always`, `on_failure` or `never`.
    pub restart_policy: String,
    /// Its containers, init containers first.
    pub containers: Vec<ContainerView>,
    /// The operation under way: `start`, `stop`, `restart` or `remove`.
    pub operation: Option<String>,
    /// What it is expected to use, by its manifest and by what was seen; `null` for an
    /// unmanaged pod.
    pub expected: Option<ExpectationView>,
    /// Memory that is held for it; `null` while it neither runs nor starts.
    pub reserved_memory_bytes: Option<u64>,
    /// CPU that is held for it, in thousandths of a core.
    pub reserved_cpu_millicores: Option<u64>,
    /// Active runs that need it.
    pub runs: Vec<String>,
    /// Whether economy mode may freeze it before it stops it.
    pub freeze: bool,
    /// Once it has done nothing for so long it is idle: among equals economy mode takes it first.
    pub idle_timeout_seconds: f64,
    /// Since when it has done nothing; `null` where it is not idle.
    pub idle_since: Option<Timestamp>,
    /// The manifest as its owner wrote it, YAML.
    pub manifest: String,
    /// Changes whenever the manifest's meaning may have.
    pub manifest_digest: String,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContainerView {
    /// Its name inside the pod.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether it runs before the others, and ends.
    pub init: bool,
    /// `absent`, `created`, `running`, `paused`, `stopping` or `exited`.
    pub state: String,
    /// With what it ended.
    pub exit_code: Option<i32>,
    /// How often it was restarted.
    pub restarts: u32,
}

impl From<v1::PodDetail> for PodDetailView {
    fn from(wire: v1::PodDetail) -> Self {
        let v1::PodDetail {
            pod,
            after,
            declared_memory_bytes,
            declared_cpu_millicores,
            grace_period,
            restart_policy,
            containers,
            manifest,
            manifest_digest,
            operation,
            expected,
            reserved_memory_bytes,
            reserved_cpu_millicores,
            runs,
            freeze,
            idle_timeout,
            idle_since,
        } = wire;
        let seconds = |span: Option<prost_types::Duration>| {
            let span = span.and_then(|span| Duration::try_from(span).ok());
            span.unwrap_or_default().as_secs_f64()
        };
        Self {
            pod: pod.unwrap_or_default().into(),
            after,
            declared_memory_bytes,
            declared_cpu_millicores,
            grace_period_seconds: seconds(grace_period),
            restart_policy,
            containers: containers.into_iter().map(ContainerView::from).collect(),
            operation,
            expected: expected.map(ExpectationView::from),
            reserved_memory_bytes,
            reserved_cpu_millicores,
            runs,
            freeze,
            idle_timeout_seconds: seconds(idle_timeout),
            idle_since: idle_since.and_then(time),
            manifest,
            manifest_digest,
        }
    }
}

impl From<v1::Container> for ContainerView {
    fn from(wire: v1::Container) -> Self {
        let v1::Container {
            name,
            image,
            init,
            state,
            exit_code,
            restarts,
        } = wire;
        Self {
            name,
            image,
            init,
            state,
            exit_code,
            restarts,
        }
    }
}
