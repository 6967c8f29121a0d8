//! Measures at a steady pace and tells the engine.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::domain::state::PodStatus;
use crate::engine::event::Event;
use crate::engine::handle::Handle;
use crate::engine::snapshot::{PodView, Snapshot};
use crate::ports::{Runtime, SampledPod, Sampler};

/// Measures each `interval` until `ending`. A round that takes longer delays the next ones;
/// it is never doubled.
pub async fn sample_for_ever(
    mut sampler: Box<dyn Sampler>,
    runtime: Arc<dyn Runtime>,
    engine: Handle,
    interval: Duration,
    ending: CancellationToken,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = ending.cancelled() => return,
        }
        let pods = running_pods(&engine.snapshot());
        // Reading files in /proc and /sys may take milliseconds, and more on a busy box.
        let round = tokio::task::spawn_blocking(move || {
            let sample = sampler.sample(&pods);
            (sampler, sample)
        });
        let mut sample = match round.await {
            Ok((back, sample)) => {
                sampler = back;
                sample
            }
            Err(panic) => return tracing::error!(%panic, "sampling has ended"),
        };
        if !sample.unseen.is_empty() {
            match runtime.usage(&sample.unseen).await {
                Ok(usage) => sample.pods.extend(usage),
                Err(error) => tracing::debug!(%error, "no use of pods out of sight"),
            }
        }
        engine.tell(Event::Sampled(sample)).await;
    }
}

fn running_pods(snapshot: &Snapshot) -> Vec<SampledPod> {
    snapshot
        .pods
        .iter()
        .chain(&snapshot.unmanaged)
        .filter(|pod| pod.status == PodStatus::Running || pod.status == PodStatus::Stopping)
        .map(|PodView { name, observed, .. }| SampledPod {
            name: name.clone(),
            cgroup: observed
                .as_ref()
                .and_then(|observed| observed.cgroup.clone()),
        })
        .collect()
}
