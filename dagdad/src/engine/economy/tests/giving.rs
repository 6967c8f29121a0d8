//! What comes back, and when.

use super::*;

/// `low` and `high` were stopped, and `squeezed` was throttled.
fn three_taken() -> Box {
    let pods = [
        ("low", pod(10, 10, 0)),
        ("high", pod(90, 10, 0)),
        ("squeezed", pod(50, 1, 4)),
    ];
    let mut it = Box::new(&pods, 70, 40.0);
    for expected in ["low", "high", "squeezed"] {
        let act = it.await_act().unwrap();
        assert_eq!(taken(Some(&act)).unwrap().0, expected);
        it.carry_out(&act);
        it.reading().ram_used = Bytes::gib(if expected == "low" { 85 } else { 79 });
    }
    it.watch(15);
    it
}

#[test]
fn it_comes_back_one_by_one_the_mildest_and_most_valuable_first() {
    let mut it = three_taken();
    it.reading().ram_used = Bytes::gib(20);
    it.reading().cpu_percent = 10.0;
    let left = it.watch(125);
    assert!(matches!(left[..], [Change::Left { .. }]), "{left:?}");
    for expected in ["squeezed", "high", "low"] {
        let act = it.next().or_else(|| it.await_act());
        assert_eq!(given_back(act.as_ref()), Some(expected));
        it.carry_out(&act.unwrap());
        let before = it.now;
        if expected != "low" {
            let next = it.await_act();
            assert!(next.is_some());
            let waited = it.now.duration_since(before);
            assert!(waited >= SignedDuration::from_secs(120), "{waited}");
        }
    }
    assert!(it.economy.record().taken.is_empty());
    assert_eq!(it.await_act(), None);
}

#[test]
fn nothing_comes_back_while_it_is_active_or_without_room() {
    let mut it = three_taken();
    it.reading().ram_used = Bytes::gib(76);
    it.reading().cpu_percent = 10.0;
    assert_eq!(it.await_act(), None);
    assert!(it.active());
}

#[test]
fn what_does_not_fit_below_the_hysteresis_waits_and_says_for_what() {
    let mut it = Box::new(&[("a", pod(10, 10, 0))], 75, 0.0);
    let act = it.await_act().unwrap();
    it.carry_out(&act);
    it.reading().ram_used = Bytes::gib(70);
    it.watch(125);
    assert!(!it.active());
    assert_eq!(it.await_act(), None);
    let view = it.economy.view(Some(&it.situation), &it.rules, it.policy);
    assert_eq!(
        view.taken[0].returns,
        "once another 5.0 GiB below 75 % of RAM is free"
    );
    it.reading().ram_used = Bytes::gib(65);
    assert_eq!(given_back(it.sample().1.as_ref()), Some("a"));
}

#[test]
fn what_was_promised_to_others_is_no_room() {
    let mut it = Box::new(&[("a", pod(10, 10, 0))], 75, 0.0);
    let act = it.await_act().unwrap();
    it.carry_out(&act);
    it.reading().ram_used = Bytes::gib(60);
    it.situation.promised.memory = Bytes::gib(6);
    it.watch(125);
    assert_eq!(it.next(), None);
    it.situation.promised.memory = Bytes::gib(5);
    assert_eq!(given_back(it.sample().1.as_ref()), Some("a"));
}

#[test]
fn a_large_pod_that_does_not_fit_keeps_no_small_one_down() {
    let pods = [("large", pod(50, 20, 0)), ("small", pod(50, 5, 0))];
    let mut it = Box::new(&pods, 75, 0.0);
    for _ in 0..2 {
        let act = it.await_act().unwrap();
        it.carry_out(&act);
        it.reading().ram_used = Bytes::gib(84);
    }
    it.reading().ram_used = Bytes::gib(65);
    it.watch(125);
    assert_eq!(given_back(it.next().as_ref()), Some("small"));
}

#[test]
fn a_throttled_pod_that_wants_more_is_given_back_only_where_that_fits() {
    let mut it = Box::new(&[("a", pod(10, 1, 4))], 10, 50.0);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("a", Rung::Throttle)));
    it.carry_out(&act);
    it.reading().cpu_percent = 60.0;
    it.watch(125);
    assert!(!it.active());
    assert_eq!(
        it.next(),
        None,
        "it uses all that it may, and more would not fit"
    );
    it.pod("a").used.cpu = Millicpu(500);
    assert_eq!(given_back(it.sample().1.as_ref()), Some("a"));
}

#[test]
fn under_off_what_still_runs_gets_back_at_once_what_was_taken() {
    let mut it = three_taken();
    it.policy = Policy::Off;
    let change = it.economy.wake(&it.rules, Policy::Off, LONGEST, it.now);
    assert!(matches!(change, Some(Change::Left { .. })));
    let act = it.next();
    assert_eq!(given_back(act.as_ref()), Some("squeezed"));
    it.carry_out(&act.unwrap());
    assert_eq!(it.next(), None, "there is no room for the others");
}

#[test]
fn what_could_not_be_started_again_is_left_to_people() {
    let mut it = Box::new(&[("a", pod(10, 10, 0))], 75, 0.0);
    let act = it.await_act().unwrap();
    it.carry_out(&act);
    it.reading().ram_used = Bytes::gib(20);
    let back = it.await_act().unwrap();
    it.economy.begin(back, &it.rules, it.now);
    it.economy.failed(Retry::WithOthers);
    it.economy.give_up(&name("a"));
    assert_eq!(it.await_act(), None);
    assert!(it.economy.has_taken(&name("a")) && !it.economy.has_shed(&name("a")));
}

#[test]
fn what_nobody_knows_to_be_done_is_given_back() {
    let mut it = Box::new(&[("a", pod(10, 1, 4))], 10, 50.0);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("a", Rung::Throttle)));
    it.economy.begin(act, &it.rules, it.now);
    it.economy.failed(Retry::OnceUndone);
    assert!(it.economy.has_taken(&name("a")));
    it.reading().cpu_percent = 20.0;
    assert_eq!(given_back(it.await_act().as_ref()), Some("a"));
}
