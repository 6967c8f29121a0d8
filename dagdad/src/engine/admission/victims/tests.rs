//! The chosen set beside all sets there are, and what holds where those are too many.

use std::cmp::Reverse;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::quantity::{Bytes, Millicpu};

const MIB: u64 = MEMORY_UNIT;

/// How a set compares: the criteria in their order, the least is the best.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    highest: Option<Standing>,
    pods: usize,
    /// Descending.
    priorities: Vec<Standing>,
    memory: u128,
    cpu: u128,
    /// From the one to be spared the most.
    stopped: Vec<bool>,
}

/// `None` where the set does not close the gap.
fn rank(gap: Footprint, candidates: &[Candidate], set: impl Fn(usize) -> bool) -> Option<Rank> {
    let mut all: Vec<(Candidate, bool)> = candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| (*candidate, set(index)))
        .collect();
    all.sort_by_key(|(it, stopped)| {
        let size = Reverse((it.frees.memory, it.frees.cpu));
        (Reverse(it.priority), it.idle, size, *stopped)
    });
    let chosen = || all.iter().filter(|(_, stopped)| *stopped).map(|(it, _)| it);
    let sum =
        |of: fn(&Footprint) -> u64| -> u128 { chosen().map(|it| u128::from(of(&it.frees))).sum() };
    let closed = sum(|frees| frees.memory.0) >= gap.memory.0.into()
        && sum(|frees| frees.cpu.0) >= gap.cpu.0.into();
    let short = |gap: u64, sum: u128| if gap == 0 { 0 } else { sum };
    closed.then(|| Rank {
        highest: chosen().next().map(|it| it.priority),
        pods: chosen().count(),
        priorities: chosen().map(|it| it.priority).collect(),
        memory: short(gap.memory.0, sum(|frees| frees.memory.0 / MIB)),
        cpu: short(gap.cpu.0, sum(|frees| frees.cpu.0)),
        stopped: all.iter().map(|(_, stopped)| *stopped).collect(),
    })
}

fn by_brute_force(gap: Footprint, candidates: &[Candidate]) -> Option<Rank> {
    (0..1_u32 << candidates.len())
        .filter_map(|set| rank(gap, candidates, |index| set >> index & 1 == 1))
        .min()
}

/// The rank of the chosen set, which is checked to be one, and in order.
fn chosen(gap: Footprint, candidates: &[Candidate]) -> Option<Rank> {
    let chosen = choose(gap, candidates)?;
    let rank = rank(gap, candidates, |index| chosen.contains(&index));
    let pods = rank.as_ref().map(|rank| rank.pods);
    assert_eq!(pods, Some(chosen.len()), "{chosen:?} closes the gap");
    let order = chosen
        .iter()
        .map(|&index| (candidates[index].priority, Reverse(candidates[index].idle)));
    assert!(order.is_sorted(), "lowest priority and longest idle first");
    rank
}

fn closes_with_all(gap: Footprint, candidates: &[Candidate]) -> bool {
    rank(gap, candidates, |_| true).is_some()
}

/// Sizes that are alike, round, a few bytes apart, or anything.
fn memory() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        Just(0),
        0..6_u64,
        (0..5_u64).prop_map(|n| n * 512 * MIB),
        (0..40_u64).prop_map(|n| n * MIB),
        (900..=904_u64, 0..3_u64).prop_map(|(n, more)| n * MIB + more),
        0..4096 * MIB,
    ]
    .prop_map(Bytes)
}

fn cpu() -> impl Strategy<Value = Millicpu> {
    prop_oneof![
        Just(0),
        (0..5_u64).prop_map(|n| n * 250),
        0..4000_u64,
        1000..1003_u64,
    ]
    .prop_map(Millicpu)
}

fn candidate() -> impl Strategy<Value = Candidate> {
    (
        prop_oneof![Just(50), 48..=52_u8, 0..=100_u8],
        memory(),
        cpu(),
        prop_oneof![Just(0), 0..4_u64, 0..100_000_u64],
    )
        .prop_map(|(priority, memory, cpu, idle)| Candidate {
            priority: Standing::of(Priority::new(priority).unwrap()),
            frees: Footprint { memory, cpu },
            idle: Duration::from_secs(idle),
        })
}

/// What is short: whether memory, and whether CPU.
type Short = (bool, bool);

const MEMORY: Just<Short> = Just((true, false));
const CPU: Just<Short> = Just((false, true));
const BOTH: Just<Short> = Just((true, true));

