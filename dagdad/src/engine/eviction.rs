//! Pods that are being stopped to make room for a start.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::step::later;

use crate::domain::name::PodName;
use crate::domain::operation::OperationId;

/// How long a sample is waited for that shows the room that victims left.
const SAMPLE_PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// So often more victims are looked for, where those that went did not free enough.
pub(super) const ROUNDS: u32 = 3;

/// Pods that are being stopped to make room for a start.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Eviction {
    /// Whom it waits for, and the stop that was asked for.
    pub(super) victims: BTreeMap<PodName, Option<OperationId>>,
    /// What became of a stop that failed.
    pub(super) failure: Option<String>,
    /// When all were gone and there still was no room. The host's use is judged by the sample
    /// after that.
    pub(super) gone_at: Option<Timestamp>,
    /// How often victims were chosen.
    pub(super) rounds: u32,
}

impl Eviction {
    /// Until when the sample is waited for that shows the room that the victims left.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        Some(later(self.gone_at?, SAMPLE_PATIENCE))
    }

    pub(super) fn of(victims: impl IntoIterator<Item = PodName>) -> Self {
        Self {
            victims: victims.into_iter().map(|pod| (pod, None)).collect(),
            failure: None,
            gone_at: None,
            rounds: 1,
        }
    }
}
