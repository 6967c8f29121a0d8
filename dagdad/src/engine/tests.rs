//! The engine's task as such. What it decides is tested in `step`.

use std::sync::mpsc::RecvTimeoutError;

use super::*;
use crate::domain::alert::Rules;
use crate::domain::economy::{EconomyRules, Policy};
use crate::domain::error::CommandError;
use crate::engine::state::{Remembered, Settings, Thresholds};
use crate::runtime::podman::{Podman, PodmanOptions};
use crate::store::{LocalStore, StoreOptions};

const PATIENCE: Duration = Duration::from_mins(1);

/// An engine without pods, and what its files are in.
async fn engine(heartbeat: Option<Heartbeat>) -> (tempfile::TempDir, Handle, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Podman::new(PodmanOptions {
        system_socket: None,
        program: dir.path().join("none"),
        ..PodmanOptions::new(dir.path().join("podman.sock"))
    });
    let options = StoreOptions::new(dir.path().to_owned());
    let store = LocalStore::open(options).await.unwrap();
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
        runtime: Arc::new(runtime),
        store: Arc::new(store),
        render: Arc::new(|_| Err(CommandError::ShuttingDown)),
        notifications: None,
    };
    let (handle, engine) = Engine::start(state, ports, Vec::new(), heartbeat);
    (dir, handle, engine)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_engine_that_is_not_stuck_beats() {
    let every = Duration::from_millis(10);
    let (beat, beats) = std::sync::mpsc::channel();
    let heartbeat = Heartbeat::new(every, move || beat.send(()).unwrap());
    let (_dir, handle, engine) = engine(Some(heartbeat)).await;
    let beats_within = |time| beats.recv_timeout(time);
    for _ in 0..3 {
        assert_eq!(beats_within(PATIENCE), Ok(()), "it beats by itself");
    }
    let snapshots = handle.snapshots();
    {
        // Nobody reads like this; it holds up whoever wants to publish, which is the engine.
        let _held = snapshots.borrow();
        handle.tell(Event::Tick).await;
        // Once it has taken that up it is stuck; those before count for nothing.
        while handle.messages.capacity() < handle.messages.max_capacity() {
            tokio::task::yield_now().await;
        }
        while beats.try_recv().is_ok() {}
        assert_eq!(beats_within(every * 20), Err(RecvTimeoutError::Timeout));
    }
    assert_eq!(beats_within(PATIENCE), Ok(()), "it is well again");
    handle.tell(Event::Shutdown).await;
    assert!(engine.ended(PATIENCE).await);
    while beats_within(PATIENCE) == Ok(()) {}
    assert_eq!(
        beats_within(PATIENCE),
        Err(RecvTimeoutError::Disconnected),
        "whoever has ended beats no more"
    );
}

#[tokio::test]
async fn a_flood_of_events_does_not_keep_it_from_beating() {
    let (beat, mut beats) = mpsc::unbounded_channel();
    let heartbeat = Heartbeat::new(Duration::ZERO, move || {
        let _ = beat.send(());
    });
    let (_dir, handle, engine) = engine(Some(heartbeat)).await;
    // Always ready, one after another, until the end.
    for _ in 0..500 {
        handle.tell(Event::Tick).await;
    }
    handle.tell(Event::Shutdown).await;
    assert!(engine.ended(PATIENCE).await);
    let mut heard = 0;
    while beats.recv().await.is_some() {
        heard += 1;
    }
    assert!(heard > 500, "one for each event: {heard}");
}
