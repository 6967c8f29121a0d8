//! Two resources mixed into one.

use std::cmp::Reverse;

use super::double::Item;
use crate::domain::pod::Footprint;

/// How many proportions there are between all CPU and all memory.
const PARTS: u64 = 8;
/// What a whole gap measures.
const WHOLE: u64 = 1 << 32;
/// What a set that closes both gaps weighs at least, in whatever mix.
pub const NEEDED: u64 = PARTS * WHOLE;

/// What candidates free in one proportion of the resources.
pub struct Mixed {
    /// Of each candidate.
    pub weights: Vec<u64>,
    /// Those that weigh the most first.
    pub heaviest: Vec<usize>,
    /// No fewer close both gaps.
    pub fewest: usize,
    /// By how much so many may weigh more than needed.
    excess: u64,
}

impl Mixed {
    /// In every proportion.
    pub fn all(items: &[Item], gap: Footprint) -> Vec<Self> {
        (0..=PARTS)
            .map(|memory| Self::new(items, gap, memory))
            .collect()
    }

    fn new(items: &[Item], gap: Footprint, memory: u64) -> Self {
        let weights: Vec<u64> = items
            .iter()
            .map(|item| {
                memory * measure(item.frees.memory.0, gap.memory.0)
                    + (PARTS - memory) * measure(item.frees.cpu.0, gap.cpu.0)
            })
            .collect();
        let mut heaviest: Vec<usize> = (0..items.len()).collect();
        heaviest.sort_by_key(|&at| Reverse((weights[at], at)));
        let (mut fewest, mut weight) = (0, 0);
        for &at in &heaviest {
            if weight >= NEEDED {
                break;
            }
            fewest += 1;
            weight += weights[at];
        }
        Self {
            weights,
            heaviest,
            fewest,
            excess: weight.saturating_sub(NEEDED),
        }
    }

    /// The greater, the fewer sets its bound leaves.
    pub fn tightness(&self) -> impl Ord + use<> {
        (self.fewest, Reverse(self.excess))
    }
}

/// How much of a gap is freed; rounded up, so that no bound is too strict.
fn measure(frees: u64, gap: u64) -> u64 {
    let share = (u128::from(frees.min(gap)) * u128::from(WHOLE)).div_ceil(u128::from(gap.max(1)));
    u64::try_from(share).unwrap_or(WHOLE)
}
