//! Pods that economy mode took something from say so beside their state.

use super::*;
use crate::domain::economy::{Active, Cause, EconomyRecord, Taken, Taking};
use crate::domain::quantity::Millicpu;

/// Four pods, the first as it likes, of the others something was taken by an earlier daemon.
fn economical() -> Bench {
    let pods = ["free", "slow", "still", "gone"].map(always);
    let taken = |pod: &str, taking| Taken {
        pod: pod.parse().unwrap(),
        taking,
        at: start(),
        used: Footprint::default(),
        reason: "memory was short".to_owned(),
    };
    let row_of = |entry: &CataloguePod| {
        let down = (Wanted::Down, PodStatus::Stopped);
        let (wanted, status) = match entry.spec.name.as_str() {
            "gone" => down,
            _ => (Wanted::Up, PodStatus::Running),
        };
        (row(entry, wanted, status), entry.clone())
    };
    let mut bench = Bench::remembering(Remembered {
        pods: pods.iter().map(row_of).collect(),
        economy: EconomyRecord {
            policy: Some(Policy::On),
            active: Some(Active {
                since: start(),
                cause: Cause::Policy,
            }),
            taken: vec![
                taken("slow", Taking::Throttled { to: Millicpu(500) }),
                taken("still", Taking::Frozen),
                taken("gone", Taking::Shed { for_good: false }),
            ],
            sheds: Vec::new(),
        },
        ..Remembered::default()
    });
    for pod in ["free", "slow", "still"] {
        bench.runs(pod);
    }
    bench
}

fn message(bench: &Bench, pod: &str) -> Option<String> {
    let snapshot = bench.state.snapshot(bench.now);
    snapshot.pod(pod).unwrap().message.clone()
}

#[test]
fn what_was_taken_and_when_it_comes_back_stands_beside_the_state() {
    let mut bench = economical();
    bench.list();
    let said = |pod: &str| message(&bench, pod);
    assert_eq!(said("free"), None);
    for (pod, what) in [
        ("slow", "throttled to 0.5 cores"),
        ("still", "frozen"),
        ("gone", "stopped"),
    ] {
        let expected = format!("{what} by economy mode; comes back after economy mode has ended");
        assert_eq!(said(pod), Some(expected));
    }
}

#[test]
fn what_else_there_is_to_say_stands_below() {
    let bench = economical();
    let said = message(&bench, "gone").unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("stopped by economy mode"), "{said}");
    assert_eq!(lines[1..], ["not seen yet: Podman has not answered"]);
}

#[test]
fn who_starts_a_pod_that_is_frozen_is_told_so() {
    let mut bench = economical();
    bench.list();
    let (reply, _) = bench.command(start_command("still"));
    let Reply::Done(done) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(
        done.message,
        "still was already running, frozen by economy mode; comes back after economy mode has ended"
    );
}
