//! The search for a set that closes two gaps.

use std::ops::Range;

use super::MEMORY_UNIT;
use super::double::{Item, Overshoot};
use super::mix::NEEDED;
use crate::domain::pod::Footprint;

/// What bounds a set: memory, CPU and a mix of both.
type Sums = [u64; 3];

/// A search among candidates for the best set of a number of pods.
pub struct Search<'a> {
    items: &'a [Item],
    weights: &'a [u64],
    needed: Sums,
    /// No set overshoots less.
    least: Overshoot,
    levels: Vec<Level>,
    /// How many of each level go; none of those beyond.
    takes: Vec<usize>,
    /// What the levels after each one amount to.
    after: Vec<(Sums, Overshoot)>,
    chosen: Vec<usize>,
    best: Option<(Overshoot, Vec<usize>)>,
    steps: u32,
}

/// The candidates of one priority.
struct Level {
    members: Range<usize>,
    /// Of its members from each one on.
    from: Vec<Extremes>,
    /// Of the candidates of lower priority.
    below: Extremes,
}

/// What 0, 1, 2, … of some candidates free at most and at least.
struct Extremes {
    most: Vec<Sums>,
    least: Vec<Overshoot>,
}

impl<'a> Search<'a> {
    /// For sets of at most `pods`. `weights` are what the candidates free of the mix.
    pub fn new(
        items: &'a [Item],
        gap: Footprint,
        weights: &'a [u64],
        pods: usize,
        steps: u32,
    ) -> Self {
        let mut below = Ranked::new(pods);
        let mut levels = Vec::new();
        let mut end = items.len();
        for level in items.chunk_by(|a, b| a.priority == b.priority).rev() {
            let members = end - level.len()..end;
            end = members.start;
            let mut ranked = Ranked::new(pods);
            let extremes_below = below.extremes();
            let mut from = vec![ranked.extremes()];
            for at in members.clone().rev() {
                ranked.insert(sums(items, weights, at), items[at].counted());
                below.insert(sums(items, weights, at), items[at].counted());
                from.push(ranked.extremes());
            }
            from.reverse();
            levels.push(Level {
                members,
                from,
                below: extremes_below,
            });
        }
        levels.reverse();
        Self {
            items,
            weights,
            needed: [gap.memory.0, gap.cpu.0, NEEDED],
            least: least(items, gap, pods),
            levels,
            takes: Vec::new(),
            after: Vec::new(),
            chosen: Vec::new(),
            best: None,
            steps,
        }
    }

    /// The best set of so many pods, in ascending order, if there is one and it is found.
    pub fn of(&mut self, pods: usize) -> Option<Vec<usize>> {
        self.distribute(pods, [0; 3]);
        self.best.take().map(|(_, chosen)| chosen)
    }

    /// Whether the steps were used up before the end.
    pub fn gave_up(&self) -> bool {
        self.steps == 0
    }

    fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Distributes `pods` over the levels that have no number yet; those that have one free
    /// `before` at most.
    fn distribute(&mut self, pods: usize, before: Sums) {
        if !self.step() {
            return;
        }
        if pods == 0 {
            self.take_stock();
            if let Some(&take) = self.takes.first() {
                self.pick(0, 0, take, [0; 3], [0; 2]);
            }
            return;
        }
        let at = self.takes.len();
        let Some(level) = self.levels.get(at) else {
            return;
        };
        for take in 0..=pods.min(level.members.len()) {
            let level = &self.levels[at];
            let Some(below) = level.below.most.get(pods - take) else {
                continue;
            };
            let here = add(before, level.from[0].most[take]);
            if self.suffices(add(here, *below)) {
                self.takes.push(take);
                self.distribute(pods - take, here);
                self.takes.pop();
            }
            if self.best.is_some() {
                return;
            }
        }
    }

    /// Adds up what the levels after each one amount to.
    fn take_stock(&mut self) {
        let mut sum = ([0; 3], [0; 2]);
        self.after.clear();
        for (level, &take) in self.levels.iter().zip(&self.takes).rev() {
            self.after.push(sum);
            let Extremes { most, least } = &level.from[0];
            sum = (add(sum.0, most[take]), add(sum.1, least[take]));
        }
        self.after.reverse();
    }

