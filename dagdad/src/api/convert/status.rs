//! The box at a glance.

use dagda_proto::v1;

use super::economy::economy_glance;
use super::resources::host;
use super::time::timestamp;
use crate::domain::alert::{Alert, AlertState};
use crate::domain::run::Phase;
use crate::domain::state::PodStatus;
use crate::engine::snapshot::{RunView, Snapshot};
use crate::engine::state::RuntimeLink;
use crate::ports::{MirrorLink, MirrorStatus};

pub fn status(snapshot: &Snapshot) -> v1::Status {
    let Snapshot {
        workflows: _, // told by `workflow`
        runs,
        alerts,
        budget: _, // told by `denial` and `plan`
        started_at,
        host: sample,
        pods,
        unmanaged,
        runtime,
        mirror,
        settled: _,
        thresholds: _, // told by `resources`
        reloads: _,
        economy,
        economy_mode: _, // this and the next are told by `economy_plan`
        situation: _,
        silences: _,     // told by `alerts`
        ended_alerts: _, // told by `alerts`
    } = snapshot;
    let count = |status: PodStatus| {
        u32::try_from(pods.iter().filter(|pod| pod.status == status).count()).unwrap_or(u32::MAX)
    };
    v1::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Some(timestamp(*started_at)),
        host: sample.as_deref().map(host),
        economy: Some(economy_glance(economy)),
        pods: Some(v1::PodCounts {
            running: count(PodStatus::Running),
            total: u32::try_from(pods.len()).unwrap_or(u32::MAX),
            error: count(PodStatus::Error),
            unmanaged: u32::try_from(unmanaged.len()).unwrap_or(u32::MAX),
        }),
        runs: Some(run_counts(runs)),
        alerts: Some(v1::AlertCounts {
            firing: firing(alerts),
        }),
        store: Some(store_status(mirror)),
        runtime: Some(runtime_status(runtime)),
    }
}

/// Those that nobody has taken note of.
fn firing(alerts: &[Alert]) -> u32 {
    let firing = alerts
        .iter()
        .filter(|alert| alert.state() == AlertState::Firing);
    u32::try_from(firing.count()).unwrap_or(u32::MAX)
}

/// A run in the queue is not active yet.
fn run_counts(runs: &[RunView]) -> v1::RunCounts {
    let (mut active, mut queued) = (0, 0);
    for RunView { run, place: _ } in runs {
        match run.phase {
            Phase::Queued => queued += 1,
            Phase::Ended { at: _, outcome: _ } => {}
            Phase::Evicting { victims: _ }
            | Phase::Starting { deadline: _ }
            | Phase::Running
            | Phase::Degraded
            | Phase::RollingBack(_)
            | Phase::Stopping => active += 1,
        }
    }
    v1::RunCounts { active, queued }
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
        RuntimeLink::Up { version } => (true, version.clone(), None),
        RuntimeLink::Down { reason } => (false, None, Some(reason.clone())),
    };
    v1::RuntimeStatus {
        connected,
        version,
        reason,
    }
}
