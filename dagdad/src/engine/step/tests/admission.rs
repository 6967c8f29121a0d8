//! Starts that fit, that do not, and that are forced; and what becomes of their places.

use rstest::rstest;

use super::world::{sized, told};
use super::*;
use crate::domain::admission::{Denial, Remedy};
use crate::domain::pod::Category;
use crate::domain::quantity::Millicpu;

pub(super) fn start_as(pod: &str, admission: Admission) -> Command {
    Command::Start {
        pod: pod.to_owned(),
        admission,
    }
}

pub(super) fn denial(reply: &Reply) -> &Denial {
    match reply {
        Reply::Refused(CommandError::Insufficient(denial)) => denial,
        other => panic!("{other:?}"),
    }
}

/// Pods of 600 MiB each.
fn bench(running: &[&str]) -> Bench {
    let pods = ["a", "b", "c"].map(|name| sized(always(name), 600));
    let mut bench = Bench::with_running(&pods, running);
    bench.measure(1_000, 0);
    bench
}

#[test]
fn a_start_has_its_place_before_anything_is_done() {
    let mut bench = bench(&[]);
    bench.unstored(start_command("a"));
    assert_eq!(bench.held("a"), Some(600));
}

#[test]
fn no_two_starts_count_on_the_same_room() {
    let mut bench = bench(&[]);
    bench.unstored(start_command("a"));
    let (reply, effects) = bench.command(start_command("b"));
    let denial = denial(&reply);
    assert_eq!(denial.figures.memory.needed, Bytes::mib(600));
    assert_eq!(denial.figures.memory.available, Bytes::mib(400));
    assert_eq!(denial.figures.memory.reserved, Bytes::mib(600));
    assert_eq!(told(&effects, EventKind::Refused).len(), 1);
    assert_eq!(bench.held("b"), None);
    assert_eq!(bench.status("b"), PodStatus::Stopped);
}

#[test]
fn what_others_use_is_not_given_out() {
    let mut bench = bench(&[]);
    bench.measure(1_000, 500);
    let (reply, _) = bench.command(start_command("a"));
    assert_eq!(denial(&reply).figures.memory.others, Bytes::mib(500));
}

