//! Order between pods: who comes after whom, in levels.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use super::name::PodName;

/// Who comes after whom: each pod with those that it comes after. Names that are no key are
/// not part of the order and are left out.
pub type After = BTreeMap<PodName, BTreeSet<PodName>>;

/// Pods that come after themselves, by way of each other: each comes after the next, the last
/// after the first. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<PodName>);

impl std::error::Error for Cycle {}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pods) = self;
        if let [pod] = pods.as_slice() {
            return write!(f, "{pod} cannot come after itself");
        }
        f.write_str("pods cannot come after each other in a circle: ")?;
        for pod in pods {
            write!(f, "{pod} after ")?;
        }
        pods.iter().take(1).try_for_each(|first| first.fmt(f))
    }
}

/// Sorts pods into levels: those of the first come after nobody, those of each further one
/// after somebody of the level before. Within a level by name.
///
/// # Errors
/// A circle, where there is one; no shorter one leads through its first pod.
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

/// Finds a circle among those left over, each of which comes after another one of them.
fn cycle(after: &After, left: &BTreeMap<&PodName, usize>) -> Cycle {
    let before = |pod: &PodName| {
        let before = after.get(pod).into_iter().flatten();
        before.filter_map(|before| left.get_key_value(before).map(|(pod, _)| *pod))
    };
    // Going on from one to the next must lead to one for the second time. That one is on a
    // circle, while those on the way to it may only come after one.
    let mut seen = BTreeSet::new();
    let mut next = left.keys().next().copied();
    while let Some(pod) = next.filter(|pod| seen.insert(*pod)) {
        next = before(pod).next();
    }
    let Some(start) = next else {
        return Cycle(Vec::new());
    };
    // From it in all directions, the first way back is the shortest.
    let mut came_from = BTreeMap::new();
    let mut reached = VecDeque::from([start]);
    while let Some(pod) = reached.pop_front() {
        for before in before(pod) {
            if before == start {
                return Cycle(way(&came_from, start, pod));
            }
            if !came_from.contains_key(before) {
                came_from.insert(before, pod);
                reached.push_back(before);
            }
        }
    }
    Cycle(vec![start.clone()])
}

fn way(came_from: &BTreeMap<&PodName, &PodName>, start: &PodName, end: &PodName) -> Vec<PodName> {
    let mut way = vec![end.clone()];
    let mut pod = end;
    while pod != start
        && let Some(before) = came_from.get(pod)
    {
        way.push((*before).clone());
        pod = before;
    }
    way.reverse();
    way
}