    /// Picks `take` of the members of a level from `from` on, then those of the levels after.
    fn pick(&mut self, level: usize, from: usize, take: usize, freed: Sums, units: Overshoot) {
        if take == 0 {
            match self.takes.get(level + 1) {
                Some(&take) => self.pick(level + 1, 0, take, freed, units),
                None => self.found(freed, units),
            }
            return;
        }
        if !self.step() {
            return;
        }
        let Level {
            members,
            from: extremes,
            ..
        } = &self.levels[level];
        let Extremes { most, least } = &extremes[from];
        let (Some(most), Some(least)) = (most.get(take), least.get(take)) else {
            return;
        };
        let (most_after, least_after) = self.after[level];
        if !self.suffices(add(freed, add(*most, most_after))) {
            return;
        }
        if let Some((best, _)) = &self.best {
            let bound = add(units, add(*least, least_after));
            let bound: Overshoot = std::array::from_fn(|which| bound[which].max(self.least[which]));
            if bound >= *best {
                return;
            }
        }
        let at = members.start + from;
        self.pick(level, from + 1, take, freed, units);
        let freed = add(freed, sums(self.items, self.weights, at));
        let units = add(units, self.items[at].counted());
        self.chosen.push(at);
        self.pick(level, from + 1, take - 1, freed, units);
        self.chosen.pop();
    }

    /// Keeps what is chosen if it closes the gaps and overshoots less than the best until now.
    fn found(&mut self, freed: Sums, units: Overshoot) {
        let better = self.best.as_ref().is_none_or(|(best, _)| units < *best);
        if better && self.suffices(freed) {
            self.best = Some((units, self.chosen.clone()));
        }
    }

    fn suffices(&self, freed: Sums) -> bool {
        freed
            .iter()
            .zip(self.needed)
            .all(|(&freed, needed)| freed >= needed)
    }
}

fn sums(items: &[Item], weights: &[u64], at: usize) -> Sums {
    let Footprint { memory, cpu } = items[at].frees;
    [memory.0, cpu.0, weights[at]]
}

/// What any set of at most `pods` that closes the gaps comes to, in units: remainders of
/// memory that are not counted may make up for a unit each.
fn least(items: &[Item], gap: Footprint, pods: usize) -> Overshoot {
    let mut remainders: Vec<u64> = items
        .iter()
        .map(|item| item.frees.memory.0 % MEMORY_UNIT)
        .collect();
    remainders.sort_unstable_by(|a, b| b.cmp(a));
    let remainders: u64 = remainders.iter().take(pods).sum();
    let memory = gap.memory.0.saturating_sub(remainders);
    [memory.div_ceil(MEMORY_UNIT), gap.cpu.0]
}

fn add<const N: usize>(a: [u64; N], b: [u64; N]) -> [u64; N] {
    std::array::from_fn(|which| a[which].saturating_add(b[which]))
}

/// Candidates ranked by each of their figures by itself.
struct Ranked {
    keep: usize,
    most: [Vec<u64>; 3],
    least: [Vec<u64>; 2],
}

impl Ranked {
    /// Of which at most `keep` are added up.
    fn new(keep: usize) -> Self {
        Self {
            keep,
            most: Default::default(),
            least: Default::default(),
        }
    }

    fn insert(&mut self, sums: Sums, counted: Overshoot) {
        for (ranked, figure) in self.most.iter_mut().zip(sums) {
            ranked.insert(ranked.partition_point(|&it| it > figure), figure);
            ranked.truncate(self.keep);
        }
        for (ranked, figure) in self.least.iter_mut().zip(counted) {
            ranked.insert(ranked.partition_point(|&it| it < figure), figure);
            ranked.truncate(self.keep);
        }
    }

    fn extremes(&self) -> Extremes {
        Extremes {
            most: prefix_sums(&self.most),
            least: prefix_sums(&self.least),
        }
    }
}

fn prefix_sums<const N: usize>(figures: &[Vec<u64>; N]) -> Vec<[u64; N]> {
    let count = figures.first().map_or(0, Vec::len);
    let mut sums = vec![[0; N]; count + 1];
    for (which, figures) in figures.iter().enumerate() {
        let mut sum = 0_u64;
        for (sums, &figure) in sums.iter_mut().skip(1).zip(figures) {
            sum = sum.saturating_add(figure);
            sums[which] = sum;
        }
    }
    sums
}
