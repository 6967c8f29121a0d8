//! What it would do.

use super::*;
use crate::domain::economy::WhatIf;

fn plan_of(it: &Box, what_if: WhatIf, policy: Policy) -> crate::domain::economy::EconomyPlan {
    plan(
        &it.economy,
        &it.situation,
        &what_if.apply(&it.rules),
        policy,
    )
}

#[test]
fn nothing_is_planned_where_nothing_is_short_and_the_figures_say_so() {
    let it = Box::new(&[("a", pod(10, 10, 0))], 51, 12.5);
    let plan = plan_of(&it, WhatIf::default(), Policy::Auto);
    assert!(plan.steps.is_empty() && plan.enough);
    assert_eq!(
        plan.verdict,
        "nothing is short: RAM 61.0 %, memory pressure 0.0 %, CPU 12.5 %"
    );
}

#[test]
fn a_lower_threshold_shows_who_would_go() {
    let pods = [
        ("a", pod(10, 10, 0)),
        ("b", pod(20, 10, 0)),
        ("c", pod(90, 10, 0)),
    ];
    let it = Box::new(&pods, 40, 0.0);
    let what_if = WhatIf {
        ram_percent: Some(55.0),
        ..WhatIf::default()
    };
    let plan = plan_of(&it, what_if, Policy::Auto);
    let steps: Vec<_> = plan.steps.iter().map(|step| step.pod.as_str()).collect();
    assert_eq!(steps, ["a", "b"]);
    assert!(plan.enough);
    assert!((plan.ram_after - 50.0).abs() < 0.1, "{}", plan.ram_after);
    assert_eq!(it.economy.record(), Economy::default().record());
}

#[test]
fn a_plan_says_when_it_is_not_enough_and_when_nothing_is_armed() {
    let it = Box::new(&[("a", pod(10, 5, 0))], 90, 0.0);
    let plan = plan_of(&it, WhatIf::default(), Policy::Off);
    assert!(!plan.enough);
    assert_eq!(plan.steps.len(), 1);
    assert!(
        plan.verdict.starts_with("the policy is off"),
        "{}",
        plan.verdict
    );
    assert!(
        plan.verdict.contains("even that leaves"),
        "{}",
        plan.verdict
    );
}

#[test]
fn what_would_come_back_is_planned_in_order() {
    let pods = [("low", pod(10, 10, 0)), ("high", pod(90, 10, 0))];
    let mut it = Box::new(&pods, 70, 0.0);
    for _ in 0..2 {
        let act = it.await_act().unwrap();
        it.carry_out(&act);
        it.reading().ram_used = Bytes::gib(85);
    }
    it.reading().ram_used = Bytes::gib(57);
    it.watch(125);
    let plan = plan_of(&it, WhatIf::default(), Policy::Auto);
    assert_eq!(plan.restores, [name("high")], "low fits no more after it");
}
