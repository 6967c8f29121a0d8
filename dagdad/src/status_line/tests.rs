use jiff::Timestamp;
use rstest::rstest;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;
use crate::domain::alert::{Alert, Condition, Severity};
use crate::domain::economy::{Active, Cause, Taken, TakenView};
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::sample::{HostSample, MemorySample};
use crate::engine::example;

fn host(used_percent: u64) -> HostSample {
    HostSample {
        at: Timestamp::UNIX_EPOCH,
        cpu_percent: 10.0,
        cpu_count: 4,
        load_1m: 0.0,
        load_5m: 0.0,
        load_15m: 0.0,
        memory: MemorySample {
            total: Bytes(1000),
            used: Bytes(used_percent * 10),
            available: Bytes(1000 - used_percent * 10),
            cached: Bytes(0),
            swap_total: Bytes(0),
            swap_used: Bytes(0),
        },
        disks: Vec::new(),
        pressure: None,
    }
}

fn alert(acknowledged: bool) -> Alert {
    Alert {
        id: Uuid::nil(),
        condition: Condition::RamHigh,
        object: "host".to_owned(),
        severity: Severity::Warning,
        message: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        acknowledged_at: acknowledged.then_some(Timestamp::UNIX_EPOCH),
        resolved_at: None,
        peak: None,
        culprits: Vec::new(),
        flapping: false,
    }
}

fn taken(pod: &str, taking: Taking) -> TakenView {
    TakenView {
        taken: Taken {
            pod: example::name(pod),
            taking,
            at: Timestamp::UNIX_EPOCH,
            used: Footprint::default(),
            reason: String::new(),
        },
        priority: Priority::default(),
        returns: String::new(),
    }
}

/// `running` of `total` pods run.
fn snapshot(running: usize, total: usize) -> Snapshot {
    let pods = (0..total).map(|number| {
        let mut pod = example::pod(&format!("p{number}"), Footprint::default());
        pod.status = if number < running {
            PodStatus::Running
        } else {
            PodStatus::Stopped
        };
        pod
    });
    example::snapshot(pods.collect(), Vec::new())
}

fn economical(mut snapshot: Snapshot, taken: Vec<TakenView>) -> Snapshot {
    snapshot.economy.active = Some(Active {
        since: Timestamp::UNIX_EPOCH,
        cause: Cause::Policy,
    });
    snapshot.economy.taken = taken;
    snapshot
}

#[test]
fn it_says_what_matters_and_leaves_out_what_is_not_known() {
    let mut box_ = snapshot(5, 8);
    assert_eq!(
        status_line(&box_),
        "5/8 pods running · economy off · 0 alerts"
    );
    box_.host = Some(Arc::new(host(61)));
    assert_eq!(
        status_line(&box_),
        "5/8 pods running · RAM 61 % · economy off · 0 alerts"
    );
    box_.alerts = vec![alert(false), alert(true)];
    assert_eq!(
        status_line(&box_),
        "5/8 pods running · RAM 61 % · economy off · 1 alert",
        "one that somebody took note of is not counted"
    );
    box_.runtime = RuntimeLink::Down {
        reason: "gone".to_owned(),
    };
    assert!(status_line(&box_).ends_with(" · 1 alert · Podman does not answer"));
}

#[rstest]
#[case(vec![], "economy on")]
#[case(vec![taken("a", Taking::Frozen)], "economy on")]
#[case(vec![taken("a", Taking::Shed { for_good: false })], "economy on, 1 pod shed")]
#[case(
    vec![
        taken("a", Taking::Shed { for_good: false }),
        taken("b", Taking::Shed { for_good: true }),
        taken("c", Taking::Throttled { to: Millicpu(100) }),
    ],
    "economy on, 2 pods shed"
)]
fn economy_mode_is_on_while_it_is_active(#[case] taken: Vec<TakenView>, #[case] expected: &str) {
    let line = status_line(&economical(snapshot(1, 1), taken));
    assert_eq!(line, format!("1/1 pod running · {expected} · 0 alerts"));
}

#[tokio::test]
async fn it_is_told_when_it_changed_and_at_most_once_a_second() {
    let (publish, snapshots) = watch::channel(Arc::new(snapshot(0, 3)));
    let (remark, remarks) = watch::channel(None);
    let (tell, mut told) = mpsc::unbounded_channel();
    let first = status_line(&snapshots.borrow());
    let following = tokio::spawn(follow(snapshots, remarks, first, move |line: &str| {
        tell.send((line.to_owned(), Instant::now())).unwrap();
    }));
    let line = |running| format!("{running}/3 pods running · economy off · 0 alerts");
    // Another snapshot, and the same line.
    publish.send_replace(Arc::new(snapshot(0, 3)));
    tokio::task::yield_now().await;
    publish.send_replace(Arc::new(snapshot(1, 3)));
    let (text, at) = told.recv().await.unwrap();
    assert_eq!(text, line(1), "the first one was told already");
    // Too soon after it; and the one in between is not told at all.
    publish.send_replace(Arc::new(snapshot(2, 3)));
    publish.send_replace(Arc::new(snapshot(3, 3)));
    let (text, later) = told.recv().await.unwrap();
    assert_eq!(text, line(3));
    assert!(later - at >= Duration::from_secs(1));

    let until = Instant::now() + Duration::from_millis(2500);
    remark.send_replace(Some(Remark {
        text: "configuration not reloaded: it is bad".to_owned(),
        until,
    }));
    let (text, _) = told.recv().await.unwrap();
    let expected = format!("configuration not reloaded: it is bad · {}", line(3));
    assert_eq!(text, expected);
    let (text, at) = told.recv().await.unwrap();
    assert_eq!(text, line(3), "and after a while no more");
    assert!(at >= until);
    drop(publish);
    following.await.unwrap();
    assert!(told.recv().await.is_none(), "and nothing else");
}
