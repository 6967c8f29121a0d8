//! Order between pods: who comes after whom, in levels.

use std::collections::{BTreeMap, BTreeSet};

use super::name::PodName;

/// Who comes after whom: each pod with those that it comes after. Names that are no key are
/// not part of the order and are left out.
pub type After = BTreeMap<PodName, BTreeSet<PodName>>;

/// Pods that come after themselves, by way of each other: each comes after the next, the last
/// after the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} come after each other in a circle: {}", if .0.len() == 1 { "a pod cannot" } else { "pods cannot" }, circle(.0))]
pub struct Cycle(pub Vec<PodName>);

fn circle(pods: &[PodName]) -> String {
    let mut names: Vec<&str> = pods.iter().map(PodName::as_str).collect();
    names.extend(pods.first().map(PodName::as_str));
    names.join(" after ")
}

/// Sorts pods into levels: those of the first come after nobody, those of each further one
/// after somebody of the level before. Within a level by name.
///
/// # Errors
/// A shortest circle, where there is one.
pub fn levels(after: &After) -> Result<Vec<Vec<PodName>>, Cycle> {
    let mut missing: BTreeMap<&PodName, usize> = BTreeMap::new();
    let mut followers: BTreeMap<&PodName, Vec<&PodName>> = BTreeMap::new();
    for (pod, before) in after {
        let known = before.iter().filter(|before| after.contains_key(*before));
        let mut count = 0;
        for before in known {
            followers.entry(before).or_default().push(pod);
            count += 1;
        }
        missing.insert(pod, count);
    }
    let mut level: Vec<&PodName> = missing
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(pod, _)| *pod)
        .collect();
    let mut levels = Vec::new();
    let mut placed = 0;
    while !level.is_empty() {
        placed += level.len();
        let mut next = Vec::new();
        for pod in &level {
            for follower in followers.get(*pod).into_iter().flatten() {
                if let Some(count) = missing.get_mut(*follower) {
                    *count -= 1;
                    if *count == 0 {
                        next.push(*follower);
                    }
                }
            }
        }
        next.sort();
        levels.push(level.into_iter().cloned().collect());
        level = next;
    }
    if placed == after.len() {
        return Ok(levels);
    }
    missing.retain(|_, count| *count > 0);
    Err(cycle(after, &missing))
}

/// Follows those left over until one comes round again.
fn cycle(after: &After, left: &BTreeMap<&PodName, usize>) -> Cycle {
    let mut path: Vec<&PodName> = Vec::new();
    let mut pod = left.keys().next().copied();
    while let Some(here) = pod {
        if let Some(start) = path.iter().position(|seen| *seen == here) {
            return Cycle(path[start..].iter().map(|pod| (*pod).clone()).collect());
        }
        path.push(here);
        pod = after[here]
            .iter()
            .find_map(|before| left.get_key_value(before).map(|(pod, _)| *pod));
    }
    Cycle(path.into_iter().cloned().collect())
}
