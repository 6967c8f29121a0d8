//! Measures at a steady pace and tells the engine.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::{Instant, Interval, MissedTickBehavior};
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

/// After a squeeze of memory, rounds follow one another so quickly …
const HURRIED: Duration = Duration::from_secs(1);
/// … for so long.
const HURRY: Duration = Duration::from_secs(10);
/// However often memory is squeezed, rounds are so far apart.
const LEAST_APART: Duration = Duration::from_millis(500);

/// When rounds are due beside the regular ones, because memory is squeezed.
#[derive(Debug)]
struct Hurry {
    /// When the last round began.
    begun: Instant,
    until: Option<Instant>,
    due: Option<Instant>,
}

impl Hurry {
    fn none(now: Instant) -> Self {
        Self {
            begun: now,
            until: None,
            due: None,
        }
    }

    fn squeezed(&mut self, now: Instant) {
        let soonest = now.max(self.begun + LEAST_APART);
        self.until = Some(now + HURRY);
        self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
    }

    fn round_begins(&mut self, now: Instant) {
        self.begun = now;
        self.due = self
            .until
            .filter(|until| now + HURRIED <= *until)
            .map(|_| now + HURRIED);
    }

    /// Waits until a round is due; for ever where there is no hurry.
    async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

/// Ticks that are delayed by what takes longer, never doubled.
fn every(first: Instant, interval: Duration) -> Interval {
    let mut ticks = tokio::time::interval_at(first, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Measures as soon as it is known which pods run, or after one interval, and then each
/// interval until `ending`, whatever that is just then; at once when memory is squeezed, and more
/// often for a while. A round that takes longer delays the next ones; it is never doubled.
pub async fn sample_for_ever(
    mut sampler: Box<dyn Sampler>,
    runtime: Arc<dyn Runtime>,
    engine: Handle,
    mut intervals: watch::Receiver<Duration>,
    mut squeezes: BoxStream<'static, ()>,
    ending: CancellationToken,
) {
    let mut interval = *intervals.borrow_and_update();
    // Until the pods are measured, what they use counts as used by others, too.
    let mut snapshots = engine.snapshots();
    tokio::select! {
        _ = snapshots.wait_for(|snapshot| snapshot.settled) => {}
        () = tokio::time::sleep(interval) => {}
        () = ending.cancelled() => return,
    }
    let second = Instant::now() + SECOND_ROUND.min(interval);
    let mut ticks = every(second, interval);
    let mut hurry = Hurry::none(Instant::now());
    loop {
        hurry.round_begins(Instant::now());
        let pods = running_pods(&engine.snapshot());
        let mut sample = match measure(sampler, pods).await {
            Ok((back, sample)) => {
                sampler = back;
                sample
            }
            Err(panic) => return tracing::error!(dagda_panic = %panic, "sampling has ended"),
        };
        if !sample.unseen.is_empty() {
            match runtime.usage(&sample.unseen).await {
                Ok(usage) => sample.pods.extend(usage),
                Err(error) => tracing::debug!(dagda_error = %error, "no use of pods out of sight"),
            }
        }
        engine.tell(Event::Sampled(sample)).await;
        loop {
            tokio::select! {
                _ = ticks.tick() => break,
                () = hurry.due() => break,
                Some(()) = squeezes.next() => hurry.squeezed(Instant::now()),
                Ok(()) = intervals.changed() => {
                    let new = *intervals.borrow_and_update();
                    if new != interval {
                        interval = new;
                        ticks = every(Instant::now() + interval, interval);
                    }
                }
                () = ending.cancelled() => return,
            }
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
    use crate::engine::effects::Ports;
    use crate::engine::state::{Remembered, Settings, State, Thresholds};
    use crate::engine::{Engine, example};
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
                host: example::host(Timestamp::now()),
                pods: Vec::new(),
                unseen: Vec::new(),
            }
        }
    }

    #[tokio::test]
    async fn pods_are_measured_twice_once_it_is_known_which_run_and_again_at_a_squeeze() {
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
            sample_interval: PATIENCE,
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
        let (engine, _tasks) = Engine::start(state, ports, Vec::new(), None);
        let (rounds, mut done) = mpsc::unbounded_channel();
        let sampler = Box::new(Watching {
            engine: engine.clone(),
            rounds,
        });
        let (squeeze, squeezes) = futures::channel::mpsc::unbounded();
        let ending = CancellationToken::new();
        let (new_interval, intervals) = watch::channel(Duration::from_hours(1));
        let sampling = tokio::spawn(sample_for_ever(
            sampler,
            runtime,
            engine.clone(),
            intervals,
            squeezes.boxed(),
            ending.clone(),
        ));
        for round in ["the first", "the second"] {
            let settled = tokio::time::timeout(PATIENCE, done.recv())
                .await
                .expect(round);
            assert_eq!(settled, Some(true), "{round}");
        }
        squeeze.unbounded_send(()).unwrap();
        for round in ["at once", "soon after it, without another squeeze"] {
            let measured = tokio::time::timeout(PATIENCE, done.recv()).await;
            assert_eq!(measured.expect(round), Some(true));
        }
        let mut snapshots = engine.snapshots();
        let told = snapshots.wait_for(|snapshot| snapshot.host.is_some());
        assert!(tokio::time::timeout(PATIENCE, told).await.is_ok());
        // An hour is left of the old interval.
        new_interval.send_replace(Duration::from_millis(10));
        for round in ["at the new interval", "and again"] {
            let measured = tokio::time::timeout(PATIENCE, done.recv()).await;
            assert_eq!(measured.expect(round), Some(true));
        }
        ending.cancel();
        sampling.await.unwrap();
    }

    /// Rounds begin as they are due, so many milliseconds after the first, and squeezes come
    /// when they come; returns when the rounds began.
    fn rounds(squeezes: &[u64], until: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut hurry = Hurry::none(start);
        hurry.round_begins(start);
        let mut begun = Vec::new();
        for millisecond in 0..until {
            let now = start + Duration::from_millis(millisecond);
            if squeezes.contains(&millisecond) {
                hurry.squeezed(now);
            }
            if hurry.due.is_some_and(|due| due <= now) {
                hurry.round_begins(now);
                begun.push(millisecond);
            }
        }
        begun
    }

    #[test]
    fn without_a_squeeze_there_is_no_hurry() {
        assert_eq!(rounds(&[], 100_000), [0; 0]);
    }

    #[test]
    fn a_squeeze_leads_to_a_round_at_once_and_to_one_a_second_for_ten_seconds() {
        let expected: Vec<u64> = (0..=10).map(|second| 5_000 + second * 1_000).collect();
        assert_eq!(rounds(&[5_000], 100_000), expected);
    }

    #[test]
    fn one_squeeze_after_another_does_not_lead_to_rounds_that_follow_too_quickly() {
        let always: Vec<u64> = (0..20_000).collect();
        let begun = rounds(&always, 40_000);
        assert_eq!(begun[0], 500, "half a second after the round before");
        assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= 500));
        assert!(*begun.last().unwrap() <= 30_000, "the hurry ends");
    }
}
