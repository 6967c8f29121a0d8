//! The clock on the wall is not the time that passes: somebody sets it, and it goes on while the
//! machine sleeps. What is due after a while moves along with it, so that nothing is given up
//! before its time, and nothing waits for an hour that the clock goes through twice.
//!
//! What is told by Podman, and what people said, stays as it is: since when a pod runs, when it
//! ended, until when a silence holds. Alerts and economy mode count by samples.

use jiff::{SignedDuration, Timestamp};

use super::super::effect::Effect;
use super::super::eviction::Eviction;
use super::super::operation::{At, Operation};
use super::super::pod::Pod;
use super::super::state::{Listing, Schedule, State};
use super::later;
use crate::domain::run::{Phase, RunId};

impl State {
    /// The clock shows `by` more than the time that passed.
    pub(super) fn clock_set(&mut self, by: SignedDuration, out: &mut Vec<Effect>) {
        let shift = |at: &mut Timestamp| *at = later(*at, by);
        let Schedule {
            listing,
            resync_at,
            tidy_at,
            record_at,
            refresh_rows_at,
        } = &mut self.schedule;
        if let Listing::Due(at) = listing {
            shift(at);
        }
        [resync_at, tidy_at, record_at, refresh_rows_at]
            .into_iter()
            .for_each(shift);
        for pod in self.pods.values_mut() {
            pod.shift(shift);
        }
        let mut changed: Vec<RunId> = Vec::new();
        for (id, active) in &mut self.runs {
            if let Some(eviction) = &mut active.eviction {
                eviction.shift(shift);
            }
            if let Some(failing) = &mut active.failing {
                shift(&mut failing.until);
            }
            // One that is on its way to the disk is written with the deadline that it has.
            if let Phase::Starting { deadline } = &mut active.run.phase
                && active.stored
            {
                shift(deadline);
                changed.push(*id);
            }
        }
        // A daemon that is killed now must not go by the old clock.
        for id in changed {
            self.put_run(id, out);
        }
    }
}

impl Pod {
    fn shift(&mut self, shift: impl Fn(&mut Timestamp)) {
        match &mut self.operation {
            Some(Operation {
                at:
                    At::Awaiting {
                        deadline,
                        steady_at,
                        ..
                    },
                ..
            }) => {
                shift(deadline);
                steady_at.iter_mut().for_each(&shift);
            }
            Some(Operation {
                at: At::Evicting(eviction),
                ..
            }) => eviction.shift(&shift),
            _ => {}
        }
        self.deaths.iter_mut().for_each(&shift);
        let asked = [
            &mut self.stop_asked,
            &mut self.stopped_by_us,
            &mut self.down_by,
        ];
        asked.into_iter().flatten().for_each(shift);
    }
}

impl Eviction {
    fn shift(&mut self, shift: impl Fn(&mut Timestamp)) {
        self.gone_at.iter_mut().for_each(shift);
    }
}
