//! The choice of victims: which pods to stop so that a gap is closed.

use std::time::Duration;

use crate::domain::pod::{Footprint, Priority};

/// A pod that may be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// How important it is.
    pub priority: Priority,
    /// What its stop frees.
    pub frees: Footprint,
    /// For how long it has done nothing.
    pub idle: Duration,
}

/// Chooses whom to stop so that at least `gap` is freed, as indexes into `candidates`; `None`
/// where stopping all of them is not enough.
#[must_use]
pub fn choose(gap: Footprint, candidates: &[Candidate]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|&index| candidates[index].priority);
    let mut chosen = Vec::new();
    let (mut memory, mut cpu) = (0, 0);
    for index in order {
        if memory >= gap.memory.0 && cpu >= gap.cpu.0 {
            break;
        }
        memory += candidates[index].frees.memory.0;
        cpu += candidates[index].frees.cpu.0;
        chosen.push(index);
    }
    (memory >= gap.memory.0 && cpu >= gap.cpu.0).then_some(chosen)
}
