//! Pods to test with, and their rows.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::super::super::pod::Pod;
use super::start;
use crate::domain::catalogue::{CataloguePod, Digest, Manifest};
use crate::domain::pod::{
    Category, ContainerSpec, Footprint, PodSpec, PortSpec, Priority, Protocol, PullPolicy,
    RestartPolicy,
};
use crate::domain::sample::PodUsage;
use crate::domain::state::{PodStatus, Wanted};
use crate::domain::workflow::{CatalogueWorkflow, Member, OnFailure, WorkflowSpec};
use crate::ports::PodRecord;

/// A pod with one container and no checks.
pub(super) fn entry(name: &str, restart_policy: RestartPolicy) -> CataloguePod {
    CataloguePod {
        spec: PodSpec {
            name: name.parse().unwrap(),
            category: Category::Optional,
            priority: Priority::default(),
            after: Vec::new(),
            freeze: false,
            idle_timeout: crate::domain::pod::DEFAULT_IDLE_TIMEOUT,
            footprint: Footprint::DEFAULT,
            grace: Duration::from_secs(10),
            restart_policy,
            host_network: false,
            init_containers: Vec::new(),
            containers: vec![ContainerSpec {
                name: "server".to_owned(),
                image: "image".to_owned(),
                pull_policy: PullPolicy::IfNotPresent,
                ports: Vec::new(),
                readiness: None,
                memory_limit: None,
                cpu_limit: None,
            }],
        },
        manifest: Manifest {
            text: name.to_owned(),
            digest: Digest(format!("{name} 0")),
        },
    }
}

pub(super) fn always(name: &str) -> CataloguePod {
    entry(name, RestartPolicy::Always)
}

/// The same pod with a published TCP port, which has to accept before it is ready.
pub(super) fn publishing(name: &str, host_port: u16) -> CataloguePod {
    let mut entry = always(name);
    entry.spec.containers[0].ports.push(PortSpec {
        name: None,
        container_port: 80,
        host_port: Some(host_port),
        host_ip: None,
        protocol: Protocol::Tcp,
    });
    entry
}

/// A workflow of pods, each with those that it comes after.
pub(super) fn workflow(name: &str, members: &[(&str, &[&str])]) -> CatalogueWorkflow {
    let members = members.iter().map(|(pod, after)| Member {
        pod: pod.parse().unwrap(),
        after: after.iter().map(|pod| pod.parse().unwrap()).collect(),
    });
    CatalogueWorkflow {
        spec: WorkflowSpec {
            name: name.parse().unwrap(),
            description: None,
            members: members.collect(),
            priority: Priority::default(),
            timeout: Duration::from_mins(5),
            on_failure: OnFailure::Rollback,
        },
        manifest: Manifest {
            text: name.to_owned(),
            digest: Digest(format!("{name} 0")),
        },
    }
}

pub(super) fn changed(entry: &CataloguePod) -> CataloguePod {
    let mut entry = entry.clone();
    entry.manifest.digest = Digest(format!("{} 1", entry.spec.name));
    entry
}

pub(super) fn row(entry: &CataloguePod, wanted: Wanted, status: PodStatus) -> PodRecord {
    let pod = Pod::new(
        Uuid::from_u128(u128::from(entry.spec.name.as_str().as_bytes()[0])),
        Arc::new(entry.clone()),
        start(),
    );
    PodRecord {
        wanted,
        status,
        ..pod.record(PodUsage::default(), start())
    }
}
