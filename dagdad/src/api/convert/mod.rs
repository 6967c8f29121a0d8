//! The only place where domain types become wire types. Every struct is taken apart
//! field by field, so that a new field breaks the build here rather than being forgotten.

use std::time::Duration;

use dagda_proto::v1;
use jiff::Timestamp;
use prost_types::{Duration as ProtoDuration, Timestamp as ProtoTimestamp};

use crate::domain::admission::Admission;
use crate::domain::catalogue::{Applied, CataloguePod, Change, Manifest};
use crate::domain::check::{Check, Verdict};
use crate::domain::error::CommandError;
use crate::domain::event::EventRecord;
use crate::domain::observed::{ContainerState, LogLine, LogStream, ObservedContainer};
use crate::domain::operation::{Done, OperationView, Progress, Stage};
use crate::domain::pod::{Category, PodSpec, PublishedPort, RestartPolicy};
use crate::domain::sample::{
    DiskSample, HistoryPoint, HostSample, MemorySample, PodUsage, PressureSample,
};
use crate::domain::state::PodStatus;
use crate::engine::snapshot::{ManagedView, PodView, Snapshot};
use crate::engine::state::RuntimeLink;
use crate::ports::{MirrorLink, MirrorStatus};

pub fn timestamp(at: Timestamp) -> ProtoTimestamp {
    let mut seconds = at.as_second();
    let mut nanos = at.subsec_nanosecond();
    // protobuf counts nanoseconds forward, also before 1970.
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    ProtoTimestamp { seconds, nanos }
}

/// `None` where the wire carries a time that cannot be.
pub fn from_timestamp(at: &ProtoTimestamp) -> Option<Timestamp> {
    Timestamp::new(at.seconds, at.nanos).ok()
}

/// `None` where the wire carries a negative duration.
pub fn from_duration(duration: &ProtoDuration) -> Option<Duration> {
    Duration::try_from(*duration).ok()
}

fn duration(duration: Duration) -> Option<ProtoDuration> {
    ProtoDuration::try_from(duration).ok()
}

pub fn status(snapshot: &Snapshot) -> v1::Status {
    let Snapshot {
        workflows: _,
        runs: _,
        budget: _,
        started_at,
        host: sample,
        pods,
        unmanaged,
        runtime,
        mirror,
        settled: _,
    } = snapshot;
    let count = |status: PodStatus| {
        u32::try_from(pods.iter().filter(|pod| pod.status == status).count()).unwrap_or(u32::MAX)
    };
    v1::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Some(timestamp(*started_at)),
        host: sample.as_deref().map(host),
        // Economy mode, workflows and alerts come with their own issues; until then the box
        // is not economical, nothing is queued and nothing fires, and this says so.
        economy: Some(v1::Economy {
            policy: v1::EconomyPolicy::Off.into(),
            active: false,
            reason: None,
            shed: Vec::new(),
        }),
        pods: Some(v1::PodCounts {
            running: count(PodStatus::Running),
            total: u32::try_from(pods.len()).unwrap_or(u32::MAX),
            error: count(PodStatus::Error),
            unmanaged: u32::try_from(unmanaged.len()).unwrap_or(u32::MAX),
        }),
        runs: Some(v1::RunCounts {
            active: 0,
            queued: 0,
        }),
        alerts: Some(v1::AlertCounts { firing: 0 }),
        store: Some(store_status(mirror)),
        runtime: Some(runtime_status(runtime)),
    }
}

pub fn host(sample: &HostSample) -> v1::Host {
    let HostSample {
        at,
        cpu_percent,
        cpu_count,
        load_1m,
        load_5m,
        load_15m,
        memory,
        disks,
        pressure,
    } = sample;
    let MemorySample {
        total,
        used,
        available,
        cached,
        swap_total,
        swap_used,
    } = memory;
    v1::Host {
        at: Some(timestamp(*at)),
        cpu_percent: *cpu_percent,
        cpu_count: *cpu_count,
        load_1m: *load_1m,
        load_5m: *load_5m,
        load_15m: *load_15m,
        ram_percent: memory.used_percent(),
        ram_used_bytes: used.0,
        ram_available_bytes: available.0,
        ram_cached_bytes: cached.0,
        ram_total_bytes: total.0,
        swap_used_bytes: swap_used.0,
        swap_total_bytes: swap_total.0,
        disk_percent: sample.disk_percent(),
        disks: disks.iter().map(disk).collect(),
        pressure: pressure.map(|pressure| {
            let PressureSample {
                cpu_some_avg10,
                memory_some_avg10,
                memory_full_avg10,
                io_some_avg10,
            } = pressure;
            v1::Pressure {
                cpu_some_avg10,
                memory_some_avg10,
                memory_full_avg10,
                io_some_avg10,
            }
        }),
    }
}

fn disk(sample: &DiskSample) -> v1::Disk {
    let DiskSample {
        mount,
        total,
        available,
    } = sample;
    v1::Disk {
        mount: mount.clone(),
        used_percent: sample.used_percent(),
        total_bytes: total.0,
        available_bytes: available.0,
    }
}

