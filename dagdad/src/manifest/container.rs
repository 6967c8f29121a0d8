//! One container of a Pod.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Container, ContainerPort};

use crate::domain::name::PodName;
use crate::domain::pod::{ContainerSpec, PortSpec, Protocol, PullPolicy};

use super::path::Path;
use super::report::Report;
use super::resources::{self, Declared};
use super::{pod, probe};

/// Reads the container at `path`: its spec, and what it declares to use.
pub fn read(
    container: &Container,
    path: &Path,
    report: &mut Report<'_>,
) -> (ContainerSpec, Declared) {
    name(&container.name, path, report);
    let image = container.image.clone().unwrap_or_default();
    if image.trim().is_empty() {
        report.add(
            &path.key("image"),
            "missing; write for example image: docker.io/library/nginx:1.29",
        );
    }
    let ports: Vec<PortSpec> = container
        .ports
        .iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, port)| read_port(port, &path.key("ports").index(index), report))
        .collect();
    let readiness = container
        .readiness_probe
        .as_ref()
        .and_then(|readiness| probe::read(readiness, &ports, &path.key("readinessProbe"), report));
    let declared = resources::read(container.resources.as_ref(), &path.key("resources"), report);
    let spec = ContainerSpec {
        name: container.name.clone(),
        image,
        pull_policy: pull_policy(
            container.image_pull_policy.as_deref(),
            &path.key("imagePullPolicy"),
            report,
        ),
        ports,
        readiness,
        memory_limit: declared.memory_limit,
        cpu_limit: declared.cpu_limit,
    };
    (spec, declared)
}

/// Podman joins pod and container name, so the characters are those of a pod's name.
fn name(name: &str, path: &Path, report: &mut Report<'_>) {
    let path = path.key("name");
    if name.is_empty() {
        report.add(&path, "missing; every container needs a name");
    } else if let Err(error) = name.parse::<PodName>() {
        report.add_reason(&path, &error);
    }
}

/// Without `imagePullPolicy` an image is pulled where the machine does not have it.
///
/// Kubernetes would pull `:latest` at each start. Podman's play kube asks the registry for a
/// newer `:latest` and uses the local image where none answers (policy `newer`, since 4.0;
/// also for an image without a tag). Dagda leaves that to Podman, whose `play` sees the same
/// manifest: so a box without a network starts what it has, and one with a network gets the
/// same image as from `podman play kube`.
///
/// `missing` and `newer` are Podman's own words, which it takes in manifests too; like Podman
/// this ignores case.
fn pull_policy(policy: Option<&str>, path: &Path, report: &mut Report<'_>) -> PullPolicy {
    match policy.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "ifnotpresent" | "missing" | "newer" => PullPolicy::IfNotPresent,
        "always" => PullPolicy::Always,
        "never" => PullPolicy::Never,
        other => {
            pod::report_choice(other, &["Always", "IfNotPresent", "Never"], path, report);
            PullPolicy::IfNotPresent
        }
    }
}

fn read_port(port: &ContainerPort, path: &Path, report: &mut Report<'_>) -> Option<PortSpec> {
    let protocol = protocol(port.protocol.as_deref(), &path.key("protocol"), report);
    let host_ip = host_ip(port.host_ip.as_deref(), &path.key("hostIP"), report);
    // Kubernetes reads a host port of 0 as none.
    let host_port = port
        .host_port
        .filter(|port| *port != 0)
        .map(|number| in_range(number, &path.key("hostPort"), report));
    let container_port = in_range(port.container_port, &path.key("containerPort"), report)?;
    Some(PortSpec {
        name: port.name.clone(),
        container_port,
        // An address that cannot be read publishes nothing: every address would be too much.
        host_port: host_ip.is_ok().then_some(host_port.flatten()).flatten(),
        host_ip: host_ip.ok().flatten(),
        protocol,
    })
}

fn in_range(port: i32, path: &Path, report: &mut Report<'_>) -> Option<u16> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0);
    if port.is_none() {
        let message = if report.has(path) {
            format!("{} is not a port; ports are 1 to 65535", report.quote(path))
        } else {
            "missing; write a port, 1 to 65535".to_owned()
        };
        report.add(path, message);
    }
    port
}

fn host_ip(text: Option<&str>, path: &Path, report: &mut Report<'_>) -> Result<Option<IpAddr>, ()> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let message = format!(
            "{} is not an IP address; write for example 127.0.0.1, or leave it out for every address",
            report.quote(path)
        );
        report.add(path, message);
    })
}

fn protocol(protocol: Option<&str>, path: &Path, report: &mut Report<'_>) -> Protocol {
    match protocol.unwrap_or_default().to_ascii_uppercase().as_str() {
        "" | "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        "SCTP" => Protocol::Sctp,
        other => {
            pod::report_choice(other, &["TCP", "UDP", "SCTP"], path, report);
            Protocol::Tcp
        }
    }
}
