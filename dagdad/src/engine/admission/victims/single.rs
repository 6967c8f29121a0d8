//! One short resource.
//!
//! The first three criteria fall to greed, since of two pods of one priority the larger closes
//! the gap at least as well: the largest pods give the fewest, and for any number of pods of
//! each priority the largest of each tell whether that number can do. The last two, then, only
//! exchange pods for others of their priority, within what the largest free too much: see module
//! `exchange`.

use std::cmp::Reverse;
use std::ops::Range;

use super::Standing;
use super::exchange;

/// A candidate, in the order in which they are to be spared.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub priority: Standing,
    pub frees: u64,
}

/// The candidates of one priority, and how many of them go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub members: Range<usize>,
    pub take: usize,
}

/// The best set that closes `gap`, in ascending order; overshoot is counted in `unit`, or in a
/// larger one where it would otherwise take a table of more than `table_bytes`.
pub fn choose(items: &[Item], gap: u64, unit: u64, table_bytes: usize) -> Option<Vec<usize>> {
    let mut by_size: Vec<usize> = (0..items.len()).collect();
    by_size.sort_by_key(|&at| Reverse((items[at].frees, at)));
    let levels = levels(items, &by_size, u128::from(gap))?;
    Some(exchange::best(
        items,
        &by_size,
        &levels,
        gap,
        unit,
        table_bytes,
    ))
}

/// How many of each priority go.
fn levels(items: &[Item], by_size: &[usize], gap: u128) -> Option<Vec<Level>> {
    let within = within(items, gap)?;
    let mut left = fewest(&prefix_sums(items, by_size, within.clone()), gap)?;
    let mut missing = gap;
    let mut levels = Vec::new();
    let mut start = within.start;
    for level in items[within.clone()].chunk_by(|a, b| a.priority == b.priority) {
        let members = start..start + level.len();
        start = members.end;
        let own = prefix_sums(items, by_size, members.clone());
        let lower = prefix_sums(items, by_size, members.end..within.end);
        let take = (0..own.len().min(left + 1)).find(|&take| {
            lower
                .get(left - take)
                .is_some_and(|lower| own[take] + lower >= missing)
        })?;
        missing = missing.saturating_sub(own[take]);
        left -= take;
        levels.push(Level { members, take });
    }
    Some(levels)
}

/// Those up to the lowest priority up to which all together close the gap.
fn within(items: &[Item], gap: u128) -> Option<Range<usize>> {
    let mut start = items.len();
    let mut freed = 0;
    for level in items.chunk_by(|a, b| a.priority == b.priority).rev() {
        start -= level.len();
        freed += level
            .iter()
            .map(|item| u128::from(item.frees))
            .sum::<u128>();
        if freed >= gap {
            return Some(start..items.len());
        }
    }
    None
}

/// What the 0, 1, 2, … largest of `members` free.
fn prefix_sums(items: &[Item], by_size: &[usize], members: Range<usize>) -> Vec<u128> {
    let mut sums = Vec::with_capacity(members.len() + 1);
    let mut sum = 0;
    sums.push(sum);
    for &at in by_size.iter().filter(|at| members.contains(at)) {
        sum += u128::from(items[at].frees);
        sums.push(sum);
    }
    sums
}

fn fewest(sums: &[u128], gap: u128) -> Option<usize> {
    let fewest = sums.partition_point(|&sum| sum < gap);
    (fewest < sums.len()).then_some(fewest)
}
