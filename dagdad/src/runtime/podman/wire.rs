//! libpod's JSON, as far as Dagda reads it. Fields that one version lacks are optional, `null`
//! is an empty list, and unknown fields are ignored.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::text::one_line;

/// A document of its default where the answer says `null`.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a document.
///
/// # Errors
/// Why it is none, on one short line: what stands in it is as long as its writer likes, and
/// quoted by what reads it.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| one_line(&error.to_string()))
}

/// The body of every error.
#[derive(Debug, Deserialize)]
pub struct Failure {
    pub message: String,
}

/// An entry of `GET /pods/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pod {
    pub id: String,
    pub name: String,
    pub created: Timestamp,
}

/// `GET /pods/{name}/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PodDetail {
    #[serde(default)]
    pub create_cgroup: bool,
    /// Of the pod itself, `CgroupParent` being the one above.
    #[serde(default)]
    pub cgroup_path: String,
}

/// An entry of `GET /containers/json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    pub id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub names: Vec<String>,
    #[serde(default)]
    pub image: String,
    /// `created`, `initialized`, `running`, `paused`, `stopping`, `stopped` (ended, not yet
    /// cleaned up), `exited`, `removing`, `unknown`.
    pub state: String,
    /// Seconds since 1970; some time in year 1 where it never started.
    #[serde(default)]
    pub started_at: i64,
    /// Seconds since 1970; some time in year 1 where it never ended.
    #[serde(default)]
    pub exited_at: i64,
    #[serde(default)]
    pub exit_code: i32,
    /// Of its first process; 0 where none runs.
    #[serde(default)]
    pub pid: u32,
    #[serde(default)]
    pub is_infra: bool,
    /// Id of its pod; empty where it is in none.
    #[serde(default)]
    pub pod: String,
    /// Every container of a pod repeats the pod's ports.
    #[serde(default, deserialize_with = "nullable")]
    pub ports: Vec<PortMapping>,
    /// Podman 5 only.
    #[serde(default, deserialize_with = "nullable")]
    pub restarts: u32,
}

/// A published port, or a row of them.
#[derive(Debug, Clone, Deserialize)]
pub struct PortMapping {
    /// Empty for every address.
    #[serde(default)]
    pub host_ip: String,
    pub container_port: u16,
    pub host_port: u16,
    /// How many ports from these on; 0 means 1.
    #[serde(default)]
    pub range: u16,
    /// `tcp`, `udp`, `sctp`, or several with commas between.
    #[serde(default)]
    pub protocol: String,
}

/// `GET /containers/{id}/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerDetail {
    pub state: ContainerDetailState,
    #[serde(default, deserialize_with = "nullable")]
    pub network_settings: NetworkSettings,
}

/// The part `State` of [`ContainerDetail`].
#[derive(Debug, Deserialize)]
pub struct ContainerDetailState {
    #[serde(default, rename = "OOMKilled")]
    pub oom_killed: bool,
}

/// The part `NetworkSettings` of [`ContainerDetail`].
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkSettings {
    #[serde(default, rename = "IPAddress")]
    pub ip_address: String,
    #[serde(default, deserialize_with = "nullable")]
    pub networks: HashMap<String, Network>,
}

/// One network of [`NetworkSettings`].
#[derive(Debug, Deserialize)]
pub struct Network {
    #[serde(default, rename = "IPAddress")]
    pub ip_address: String,
}

/// `POST /play/kube`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlayReport {
    #[serde(default, deserialize_with = "nullable")]
    pub pods: Vec<PlayedPod>,
}

/// One pod of [`PlayReport`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlayedPod {
    /// Why containers did not start; the answer's status is 200 nevertheless.
    #[serde(default, deserialize_with = "nullable")]
    pub container_errors: Vec<String>,
}

/// `POST /pods/{name}/stop`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StopReport {
    #[serde(default, deserialize_with = "nullable")]
    pub errs: Vec<serde_json::Value>,
}

/// `POST /pods/{name}/pause` and `/unpause`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PauseReport {
    #[serde(default, deserialize_with = "nullable")]
    pub errs: Vec<serde_json::Value>,
}