fn store_status(status: &MirrorStatus) -> v1::StoreStatus {
    let MirrorStatus { link, outbox } = status;
    let (mariadb, reason) = match link {
        MirrorLink::Disabled => ("disabled", None),
        MirrorLink::Connecting => ("connecting", None),
        MirrorLink::Connected => ("connected", None),
        MirrorLink::Disconnected { reason, since: _ } => ("disconnected", Some(reason.clone())),
    };
    v1::StoreStatus {
        mariadb: mariadb.to_owned(),
        outbox: *outbox,
        reason,
    }
}

fn runtime_status(link: &RuntimeLink) -> v1::RuntimeStatus {
    let (connected, version, reason) = match link {
        RuntimeLink::Unknown => (false, None, None),
        RuntimeLink::Up { version } => (true, Some(version.clone()), None),
        RuntimeLink::Down { reason } => (false, None, Some(reason.clone())),
    };
    v1::RuntimeStatus {
        connected,
        version,
        reason,
    }
}

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
            operation: _,
            progress: _,
            expected: _,
            reserved: _,
            runs: _,
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
            } = usage;
            v1::Usage {
                cpu_percent,
                ram_bytes: memory.0,
                ram_anon_bytes: anon.0,
                ram_file_bytes: file.0,
                ram_mapped_bytes: mapped.0,
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
        progress: _,
        expected: _,
        reserved: _,
        runs: _,
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
        expected: None,
        reserved_memory_bytes: None,
        reserved_cpu_millicores: None,
        runs: Vec::new(),
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

pub fn operation_update(view: &OperationView) -> v1::OperationUpdate {
    use v1::operation_update::Update;
    let update = match view {
        OperationView::Running(Progress { stage, message }) => Update::Progress(v1::Progress {
            stage: match stage {
                Stage::Preparing => v1::Stage::Preparing,
                Stage::Pulling => v1::Stage::Pulling,
                Stage::Creating => v1::Stage::Creating,
                Stage::Awaiting => v1::Stage::Awaiting,
                Stage::Stopping => v1::Stage::Stopping,
            }
            .into(),
            message: message.clone(),
        }),
        OperationView::Finished(Ok(done)) => Update::Done(self::done(done)),
        OperationView::Finished(Err(error)) => Update::Error(error_detail(error)),
    };
    v1::OperationUpdate {
        update: Some(update),
    }
}

pub fn done(done: &Done) -> v1::Done {
    let Done { message, changed } = done;
    v1::Done {
        message: message.clone(),
        changed: *changed,
    }
}

pub fn error_detail(error: &CommandError) -> v1::ErrorDetail {
    v1::ErrorDetail {
        denial: None,
        code: error.code().to_owned(),
        message: error.to_string(),
        log: error.log().to_vec(),
    }
}

pub fn applied(applied: &Applied) -> v1::AppliedObject {
    let Applied {
        name,
        change,
        notes,
    } = applied;
    v1::AppliedObject {
        kind: "pod".to_owned(),
        name: name.to_string(),
        change: match change {
            Change::Created => v1::Change::Created,
            Change::Changed => v1::Change::Changed,
            Change::Unchanged => v1::Change::Unchanged,
        }
        .into(),
        notes: notes.clone(),
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

pub fn history_point(point: &HistoryPoint) -> v1::HistoryPoint {
    let HistoryPoint {
        at,
        cpu_percent,
        ram_percent,
        ram_used,
        disk_percent,
        memory_pressure,
    } = point;
    v1::HistoryPoint {
        at: Some(timestamp(*at)),
        cpu_percent: *cpu_percent,
        ram_percent: *ram_percent,
        ram_used_bytes: ram_used.0,
        disk_percent: *disk_percent,
        memory_pressure: *memory_pressure,
    }
}

pub fn event(record: &EventRecord) -> v1::Event {
    let EventRecord {
        run,
        id,
        at,
        kind,
        object,
        message,
    } = record;
    v1::Event {
        run: run.map(|run| run.to_string()),
        id: id.to_string(),
        at: Some(timestamp(*at)),
        kind: kind.as_str().to_owned(),
        object: object.clone(),
        message: message.clone(),
    }
}

pub fn check(check: &Check) -> v1::Check {
    let Check {
        name,
        verdict,
        finding,
    } = check;
    let (verdict, remedy) = match verdict {
        Verdict::Ok => (v1::Verdict::Ok, None),
        Verdict::Warning { remedy } => (v1::Verdict::Warning, Some(remedy.clone())),
        Verdict::Failed { remedy } => (v1::Verdict::Failed, Some(remedy.clone())),
    };
    v1::Check {
        name: (*name).to_owned(),
        verdict: verdict.into(),
        finding: finding.clone(),
        remedy,
    }
}

pub fn from_admission(mode: i32) -> Admission {
    match v1::AdmissionMode::try_from(mode) {
        Ok(v1::AdmissionMode::Evict) => Admission::Evict,
        Ok(v1::AdmissionMode::Force) => Admission::Force,
        Ok(v1::AdmissionMode::Fit | v1::AdmissionMode::Unspecified) | Err(_) => Admission::Fit,
    }
}
