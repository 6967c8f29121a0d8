//! What is taken, from whom, and what follows from what it brought.

use super::*;

fn protected(mut pod: PodSituation) -> PodSituation {
    pod.stance = Stance::Protected;
    pod
}

#[test]
fn the_least_valuable_pod_that_suffices_is_stopped_and_no_other() {
    let pods = [
        ("low", pod(10, 10, 0)),
        ("middle", pod(50, 10, 0)),
        ("high", pod(90, 10, 0)),
    ];
    let mut it = Box::new(&pods, 55, 0.0);
    let act = it.await_act();
    assert_eq!(taken(act.as_ref()), Some(("low", Rung::Stop)));
    it.carry_out(&act.unwrap());
    let (changes, next) = it.sample();
    assert!(matches!(
        changes[..],
        [Change::Measured { helped: true, .. }]
    ));
    assert_eq!(next, None);
    it.watch(600);
    assert_eq!(it.next(), None);
    assert!(it.active(), "75 % and above is not room yet");
}

#[test]
fn what_is_still_short_after_it_was_measured_is_acted_on_again() {
    let pods = [
        ("a", pod(10, 4, 0)),
        ("b", pod(20, 4, 0)),
        ("c", pod(30, 40, 0)),
    ];
    let mut it = Box::new(&pods, 39, 0.0);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("a", Rung::Stop)));
    it.carry_out(&act);
    // It freed nothing.
    it.reading().ram_used += Bytes::gib(4);
    let (changes, next) = it.sample();
    assert!(matches!(
        changes[..],
        [Change::Measured { helped: false, .. }]
    ));
    let next = next.unwrap();
    assert_eq!(
        taken(Some(&next)),
        Some(("c", Rung::Stop)),
        "b alone is not enough"
    );
}

#[test]
fn memory_that_is_not_free_at_once_is_waited_for() {
    let pods = [("a", pod(10, 4, 0)), ("b", pod(20, 4, 0))];
    let mut it = Box::new(&pods, 74, 0.0);
    let act = it.await_act().unwrap();
    it.carry_out(&act);
    let soon = |it: &mut Box, used| {
        it.now += SignedDuration::from_millis(500);
        it.situation.reading.at = it.now;
        it.reading().ram_used = Bytes::gib(used);
        let (reading, passed) = (it.situation.reading, Duration::from_millis(500));
        it.economy.see(reading, &it.rules, it.policy, Some(passed))
    };
    assert_eq!(soon(&mut it, 82), []);
    assert_eq!(it.next(), None, "b would go for nothing");
    assert_eq!(soon(&mut it, 81), [], "a part of it");
    assert_eq!(it.next(), None);
    let changes = soon(&mut it, 78);
    assert!(matches!(
        changes[..],
        [Change::Measured { helped: true, .. }]
    ));
    assert_eq!(it.next(), None);
}

#[test]
fn nothing_else_is_done_before_it_was_measured() {
    let pods = [("a", pod(10, 10, 0)), ("b", pod(20, 10, 0))];
    let mut it = Box::new(&pods, 75, 0.0);
    let act = it.await_act().unwrap();
    it.economy.begin(act, &it.rules, it.now);
    assert_eq!(it.await_act(), None);
    it.economy.done(it.now);
    assert_eq!(it.next(), None);
    assert!(it.sample().1.is_some());
}

#[test]
fn essential_young_and_busy_pods_are_left_alone() {
    let mut young = pod(1, 30, 0);
    young.up_since = Some(start() - SignedDuration::from_secs(10));
    let mut in_hand = pod(1, 30, 0);
    in_hand.stance = Stance::InHand;
    let mut it = Box::new(
        &[
            ("essential", protected(pod(1, 20, 0))),
            ("young", young),
            ("in-hand", in_hand),
        ],
        10,
        0.0,
    );
    it.watch(35);
    assert!(it.active());
    assert_eq!(it.next(), None);
    // It has grown up.
    let act = it.await_act();
    assert_eq!(taken(act.as_ref()), Some(("young", Rung::Stop)));
}

#[test]
fn a_run_lends_its_priority_and_idle_pods_go_first_among_equals() {
    let mut idle = pod(50, 10, 0);
    idle.idle = Some(Duration::from_mins(20));
    let pods = [
        ("busy", pod(50, 10, 0)),
        ("idle", idle),
        ("valuable", pod(60, 6, 0)),
    ];
    let mut it = Box::new(&pods, 59, 0.0);
    let act = it.await_act();
    assert_eq!(taken(act.as_ref()), Some(("idle", Rung::Stop)));
}

#[test]
fn where_all_are_not_enough_those_that_hardly_help_are_spared() {
    let pods = [
        ("tiny", pod(1, 0, 0)),
        ("small", pod(2, 1, 0)),
        ("large", pod(90, 5, 0)),
    ];
    let mut it = Box::new(&pods, 92, 0.0);
    it.pod("tiny").used.memory = Bytes::mib(100);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("small", Rung::Stop)));
    it.carry_out(&act);
    let next = it.await_act().unwrap();
    assert_eq!(taken(Some(&next)), Some(("large", Rung::Stop)));
    it.carry_out(&next);
    assert_eq!(it.await_act(), None);
}

