//! Levels and circles of random orders, and the words of a circle.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn name(number: usize) -> PodName {
    format!("pod-{number}").parse().unwrap()
}

fn order(pairs: &[(&str, &str)]) -> After {
    let name = |text: &str| text.parse::<PodName>().unwrap();
    let mut after = After::new();
    for (pod, before) in pairs {
        after.entry(name(before)).or_default();
        after.entry(name(pod)).or_default().insert(name(before));
    }
    after
}

/// A random order: of 0 to 12 pods each comes after some of them, itself and strangers
/// included. With few pairs most have no circle, with many most have.
fn orders() -> impl Strategy<Value = After> {
    (0..=12_usize).prop_flat_map(|pods| {
        let pairs = prop::collection::vec((0..pods.max(1), 0..pods + 2), 0..=pods * 2);
        pairs.prop_map(move |pairs| {
            let mut after: After = (0..pods).map(|pod| (name(pod), BTreeSet::new())).collect();
            for (pod, before) in pairs {
                if let Some(all) = after.get_mut(&name(pod)) {
                    all.insert(name(before));
                }
            }
            after
        })
    })
}

/// A random order in which each pod only comes after ones of lower numbers.
fn orders_without_circles() -> impl Strategy<Value = After> {
    orders().prop_map(|mut after| {
        for (pod, before) in &mut after {
            before.retain(|before| before < pod);
        }
        after
    })
}

/// All that come before a pod, by way of others too: found by growing the set until it stays.
fn all_before(after: &After, pod: &PodName) -> BTreeSet<PodName> {
    let mut all = after[pod].clone();
    loop {
        let more: BTreeSet<PodName> = all
            .iter()
            .flat_map(|pod| after.get(pod).into_iter().flatten().cloned())
            .collect();
        let before = all.len();
        all.extend(more);
        if all.len() == before {
            return all;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn there_is_a_circle_or_there_are_levels(after in orders()) {
        let circular = after.keys().any(|pod| all_before(&after, pod).contains(pod));
        match levels(&after) {
            Ok(_) => prop_assert!(!circular),
            Err(Cycle(circle)) => {
                prop_assert!(!circle.is_empty());
                let next = circle.iter().cycle().skip(1);
                for (pod, before) in circle.iter().zip(next) {
                    prop_assert!(after[pod].contains(before), "{} is not after {}", pod, before);
                }
                let distinct: BTreeSet<&PodName> = circle.iter().collect();
                prop_assert_eq!(distinct.len(), circle.len());
            }
        }
    }

    #[test]
    fn each_pod_stands_right_after_the_last_of_those_before_it(after in orders_without_circles()) {
        let levels = levels(&after).unwrap();
        let level_of: BTreeMap<&PodName, usize> = levels
            .iter()
            .enumerate()
            .flat_map(|(level, pods)| pods.iter().map(move |pod| (pod, level)))
            .collect();
        prop_assert_eq!(level_of.len(), after.len());
        prop_assert_eq!(levels.iter().map(Vec::len).sum::<usize>(), after.len());
        for (pod, before) in &after {
            let last = before.iter().filter_map(|before| level_of.get(before)).max();
            prop_assert_eq!(level_of[pod], last.map_or(0, |last| last + 1), "{}", pod);
        }
        for pods in &levels {
            prop_assert!(pods.is_sorted());
        }
    }
}

#[rstest]
#[case::of_one(&[("a", "a")], "a cannot come after itself")]
#[case::of_two(&[("a", "b"), ("b", "a")], "pods cannot come after each other in a circle: a after b after a")]
#[case::those_before_it_are_left_out(
    &[("a", "m"), ("m", "n"), ("n", "o"), ("o", "m")],
    "pods cannot come after each other in a circle: m after n after o after m"
)]
#[case::the_short_way_round(
    &[("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("a", "d")],
    "pods cannot come after each other in a circle: a after d after a"
)]
fn words_of_a_circle(#[case] pairs: &[(&str, &str)], #[case] expected: &str) {
    assert_eq!(levels(&order(pairs)).unwrap_err().to_string(), expected);
}

#[test]
fn strangers_are_no_part_of_the_order() {
    let after: After = [(name(1), BTreeSet::from([name(2)]))].into();
    assert_eq!(levels(&after), Ok(vec![vec![name(1)]]));
}

#[test]
fn a_chain_of_a_thousand_has_as_many_levels() {
    let after: After = (0..1000)
        .map(|pod: usize| {
            (
                name(pod),
                pod.checked_sub(1).map(name).into_iter().collect(),
            )
        })
        .collect();
    let expected: Vec<Vec<PodName>> = (0..1000).map(|pod| vec![name(pod)]).collect();
    assert_eq!(levels(&after), Ok(expected));
}

#[test]
fn a_circle_of_a_thousand_is_told_whole() {
    let after: After = (0..1000)
        .map(|pod| (name(pod), BTreeSet::from([name((pod + 1) % 1000)])))
        .collect();
    let Cycle(circle) = levels(&after).unwrap_err();
    assert_eq!(circle.len(), 1000);
}
