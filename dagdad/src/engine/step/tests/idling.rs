//! Pods that do nothing.

use super::*;
use crate::domain::sample::PodUsage;

/// `a`, which has run for a moment and counts as idle after ten minutes.
fn running() -> Bench {
    let mut bench = Bench::with_running(&[always("a")], &["a"]);
    bench.list();
    bench
}

impl Bench {
    /// Measures `a` each minute.
    fn uses(&mut self, minutes: u32, cpu_percent: f64, network_per_second: f64) {
        for _ in 0..minutes {
            self.wait(60);
            let usage = PodUsage {
                cpu_percent,
                network_per_second,
                ..PodUsage::default()
            };
            self.tell(Event::Sampled(Sample {
                host: idle_host(self.now),
                pods: vec![("a".to_owned(), usage)],
                unseen: Vec::new(),
            }));
        }
    }

    fn idle_since(&self) -> Option<Timestamp> {
        let snapshot = self.state.snapshot(self.now);
        snapshot
            .pod("a")
            .unwrap()
            .managed
            .as_ref()
            .unwrap()
            .idle_since
    }
}

#[test]
fn a_pod_without_cpu_and_traffic_to_speak_of_is_idle_after_its_timeout() {
    let mut bench = running();
    bench.uses(3, 50.0, 0.0);
    let busy_at = bench.now;
    bench.uses(9, 1.9, 1023.0);
    assert_eq!(bench.idle_since(), None, "not for long enough");
    bench.uses(1, 1.9, 1023.0);
    assert_eq!(bench.idle_since(), Some(busy_at));
}

#[test]
fn traffic_alone_keeps_a_pod_busy_and_so_does_cpu() {
    let mut bench = running();
    bench.uses(30, 0.0, 1024.0);
    assert_eq!(bench.idle_since(), None);
    bench.uses(30, 2.0, 0.0);
    assert_eq!(bench.idle_since(), None);
    bench.uses(30, 0.0, 0.0);
    assert!(bench.idle_since().is_some());
    bench.uses(1, 0.0, 5000.0);
    assert_eq!(bench.idle_since(), None, "somebody asks it again");
}

#[test]
fn the_timeout_is_the_pods_own() {
    let mut patient = always("a");
    patient.spec.idle_timeout = Duration::from_hours(1);
    let mut bench = Bench::with_running(&[patient], &["a"]);
    bench.uses(59, 0.0, 0.0);
    assert_eq!(bench.idle_since(), None);
    bench.uses(1, 0.0, 0.0);
    assert!(bench.idle_since().is_some());
}

#[test]
fn a_pod_that_does_not_run_is_not_idle() {
    let mut bench = running();
    bench.uses(30, 0.0, 0.0);
    assert!(bench.idle_since().is_some());
    bench.order(stop("a"));
    assert_eq!(bench.idle_since(), None);
    bench.order(start_command("a"));
    assert_eq!(bench.idle_since(), None, "its start was something to do");
}

#[test]
fn a_clock_that_was_set_back_makes_no_pod_idle() {
    let mut bench = running();
    bench.uses(3, 50.0, 0.0);
    bench.wait(-3600);
    assert_eq!(bench.idle_since(), None);
}
