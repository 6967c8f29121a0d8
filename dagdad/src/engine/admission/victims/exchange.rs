//! The exchange of pods for smaller ones of their priority.
//!
//! How many of each priority go is settled; the largest ones free the gap and a *slack* beyond
//! it. To be found are the pods of which just as many of each priority go that use up the most
//! of the slack, and of those the ones to be spared the least.
//!
//! Per priority, the smallest of the largest ones is the *pivot*. To keep one of the largest
//! costs as much of the slack as it is larger than the pivot; to take one of the others instead
//! costs as much as that is smaller. Both costs are known pod by pod, and in the end as many are
//! kept as are taken instead. So what can be reached is a table: for the first 0, 1, 2, … pods,
//! by how many more were taken than kept, which sums of costs.
//!
//! It is small. The slack is less than the least pod that goes (without that pod, the rest
//! frees less than the gap, or fewer pods would do), so the slack times the number of pods is
//! about the gap, whatever there is and however large.
//!
//! Costs are counted in whole units. Where they leave remainders, in bytes, the table holds the
//! least sum of remainders with which a sum of units is reached: if any set of pods of that
//! many units closes the gap, that one does. So nothing is lost by the rounding. Going through
//! the pods from the one to be spared the least to the one to be spared the most, the table
//! tells, backwards, of each pod whether the ones before it allow it to be spared.
//!
//! A table that would be too large all the same gets a unit twice as large, and so on. The set
//! still closes the gap to the byte, then, and overshoots the least in that unit.

use super::single::{Item, Level};
use super::table::{Bits, Remainder, Remainders, Table, Take};

/// How large a table may get, in bytes, before costs are counted in a larger unit: so that it
/// is filled within a millisecond.
pub const TABLE_BYTES: usize = 4 << 20;

/// A pod that may be kept, being one of the largest, or taken instead.
#[derive(Debug, Clone, Copy)]
struct Swap {
    at: usize,
    largest: bool,
    cost: u64,
    /// What its pivot frees.
    pivot: u64,
}

/// A swap with its cost in units.
#[derive(Debug, Clone, Copy)]
struct Counted {
    at: usize,
    largest: bool,
    units: usize,
    /// What the units miss of the cost, or exceed it by where this is negative.
    remainder: i64,
}

/// By how many more may have been taken than kept after some of the swaps.
#[derive(Debug, Clone, Copy)]
struct Balances {
    low: isize,
    high: isize,
}

impl Balances {
    const EVEN: Self = Self { low: 0, high: 0 };

    fn len(self) -> usize {
        self.high.abs_diff(self.low) + 1
    }

    /// The row of a balance, where the first of these balances has the row `first`.
    fn row(self, first: usize, balance: isize) -> Option<usize> {
        (self.low <= balance && balance <= self.high).then(|| first + balance.abs_diff(self.low))
    }
}

/// The pods to stop, in ascending order.
///
/// `levels` says how many of each priority go, the largest of which free at least `gap`, and
/// `by_size` lists the largest first. The table takes at most `table_bytes`.
pub fn best(
    items: &[Item],
    by_size: &[usize],
    levels: &[Level],
    gap: u64,
    unit: u64,
    table_bytes: usize,
) -> Vec<usize> {
    let mut goes = vec![false; items.len()];
    let mut freed = 0;
    for level in levels {
        for &at in members(by_size, level).take(level.take) {
            goes[at] = true;
            freed += u128::from(items[at].frees);
        }
    }
    // Less than what the least of them frees, as the module says.
    let slack = u64::try_from(freed.saturating_sub(u128::from(gap))).unwrap_or(u64::MAX);

    let mut swaps = Vec::new();
    let mut balances = vec![Balances::EVEN];
    let mut most = 0;
    for level in levels.iter().rev() {
        let (of_level, pairs) = swaps_of(items, by_size, level, slack);
        balances.extend(balances_after(&of_level, pairs));
        swaps.extend(of_level);
        most += 2 * pairs;
    }
    if let Some(plan) = Plan::new(&swaps, &balances, most, slack, unit, table_bytes) {
        for at in plan.swapped() {
            goes[at] = !goes[at];
        }
    }
    (0..items.len()).filter(|&at| goes[at]).collect()
}

