//! Decisions, one by one.

use rstest::rstest;

use super::*;

mod properties;

fn name(text: &str) -> PodName {
    text.parse().unwrap()
}

fn pod(text: &str) -> ObjectName {
    ObjectName::Pod(name(text))
}

fn workflow(text: &str) -> ObjectName {
    ObjectName::Workflow(text.parse().unwrap())
}

fn priority(value: u8) -> Priority {
    Priority::new(value).unwrap()
}

fn footprint(gib: u64, cpu: u64) -> Footprint {
    Footprint {
        memory: Bytes::gib(gib),
        cpu: Millicpu(cpu),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A box of 20 GiB and 8 cores, of which 16 GiB and 5.6 cores may be given out, with 2 GiB and
/// 0.6 cores used outside the catalogue.
fn budget(holders: impl IntoIterator<Item = (&'static str, Holder)>) -> Budget {
    Budget {
        at: at(0),
        memory: Limit {
            capacity: Bytes::gib(20),
            ceiling: Bytes::gib(16),
            others: Bytes::gib(2),
        },
        cpu: Limit {
            capacity: Millicpu(8000),
            ceiling: Millicpu(5600),
            others: Millicpu(600),
        },
        cpu_enforced: false,
        holders: holders
            .into_iter()
            .map(|(pod, holder)| (name(pod), holder))
            .collect(),
        claims: BTreeMap::new(),
    }
}

fn essential(gib: u64) -> Holder {
    Holder {
        need: footprint(gib, 0),
        release: None,
        evictable: None,
    }
}

fn optional(gib: u64, own: u8) -> Holder {
    Holder {
        evictable: Some(Evictable {
            priority: priority(own),
            run_priority: None,
            busy_at: at(0),
        }),
        ..essential(gib)
    }
}

/// A pod that an active run needs.
fn of_a_run(gib: u64, run: u8) -> Holder {
    Holder {
        evictable: Some(Evictable {
            priority: priority(run),
            run_priority: Some(priority(run)),
            busy_at: at(0),
        }),
        ..essential(gib)
    }
}

fn until(mut holder: Holder, second: i64, reason: &str) -> Holder {
    holder.release = Some(Earliest {
        at: at(second),
        reason: reason.to_owned(),
    });
    holder
}

fn ask(pods: &[(&str, u64)]) -> Asked {
    Asked {
        object: match pods {
            [(one, _)] => pod(one),
            _ => workflow("set"),
        },
        priority: priority(50),
        pods: pods
            .iter()
            .map(|(pod, gib)| (name(pod), footprint(*gib, 0)))
            .collect(),
    }
}

fn remedy_of(budget: &Budget, asked: &Asked) -> Remedy {
    decide(budget, asked).unwrap_err().remedy
}

fn victims_of(budget: &Budget, asked: &Asked) -> Vec<String> {
    let denial = decide(budget, asked).unwrap_err();
    let victims = denial.victims().iter();
    victims.map(|victim| victim.pod.to_string()).collect()
}

#[test]
fn what_fits_to_the_last_byte_is_admitted() {
    let budget = budget([("mariadb", essential(4))]);
    let admitted = decide(&budget, &ask(&[("llama", 10)])).unwrap();
    assert_eq!(admitted.warnings, Vec::<String>::new());
    assert_eq!(
        admitted.figures.memory,
        Room {
            needed: Bytes::gib(10),
            available: Bytes::gib(10),
            ceiling: Bytes::gib(16),
            capacity: Bytes::gib(20),
            others: Bytes::gib(2),
            reserved: Bytes::gib(4),
        }
    );
    let mut one_more = ask(&[("llama", 10)]);
    one_more.pods[0].1.memory.0 += 1;
    assert_eq!(
        remedy_of(&budget, &one_more),
        Remedy::NotEnough {
            evictable: Footprint::default(),
            spared: Vec::new(),
        }
    );
}

#[test]
fn a_pod_only_needs_what_goes_beyond_what_it_holds() {
    let budget = budget([("llama", optional(9, 50)), ("mariadb", essential(4))]);
    assert!(decide(&budget, &ask(&[("llama", 10)])).is_ok());
    assert!(decide(&budget, &ask(&[("llama", 11)])).is_err());
    let less = decide(&budget, &ask(&[("llama", 2)])).unwrap();
    assert_eq!(less.figures.memory.needed, Bytes(0));
}

#[test]
fn who_needs_nothing_more_is_admitted_to_a_box_that_is_too_full() {
    let budget = budget([("llama", optional(30, 50))]);
    assert!(decide(&budget, &ask(&[("llama", 30)])).is_ok());
    assert!(decide(&budget, &ask(&[("qwen", 1)])).is_err());
}

#[rstest]
#[case::of_others_keep_room(workflow("other"), 8, 9)]
#[case::of_its_own_do_not(pod("llama"), 8, 1)]
#[case::for_a_pod_that_holds_some_count_beyond_it(pod("mariadb"), 6, 3)]
#[case::for_a_pod_that_holds_more_do_not_count(pod("mariadb"), 3, 1)]
fn claims(#[case] by: ObjectName, #[case] gib: u64, #[case] missing: u64) {
    let mut budget = budget([("mariadb", essential(4))]);
    budget.claims.insert(by, footprint(gib, 0));
    let denial = decide(&budget, &ask(&[("llama", 11)])).unwrap_err();
    assert_eq!(denial.figures.gap().memory, Bytes::gib(missing));
}

#[test]
fn a_claim_of_a_pod_is_the_need_of_the_same_pod_in_a_workflow() {
    let mut budget = budget([]);
    budget.claims.insert(pod("llama"), footprint(9, 0));
    let asked = ask(&[("llama", 8), ("qwen", 5)]);
    assert!(
        decide(&budget, &asked).is_ok(),
        "8 + 5, and 1 more is claimed for llama"
    );
    budget.claims.insert(pod("llama"), footprint(10, 0));
    assert_eq!(
        decide(&budget, &asked).unwrap_err().figures.gap().memory,
        Bytes::gib(1)
    );
}

#[test]
fn a_lack_of_cpu_warns() {
    let asked = Asked {
        pods: vec![(name("llama"), footprint(1, 6000))],
        ..ask(&[("llama", 1)])
    };
    let admitted = decide(&budget([]), &asked).unwrap();
    assert_eq!(
        admitted.warnings,
        [
            "CPU will be short: of 6 cores that it needs, 5 are left of 5.6; as CPU is shared, everything gets slower"
        ]
    );
}

#[test]
fn a_lack_of_cpu_refuses_where_it_is_enforced() {
    let busy = Holder {
        need: footprint(1, 3000),
        ..optional(1, 10)
    };
    let mut budget = budget([("qwen", busy)]);
    budget.cpu_enforced = true;
    let mut asked = ask(&[("llama", 1)]);
    asked.pods[0].1.cpu = Millicpu(5000);
    let denial = decide(&budget, &asked).unwrap_err();
    assert_eq!(denial.short_of(), "cpu");
    assert_eq!(victims_of(&budget, &asked), ["qwen"]);
    asked.pods[0].1.cpu = Millicpu(5601);
    assert_eq!(remedy_of(&budget, &asked), Remedy::Never);
}

#[test]
fn more_than_the_ceiling_never_fits() {
    let budget = budget([("qwen", until(optional(4, 10), 5, "soon"))]);
    let denial = decide(&budget, &ask(&[("llama", 9), ("n8n", 8)])).unwrap_err();
    assert_eq!(denial.remedy, Remedy::Never);
    assert_eq!(denial.earliest, None);
    let all_of_it = remedy_of(&budget, &ask(&[("llama", 16)]));
    assert!(
        matches!(all_of_it, Remedy::NotEnough { .. }),
        "others may use less one day"
    );
}

#[test]
fn what_is_held_of_too_much_does_not_make_the_other_resource_impossible() {
    let mut budget = budget([("llama", optional(17, 50))]);
    budget.cpu_enforced = true;
    budget.cpu.others = Millicpu(5600);
    let mut asked = ask(&[("llama", 17)]);
    asked.pods[0].1.cpu = Millicpu(100);
    assert!(matches!(
        remedy_of(&budget, &asked),
        Remedy::NotEnough { .. }
    ));
}

#[test]
fn only_those_that_may_be_stopped_are_victims() {
    let budget = budget([
        ("essential", essential(4)),
        ("of-a-higher-run", of_a_run(4, 51)),
        ("of-an-equal-run", of_a_run(2, 50)),
        ("optional", optional(2, 90)),
        ("part", optional(1, 10)),
    ]);
    assert_eq!(
        victims_of(&budget, &ask(&[("llama", 4), ("part", 2)])),
        ["of-an-equal-run", "optional"]
    );
    assert_eq!(
        remedy_of(&budget, &ask(&[("llama", 7)])),
        Remedy::NotEnough {
            evictable: footprint(5, 0),
            spared: vec![Spared {
                pod: name("of-a-higher-run"),
                run_priority: priority(51),
            }],
        }
    );
}

#[rstest]
#[case::just_now(None, 0, "optional, priority 10")]
#[case::for_less_than_a_minute(None, 59, "optional, priority 10")]
#[case::for_minutes(None, 119, "optional, priority 10, idle for 1m")]
#[case::for_hours(None, 2 * 3600 + 5 * 60 + 7, "optional, priority 10, idle for 2h 5m")]
#[case::since_the_future(None, -60, "optional, priority 10")]
#[case::for_a_run(Some(10), 60, "optional, priority 10, needed by a run, idle for 1m")]
fn reasons(#[case] run: Option<u8>, #[case] idle: i64, #[case] expected: &str) {
    let mut qwen = optional(14, 10);
    if let Some(evictable) = &mut qwen.evictable {
        evictable.busy_at = at(-idle);
        evictable.run_priority = run.map(priority);
    }
    let denial = decide(&budget([("qwen", qwen)]), &ask(&[("llama", 1)])).unwrap_err();
    let expected = Victim {
        pod: name("qwen"),
        priority: priority(10),
        frees: footprint(14, 0),
        reason: expected.to_owned(),
    };
    assert_eq!(denial.victims(), [expected]);
}

#[test]
fn the_earliest_is_when_enough_has_come_back() {
    let budget = budget([
        ("late", until(essential(5), 30, "late")),
        ("llama", until(optional(2, 50), 5, "its own place")),
        ("second", until(essential(3), 20, "second")),
        ("soon", until(optional(2, 10), 10, "soon")),
    ]);
    let earliest = |gib| {
        decide(&budget, &ask(&[("llama", gib)]))
            .unwrap_err()
            .earliest
    };
    let told = |second, reason: &str| {
        Some(Earliest {
            at: at(second),
            reason: reason.to_owned(),
        })
    };
    // 2 GiB are left, and 2 are its own.
    assert_eq!(earliest(6), told(10, "soon"));
    assert_eq!(earliest(7), told(20, "second"));
    assert_eq!(earliest(9), told(20, "second"));
    assert_eq!(earliest(14), told(30, "late"));
    assert_eq!(earliest(15), None);
}
