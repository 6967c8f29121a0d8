//! The manifests that people apply: pods and workflows, each in several versions, some of which
//! contradict each other.

use std::time::Duration;

use super::World;
use crate::domain::catalogue::{CataloguePod, Digest, Manifest};
use crate::domain::name::PodName;
use crate::domain::pod::{
    Category, ContainerSpec, Footprint, PodSpec, PortSpec, Priority, Probe, ProbeAction, Protocol,
    PullPolicy, RestartPolicy,
};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::workflow::{CatalogueWorkflow, Member, OnFailure, WorkflowSpec};

pub(super) const PODS: [&str; 8] = [
    "adminer", "backup", "batch", "llama", "mariadb", "n8n", "qwen", "redis",
];
pub(super) const WORKFLOWS: [&str; 4] = ["ai", "nightly", "web", "whole"];
const VERSIONS: u64 = 4;
/// Those before it do not contradict each other.
const CONTRADICTING: u64 = 3;

impl World {
    /// A version of a pod's manifest, remembered for the daemons to come.
    pub(super) fn some_pod(&mut self, text: &str, tame: bool) -> CataloguePod {
        let version = self.some_version(tame);
        let entry = pod(text, version, self.climate.steady());
        self.manifests
            .insert(entry.manifest.digest.0.clone(), entry.clone());
        entry
    }

    /// A version of a workflow's manifest, remembered for the daemons to come.
    pub(super) fn some_workflow(&mut self, text: &str, tame: bool) -> CatalogueWorkflow {
        let version = self.some_version(tame);
        let entry = workflow(text, version);
        self.workflow_manifests
            .insert(entry.manifest.digest.0.clone(), entry.clone());
        entry
    }

    fn some_version(&mut self, tame: bool) -> u64 {
        self.random
            .below(if tame { CONTRADICTING } else { VERSIONS })
    }
}

pub(super) fn name(text: &str) -> PodName {
    text.parse().expect("a name")
}

fn written(text: &str, version: u64) -> Manifest {
    let digest = Digest(format!("{text} {version}"));
    Manifest {
        text: digest.0.clone(),
        digest,
    }
}

fn priority(value: u64) -> Priority {
    u8::try_from(value)
        .ok()
        .and_then(Priority::new)
        .expect("a priority")
}

/// A pod's manifest in one of its versions. Where all is steady, every version asks for the
/// same.
fn pod(text: &str, version: u64, steady: bool) -> CataloguePod {
    let (mib, cpu, base) = match text {
        "adminer" => (128, 100, 10),
        "backup" => (512, 500, 20),
        "batch" => (768, 1_000, 30),
        "llama" => (1_536, 2_000, 60),
        "mariadb" => (512, 500, 90),
        "n8n" => (384, 500, 50),
        "qwen" => (1_280, 1_500, 60),
        _ => (256, 250, 40),
    };
    let mib = match (text, version) {
        _ if steady => mib,
        // More than any machine of the simulation has.
        ("llama", 3) => 65_536,
        _ => mib + mib * version / 4,
    };
    let category = match (text, version) {
        ("mariadb", 0..3) | ("n8n", 1) | ("batch", 3) => Category::Essential,
        _ => Category::Optional,
    };
    let after: &[&str] = match (text, version) {
        ("llama", 1 | 3) | ("adminer", 2 | 3) | ("backup", _) => &["mariadb"],
        ("n8n", _) => &["mariadb", "redis"],
        // A circle where n8n is there already.
        ("redis", 3) => &["n8n"],
        ("qwen", 3) => &["nobody"],
        _ => &[],
    };
    let restart_policy = match (text, version) {
        ("backup", _) | (_, 2) => RestartPolicy::OnFailure,
        ("adminer" | "batch", _) | (_, 1) => RestartPolicy::Never,
        _ => RestartPolicy::Always,
    };
    CataloguePod {
        spec: PodSpec {
            name: name(text),
            category,
            priority: priority(base + version),
            after: after.iter().map(|text| name(text)).collect(),
            freeze: matches!(text, "backup" | "batch" | "redis") != (version == 2),
            idle_timeout: Duration::from_mins(1 + 4 * version),
            footprint: Footprint {
                memory: Bytes::mib(mib),
                cpu: Millicpu(cpu),
            },
            grace: Duration::from_secs(10),
            restart_policy,
            host_network: false,
            init_containers: Vec::new(),
            containers: containers(text, version),
        },
        manifest: written(text, version),
    }
}