/// Asks for `POST /containers/{name}/update`, in the words of the OCI runtime specification.
/// Source: <https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md>
#[derive(Debug, Serialize)]
pub struct Resources {
    pub cpu: CpuResources,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryResources>,
}

/// The part `cpu` of [`Resources`].
#[derive(Debug, Serialize)]
pub struct CpuResources {
    /// CPU time in a period, in µs; -1 for no limit.
    pub quota: i64,
    /// In µs.
    pub period: u64,
}

/// The part `memory` of [`Resources`].
#[derive(Debug, Serialize)]
pub struct MemoryResources {
    /// In bytes.
    pub limit: u64,
}

/// `GET /info`.
#[derive(Debug, Deserialize)]
pub struct Info {
    pub store: StoreInfo,
}

/// The part `store` of [`Info`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreInfo {
    pub graph_root: PathBuf,
    /// Size of the disk with the graph root, in bytes.
    #[serde(default)]
    pub graph_root_allocated: u64,
    /// What is used of it.
    #[serde(default)]
    pub graph_root_used: u64,
    #[serde(default)]
    pub image_copy_tmp_dir: PathBuf,
}

/// `GET /images/{name}/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageDetail {
    /// In bytes, unpacked.
    #[serde(default)]
    pub size: u64,
    /// `NAME@DIGEST`, of its manifest and of the list that led to it.
    #[serde(default, deserialize_with = "nullable")]
    pub repo_digests: Vec<String>,
}

/// `GET /manifests/{name}/json`: what the registry has, in the form of a list. Of an image's
/// own manifest nothing is left in that form.
#[derive(Debug, Deserialize)]
pub struct ManifestList {
    #[serde(default, deserialize_with = "nullable")]
    pub manifests: Vec<ManifestEntry>,
}

/// An image of a [`ManifestList`]: one for each platform.
#[derive(Debug, Deserialize)]
pub struct ManifestEntry {
    #[serde(default)]
    pub digest: String,
}

/// A line of `POST /images/pull`.
#[derive(Debug, Deserialize)]
pub struct PullLine {
    /// Progress, for people.
    #[serde(default)]
    pub stream: String,
    /// Why there will be no image; the answer's status is 200 nevertheless.
    #[serde(default)]
    pub error: String,
    /// Given once, at a good end.
    #[serde(default)]
    pub id: String,
}

/// A line of `GET /events`.
#[derive(Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(rename = "Action")]
    pub action: String,
    #[serde(rename = "Actor")]
    pub actor: Actor,
    #[serde(default, rename = "timeNano")]
    pub time_nano: i64,
}

/// What an [`Event`] is about.
#[derive(Debug, Deserialize)]
pub struct Actor {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(default, rename = "Attributes", deserialize_with = "nullable")]
    pub attributes: HashMap<String, String>,
}

/// Asks for `POST /containers/{name}/exec`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecRequest<'a> {
    pub cmd: &'a [String],
    pub attach_stdout: bool,
    pub attach_stderr: bool,
}

/// Asks for `POST /exec/{id}/start`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecStart {
    pub detach: bool,
    pub tty: bool,
}

/// `POST /containers/{name}/exec`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecCreated {
    pub id: String,
}

/// `GET /exec/{id}/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecDetail {
    pub running: bool,
    pub exit_code: i32,
}

/// `GET /containers/stats?stream=false`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatsReport {
    #[serde(default, deserialize_with = "nullable")]
    pub stats: Vec<ContainerStats>,
}

/// One container of [`StatsReport`].
#[derive(Debug, Deserialize)]
pub struct ContainerStats {
    #[serde(rename = "ContainerID")]
    pub container_id: String,
    /// CPU time used since the container's start, in ns.
    #[serde(default, rename = "CPUNano")]
    pub cpu_nano: u64,
    /// When it was measured, in ns since 1970.
    #[serde(default, rename = "SystemNano")]
    pub system_nano: u64,
    /// In bytes.
    #[serde(default, rename = "MemUsage")]
    pub mem_usage: u64,
}
