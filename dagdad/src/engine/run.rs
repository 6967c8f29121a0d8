//! A run as the engine keeps it: what is stored of it, and what only the daemon that lives
//! knows.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::eviction::Eviction;
use crate::domain::name::PodName;
use crate::domain::run::{Failure, Run};

/// A run that is active, or ended a short while ago.
#[derive(Debug, Clone)]
pub(super) struct ActiveRun {
    pub(super) run: Run,
    /// Whether it is on disk; nothing is done before.
    pub(super) stored: bool,
    /// Whom it waits for in [`crate::domain::run::Phase::Evicting`].
    pub(super) eviction: Option<Eviction>,
    /// A failure whose last log lines are being read.
    pub(super) failing: Option<Failing>,
    /// Pods that could not be stopped; they are not tried again.
    pub(super) unstoppable: BTreeSet<PodName>,
}

/// A failure whose last log lines are being read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failing {
    /// The member whose step it fails, where that is still to be written.
    pub(super) member: Option<PodName>,
    pub(super) failure: Failure,
    /// Whose lines are read; `None` once they are there.
    pub(super) reading: Option<PodName>,
    /// It goes on without them then.
    pub(super) until: Timestamp,
}

impl ActiveRun {
    pub(super) const fn new(run: Run, stored: bool) -> Self {
        Self {
            run,
            stored,
            eviction: None,
            failing: None,
            unstoppable: BTreeSet::new(),
        }
    }
}