fn containers(text: &str, version: u64) -> Vec<ContainerSpec> {
    let container = |name: &str, readiness: Option<Probe>, ports: Vec<PortSpec>| ContainerSpec {
        name: name.to_owned(),
        image: "model".to_owned(),
        pull_policy: PullPolicy::IfNotPresent,
        ports,
        readiness,
        memory_limit: None,
        cpu_limit: None,
    };
    let probe = Probe {
        action: ProbeAction::TcpSocket {
            port: 80,
            host: None,
        },
        initial_delay: Duration::from_secs(version),
        period: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        success_threshold: 1 + u32::try_from(version % 2).expect("small"),
        failure_threshold: 3,
    };
    let host_port = match text {
        "llama" => 8001,
        // One version takes llama's port.
        "qwen" => 8001 + u16::from(version != 1),
        "mariadb" => 8003,
        "n8n" => 8004,
        _ => 8005,
    };
    let port = PortSpec {
        name: None,
        container_port: 80,
        host_port: Some(host_port),
        host_ip: None,
        protocol: Protocol::Tcp,
    };
    let mut containers = vec![match text {
        "adminer" | "backup" | "batch" => container("server", None, Vec::new()),
        "llama" | "mariadb" | "redis" => container("server", None, vec![port]),
        _ => container("server", Some(probe), vec![port]),
    }];
    if version == 3 {
        containers.push(container("sidecar", None, Vec::new()));
    }
    containers
}

/// A workflow's manifest in one of its versions.
fn workflow(text: &str, version: u64) -> CatalogueWorkflow {
    let (base, members): (u64, &[(&str, &[&str])]) = match (text, version) {
        ("ai", 3) => (
            70,
            // A circle.
            &[
                ("llama", &["n8n"]),
                ("qwen", &["llama"]),
                ("n8n", &["qwen"]),
            ],
        ),
        ("ai", _) => (
            70,
            &[
                ("mariadb", &[]),
                ("llama", &["mariadb"]),
                ("qwen", &["mariadb"]),
                ("n8n", &["llama", "qwen"]),
            ],
        ),
        // Nobody knows the last.
        ("web", 3) => (40, &[("adminer", &[]), ("apache", &["adminer"])]),
        ("web", _) => (
            40,
            &[("redis", &[]), ("mariadb", &[]), ("adminer", &["mariadb"])],
        ),
        ("nightly", 3) => (20, &[("batch", &[])]),
        ("nightly", _) => (
            20,
            &[
                ("mariadb", &[]),
                ("batch", &["mariadb"]),
                ("backup", &["batch"]),
            ],
        ),
        _ => (
            5,
            &[
                ("adminer", &[]),
                ("backup", &[]),
                ("batch", &[]),
                ("llama", &[]),
                ("mariadb", &[]),
                ("n8n", &[]),
                ("redis", &[]),
            ],
        ),
    };
    let members = members.iter().map(|(pod, after)| Member {
        pod: name(pod),
        after: after.iter().map(|text| name(text)).collect(),
    });
    CatalogueWorkflow {
        spec: WorkflowSpec {
            name: text.parse().expect("a name"),
            description: None,
            members: members.collect(),
            priority: priority(base + 10 * version),
            timeout: Duration::from_secs(
                [90, 180, 20, 60][usize::try_from(version).expect("small")],
            ),
            on_failure: if version == 1 {
                OnFailure::Keep
            } else {
                OnFailure::Rollback
            },
        },
        manifest: written(&format!("workflow {text}"), version),
    }
}
