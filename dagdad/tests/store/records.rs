//! Records and stores to test with.

use std::path::Path;
use std::time::Duration;

use dagdad::domain::admission::Admission;
use dagdad::domain::alert::{Alert, Condition, Severity};
use dagdad::domain::audit::AuditEntry;
use dagdad::domain::caller::Caller;
use dagdad::domain::catalogue::{Digest, Manifest};
use dagdad::domain::economy::EconomyRecord;
use dagdad::domain::event::{EventKind, EventRecord};
use dagdad::domain::footprint::PodRun;
use dagdad::domain::name::PodName;
use dagdad::domain::operation::{Intent, OperationId, OperationKind};
use dagdad::domain::pod::{Category, Footprint, Priority};
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::domain::run::{Phase, Run, RunId, RunMember, Step};
use dagdad::domain::sample::{
    DiskSample, HostSample, MemorySample, PodUsage, PressureSample, Sample,
};
use dagdad::domain::silence::{Silence, Silenced};
use dagdad::domain::state::{PodStatus, Wanted};
use dagdad::domain::workflow::OnFailure;
use dagdad::ports::{
    MirrorLink, MirrorStatus, PodRecord, Record, SampleRecord, Store as _, WorkflowRecord,
};
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

fn manifest(text: String) -> Manifest {
    let digest = Digest::of(&text);
    Manifest { text, digest }
}

pub fn pod(name: &str) -> PodRecord {
    PodRecord {
        id: Uuid::now_v7(),
        name: name.parse().unwrap(),
        manifest: manifest(format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}} # été 🦙\n"
        )),
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
            network_per_second: 0.0,
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

pub fn names<const N: usize>(names: [&str; N]) -> Vec<PodName> {
    names.map(|name| name.parse().unwrap()).to_vec()
}

pub fn workflow(name: &str) -> WorkflowRecord {
    WorkflowRecord {
        id: Uuid::now_v7(),
        name: name.parse().unwrap(),
        manifest: manifest(format!(
            "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {{name: {name}}} # 🦙\n"
        )),
        description: Some("It's \"everything\"\nreally \\".to_owned()),
        pods: names(["mariadb", "llama", "n8n"]),
        priority: Priority::new(70).unwrap(),
        estimated: Footprint {
            memory: Bytes(12_884_901_889),
            cpu: Millicpu(3_250),
        },
        active: true,
        created_at: Timestamp::from_microsecond(EPOCH * 1_000_000 + 123_456).unwrap(),
        updated_at: Timestamp::from_microsecond(EPOCH * 1_000_000 + 999_999).unwrap(),
    }
}

pub fn put_workflow(workflow: &WorkflowRecord) -> Record {
    Record::PutWorkflow(Box::new(workflow.clone()))
}

/// A run of two pods that was accepted at `at`.
pub fn run(workflow: &str, at: Timestamp, phase: Phase) -> Run {
    let member = |pod: &str, level, after: Vec<PodName>| RunMember {
        pod: pod.parse().unwrap(),
        level,
        after,
        step: Step::Waiting,
        since: at,
        started_by_run: level > 0,
    };
    Run {
        id: RunId(Uuid::now_v7()),
        workflow: workflow.parse().unwrap(),
        priority: Priority::new(70).unwrap(),
        on_failure: OnFailure::Rollback,
        timeout: Duration::from_millis(300_250),
        admission: Admission::Fit,
        accepted_at: at,
        admitted_at: None,
        ready_at: None,
        phase,
        members: vec![
            member("mariadb", 0, vec![]),
            member("llama", 1, names(["mariadb"])),
        ],
    }
}

pub fn put_run(run: &Run) -> Record {
    Record::PutRun(Box::new(run.clone()))
}

/// A life of `pod` that began at `at` and has not ended.
pub fn pod_run(pod: &str, at: Timestamp) -> PodRun {
    PodRun {
        id: Uuid::now_v7(),
        pod: pod.parse().unwrap(),
        started_at: at,
        ready_after: Some(Duration::from_micros(12_345_678)),
        ended_at: None,
        completed: false,
        memory_peak: Bytes(6_442_450_945),
        cpu_peak: Millicpu(1_999),
    }
}

pub fn put_pod_run(run: &PodRun) -> Record {
    Record::PutPodRun(Box::new(run.clone()))
}

/// An alert that goes on.
pub fn alert(object: &str, at: Timestamp) -> Alert {
    Alert {
        id: Uuid::now_v7(),
        condition: Condition::PodDown,
        object: object.to_owned(),
        severity: Severity::Critical,
        message: format!("{object} ended: it's \"exit code 1\"\n\\ 🦙"),
        created_at: at,
        updated_at: at,
        acknowledged_at: None,
        resolved_at: None,
        peak: None,
        culprits: vec![],
        flapping: false,
    }
}

pub fn put_alert(alert: &Alert) -> Record {
    Record::PutAlert(Box::new(alert.clone()))
}

pub fn put_economy(economy: &EconomyRecord) -> Record {
    Record::PutEconomy(Box::new(economy.clone()))
}

pub fn silence(of: Silenced, created_at: Timestamp, until: Timestamp) -> Silence {
    Silence {
        id: Uuid::now_v7(),
        of,
        created_at,
        until,
    }
}

pub fn put_silence(silence: &Silence) -> Record {
    Record::PutSilence(Box::new(silence.clone()))
}

pub fn start(pod: &str, at: Timestamp) -> Intent {
    Intent {
        id: OperationId(Uuid::now_v7()),
        pod: pod.parse().unwrap(),
        kind: OperationKind::Start,
        accepted_at: at,
        admission: Admission::Fit,
        run: None,
    }
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

/// What anna asks for at `at`.
pub fn asked(at: Timestamp, verb: &str, object: Option<&str>) -> AuditEntry {
    let anna = Caller {
        uid: 1000,
        gid: 100,
        pid: Some(4711),
        user: Some("anna".to_owned()),
        role: None,
    };
    AuditEntry::asked(Uuid::now_v7(), at, &anna, verb, object)
}

pub fn put_audit(entry: &AuditEntry) -> Record {
    Record::PutAudit(Box::new(entry.clone()))
}

/// A sample whose numbers follow from `cpu_percent`.
pub fn sample(at: Timestamp, cpu_percent: f64) -> SampleRecord {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 100
    let used = Bytes(8_000_000_000 + (cpu_percent * 1e7) as u64);
    let usage = PodUsage {
        network_per_second: 0.0,
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
