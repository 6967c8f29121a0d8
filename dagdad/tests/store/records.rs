//! Records and stores to test with.

use std::path::Path;
use std::time::Duration;

use dagdad::domain::catalogue::{Digest, Manifest};
use dagdad::domain::event::{EventKind, EventRecord};
use dagdad::domain::pod::{Category, Footprint, Priority};
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::domain::sample::{
    DiskSample, HostSample, MemorySample, PodUsage, PressureSample, Sample,
};
use dagdad::domain::state::{PodStatus, Wanted};
use dagdad::ports::{MirrorLink, MirrorStatus, PodRecord, Record, SampleRecord, Store as _};
use dagdad::store::{LocalStore, MariaDbOptions, StoreOptions};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// 2026-11-20T00:00:00Z, the beginning of a ten-minute stretch.
pub const EPOCH: i64 = 1_795_132_800;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(EPOCH + seconds).unwrap()
}

pub fn pod(name: &str) -> PodRecord {
    PodRecord {
        id: Uuid::now_v7(),
        name: name.parse().unwrap(),
        manifest: Manifest {
            text: format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}} # été 🦙\n"),
            digest: Digest("ab".repeat(32)),
        },
        category: Category::Optional,
        priority: Priority::new(60).unwrap(),
        port: Some(8905),
        footprint: Footprint {
            memory: Bytes::gib(6),
            cpu: Millicpu(1500),
        },
        wanted: Wanted::Up,
        status: PodStatus::Running,
        message: Some("It's \"fine\"\nreally \\".to_owned()),
        started_digest: Some(Digest("cd".repeat(32))),
        usage: PodUsage {
            cpu_percent: 203.14,
            memory: Bytes(6_442_450_945),
            anon: Bytes(1_000_000_001),
            file: Bytes(5_442_450_944),
            mapped: Bytes(4_000_000_003),
        },
        created_at: Timestamp::from_microsecond(EPOCH * 1_000_000 + 123_456).unwrap(),
        updated_at: Timestamp::from_microsecond(EPOCH * 1_000_000 + 999_999).unwrap(),
    }
}

pub fn put(pod: &PodRecord) -> Record {
    Record::PutPod(Box::new(pod.clone()))
}

pub fn event(at: Timestamp, object: Option<&str>, message: &str) -> EventRecord {
    EventRecord {
        id: Uuid::now_v7(),
        at,
        kind: EventKind::PodStarted,
        object: object.map(str::to_owned),
        run: None,
        message: message.to_owned(),
    }
}

/// A sample whose numbers follow from `cpu_percent`.
pub fn sample(at: Timestamp, cpu_percent: f64) -> SampleRecord {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 100
    let used = Bytes(8_000_000_000 + (cpu_percent * 1e7) as u64);
    let usage = PodUsage {
        cpu_percent,
        memory: used,
        anon: used,
        file: Bytes(0),
        mapped: Bytes(0),
    };
    SampleRecord {
        id: Uuid::now_v7(),
        sample: Sample {
            host: HostSample {
                at,
                cpu_percent,
                cpu_count: 8,
                load_1m: 0.42,
                load_5m: 1.5,
                load_15m: 12.25,
                memory: MemorySample {
                    total: Bytes::gib(24),
                    used,
                    available: Bytes::gib(10),
                    cached: Bytes::gib(3),
                    swap_total: Bytes::gib(8),
                    swap_used: Bytes::mib(17),
                },
                disks: vec![DiskSample {
                    mount: "/".into(),
                    total: Bytes::gib(100),
                    available: Bytes::gib(60),
                }],
                pressure: Some(PressureSample {
                    cpu_some_avg10: 1.0,
                    memory_some_avg10: cpu_percent / 2.0,
                    memory_full_avg10: 0.1,
                    io_some_avg10: 0.0,
                }),
            },
            pods: vec![("llama".into(), usage), ("n8n".into(), PodUsage::default())],
            unseen: vec![],
        },
    }
}

pub fn options(state_dir: &Path, mariadb: Option<MariaDbOptions>) -> StoreOptions {
    StoreOptions {
        mariadb,
        ..StoreOptions::new(state_dir.to_path_buf())
    }
}

pub async fn open(state_dir: &Path, mariadb: Option<MariaDbOptions>) -> LocalStore {
    LocalStore::open(options(state_dir, mariadb)).await.unwrap()
}

/// A forwarder that runs until it is told to stop.
pub struct Forwarding {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Forwarding {
    pub fn of(store: &LocalStore) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(store.forward(shutdown.clone()).unwrap());
        Self { shutdown, task }
    }

    /// Ends it in order.
    pub async fn shut_down(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    /// Drops it wherever it is.
    pub async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Waits until the mirror is as wanted. The limit only keeps a failing test from hanging.
pub async fn wait_for(
    store: &LocalStore,
    wanted: impl FnMut(&MirrorStatus) -> bool,
) -> MirrorStatus {
    let mut mirror = store.mirror();
    let reached = tokio::time::timeout(Duration::from_mins(1), mirror.wait_for(wanted)).await;
    let Ok(status) = reached else {
        panic!("the mirror stays at {:?}", store.mirror().borrow().clone());
    };
    status.unwrap().clone()
}

pub async fn in_step(store: &LocalStore) {
    wait_for(store, |status| {
        status.link == MirrorLink::Connected && status.outbox == 0
    })
    .await;
}
