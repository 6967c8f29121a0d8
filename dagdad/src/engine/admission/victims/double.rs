//! Both resources are short: a search with bounds.
//!
//! Of two pods, neither need close both gaps better, so greed does not do here. What is known
//! without a search is how much the largest pods free of each resource, and how much those free
//! that are the largest in a mix of both, each resource measured by its gap. No set frees more
//! of any of the three, and none closes the gaps with less than they ask for: so they are the
//! bounds of the search.
//!
//! ```text
//!   pods: as few as the bounds allow, then one more, …
//!     └─► of each priority: as few of the highest as the bounds allow, then one more, …
//!           └─► which ones: from the one to be spared the most on, each is spared if the bounds
//!               allow it, then not; once a set is found, only sets that overshoot less are
//! ```
//!
//! So the first number of pods that yields a set is the fewest, the first numbers of each
//! priority are the best, and the last set found is the best altogether.
//!
//! To search it all may take exponential time, so the search gives up after [`STEPS`]. Then the
//! best that it found by then is improved by exchanging pods one by one; where it found nothing,
//! a greedy set is. Either closes the gaps and reaches no higher in priority than it must, but
//! need not be the best in the rest.

use std::cmp::Reverse;

use super::mix::Mixed;
use super::search::Search;
use super::{CPU_UNIT, MEMORY_UNIT, Standing};
use crate::domain::pod::Footprint;

/// After so many steps the search gives up, which is in less than a millisecond.
pub const STEPS: u32 = 40_000;

/// So often all pods are gone through for exchanges that make the set better.
const ROUNDS: usize = 3;

/// A candidate, in the order in which they are to be spared.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub priority: Standing,
    pub frees: Footprint,
}

impl Item {
    /// What it frees, as overshoot counts it.
    pub fn counted(&self) -> Overshoot {
        let Footprint { memory, cpu } = self.frees;
        [memory.0 / MEMORY_UNIT, cpu.0 / CPU_UNIT]
    }
}

/// What a set frees of each resource in its unit: memory before CPU.
pub type Overshoot = [u64; 2];

/// The best set found in at most `steps` steps that closes both gaps, in ascending order.
pub fn choose(items: &[Item], gap: Footprint, steps: u32) -> Option<Vec<usize>> {
    let start = within(items, gap)?;
    let items = &items[start..];
    let mixes = Mixed::all(items, gap);
    let tightest = mixes.iter().max_by_key(|mixed| mixed.tightness())?;
    let greedy = mixes
        .iter()
        .map(|mixed| greedy(items, &mixed.heaviest, gap))
        .min_by_key(|chosen| (chosen.len(), rank(items, chosen)))?;

    let mut search = Search::new(items, gap, &tightest.weights, greedy.len(), steps);
    let mut chosen = (tightest.fewest..=greedy.len())
        .find_map(|pods| search.of(pods))
        .unwrap_or(greedy);
    if search.gave_up() {
        improve(items, gap, &mut chosen);
    }
    Some(chosen.into_iter().map(|at| start + at).collect())
}

/// From where on the candidates close the gaps and reach no higher in priority than they must.
fn within(items: &[Item], gap: Footprint) -> Option<usize> {
    let mut start = items.len();
    let mut freed = Footprint::default();
    for level in items.chunk_by(|a, b| a.priority == b.priority).rev() {
        start -= level.len();
        freed = level.iter().fold(freed, plus);
        if closes(freed, gap) {
            return Some(start);
        }
    }
    None
}

fn plus(freed: Footprint, item: &Item) -> Footprint {
    Footprint {
        memory: freed.memory + item.frees.memory,
        cpu: freed.cpu + item.frees.cpu,
    }
}

fn minus(freed: Footprint, item: &Item) -> Footprint {
    Footprint {
        memory: freed.memory.saturating_sub(item.frees.memory),
        cpu: freed.cpu.saturating_sub(item.frees.cpu),
    }
}

fn closes(freed: Footprint, gap: Footprint) -> bool {
    freed.memory >= gap.memory && freed.cpu >= gap.cpu
}

/// The heaviest until the gaps are closed, without those that turn out not to be needed.
fn greedy(items: &[Item], heaviest: &[usize], gap: Footprint) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut freed = Footprint::default();
    for &at in heaviest {
        if closes(freed, gap) {
            break;
        }
        freed = plus(freed, &items[at]);
        chosen.push(at);
    }
    chosen.sort_unstable();
    chosen.retain(|&at| {
        let without = minus(freed, &items[at]);
        let needed = !closes(without, gap);
        if !needed {
            freed = without;
        }
        needed
    });
    chosen
}

/// How sets of as many pods compare.
fn rank(items: &[Item], chosen: &[usize]) -> (Vec<Standing>, Overshoot, Vec<Reverse<usize>>) {
    let priorities = chosen.iter().map(|&at| items[at].priority).collect();
    let overshoot = chosen.iter().fold([0; 2], |sum: Overshoot, &at| {
        let counted = items[at].counted();
        std::array::from_fn(|which| sum[which].saturating_add(counted[which]))
    });
    let spared = chosen.iter().copied().map(Reverse).collect();
    (priorities, overshoot, spared)
}

/// Exchanges one pod for another where that makes the set better.
fn improve(items: &[Item], gap: Footprint, chosen: &mut [usize]) {
    let mut goes = vec![false; items.len()];
    let mut freed = Footprint::default();
    for &at in chosen.iter() {
        goes[at] = true;
        freed = plus(freed, &items[at]);
    }
    for _ in 0..ROUNDS {
        let mut changed = false;
        for at in chosen.iter_mut() {
            let rest = minus(freed, &items[*at]);
            // As the rest of the set is the same, so is its part of the rank.
            let rank = |into: usize| (items[into].priority, items[into].counted(), Reverse(into));
            let better = (0..items.len())
                .filter(|&into| !goes[into] && rank(into) < rank(*at))
                .filter(|&into| closes(plus(rest, &items[into]), gap))
                .min_by_key(|&into| rank(into));
            if let Some(into) = better {
                goes[*at] = false;
                goes[into] = true;
                freed = plus(rest, &items[into]);
                *at = into;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    chosen.sort_unstable();
}