fn members<'a>(by_size: &'a [usize], level: &'a Level) -> impl Iterator<Item = &'a usize> {
    by_size.iter().filter(|at| level.members.contains(at))
}

/// The swaps that the slack allows, from the pod to be spared the least, and how many of the
/// largest can be kept at once.
fn swaps_of(items: &[Item], by_size: &[usize], level: &Level, slack: u64) -> (Vec<Swap>, usize) {
    let Some(last) = level.take.checked_sub(1) else {
        return (Vec::new(), 0);
    };
    let Some(pivot) = members(by_size, level).nth(last).map(|&at| items[at].frees) else {
        return (Vec::new(), 0);
    };
    let mut swaps: Vec<Swap> = members(by_size, level)
        .enumerate()
        .map(|(rank, &at)| Swap {
            at,
            largest: rank <= last,
            cost: items[at].frees.abs_diff(pivot),
            pivot,
        })
        .filter(|swap| swap.cost <= slack)
        .collect();
    // Both sides from the cheapest: the largest stand in front, the costliest of them first.
    let largest = swaps.iter().filter(|swap| swap.largest).count();
    let keeping = swaps[..largest].iter().rev();
    let pairs = keeping
        .zip(&swaps[largest..])
        .scan(0_u128, |sum, (keep, take)| {
            *sum += u128::from(keep.cost) + u128::from(take.cost);
            (*sum <= u128::from(slack)).then_some(())
        })
        .count();
    if pairs == 0 {
        swaps.clear();
    }
    swaps.sort_by_key(|swap| std::cmp::Reverse(swap.at));
    (swaps, pairs)
}

/// The balances after each of the swaps of one priority: those that the swaps before can lead
/// to and that the swaps after can lead back from.
fn balances_after(swaps: &[Swap], pairs: usize) -> impl Iterator<Item = Balances> {
    let mut keep_left = swaps.iter().filter(|swap| swap.largest).count();
    let mut take_left = swaps.len() - keep_left;
    let (mut keep_done, mut take_done) = (0, 0);
    swaps.iter().map(move |swap| {
        if swap.largest {
            keep_done += 1;
            keep_left -= 1;
        } else {
            take_done += 1;
            take_left -= 1;
        }
        let within = |a: usize, b: usize| a.min(b).min(pairs).cast_signed();
        Balances {
            low: -within(keep_done, take_left),
            high: within(take_done, keep_left),
        }
    })
}

/// What is to be found, in a unit in which its table is small enough.
struct Plan<'a> {
    swaps: Vec<Counted>,
    balances: &'a [Balances],
    slack: u64,
    unit: u64,
    rows: usize,
    width: usize,
    /// All remainders added up, regardless of their signs.
    remainders: u128,
}

impl<'a> Plan<'a> {
    /// `None` where there is nothing to swap, or far too much.
    fn new(
        swaps: &[Swap],
        balances: &'a [Balances],
        most: usize,
        slack: u64,
        unit: u64,
        table_bytes: usize,
    ) -> Option<Self> {
        if swaps.is_empty() {
            return None;
        }
        let common = swaps.iter().fold(0, |a, swap| gcd(a, swap.cost));
        let mut unit = if common.is_multiple_of(unit) {
            common.max(unit)
        } else {
            unit
        };
        let rows = balances.iter().map(|balances| balances.len()).sum();
        loop {
            let plan = Self::counted(swaps, balances, most, slack, unit, rows);
            if plan.bytes() <= table_bytes {
                return Some(plan);
            }
            unit = unit.checked_mul(2)?;
        }
    }

