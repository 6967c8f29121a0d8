//! Measures at a steady pace and tells the engine.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::domain::sample::Sample;
use crate::domain::state::PodStatus;
use crate::engine::event::Event;
use crate::engine::handle::Handle;
use crate::engine::snapshot::{PodView, Snapshot};
use crate::ports::{Runtime, SampledPod, Sampler};

/// Measures the host alone, before it is known which pods run.
///
/// # Errors
/// The sampler panicked.
pub async fn first_sample(
    sampler: Box<dyn Sampler>,
) -> Result<(Box<dyn Sampler>, Sample), JoinError> {
    measure(sampler, Vec::new()).await
}

/// After the first round that measures pods, the second one follows so soon: use of the CPU is
/// known only then.
const SECOND_ROUND: Duration = Duration::from_millis(250);

/// Measures as soon as it is known which pods run, or after one `interval`, and then each
/// `interval` until `ending`. A round that takes longer delays the next ones; it is never
/// doubled.
pub async fn sample_for_ever(
    mut sampler: Box<dyn Sampler>,
    runtime: Arc<dyn Runtime>,
    engine: Handle,
    interval: Duration,
    ending: CancellationToken,
) {
    // Until the pods are measured, what they use counts as used by others, too.
    let mut snapshots = engine.snapshots();
    tokio::select! {
        _ = snapshots.wait_for(|snapshot| snapshot.settled) => {}
        () = tokio::time::sleep(interval) => {}
        () = ending.cancelled() => return,
    }
    let second = Instant::now() + SECOND_ROUND.min(interval);
    let mut ticks = tokio::time::interval_at(second, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let pods = running_pods(&engine.snapshot());
        let mut sample = match measure(sampler, pods).await {
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
        tokio::select! {
            _ = ticks.tick() => {}
            () = ending.cancelled() => return,
        }
    }
}

/// Reading files in /proc and /sys may take milliseconds, and more on a busy box.
async fn measure(
    mut sampler: Box<dyn Sampler>,
    pods: Vec<SampledPod>,
) -> Result<(Box<dyn Sampler>, Sample), JoinError> {
    tokio::task::spawn_blocking(move || {
        let sample = sampler.sample(&pods);
        (sampler, sample)
    })
    .await
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
