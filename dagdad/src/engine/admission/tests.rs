//! Decisions, one by one and at random.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

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

/// A small number of something, so that sums meet their limits often.
fn few() -> impl Strategy<Value = Footprint> {
    (0..12_u64, 0..12_u64).prop_map(|(memory, cpu)| Footprint {
        memory: Bytes(memory),
        cpu: Millicpu(cpu),
    })
}

fn holders() -> impl Strategy<Value = BTreeMap<PodName, Holder>> {
    let evictable = (0..5_u8, prop::option::of(0..5_u8), 0..9_i64).prop_map(|(own, run, busy)| {
        let run_priority = run.map(priority);
        Evictable {
            priority: run_priority.map_or(priority(own), |run| run.max(priority(own))),
            run_priority,
            busy_at: at(-busy),
        }
    });
    let holder = (
        few(),
        prop::option::of(0..4_i64),
        prop::option::of(evictable),
    )
        .prop_map(|(need, release, evictable)| Holder {
            need,
            release: release.map(|second| Earliest {
                at: at(second),
                reason: second.to_string(),
            }),
            evictable,
        });
    prop::collection::btree_map((0..8_usize).prop_map(numbered), holder, 0..8)
}

fn numbered(pod: usize) -> PodName {
    name(&format!("pod-{pod}"))
}

fn limit() -> impl Strategy<Value = (u64, u64)> {
    (0..40_u64, 0..15_u64)
}

fn budgets() -> impl Strategy<Value = Budget> {
    // Claims of pods are for those that start, which nobody may stop.
    let claims = prop::collection::btree_map(
        prop_oneof![
            (8..10_usize).prop_map(|pod| ObjectName::Pod(numbered(pod))),
            (0..2_usize).prop_map(|number| workflow(&format!("set-{number}"))),
        ],
        few(),
        0..3,
    );
    (limit(), limit(), any::<bool>(), holders(), claims).prop_map(
        |(memory, cpu, cpu_enforced, holders, claims)| Budget {
            at: at(0),
            memory: Limit {
                capacity: Bytes(50),
                ceiling: Bytes(memory.0),
                others: Bytes(memory.1),
            },
            cpu: Limit {
                capacity: Millicpu(50),
                ceiling: Millicpu(cpu.0),
                others: Millicpu(cpu.1),
            },
            cpu_enforced,
            holders,
            claims,
        },
    )
}

fn questions() -> impl Strategy<Value = Asked> {
    let pods = prop::collection::btree_map((0..10_usize).prop_map(numbered), few(), 1..4);
    (pods, 0..5_u8, 0..3_usize).prop_map(|(pods, of, number)| Asked {
        object: match pods.keys().next() {
            Some(pod) if pods.len() == 1 => ObjectName::Pod(pod.clone()),
            _ => workflow(&format!("set-{number}")),
        },
        priority: priority(of),
        pods: pods.into_iter().collect(),
    })
}

/// What is taken of each resource, each pod counted once: as what it holds, or as what is
/// claimed for it where that is more.
fn taken(budget: &Budget) -> (u64, u64) {
    let mut pods: BTreeMap<PodName, Footprint> = budget
        .holders
        .iter()
        .map(|(pod, holder)| (pod.clone(), holder.need))
        .collect();
    let (mut memory, mut cpu) = (budget.memory.others.0, budget.cpu.others.0);
    for (by, claim) in &budget.claims {
        match by {
            ObjectName::Pod(pod) => {
                let held = pods.entry(pod.clone()).or_default();
                held.memory = held.memory.max(claim.memory);
                held.cpu = held.cpu.max(claim.cpu);
            }
            ObjectName::Workflow(_) => {
                memory += claim.memory.0;
                cpu += claim.cpu.0;
            }
        }
    }
    for footprint in pods.values() {
        memory += footprint.memory.0;
        cpu += footprint.cpu.0;
    }
    (memory, cpu)
}

/// The budget once what is asked for holds its places.
fn after(budget: &Budget, asked: &Asked) -> Budget {
    let mut after = budget.clone();
    after.claims.remove(&asked.object);
    for (pod, footprint) in &asked.pods {
        let holder = after.holders.entry(pod.clone()).or_insert(Holder {
            need: Footprint::default(),
            release: None,
            evictable: None,
        });
        holder.need.memory = holder.need.memory.max(footprint.memory);
        holder.need.cpu = holder.need.cpu.max(footprint.cpu);
    }
    after
}