/// Mostly memory, as CPU is only enforced where asked for.
fn short() -> impl Strategy<Value = Short> {
    prop_oneof![3 => MEMORY, 1 => CPU, 2 => BOTH]
}

/// Candidates and a gap: what some of them free, a little more or less, so that sets close it
/// to the byte or miss it by one.
fn case(
    count: impl Into<prop::collection::SizeRange>,
    short: impl Strategy<Value = Short>,
) -> impl Strategy<Value = (Footprint, Vec<Candidate>)> {
    let some = prop::collection::vec((candidate(), any::<bool>()), count);
    (some, -2..=2_i64, 1..4_u64, short).prop_map(|(some, by, part, (memory, cpu))| {
        let sum = |of: fn(&Footprint) -> u64| {
            let of_some = some.iter().filter(|(_, counts)| *counts);
            let sum: u64 = of_some.map(|(it, _)| of(&it.frees)).sum();
            (sum / part).saturating_add_signed(by)
        };
        let gap = Footprint {
            memory: Bytes(if memory { sum(|it| it.memory.0) } else { 0 }),
            cpu: Millicpu(if cpu { sum(|it| it.cpu.0) } else { 0 }),
        };
        (gap, some.into_iter().map(|(it, _)| it).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_best_of_all_sets((gap, candidates) in case(0..=10, short())) {
        prop_assert_eq!(chosen(gap, &candidates), by_brute_force(gap, &candidates));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_the_order_of_the_candidates(
        (gap, candidates, shuffled) in case(0..=40, short()).prop_flat_map(|(gap, candidates)| {
            let shuffled = Just(candidates.clone()).prop_shuffle();
            (Just(gap), Just(candidates), shuffled)
        }),
    ) {
        prop_assert_eq!(chosen(gap, &candidates), chosen(gap, &shuffled));
    }

    /// Sizes that no machine has, sums that no u64 holds: at least it is neither claimed that a
    /// set suffices that does not, nor the other way round.
    #[test]
    fn beyond_all_measure(
        sizes in prop::collection::vec((any::<u64>(), any::<u64>(), 0..3_u8), 0..=30),
        gap in (any::<u64>(), any::<u64>(), short()),
    ) {
        let candidates: Vec<Candidate> = sizes
            .into_iter()
            .map(|(memory, cpu, priority)| Candidate {
                priority: Standing::of(Priority::new(priority).unwrap()),
                frees: Footprint { memory: Bytes(memory), cpu: Millicpu(cpu) },
                idle: Duration::ZERO,
            })
            .collect();
        let (memory, cpu, short) = gap;
        let gap = Footprint {
            memory: Bytes(if short.0 { memory } else { 0 }),
            cpu: Millicpu(if short.1 { cpu } else { 0 }),
        };
        prop_assert_eq!(chosen(gap, &candidates).is_some(), closes_with_all(gap, &candidates));
    }

    /// A table that has to be kept small takes nothing from the criteria before the overshoot,
    /// nor from the gap being closed.
    #[test]
    fn a_coarser_unit_still_closes_the_gap(
        (gap, mut candidates) in case(1..=30, MEMORY),
        table_bytes in 0..2000_usize,
    ) {
        prop_assume!(gap.memory.0 > 0);
        candidates.sort_by_key(|it| (Reverse(it.priority), it.idle));
        let items: Vec<single::Item> = candidates
            .iter()
            .map(|it| single::Item { priority: it.priority, frees: it.frees.memory.0 })
            .collect();
        let coarse = single::choose(&items, gap.memory.0, MEMORY_UNIT, table_bytes)
            .map(|set| rank(gap, &candidates, |index| set.contains(&index)).unwrap());
        let exact = chosen(gap, &candidates);
        prop_assert_eq!(
            coarse.as_ref().map(|rank| &rank.priorities),
            exact.as_ref().map(|rank| &rank.priorities)
        );
        prop_assert!(coarse >= exact);
    }

    /// A search that is broken off may miss the best set, but gives none that is wrong.
    #[test]
    fn a_search_broken_off_still_closes_the_gaps(
        (gap, mut candidates) in case(1..=30, BOTH),
        steps in 0..200_u32,
    ) {
        prop_assume!(gap.memory.0 > 0 && gap.cpu.0 > 0);
        candidates.sort_by_key(|it| (Reverse(it.priority), it.idle));
        let items: Vec<double::Item> = candidates
            .iter()
            .map(|it| double::Item { priority: it.priority, frees: it.frees })
            .collect();
        let hasty = double::choose(&items, gap, steps)
            .map(|set| rank(gap, &candidates, |index| set.contains(&index)).unwrap());
        let exact = chosen(gap, &candidates);
        prop_assert_eq!(
            hasty.as_ref().map(|rank| rank.highest),
            exact.as_ref().map(|rank| rank.highest)
        );
        prop_assert!(hasty >= exact);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Of more candidates than all their sets can be tried, what must hold at least: none can
    /// be left out, nor exchanged for one with which the set were better.
    #[test]
    fn no_exchange_makes_it_better((gap, candidates) in case(20..=60, prop_oneof![MEMORY, CPU])) {
        let Some(best) = chosen(gap, &candidates) else {
            prop_assert!(!closes_with_all(gap, &candidates));
            return Ok(());
        };
        let set = choose(gap, &candidates).unwrap();
        for &out in &set {
            let without = |index| index != out && set.contains(&index);
            prop_assert_eq!(rank(gap, &candidates, without), None);
            for into in (0..candidates.len()).filter(|into| !set.contains(into)) {
                let with = rank(gap, &candidates, |index| index == into || without(index));
                prop_assert!(with.is_none_or(|with| with >= best), "{} for {}", into, out);
            }
        }
    }
}

fn of(priority: u8, mib: u64, idle: u64) -> Candidate {
    Candidate {
        priority: Standing::of(Priority::new(priority).unwrap()),
        frees: Footprint {
            memory: Bytes::mib(mib),
            cpu: Millicpu(0),
        },
        idle: Duration::from_secs(idle),
    }
}

#[rstest]
#[case::lowest_priority_before_fewest(100, &[of(60, 100, 0), of(50, 50, 0), of(40, 50, 0)], &[2, 1])]
#[case::fewest_before_lower_ones(100, &[of(60, 90, 0), of(60, 20, 0), of(50, 10, 0), of(40, 5, 0), of(40, 5, 0)], &[2, 0])]
#[case::lower_ones_before_overshoot(100, &[of(60, 60, 0), of(60, 40, 0), of(50, 500, 0), of(60, 90, 0)], &[2])]
#[case::a_lower_one_in_place_of_a_higher(100, &[of(60, 60, 0), of(60, 50, 0), of(50, 90, 0)], &[2, 1])]
#[case::overshoot_before_idle(100, &[of(50, 200, 9000), of(50, 101, 0)], &[1])]
#[case::longest_idle(100, &[of(50, 100, 0), of(50, 100, 1)], &[1])]
#[case::whoever_was_busy_last_is_spared(100, &[of(50, 50, 900), of(50, 50, 5), of(50, 50, 6), of(50, 50, 1)], &[0, 2])]
#[case::nothing_short(0, &[of(50, 50, 0)], &[])]
fn by_each_criterion(
    #[case] gap: u64,
    #[case] candidates: &[Candidate],
    #[case] expected: &[usize],
) {
    let gap = Footprint {
        memory: Bytes::mib(gap),
        cpu: Millicpu(0),
    };
    assert_eq!(choose(gap, candidates).as_deref(), Some(expected));
}

#[test]
fn a_byte_too_little_is_too_little() {
    let candidates = [of(50, 100, 0), of(50, 200, 0)];
    let gap = |bytes| Footprint {
        memory: Bytes(bytes),
        cpu: Millicpu(0),
    };
    assert_eq!(choose(gap(100 * MIB), &candidates), Some(vec![0]));
    assert_eq!(choose(gap(100 * MIB + 1), &candidates), Some(vec![1]));
    assert_eq!(choose(gap(300 * MIB), &candidates), Some(vec![0, 1]));
    assert_eq!(choose(gap(300 * MIB + 1), &candidates), None);
}

fn odd(bytes: u64, idle: u64) -> Candidate {
    let mut candidate = of(50, 0, idle);
    candidate.frees.memory = Bytes(bytes);
    candidate
}

#[test]
fn fractions_of_a_mib_count_for_the_gap_but_not_as_overshoot() {
    let gap = Footprint {
        memory: Bytes::mib(21),
        cpu: Millicpu(0),
    };
    let tens = 10 * MIB + MIB / 2;
    let candidates = [odd(tens, 0), odd(tens, 1), odd(tens + 4096, 2)];
    assert_eq!(choose(gap, &candidates), Some(vec![2, 1]));
    let candidates = [
        odd(tens, 0),
        odd(tens - 1, 9),
        odd(tens + 4096, 1),
        odd(tens, 2),
    ];
    assert_eq!(
        choose(gap, &candidates),
        Some(vec![1, 2]),
        "a page more, a byte less"
    );
}