#[test]
fn what_a_pod_uses_is_counted_once() {
    let mut bench = bench(&["a"]);
    bench.measure_pods(1_300, 0, &[("a", 500)]);
    let (reply, _) = bench.command(start_command("b"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
}

#[test]
fn a_pod_that_outgrows_its_footprint_holds_what_it_uses() {
    let mut bench = bench(&["a"]);
    bench.measure_pods(1_300, 0, &[("a", 800)]);
    let (reply, _) = bench.command(start_command("b"));
    assert_eq!(denial(&reply).figures.memory.reserved, Bytes::mib(800));
}

#[test]
fn what_is_larger_than_the_ceiling_never_fits() {
    let mut bench = bench(&["a"]);
    bench.measure(500, 0);
    let (reply, _) = bench.command(start_as("b", Admission::Evict));
    assert_eq!(denial(&reply).remedy, Remedy::Never);
}

#[test]
fn nothing_is_admitted_before_the_host_was_measured_but_by_force() {
    let a = always("a");
    let rows = vec![(row(&a, Wanted::Down, PodStatus::Stopped), a)];
    let mut bench = Bench::unmeasured(Remembered {
        pods: rows,
        ..Remembered::default()
    });
    bench.list();
    let (reply, _) = bench.command(start_command("a"));
    assert_eq!(reply, Reply::Refused(CommandError::NotMeasured));
    let (reply, effects) = bench.command(start_as("a", Admission::Force));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    assert_eq!(told(&effects, EventKind::Forced).len(), 1);
}

#[test]
fn force_is_recorded_with_its_numbers() {
    let mut bench = bench(&["a"]);
    let (reply, effects) = bench.command(start_as("b", Admission::Force));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    let forced = told(&effects, EventKind::Forced);
    assert!(forced[0].contains("needs 600 MiB"), "{forced:?}");
    assert_eq!(bench.held("b"), Some(600));
}

#[test]
fn force_that_was_not_needed_is_none() {
    let mut bench = bench(&[]);
    let (id, effects) = bench.unstored(start_as("a", Admission::Force));
    assert!(told(&effects, EventKind::Forced).is_empty());
    let operation = bench.state.pods["a"].operation.as_ref().unwrap();
    assert_eq!((operation.id, operation.admission), (id, Admission::Fit));
}

#[rstest]
#[case::rendering("render")]
#[case::pulling("pull")]
#[case::creating("play")]
fn a_start_that_fails_gives_its_place_back(#[case] action: &'static str) {
    let mut bench = bench(&[]);
    bench.has_fail(action, "a");
    bench.order(start_command("a"));
    assert_eq!(bench.held("a"), None);
    let (reply, _) = bench.command(start_command("b"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
}

#[test]
fn a_start_that_is_not_stored_gives_its_place_back() {
    let mut bench = bench(&[]);
    let (id, _) = bench.unstored(start_command("a"));
    bench.result(id, EffectResult::NotStored(store_error()));
    assert_eq!(bench.held("a"), None);
}

#[test]
fn a_pod_gives_its_place_back_once_it_is_down() {
    let mut bench = bench(&["a"]);
    bench.hold("stop", "a");
    let (id, _) = bench.stop("a");
    assert_eq!(bench.held("a"), Some(600), "it still runs");
    bench.result(id, EffectResult::Stopped(Ok(())));
    assert_eq!(bench.held("a"), None);
}

#[test]
fn a_pod_that_crashes_gives_its_place_back() {
    let mut bench = bench(&["a"]);
    bench.exited("a", 1);
    bench.list();
    assert_eq!(bench.held("a"), None);
}

#[test]
fn a_removed_pod_gives_its_place_back() {
    let mut bench = bench(&["a"]);
    bench.order(remove("a", true));
    let (reply, _) = bench.command(start_command("b"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
}

#[test]
fn a_restart_keeps_its_place() {
    let mut bench = bench(&["a"]);
    bench.hold("render", "a");
    bench.order(restart("a"));
    assert_eq!(bench.status("a"), PodStatus::Starting);
    assert_eq!(bench.held("a"), Some(600));
    let (reply, _) = bench.command(start_command("b"));
    denial(&reply);
}

#[test]
fn a_start_behind_a_stop_keeps_its_place() {
    let mut bench = bench(&["a"]);
    bench.hold("stop", "a");
    let (id, _) = bench.stop("a");
    bench.unstored(start_command("a"));
    bench.result(id, EffectResult::Stopped(Ok(())));
    assert_eq!(bench.held("a"), Some(600));
}

#[test]
fn a_pod_started_outside_has_a_place_too() {
    let mut bench = bench(&["a"]);
    bench.runs("b");
    bench.list();
    assert_eq!(bench.held("b"), Some(600));
    let (reply, _) = bench.command(start_command("c"));
    let figures = denial(&reply).figures;
    assert_eq!(figures.memory.reserved, Bytes::mib(1_200));
    assert_eq!(figures.gap().memory, Bytes::mib(800));
}

#[test]
fn what_a_removed_pod_used_is_not_taken_for_others_use() {
    let mut bench = bench(&["a"]);
    bench.measure_pods(1_000, 0, &[("a", 600)]);
    bench.order(remove("a", true));
    let (reply, _) = bench.command(start_command("b"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
}

#[rstest]
#[case::warns(false)]
#[case::enforced(true)]
fn cpu_warns_or_refuses(#[case] enforced: bool) {
    let mut a = sized(always("a"), 100);
    a.spec.footprint.cpu = Millicpu(6_000);
    let mut bench = Bench::with(&[a]);
    bench.state.settings.cpu_enforced = enforced;
    let (reply, effects) = bench.command(start_command("a"));
    if enforced {
        assert_eq!(denial(&reply).short_of(), "cpu");
    } else {
        assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
        let said = told(&effects, EventKind::Accepted);
        assert!(said[0].contains("CPU will be short"), "{said:?}");
    }
}

#[test]
fn the_victims_are_the_least_valuable_that_may_be_stopped() {
    let mut a = sized(always("a"), 600);
    a.spec.category = Category::Essential;
    let mut b = sized(always("b"), 300);
    b.spec.priority = crate::domain::pod::Priority::new(10).unwrap();
    let c = sized(always("c"), 300);
    let d = sized(always("d"), 300);
    let mut bench = Bench::with_running(&[a, b, c, d], &["a", "b", "c"]);
    bench.measure(1_200, 0);
    let (reply, _) = bench.command(start_command("d"));
    let denial = denial(&reply);
    let victims: Vec<&str> = denial.victims().iter().map(|v| v.pod.as_str()).collect();
    assert_eq!(victims, ["b"]);
    assert_eq!(
        denial.suggested_command().unwrap(),
        "dagdactl pods start d --evict"
    );
    assert_eq!(bench.ups(), ["a", "b", "c"], "nobody is stopped");
}
