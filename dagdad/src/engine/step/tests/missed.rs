//! Which pods are missed, and for how long.

use super::world::sized;
use super::*;
use crate::domain::alert::{Alert, Condition, Severity};
use crate::domain::economy::{EconomyRecord, Taken, Taking};
use crate::domain::pod::Category;

impl Bench {
    /// The pods that are missed, each with what is said of it.
    fn missed(&self) -> Vec<(String, String)> {
        let alerts = self.state.episodes.alerts();
        let missed = alerts.filter(|alert| alert.condition == Condition::PodDown);
        missed
            .map(|alert| (alert.object.clone(), alert.message.clone()))
            .collect()
    }

    fn misses(&self) -> Vec<String> {
        self.missed().into_iter().map(|(pod, _)| pod).collect()
    }

    fn alert(&self) -> Alert {
        let mut alerts = self.state.episodes.alerts();
        alerts.next().expect("an alert").clone()
    }

    /// Samples come in for so many seconds.
    fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds / 5 {
            self.wait(5);
            self.measure(1024, 0);
        }
    }
}

fn plain(name: &str) -> CataloguePod {
    entry(name, RestartPolicy::OnFailure)
}

/// A box whose pod `a` has just failed.
fn failed() -> Bench {
    let mut bench = Bench::with_running(&[plain("a")], &["a"]);
    assert_eq!(bench.misses(), [""; 0]);
    bench.exited("a", 3);
    bench.look();
    bench
}

#[test]
fn a_pod_that_fails_is_missed_until_it_runs_again() {
    let mut bench = failed();
    let [(pod, message)] = bench.missed().try_into().expect("one");
    assert_eq!(pod, "a");
    assert_eq!(message, "a failed: container server exited with 3");
    assert_eq!(bench.alert().severity, Severity::Warning);
    bench.pass(300);
    assert_eq!(bench.misses(), ["a"]);
    bench.runs("a");
    bench.look();
    bench.pass(25);
    assert_eq!(bench.misses(), ["a"], "not over before it is steady");
    bench.pass(10);
    assert_eq!(bench.misses(), [""; 0]);
}

#[test]
fn an_essential_one_is_critical() {
    let mut pod = plain("a");
    pod.spec.category = Category::Essential;
    let mut bench = Bench::with_running(&[pod], &["a"]);
    bench.exited("a", 3);
    bench.look();
    assert_eq!(bench.alert().severity, Severity::Critical);
}

#[rstest::rstest]
#[case::stopped(stop("a"))]
#[case::removed(remove("a", false))]
fn a_failed_pod_is_not_missed_once_somebody_is_done_with_it(#[case] command: Command) {
    let mut bench = failed();
    bench.order(command);
    bench.pass(65);
    assert_eq!(bench.misses(), [""; 0]);
}

#[test]
fn what_is_started_again_is_missed_until_it_runs() {
    let mut bench = failed();
    let before = bench.alert();
    bench.hold("play", "a");
    bench.order(start_command("a"));
    bench.pass(600);
    assert_eq!(bench.alert(), before, "the same episode, as it was");
}

#[test]
fn one_that_flaps_is_one_episode() {
    let mut bench = failed();
    let first = bench.alert();
    for _ in 0..5 {
        bench.runs("a");
        bench.look();
        bench.pass(20);
        bench.exited("a", 3);
        bench.look();
        bench.pass(5);
    }
    let now = bench.alert();
    assert_eq!((now.id, now.flapping), (first.id, true));
}

#[test]
fn a_start_that_fails_is_missed_and_one_that_is_refused_is_not() {
    let mut bench = Bench::with(&[plain("a"), sized(plain("large"), 1 << 20)]);
    let (reply, _) = bench.order(start_command("large"));
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    bench.has_fail("play", "a");
    bench.order(start_command("a"));
    assert_eq!(bench.misses(), ["a"]);
}

#[test]
fn what_nobody_wants_up_or_ran_to_its_end_is_not_missed() {
    let mut bench = Bench::with_running(&[plain("a"), plain("b"), plain("job")], &["a", "job"]);
    bench.order(stop("a"));
    bench.exited("job", 0);
    bench.look();
    bench.pass(65);
    assert_eq!(bench.status("job"), PodStatus::Stopped);
    assert_eq!(bench.misses(), [""; 0]);
}

#[test]
fn a_pod_that_does_not_fit_after_a_reboot_is_missed() {
    let large = sized(always("large"), 1 << 20);
    let small = sized(always("small"), 1);
    let rows = [large, small].map(|pod| (row(&pod, Wanted::Up, PodStatus::Running), pod));
    let mut bench = Bench::restored(rows.to_vec(), Vec::new());
    bench.hold("play", "small");
    bench.look();
    let [(pod, message)] = bench.missed().try_into().expect("one");
    assert_eq!(pod, "large");
    assert!(message.contains("should run and does not"), "{message}");
    bench.order(stop("large"));
    bench.pass(65);
    assert_eq!(bench.misses(), [""; 0]);
}

#[test]
fn nothing_is_missed_before_the_host_was_measured() {
    let pod = always("a");
    let rows = vec![(row(&pod, Wanted::Up, PodStatus::Running), pod)];
    let mut bench = Bench::unmeasured(Remembered {
        pods: rows,
        ..Remembered::default()
    });
    bench.look();
    assert_eq!(bench.misses(), [""; 0]);
}

#[test]
fn what_economy_mode_stopped_is_not_missed() {
    let taken = |pod: &str, taking| Taken {
        pod: pod.parse().unwrap(),
        taking,
        at: start(),
        used: Footprint::default(),
        reason: String::new(),
    };
    let shed = Taking::Shed { for_good: false };
    let throttled = Taking::Throttled {
        to: crate::domain::quantity::Millicpu(100),
    };
    let rows = ["shed", "throttled"].map(|name| {
        let pod = plain(name);
        (row(&pod, Wanted::Up, PodStatus::Error), pod)
    });
    let mut bench = Bench::remembering(Remembered {
        pods: rows.to_vec(),
        economy: EconomyRecord {
            taken: vec![taken("shed", shed), taken("throttled", throttled)],
            ..EconomyRecord::default()
        },
        ..Remembered::default()
    });
    bench.look();
    assert_eq!(bench.misses(), ["throttled"]);
}
