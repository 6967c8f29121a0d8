//! Pods, and what is in them.

use dagda_proto::v1;

use super::admission::expectation;
use super::time::{duration, timestamp};
use crate::domain::catalogue::{CataloguePod, Manifest};
use crate::domain::observed::{ContainerState, LogLine, LogStream, ObservedContainer};
use crate::domain::pod::{Category, Footprint, PodSpec, PublishedPort, RestartPolicy};
use crate::domain::sample::PodUsage;
use crate::domain::state::PodStatus;
use crate::engine::snapshot::{ManagedView, PodView};

pub fn pod(view: &PodView) -> v1::Pod {
    let PodView {
        name,
        managed,
        status,
        ready,
        since,
        usage,
        ports,
        changed,
        message,
        observed: _, // shown by `pod_detail`
    } = view;
    let (category, priority) = match managed {
        Some(ManagedView {
            entry,
            operation: _, // this and all below are shown by `pod_detail`
            progress: _,
            expected: _,
            reserved: _,
            runs: _,
            idle_since: _,
        }) => (
            category(entry.spec.category),
            u32::from(entry.spec.priority.get()),
        ),
        None => (v1::Category::Unspecified, 0),
    };
    v1::Pod {
        name: name.clone(),
        managed: managed.is_some(),
        category: category.into(),
        priority,
        state: pod_state(*status).into(),
        ready: *ready,
        since: since.map(timestamp),
        usage: usage.map(|usage| {
            let PodUsage {
                cpu_percent,
                memory,
                anon,
                file,
                mapped,
                network_per_second,
            } = usage;
            v1::Usage {
                cpu_percent,
                ram_bytes: memory.0,
                ram_anon_bytes: anon.0,
                ram_file_bytes: file.0,
                ram_mapped_bytes: mapped.0,
                network_bytes_per_second: network_per_second,
            }
        }),
        ports: ports.iter().map(port).collect(),
        changed: *changed,
        message: message.clone(),
    }
}

pub fn pod_detail(view: &PodView, managed: &ManagedView) -> v1::PodDetail {
    let ManagedView {
        entry,
        operation,
        progress: _, // told by the operation's own stream, and by `run`
        expected,
        reserved,
        runs,
        idle_since,
    } = managed;
    let CataloguePod {
        spec,
        manifest: Manifest { text, digest },
    } = &**entry;
    let PodSpec {
        name: _,
        category: _,
        priority: _,
        after,
        freeze,
        idle_timeout,
        footprint,
        grace,
        restart_policy,
        host_network: _,
        init_containers,
        containers,
    } = spec;
    let observed: &[ObservedContainer] = view
        .observed
        .as_ref()
        .map_or(&[], |observed| &observed.containers);
    let declared = init_containers
        .iter()
        .map(|container| (true, container))
        .chain(containers.iter().map(|container| (false, container)));
    let mut shown: Vec<v1::Container> = Vec::new();
    for (init, container) in declared {
        let seen = observed.iter().find(|seen| seen.name == container.name);
        shown.push(match seen {
            Some(seen) => self::container(seen, init),
            None => v1::Container {
                name: container.name.clone(),
                image: container.image.clone(),
                init,
                state: "absent".to_owned(),
                exit_code: None,
                restarts: 0,
            },
        });
    }
    v1::PodDetail {
        pod: Some(pod(view)),
        after: after.iter().map(ToString::to_string).collect(),
        declared_memory_bytes: footprint.memory.0,
        declared_cpu_millicores: footprint.cpu.0,
        grace_period: duration(*grace),
        restart_policy: match restart_policy {
            RestartPolicy::Always => "always",
            RestartPolicy::OnFailure => "on_failure",
            RestartPolicy::Never => "never",
        }
        .to_owned(),
        containers: shown,
        manifest: text.clone(),
        manifest_digest: digest.to_string(),
        operation: operation.map(|kind| kind.to_string()),
        expected: Some(expectation(expected)),
        reserved_memory_bytes: reserved.map(|Footprint { memory, cpu: _ }| memory.0),
        reserved_cpu_millicores: reserved.map(|Footprint { memory: _, cpu }| cpu.0),
        runs: runs.iter().map(ToString::to_string).collect(),
        freeze: *freeze,
        idle_timeout: duration(*idle_timeout),
        idle_since: idle_since.map(timestamp),
    }
}

fn container(seen: &ObservedContainer, init: bool) -> v1::Container {
    let ObservedContainer {
        id: _,
        name,
        image,
        init: _,
        state,
        restarts,
    } = seen;
    let (state, exit_code) = match state {
        ContainerState::Created => ("created", None),
        ContainerState::Running { since: _ } => ("running", None),
        ContainerState::Paused => ("paused", None),
        ContainerState::Stopping => ("stopping", None),
        ContainerState::Exited {
            code,
            at: _,
            oom_killed: _,
        } => ("exited", Some(*code)),
    };
    v1::Container {
        name: name.clone(),
        image: image.clone(),
        init,
        state: state.to_owned(),
        exit_code,
        restarts: *restarts,
    }
}

fn category(category: Category) -> v1::Category {
    match category {
        Category::Essential => v1::Category::Essential,
        Category::Optional => v1::Category::Optional,
    }
}

fn pod_state(status: PodStatus) -> v1::PodState {
    match status {
        PodStatus::Stopped => v1::PodState::Stopped,
        PodStatus::Starting => v1::PodState::Starting,
        PodStatus::Running => v1::PodState::Running,
        PodStatus::Stopping => v1::PodState::Stopping,
        PodStatus::Error => v1::PodState::Error,
    }
}

fn port(published: &PublishedPort) -> v1::Port {
    let PublishedPort {
        host_ip,
        host_port,
        container_port,
        protocol,
    } = published;
    v1::Port {
        host_ip: host_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        host_port: u32::from(*host_port),
        container_port: u32::from(*container_port),
        protocol: protocol.to_string(),
    }
}

pub fn log_line(line: LogLine) -> v1::LogLine {
    let LogLine {
        container,
        at,
        stream,
        text,
    } = line;
    v1::LogLine {
        container,
        at: at.map(timestamp),
        stream: match stream {
            LogStream::Stdout => "stdout",
            LogStream::Stderr => "stderr",
        }
        .to_owned(),
        text,
    }
}