#[test]
fn cpu_is_throttled_before_it_is_frozen_and_frozen_before_it_is_stopped() {
    let mut freezing = pod(10, 1, 4);
    freezing.may_freeze = true;
    let mut it = Box::new(&[("a", freezing)], 10, 40.0);
    let act = it.await_act().unwrap();
    let Act::Take(step) = &act else {
        panic!("{act:?}")
    };
    assert_eq!(
        (step.rung, step.limit),
        (Rung::Throttle, Some(Millicpu(3000)))
    );
    it.carry_out(&act);
    // The others want more.
    it.reading().cpu_percent = 95.0;
    it.sample();
    assert_eq!(
        it.next(),
        None,
        "the first sample still has use from before in it"
    );
    let next = it.await_act().unwrap();
    assert_eq!(taken(Some(&next)), Some(("a", Rung::Freeze)));
    it.carry_out(&next);
    it.reading().cpu_percent = 95.0;
    let last = it.await_act();
    assert_eq!(last, None, "its end would free no CPU");
}

#[test]
fn a_rung_that_did_not_help_is_not_tried_again_in_the_episode() {
    let pods = [("a", pod(10, 1, 2)), ("b", pod(20, 1, 2))];
    let mut it = Box::new(&pods, 10, 40.0);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("a", Rung::Throttle)));
    it.economy.begin(act, &it.rules, it.now);
    it.economy.done(it.now);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("a", Rung::Stop)));
    // Another episode.
    it.carry_out(&act);
    it.reading().cpu_percent = 10.0;
    it.watch(300);
    assert!(!it.active());
    it.reading().cpu_percent = 80.0;
    let act = it.await_act();
    assert_eq!(taken(act.as_ref()), Some(("b", Rung::Throttle)));
}

#[test]
fn what_cannot_be_done_at_all_is_left_out_and_what_failed_once_as_well() {
    let mut cached = pod(10, 10, 0);
    cached.reclaimable = Bytes::gib(10);
    let mut it = Box::new(&[("a", cached), ("b", pod(20, 10, 0))], 50, 0.0);
    it.reading().pressure = Some(40.0);
    let act = it.await_act().unwrap();
    assert_eq!(taken(Some(&act)), Some(("a", Rung::Reclaim)));
    it.economy.begin(act, &it.rules, it.now);
    it.economy.failed(Retry::ByOtherRungs);
    let next = it.next().unwrap();
    assert_eq!(taken(Some(&next)), Some(("a", Rung::Stop)));
    it.economy.begin(next, &it.rules, it.now);
    it.economy.failed(Retry::WithOthers);
    assert!(!it.economy.has_taken(&name("a")));
    let next = it.next();
    assert_eq!(taken(next.as_ref()), Some(("b", Rung::Stop)));
}

#[test]
fn swap_that_is_free_is_used_before_a_pod_is_stopped() {
    let mut it = Box::new(&[("a", pod(10, 10, 0))], 72, 0.0);
    it.reading().swap_free = Bytes::gib(8);
    let act = it.await_act();
    assert_eq!(taken(act.as_ref()), Some(("a", Rung::Reclaim)));
}

#[test]
fn under_on_it_keeps_below_where_it_is_left() {
    let mut it = Box::new(&[("a", pod(10, 5, 0))], 72, 0.0);
    it.policy = Policy::On;
    let act = it.await_act();
    assert_eq!(taken(act.as_ref()), Some(("a", Rung::Stop)));
}

#[test]
fn a_pod_that_is_stopped_for_the_fourth_time_within_an_hour_stays_down() {
    let mut it = Box::new(&[("a", pod(10, 10, 0))], 75, 0.0);
    for round in 1..=4 {
        let act = it.await_act().unwrap();
        assert_eq!(taken(Some(&act)), Some(("a", Rung::Stop)), "round {round}");
        it.carry_out(&act);
        if round == 4 {
            break;
        }
        assert!(it.economy.has_shed(&name("a")));
        it.reading().ram_used = Bytes::gib(50);
        let back = it.await_act().unwrap();
        assert_eq!(given_back(Some(&back)), Some("a"));
        it.carry_out(&back);
        it.reading().ram_used = Bytes::gib(85);
    }
    assert!(!it.economy.has_shed(&name("a")));
    assert!(it.economy.has_taken(&name("a")));
    it.reading().ram_used = Bytes::gib(10);
    assert_eq!(it.await_act(), None);
    let view = it.economy.view(Some(&it.situation), &it.rules, it.policy);
    assert!(view.taken[0].returns.contains("dagdactl pods start a"));
}

#[test]
fn a_clock_that_was_set_back_an_hour_holds_nothing_up() {
    let pods = [("a", pod(10, 4, 0)), ("b", pod(20, 4, 0))];
    let mut it = Box::new(&pods, 80, 0.0);
    it.pod("b").up_since = Some(start());
    let act = it.await_act().unwrap();
    it.carry_out(&act);
    it.now -= SignedDuration::from_hours(1);
    it.sample_after(None);
    it.watch(30);
    let next = it.await_act();
    assert_eq!(taken(next.as_ref()), Some(("b", Rung::Stop)));
    let waited = it
        .now
        .duration_since(start() - SignedDuration::from_hours(1));
    assert!(waited < SignedDuration::from_mins(3), "{waited}");
}

#[test]
fn where_others_burn_the_cpu_no_pod_is_stopped_that_hardly_uses_any() {
    let mut it = Box::new(&[("web", pod(10, 1, 0))], 10, 98.0);
    it.pod("web").used.cpu = Millicpu(150);
    assert_eq!(it.await_act(), None);
    assert!(it.active());
    it.pod("web").used.cpu = Millicpu(900);
    assert_eq!(
        taken(it.await_act().as_ref()),
        Some(("web", Rung::Throttle))
    );
}
