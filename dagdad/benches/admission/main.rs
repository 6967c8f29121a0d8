//! What a refusal with its victims costs, and what an order between a thousand pods does.
//! The design allows a millisecond at 200 pods.

#![allow(clippy::unwrap_used)] // a bench that cannot be set up has nothing to measure

mod cases;

use std::collections::BTreeSet;

use cases::{Case, cases};
use dagdad::domain::admission::Denial;
use dagdad::domain::name::PodName;
use dagdad::domain::order::{After, levels};
use dagdad::engine::admission::decide;
use divan::Bencher;

const PODS: usize = 1000;

fn main() {
    divan::main();
}

#[divan::bench(args = [10, 50, 200].map(cases).into_iter().flatten())]
fn refusal_with_victims(case: &Case) -> Box<Denial> {
    let denial = decide(&case.budget, &case.asked).unwrap_err();
    assert!(!denial.victims().is_empty());
    denial
}

fn name(number: usize) -> PodName {
    format!("pod-{number}").parse().unwrap()
}

fn order(before: impl Fn(usize) -> BTreeSet<PodName>) -> After {
    (0..PODS).map(|pod| (name(pod), before(pod))).collect()
}

/// Each after the one before it.
#[divan::bench]
fn order_of_a_chain(bencher: Bencher<'_, '_>) {
    let chain = order(|pod| pod.checked_sub(1).map(name).into_iter().collect());
    assert_eq!(levels(&chain).unwrap().len(), PODS);
    bencher.bench_local(|| levels(&chain));
}

/// All but one after that one, and one more after all of them.
#[divan::bench]
fn order_of_a_fan(bencher: Bencher<'_, '_>) {
    let fan = order(|pod| match pod {
        0 => BTreeSet::new(),
        pod if pod == PODS - 1 => (1..pod).map(name).collect(),
        _ => BTreeSet::from([name(0)]),
    });
    assert_eq!(levels(&fan).unwrap().len(), 3);
    bencher.bench_local(|| levels(&fan));
}

/// A circle of them all.
#[divan::bench]
fn order_of_a_circle(bencher: Bencher<'_, '_>) {
    let circle = order(|pod| BTreeSet::from([name((pod + 1) % PODS)]));
    assert_eq!(levels(&circle).unwrap_err().0.len(), PODS);
    bencher.bench_local(|| levels(&circle));
}
