//! Beginning and ending.

use super::*;

#[test]
fn it_begins_when_memory_was_short_for_the_hold_time_and_not_before() {
    let mut it = Box::new(&[], 80, 0.0);
    assert!(it.watch(30).is_empty());
    let (changes, _) = it.sample();
    assert!(matches!(
        changes[..],
        [Change::Entered(Active {
            cause: Cause::Short {
                trigger: Trigger::Ram,
                ..
            },
            ..
        })]
    ));
}

#[test]
fn a_break_begins_the_hold_time_anew() {
    let mut it = Box::new(&[], 85, 0.0);
    it.watch(25);
    it.reading().ram_used = Bytes::gib(79);
    it.sample();
    it.reading().ram_used = Bytes::gib(85);
    assert!(it.watch(30).is_empty());
    assert!(!it.sample().0.is_empty());
}

#[test]
fn it_is_woken_at_the_end_of_the_hold_time_between_two_samples() {
    let mut it = Box::new(&[], 85, 0.0);
    it.watch(30);
    let due = it.economy.wakes_at(&it.rules, it.policy).unwrap();
    assert_eq!(due, it.now + SignedDuration::from_secs(5));
    let early = due - SignedDuration::from_millis(1);
    let (economy, rules) = (&mut it.economy, &it.rules);
    assert_eq!(economy.wake(rules, Policy::Auto, LONGEST, early), None);
    assert!(economy.wake(rules, Policy::Auto, LONGEST, due).is_some());
    assert_eq!(economy.wakes_at(rules, Policy::Auto), None);
}

#[test]
fn a_clock_that_jumped_does_not_begin_it_nor_wake_it_for_ever() {
    let mut it = Box::new(&[], 85, 0.0);
    it.watch(10);
    let later = it.now + SignedDuration::from_hours(1);
    let (economy, rules) = (&mut it.economy, &it.rules);
    assert_eq!(economy.wake(rules, Policy::Auto, LONGEST, later), None);
    assert_eq!(economy.wakes_at(rules, Policy::Auto), None);
    it.now = later;
    assert!(it.sample_after(None).0.is_empty());
    assert!(it.watch(25).is_empty());
}

#[test]
fn a_stall_begins_every_span_anew() {
    let mut it = Box::new(&[("a", pod(10, 30, 0))], 55, 0.0);
    it.watch(25);
    assert!(it.sample_after(None).0.is_empty());
    assert!(it.watch(25).is_empty());
    assert!(!it.sample().0.is_empty());
    it.reading().ram_used = Bytes::gib(50);
    it.watch(60);
    it.sample_after(None);
    assert!(it.watch(115).is_empty());
    assert!(!it.sample().0.is_empty());
}

#[test]
fn between_its_thresholds_nothing_begins_and_nothing_ends() {
    let mut it = Box::new(&[], 85, 0.0);
    it.watch(35);
    assert!(it.active());
    it.reading().ram_used = Bytes::gib(77);
    assert!(it.watch(600).is_empty());
    it.reading().ram_used = Bytes::gib(74);
    assert!(it.watch(120).is_empty());
    assert!(matches!(it.sample().0[..], [Change::Left { .. }]));
    it.reading().ram_used = Bytes::gib(77);
    assert!(it.watch(600).is_empty());
}

#[test]
fn pressure_and_cpu_begin_it_as_well() {
    let mut it = Box::new(&[], 10, 0.0);
    it.reading().pressure = Some(25.0);
    it.watch(35);
    assert!(it.active());
    let mut it = Box::new(&[], 10, 71.0);
    it.watch(35);
    assert!(it.active());
    assert!(!it.economy.refuses_starts(&it.rules, it.policy, false));
    assert!(it.economy.refuses_starts(&it.rules, it.policy, true));
    assert!(it.economy.refuses_starts(&it.rules, Policy::On, false));
    it.reading().ram_used = Bytes::gib(76);
    it.sample();
    assert!(it.economy.refuses_starts(&it.rules, it.policy, false));
}

#[test]
fn the_policy_on_begins_it_at_once_and_off_ends_it_at_once() {
    let mut it = Box::new(&[], 10, 0.0);
    it.sample();
    it.policy = Policy::On;
    let change = it.economy.wake(&it.rules, Policy::On, LONGEST, it.now);
    assert!(matches!(
        change,
        Some(Change::Entered(Active {
            cause: Cause::Policy,
            ..
        }))
    ));
    assert!(it.economy.refuses_starts(&it.rules, it.policy, false));
    assert!(it.watch(3600).is_empty());
    let mut other = it.clone();
    let change = it.economy.wake(&it.rules, Policy::Off, LONGEST, it.now);
    assert!(matches!(change, Some(Change::Left { .. })));
    let change = other
        .economy
        .wake(&other.rules, Policy::Auto, LONGEST, other.now);
    assert!(matches!(change, Some(Change::Left { .. })));
}

#[test]
fn under_off_nothing_is_taken_however_short_it_is() {
    let mut it = Box::new(&[("a", pod(10, 30, 5))], 69, 60.0);
    it.policy = Policy::Off;
    assert_eq!(it.await_act(), None);
    assert!(!it.active());
}

#[test]
fn what_is_set_outlives_a_restart() {
    let mut it = Box::new(&[("a", pod(10, 30, 0))], 55, 0.0);
    it.economy.set_policy(Policy::Auto);
    let act = it.await_act().unwrap();
    it.carry_out(&act);
    let reborn = Economy::restored(it.economy.record().clone());
    assert_eq!(reborn.policy(Policy::Off), Policy::Auto);
    assert!(reborn.has_shed(&name("a")));
    assert_eq!(reborn.record().active, it.economy.record().active);
}
