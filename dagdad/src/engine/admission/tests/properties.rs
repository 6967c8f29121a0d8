//! Decisions at random.

use proptest::prelude::*;

use super::*;

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
