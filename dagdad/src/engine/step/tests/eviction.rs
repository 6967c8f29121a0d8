//! Starts that wait until others are stopped for them.

use super::admission::{denial, start_as};
use super::world::{asked, sized, told};
use super::*;
use crate::domain::catalogue::Entries;
use crate::domain::pod::{Category, Priority};

fn with_priority(mut entry: CataloguePod, priority: u8) -> CataloguePod {
    entry.spec.priority = Priority::new(priority).unwrap();
    entry
}

/// `a` and `b` run and fill the machine; `c` and `d` do not fit.
fn full() -> Bench {
    let pods = [
        with_priority(sized(always("a"), 500), 10),
        with_priority(sized(always("b"), 500), 20),
        sized(always("c"), 500),
        sized(always("d"), 500),
    ];
    let mut bench = Bench::with_running(&pods, &["a", "b"]);
    bench.measure(1_000, 0);
    bench
}

fn evict(pod: &str) -> Command {
    start_as(pod, Admission::Evict)
}

#[test]
fn the_victim_is_down_before_the_start_goes_on() {
    let mut bench = full();
    bench.hold("stop", "a");
    let (reply, effects) = bench.order(evict("c"));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    assert_eq!(asked(&effects, "stop"), ["a"]);
    assert_eq!(asked(&effects, "render"), [""; 0]);
    let said = told(&effects, EventKind::Evicted);
    assert_eq!(said, ["stop of a, to make room for c"]);
    assert_eq!(bench.status("c"), PodStatus::Starting);
    assert_eq!(bench.held("c"), None, "a claim is no place");
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.exited("a", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    assert_eq!(asked(&effects, "render"), ["c"]);
    assert_eq!(bench.held("c"), Some(500));
    bench.carry_out(effects);
    assert_eq!(bench.ups(), ["b", "c"]);
}

#[test]
fn nobody_is_stopped_before_the_intent_is_stored() {
    let mut bench = full();
    let (_, effects) = bench.unstored(evict("c"));
    assert_eq!(told(&effects, EventKind::Evicted), [""; 0]);
    bench.disk_is_full(true);
    bench.carry_out(effects);
    assert_eq!(bench.ups(), ["a", "b"]);
    assert_eq!(bench.status("c"), PodStatus::Stopped);
}

#[test]
fn one_that_fits_stops_nobody() {
    let mut bench = full();
    bench.order(stop("a"));
    bench.order(evict("c"));
    assert_eq!(bench.ups(), ["b", "c"]);
}

#[test]
fn a_claim_keeps_others_out_of_the_room_that_is_made() {
    let mut bench = full();
    bench.hold("stop", "a");
    bench.order(evict("c"));
    let (reply, _) = bench.command(start_command("d"));
    denial(&reply);
    bench.let_go("stop", "a");
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.hold("render", "c");
    bench.result(stop, EffectResult::Stopped(Ok(())));
    let (reply, _) = bench.command(start_command("d"));
    denial(&reply);
}

#[test]
fn two_that_wait_for_room_both_get_it() {
    let mut bench = full();
    bench.hold("stop", "a");
    bench.hold("stop", "b");
    bench.order(evict("c"));
    bench.order(evict("d"));
    for victim in ["a", "b"] {
        let stop = bench.state.pods[victim].operation.as_ref().unwrap().id;
        bench.exited(victim, 143);
        let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
        bench.carry_out(effects);
    }
    assert_eq!(bench.ups(), ["c", "d"]);
}

#[test]
fn the_first_does_not_wait_for_the_victims_of_the_second() {
    let mut bench = full();
    bench.hold("stop", "a");
    bench.hold("stop", "b");
    bench.order(evict("c"));
    bench.order(evict("d"));
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.exited("a", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    assert_eq!(bench.ups(), ["b", "c"]);
}

#[test]
fn more_are_stopped_where_the_victims_did_not_free_enough() {
    let mut bench = full();
    bench.hold("stop", "a");
    bench.order(evict("c"));
    // Others take what is being freed.
    bench.measure(1_000, 300);
    bench.let_go("stop", "a");
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.exited("a", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    let effects = bench.carry_out(effects);
    assert_eq!(asked(&effects, "render"), [""; 0]);
    assert_eq!(bench.ups(), ["b"], "the next sample is waited for");
    bench.wait(5);
    bench.measure(1_000, 300);
    assert_eq!(bench.ups(), ["c"]);
}

#[test]
fn a_start_is_refused_where_there_is_nobody_left_to_stop() {
    let mut bench = full();
    bench.hold("stop", "a");
    let (reply, _) = bench.order(evict("c"));
    let Reply::Operation(id) = reply else {
        panic!("{reply:?}");
    };
    bench.let_go("stop", "a");
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.measure(1_000, 900);
    bench.exited("a", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    bench.wait(5);
    let effects = bench.measure(1_000, 900);
    assert_eq!(failure(&effects, id).code(), "insufficient_resources");
    assert_eq!(bench.status("c"), PodStatus::Stopped);
    assert_eq!(bench.wanted("c"), Wanted::Down);
    assert_eq!(bench.held("c"), None);
}

#[test]
fn a_sample_is_not_waited_for_for_ever() {
    let mut bench = full();
    bench.hold("stop", "a");
    let (reply, _) = bench.order(evict("c"));
    let Reply::Operation(id) = reply else {
        panic!("{reply:?}");
    };
    bench.measure(1_000, 900);
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.exited("a", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    bench.wait(61);
    let effects = bench.go(Event::Tick);
    assert_eq!(failure(&effects, id).code(), "insufficient_resources");
}

#[test]
fn a_victim_that_cannot_be_stopped_ends_the_start() {
    let mut bench = full();
    bench.has_fail("stop", "a");
    let (reply, effects) = bench.order(evict("c"));
    let Reply::Operation(id) = reply else {
        panic!("{reply:?}");
    };
    let error = failure(&effects, id);
    assert!(
        error.to_string().contains("a could not be stopped"),
        "{error}"
    );
    assert_eq!(bench.ups(), ["a", "b"]);
    assert_eq!(bench.status("c"), PodStatus::Stopped);
}

#[test]
fn a_victim_that_is_started_again_is_not_said_to_be_unstoppable() {
    let mut bench = full();
    bench.hold("stop", "a");
    let (reply, _) = bench.order(evict("c"));
    let Reply::Operation(id) = reply else {
        panic!("{reply:?}");
    };
    let (reply, _) = bench.order(start_as("a", Admission::Force));
    assert!(matches!(reply, Reply::Operation(_)), "{reply:?}");
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    bench.let_go("stop", "a");
    bench.exited("a", 143);
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    let effects = bench.carry_out(effects);
    assert!(ending(&effects, id).is_none(), "{:?}", ending(&effects, id));
    bench.wait(5);
    bench.measure(1_000, 0);
    assert!(bench.ups().contains(&"c"), "{:?}", bench.ups());
}

#[test]
fn a_victim_that_becomes_essential_meanwhile_is_spared() {
    let mut bench = full();
    let (_, effects) = bench.unstored(evict("c"));
    let mut essential = changed(&with_priority(sized(always("a"), 500), 10));
    essential.spec.category = Category::Essential;
    let entries = Entries {
        pods: vec![essential],
        ..Entries::default()
    };
    bench.go(Event::Command {
        ticket: Ticket(99),
        command: Command::Apply {
            entries,
            dry_run: false,
        },
    });
    bench.carry_out(effects);
    bench.wait(5);
    bench.measure(1_000, 0);
    assert_eq!(bench.ups(), ["a", "c"], "b went instead");
}

#[test]
fn a_stop_of_what_waits_for_room_ends_the_wait() {
    let mut bench = full();
    bench.hold("stop", "a");
    let (reply, _) = bench.order(evict("c"));
    let Reply::Operation(id) = reply else {
        panic!("{reply:?}");
    };
    let (_, effects) = bench.order(stop("c"));
    assert_eq!(failure(&effects, id).code(), "cancelled");
    assert_eq!(bench.status("c"), PodStatus::Stopped);
}

#[test]
fn a_start_that_waited_is_decided_on_again_after_a_restart() {
    let mut bench = full();
    bench.hold("stop", "a");
    bench.order(evict("c"));
    bench.exited("a", 143);
    bench.reborn();
    bench.hold("stop", "a");
    bench.look();
    assert_eq!(bench.held("c"), None, "the host was not measured yet");
    assert_eq!(bench.status("c"), PodStatus::Starting);
    bench.let_go("stop", "a");
    let stop = bench.state.pods["a"].operation.as_ref().unwrap().id;
    let effects = bench.result(stop, EffectResult::Stopped(Ok(())));
    bench.carry_out(effects);
    bench.measure(1_000, 0);
    assert_eq!(bench.ups(), ["b", "c"]);
}
