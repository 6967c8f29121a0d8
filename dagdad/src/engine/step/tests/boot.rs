//! After the machine was switched off: what ran before is started again, as far as it fits.

use super::world::{asked, sized, told};
use super::*;
use crate::domain::pod::{Category, Priority};

fn rebooted(pods: &[(&str, u8, Category)]) -> Bench {
    let rows = pods.iter().map(|(name, priority, category)| {
        let mut entry = sized(always(name), 500);
        entry.spec.priority = Priority::new(*priority).unwrap();
        entry.spec.category = *category;
        (row(&entry, Wanted::Up, PodStatus::Running), entry)
    });
    let mut bench = Bench::unmeasured(Remembered {
        pods: rows.collect(),
        ..Remembered::default()
    });
    for (name, ..) in pods {
        bench.exited(name, 137);
    }
    bench
}

use Category::{Essential, Optional};

const PODS: [(&str, u8, Category); 4] = [
    ("a", 10, Optional),
    ("b", 90, Optional),
    ("c", 50, Optional),
    ("d", 0, Essential),
];

#[test]
fn essential_pods_come_first_then_the_highest_priority() {
    let mut bench = rebooted(&PODS);
    let effects = bench.measure(1_500, 0);
    assert_eq!(asked(&effects, "render"), ["d", "b", "c"]);
    assert_eq!(bench.ups(), ["b", "c", "d"]);
}

#[test]
fn what_does_not_fit_is_refused_and_said() {
    let mut bench = rebooted(&PODS);
    let effects = bench.measure(1_500, 0);
    let said = told(&effects, EventKind::Refused);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("a ran before and is not started again: a does not fit"),
        "{said:?}"
    );
    assert_eq!(bench.held("a"), None);
    assert_eq!(bench.status("a"), PodStatus::Stopped);
}

#[test]
fn nothing_is_started_before_the_host_was_measured() {
    let mut bench = rebooted(&PODS);
    let effects = bench.look();
    assert_eq!(asked(&effects, "render"), [""; 0]);
    assert_eq!(bench.held("a"), None);
    let effects = bench.measure(1_500, 0);
    assert_eq!(asked(&effects, "render"), ["d", "b", "c"]);
}

#[test]
fn what_somebody_stops_before_it_is_started_again_stays_down() {
    let mut bench = rebooted(&PODS);
    bench.look();
    let (reply, _) = bench.order(stop("b"));
    assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
    bench.measure(10_000, 0);
    assert_eq!(bench.ups(), ["a", "c", "d"]);
}

#[test]
fn a_killed_daemon_finds_its_places_held() {
    let pods = ["a", "b"].map(|name| sized(always(name), 600));
    let mut bench = Bench::with_running(&pods, &["a"]);
    bench.measure(1_000, 0);
    bench.hold("render", "b");
    bench.order(start_as_forced("b"));
    bench.reborn();
    assert_eq!((bench.held("a"), bench.held("b")), (Some(600), Some(600)));
    bench.let_go("render", "b");
    bench.measure(1_000, 0);
    assert_eq!(bench.ups(), ["a", "b"], "it was admitted before");
}

fn start_as_forced(pod: &str) -> Command {
    super::admission::start_as(pod, Admission::Force)
}
