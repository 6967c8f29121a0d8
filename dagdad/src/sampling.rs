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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio::sync::mpsc;

    use super::*;
    use crate::domain::alert::Rules;
    use crate::domain::economy::{EconomyRules, Policy};
    use crate::domain::error::CommandError;
    use crate::domain::sample::{HostSample, MemorySample};
    use crate::engine::Engine;
    use crate::engine::effects::Ports;
    use crate::engine::state::{Remembered, Settings, State, Thresholds};
    use crate::runtime::podman::{Podman, PodmanOptions};
    use crate::store::{LocalStore, StoreOptions};

    /// Longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Tells of each round whether the engine had settled by then.
    struct Watching {
        engine: Handle,
        rounds: mpsc::UnboundedSender<bool>,
    }

    impl Sampler for Watching {
        fn sample(&mut self, _: &[SampledPod]) -> Sample {
            let _ = self.rounds.send(self.engine.snapshot().settled);
            Sample {
                host: HostSample {
                    at: Timestamp::now(),
                    cpu_percent: 0.0,
                    cpu_count: 1,
                    load_1m: 0.0,
                    load_5m: 0.0,
                    load_15m: 0.0,
                    memory: MemorySample::default(),
                    disks: Vec::new(),
                    pressure: None,
                },
                pods: Vec::new(),
                unseen: Vec::new(),
            }
        }
    }

    #[tokio::test]
    async fn pods_are_measured_twice_as_soon_as_it_is_known_which_run() {
        let dir = tempfile::tempdir().unwrap();
        // It answers at once, that there is none.
        let runtime: Arc<dyn Runtime> = Arc::new(Podman::new(PodmanOptions {
            system_socket: None,
            program: dir.path().join("none"),
            ..PodmanOptions::new(dir.path().join("podman.sock"))
        }));
        let store = LocalStore::open(StoreOptions::new(dir.path().to_owned()))
            .await
            .unwrap();
        let settings = Settings {
            start_timeout: PATIENCE,
            record_interval: PATIENCE,
            thresholds: Thresholds {
                ram_percent: 80.0,
                cpu_percent: 70.0,
            },
            cpu_enforced: false,
            alerts: Rules::default(),
            economy_policy: Policy::Auto,
            economy: EconomyRules::of(80.0, 70.0),
        };
        let (state, _) = State::restore(settings, 1, Remembered::default(), Timestamp::now());
        let ports = Ports {
            runtime: Arc::clone(&runtime),
            store: Arc::new(store),
            render: Arc::new(|_| Err(CommandError::ShuttingDown)),
            notifications: None,
        };
        let (engine, _tasks) = Engine::start(state, ports, Vec::new());
        let (rounds, mut done) = mpsc::unbounded_channel();
        let sampler = Box::new(Watching {
            engine: engine.clone(),
            rounds,
        });
        let ending = CancellationToken::new();
        let hour = Duration::from_hours(1);
        let sampling = tokio::spawn(sample_for_ever(
            sampler,
            runtime,
            engine.clone(),
            hour,
            ending.clone(),
        ));
        for round in ["the first", "the second"] {
            let settled = tokio::time::timeout(PATIENCE, done.recv())
                .await
                .expect(round);
            assert_eq!(settled, Some(true), "{round}");
        }
        let mut snapshots = engine.snapshots();
        let told = snapshots.wait_for(|snapshot| snapshot.host.is_some());
        assert!(tokio::time::timeout(PATIENCE, told).await.is_ok());
        ending.cancel();
        sampling.await.unwrap();
    }
}
