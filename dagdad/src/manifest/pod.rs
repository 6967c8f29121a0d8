//! A `v1/Pod` to the domain's `PodSpec`.

use std::collections::HashMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec as KubePodSpec};

use crate::domain::name::PodName;
use crate::domain::pod::{
    ContainerSpec, DEFAULT_GRACE, PodSpec, Protocol, PublishedPort, RestartPolicy,
};

use super::path::Path;
use super::problem::suggestion;
use super::report::Report;
use super::resources::{self, Declared};
use super::{annotation, container};

/// Reads `pod`, its variables filled in. What cannot be read is reported and replaced by
/// what does least: a port is not published, a probe is not asked, a footprint is the default.
pub fn read(name: PodName, pod: &Pod, report: &mut Report<'_>) -> PodSpec {
    let annotations = pod.metadata.annotations.clone().unwrap_or_default();
    let annotations = annotation::read(&annotations, &name, report);
    let no_spec = KubePodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    let path = Path::fields(["spec"]);
    let (init_containers, init_declared) = containers(
        spec.init_containers.as_deref().unwrap_or_default(),
        &path.key("initContainers"),
        report,
    );
    let (containers, declared) = containers(&spec.containers, &path.key("containers"), report);
    if containers.is_empty() {
        report.add(
            &path.key("containers"),
            "missing; a pod needs at least one container",
        );
    }
    let read = PodSpec {
        name,
        category: annotations.category,
        priority: annotations.priority,
        after: annotations.after,
        freeze: annotations.freeze,
        idle_timeout: annotations.idle_timeout,
        footprint: resources::footprint(&init_declared, &declared),
        grace: grace(spec.termination_grace_period_seconds, &path, report),
        restart_policy: restart_policy(
            spec.restart_policy.as_deref(),
            &path.key("restartPolicy"),
            report,
        ),
        host_network: spec.host_network.unwrap_or_default(),
        init_containers,
        containers,
    };
    unique_names(&read, report);
    unique_host_ports(&read, report);
    read
}

/// Reports a value that is none of `known`.
pub fn report_choice(value: &str, known: &[&str], path: &Path, report: &mut Report<'_>) {
    let hint = if report.is_filled_in(path) {
        String::new()
    } else {
        suggestion(value, known)
    };
    report.add(
        path,
        format!(
            "{} is not one of {}{hint}",
            report.quote(path),
            known.join(", ")
        ),
    );
}

fn containers(
    containers: &[Container],
    path: &Path,
    report: &mut Report<'_>,
) -> (Vec<ContainerSpec>, Vec<Declared>) {
    containers
        .iter()
        .enumerate()
        .map(|(index, container)| container::read(container, &path.index(index), report))
        .unzip()
}

fn grace(seconds: Option<i64>, spec: &Path, report: &mut Report<'_>) -> Duration {
    let Some(seconds) = seconds else {
        return DEFAULT_GRACE;
    };
    u64::try_from(seconds).map_or_else(
        |_| {
            let path = spec.key("terminationGracePeriodSeconds");
            report.add(
                &path,
                format!("{} is negative; write 0 or more", report.quote(&path)),
            );
            DEFAULT_GRACE
        },
        Duration::from_secs,
    )
}

/// Exactly Kubernetes' words: Podman would take any other for `Always`.
fn restart_policy(policy: Option<&str>, path: &Path, report: &mut Report<'_>) -> RestartPolicy {
    match policy.unwrap_or_default() {
        "" | "Always" => RestartPolicy::Always,
        "OnFailure" => RestartPolicy::OnFailure,
        "Never" => RestartPolicy::Never,
        other => {
            report_choice(other, &["Always", "OnFailure", "Never"], path, report);
            RestartPolicy::Always
        }
    }
}

/// All containers of a pod with the path of their lists, init containers first.
fn with_paths(spec: &PodSpec) -> impl Iterator<Item = (Path, &ContainerSpec)> {
    let list = |field: &str, containers: &'_ [ContainerSpec]| {
        let path = Path::fields(["spec"]).key(field);
        (0..containers.len())
            .map(move |index| path.index(index))
            .collect::<Vec<_>>()
    };
    let init = list("initContainers", &spec.init_containers)
        .into_iter()
        .zip(&spec.init_containers);
    init.chain(
        list("containers", &spec.containers)
            .into_iter()
            .zip(&spec.containers),
    )
}

fn unique_names(spec: &PodSpec, report: &mut Report<'_>) {
    let mut seen: HashMap<&str, Path> = HashMap::new();
    for (path, container) in with_paths(spec) {
        let path = path.key("name");
        if container.name.is_empty() {
            continue;
        }
        if let Some(first) = seen.get(container.name.as_str()) {
            let message = format!(
                "{} is the name of {} already",
                report.quote(&path),
                first.parent()
            );
            report.add(&path, message);
        } else {
            seen.insert(&container.name, path);
        }
    }
}

fn unique_host_ports(spec: &PodSpec, report: &mut Report<'_>) {
    let mut seen: HashMap<(u16, Protocol), Vec<(PublishedPort, &str)>> = HashMap::new();
    for (index, container) in spec.containers.iter().enumerate() {
        let path = Path::fields(["spec", "containers"]).index(index);
        for (port, published) in container
            .ports
            .iter()
            .enumerate()
            .filter_map(|(port, entry)| {
                let host_port = entry
                    .host_port
                    .or(spec.host_network.then_some(entry.container_port))?;
                Some((
                    port,
                    PublishedPort {
                        host_ip: entry.host_ip,
                        host_port,
                        container_port: entry.container_port,
                        protocol: entry.protocol,
                    },
                ))
            })
        {
            let taken = seen
                .entry((published.host_port, published.protocol))
                .or_default();
            match taken.iter().find(|(other, _)| other.collides_with(&published)) {
                Some((_, holder)) => report.add(
                    &path.key("ports").index(port),
                    format!(
                        "host port {}/{} of container {} is taken by container {holder} of the same pod",
                        published.host_port, published.protocol, container.name
                    ),
                ),
                None => taken.push((published, &container.name)),
            }
        }
    }
}