fn without(budget: &Budget, gone: impl Fn(&PodName, &Holder) -> bool) -> Budget {
    let mut left = budget.clone();
    left.holders.retain(|pod, holder| !gone(pod, holder));
    left
}

fn is_asked(asked: &Asked, pod: &PodName) -> bool {
    asked.pods.iter().any(|(asked, _)| asked == pod)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// I1: who needs more of something than he holds gets it below the ceiling, or not at all;
    /// and is not refused if it is there.
    #[test]
    fn what_is_admitted_stays_below_the_ceiling(budget in budgets(), asked in questions()) {
        let (memory, cpu) = taken(&after(&budget, &asked));
        let Figures { memory: of_memory, cpu: of_cpu, .. } = figures(&budget, &asked);
        let fits = (of_memory.needed == Bytes(0) || memory <= budget.memory.ceiling.0)
            && (!budget.cpu_enforced || of_cpu.needed == Millicpu(0) || cpu <= budget.cpu.ceiling.0);
        prop_assert_eq!(decide(&budget, &asked).is_ok(), fits);
    }

    /// I2, and that the remedy is one.
    #[test]
    fn the_remedy_helps_and_hurts_nobody_it_may_not(budget in budgets(), asked in questions()) {
        let Err(denial) = decide(&budget, &asked) else {
            return Ok(());
        };
        let may_go = |pod: &PodName, holder: &Holder| {
            !is_asked(&asked, pod) && holder.evictable.is_some_and(|evictable| {
                evictable.run_priority.is_none_or(|run| run <= asked.priority)
            })
        };
        let fits_without_all = decide(&without(&budget, may_go), &asked).is_ok();
        match &denial.remedy {
            Remedy::Evict(victims) => {
                prop_assert!(!victims.is_empty());
                for victim in victims {
                    let holder = &budget.holders[&victim.pod];
                    prop_assert!(may_go(&victim.pod, holder), "{}", victim.pod);
                    prop_assert_eq!(victim.frees, holder.need);
                }
                let goes = |pod: &PodName, _: &Holder| victims.iter().any(|it| it.pod == *pod);
                prop_assert!(decide(&without(&budget, goes), &asked).is_ok());
            }
            Remedy::NotEnough { evictable, spared } => {
                for Spared { pod, run_priority } in spared {
                    prop_assert!(!is_asked(&asked, pod) && !may_go(pod, &budget.holders[pod]));
                    prop_assert!(*run_priority > asked.priority);
                }
                prop_assert!(!fits_without_all);
                let all = budget.holders.iter().filter(|(pod, holder)| may_go(pod, holder));
                prop_assert_eq!(*evictable, sum(all.map(|(_, holder)| holder.need)));
            }
            Remedy::Never => {
                let mut idle = without(&budget, |_, _| true);
                idle.claims.clear();
                idle.memory.others = Bytes(0);
                idle.cpu.others = Millicpu(0);
                prop_assert!(decide(&idle, &asked).is_err());
            }
        }
    }

    #[test]
    fn it_fits_at_the_earliest_time_and_not_before(budget in budgets(), asked in questions()) {
        let Err(denial) = decide(&budget, &asked) else {
            return Ok(());
        };
        let gone_by = |by: Option<Timestamp>, itself: bool| {
            let gone = |pod: &PodName, holder: &Holder| {
                !is_asked(&asked, pod) && holder.release.as_ref().is_some_and(|release| {
                    by.is_none_or(|by| release.at < by || (itself && release.at == by))
                })
            };
            decide(&without(&budget, gone), &asked)
        };
        match (&denial.earliest, &denial.remedy) {
            (Some(Earliest { at, .. }), _) => {
                prop_assert!(gone_by(Some(*at), true).is_ok());
                prop_assert!(gone_by(Some(*at), false).is_err());
            }
            (None, Remedy::Never) => {}
            (None, _) => prop_assert!(gone_by(None, true).is_err()),
        }
    }
}