    fn counted(
        swaps: &[Swap],
        balances: &'a [Balances],
        most: usize,
        slack: u64,
        unit: u64,
        rows: usize,
    ) -> Self {
        let swaps: Vec<Counted> = swaps
            .iter()
            .map(|swap| {
                let Swap {
                    at,
                    largest,
                    cost,
                    pivot,
                } = *swap;
                let frees = if largest { pivot + cost } else { pivot - cost };
                let units = (frees / unit).abs_diff(pivot / unit);
                Counted {
                    at,
                    largest,
                    units: usize::try_from(units).unwrap_or(usize::MAX),
                    remainder: cost.wrapping_sub(units * unit).cast_signed(),
                }
            })
            .collect();
        let remainders = swaps
            .iter()
            .map(|swap| u128::from(swap.remainder.unsigned_abs()))
            .sum();
        // A unit more than the cost has at most each of the swaps that can be made at once.
        let more = if remainders == 0 { 0 } else { most };
        let units = usize::try_from(slack / unit).unwrap_or(usize::MAX);
        let all = swaps
            .iter()
            .fold(0, |sum: usize, swap| sum.saturating_add(swap.units));
        Self {
            swaps,
            balances,
            slack,
            unit,
            rows,
            width: units.saturating_add(more).min(all).saturating_add(1),
            remainders,
        }
    }

    fn bytes(&self) -> usize {
        let cells = self.rows.saturating_mul(self.width);
        if self.remainders == 0 {
            cells / 8
        } else if self.fits::<i32>() {
            cells.saturating_mul(size_of::<i32>())
        } else {
            cells.saturating_mul(size_of::<i64>())
        }
    }

    fn fits<T: Remainder>(&self) -> bool {
        self.remainders <= T::LIMIT.into().unsigned_abs().into()
    }

    /// The pods that are kept or taken instead.
    fn swapped(&self) -> Vec<usize> {
        if self.remainders == 0 {
            self.solve::<Bits>()
        } else if self.fits::<i32>() {
            self.solve::<Remainders<i32>>()
        } else if self.fits::<i64>() {
            self.solve::<Remainders<i64>>()
        } else {
            Vec::new()
        }
    }

    fn solve<T: Table>(&self) -> Vec<usize> {
        let mut table = T::new(self.rows, self.width);
        let mut first = 0;
        let mut firsts = vec![first];
        for (swap, between) in self.swaps.iter().zip(self.balances.windows(2)) {
            let (before, after) = (between[0], between[1]);
            for balance in after.low..=after.high {
                let keep = before.row(first, balance);
                let take = before.row(first, balance - swap.step()).map(|row| Take {
                    row,
                    plus: swap.units,
                    remainder: swap.remainder,
                });
                table.push(keep, take);
            }
            first += before.len();
            firsts.push(first);
        }
        // The most units, with the remainder that the slack leaves.
        let left = |units: usize| {
            let units = i128::from(units as u64) * i128::from(self.unit);
            i64::try_from(i128::from(self.slack) - units).ok()
        };
        let Some((mut units, mut left)) = (0..self.width)
            .rev()
            .filter_map(|units| Some((units, left(units)?)))
            .find(|&(units, left)| table.least(first, units).is_some_and(|least| least <= left))
        else {
            return Vec::new();
        };
        let mut balance = 0;
        let mut swapped = Vec::new();
        for (at, swap) in self.swaps.iter().enumerate().rev() {
            let reaches = |units: usize, balance: isize, left: i64| {
                self.balances[at]
                    .row(firsts[at], balance)
                    .and_then(|row| table.least(row, units))
                    .is_some_and(|least| least <= left)
            };
            let with = units
                .checked_sub(swap.units)
                .map(|units| (units, balance - swap.step(), left - swap.remainder))
                .filter(|&(units, balance, left)| reaches(units, balance, left));
            // To be spared is to be kept, or not to be taken.
            let swap_it = if swap.largest {
                with.is_some()
            } else {
                !reaches(units, balance, left)
            };
            if let Some(rest) = with.filter(|_| swap_it) {
                (units, balance, left) = rest;
                swapped.push(swap.at);
            }
        }
        swapped
    }
}

impl Counted {
    /// How it changes the balance.
    fn step(&self) -> isize {
        if self.largest { -1 } else { 1 }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
