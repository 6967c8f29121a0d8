//! What keeps the machine busy apart from the pods: curves that rise, stay, flap and fall.

use std::time::Duration;

use jiff::Timestamp;

use super::World;
use super::random::Random;
use crate::domain::alert::{Limit, Rules};
use crate::domain::quantity::Bytes;
use crate::domain::sample::{DiskSample, PressureSample};

/// The disks, of which the second is not always mounted.
pub(super) const MOUNTS: [&str; 2] = ["/", "/data"];
const DISK: Bytes = Bytes::gib(100);
/// How long a curve keeps to one manner, in milliseconds.
const SPELL: (u64, u64) = (5_000, 400_000);

#[derive(Debug)]
pub(super) struct Load {
    /// In percent of all cores.
    pub(super) cpu: Curve,
    /// In percent of the memory.
    pub(super) ram: Curve,
    /// In percent; `None` where the kernel offers no PSI.
    pub(super) pressure: Option<Curve>,
    /// In percent, as [`MOUNTS`].
    pub(super) disks: [Curve; 2],
    pub(super) mounted: bool,
}

/// One curve between 0 and 100.
#[derive(Debug)]
pub(super) struct Curve {
    limit: Limit,
    manner: Manner,
    since: Timestamp,
    until: Timestamp,
}

#[derive(Debug)]
enum Manner {
    Level(f64),
    Slope { from: f64, to: f64 },
    Flapping { values: [f64; 2], period: Duration },
}

impl Load {
    pub(super) fn some(rules: &Rules, now: Timestamp, random: &mut Random) -> Self {
        let curve = |limit: &Limit| Curve {
            limit: *limit,
            manner: Manner::Level(0.0),
            since: now,
            until: now,
        };
        Self {
            cpu: curve(&rules.cpu_high),
            ram: curve(&rules.ram_high),
            pressure: (!random.chance(20)).then(|| curve(&rules.pressure_high)),
            disks: [curve(&rules.disk_high), curve(&rules.disk_high)],
            mounted: true,
        }
    }

    /// From `now` on nothing changes any more: the processors and the memory are left to the
    /// pods, the rest may be as bad as it likes.
    pub(super) fn settle(&mut self, now: Timestamp, random: &mut Random) {
        self.cpu.stay(5.0, now);
        self.ram.stay(10.0, now);
        for curve in self.pressure.iter_mut().chain(&mut self.disks) {
            let value = curve.some_value(random);
            curve.stay(value, now);
        }
    }
}

impl Curve {
    pub(super) fn at(&mut self, now: Timestamp, random: &mut Random) -> f64 {
        if self.until <= now {
            self.since = now;
            self.until = now + random.millis(SPELL.0, SPELL.1);
            self.manner = match random.below(10) {
                0..5 => Manner::Level(self.some_value(random)),
                5..7 => Manner::Slope {
                    from: self.some_value(random),
                    to: self.some_value(random),
                },
                _ => Manner::Flapping {
                    values: [self.some_value(random), self.some_value(random)],
                    period: random.millis(5_000, 60_000),
                },
            };
        }
        self.value(now)
    }

    pub(super) fn value(&self, now: Timestamp) -> f64 {
        let passed = now.duration_since(self.since).as_secs_f64();
        match &self.manner {
            Manner::Level(value) => *value,
            Manner::Slope { from, to } => {
                let whole = self.until.duration_since(self.since).as_secs_f64();
                from + (to - from) * passed / whole
            }
            Manner::Flapping { values, period } => {
                let odd = (passed / period.as_secs_f64()) % 2.0 >= 1.0;
                values[usize::from(odd)]
            }
        }
    }

    /// Over the threshold, below it, or in between.
    fn some_value(&self, random: &mut Random) -> f64 {
        let Limit {
            percent,
            clear_percent,
            ..
        } = self.limit;
        let (from, to) = match random.below(20) {
            0..9 => (0.0, clear_percent),
            9..12 => (clear_percent, percent),
            _ => (percent, 100.0),
        };
        from + (to - from) * random.below(1_000) as f64 / 1_000.0
    }

    fn stay(&mut self, value: f64, now: Timestamp) {
        self.manner = Manner::Level(value);
        self.since = now;
        self.until = Timestamp::MAX;
    }
}

impl World {
    pub(super) fn disks(&mut self) -> Vec<DiskSample> {
        let Load { disks, mounted, .. } = &mut self.load;
        if !self.calm && self.random.chance(1) {
            *mounted = !*mounted;
        }
        let count = if *mounted { 2 } else { 1 };
        let disks = MOUNTS.iter().zip(disks).take(count);
        disks
            .map(|(mount, curve)| DiskSample {
                mount: (*mount).to_owned(),
                total: DISK,
                available: DISK.saturating_sub(part(DISK, curve.at(self.now, &mut self.random))),
            })
            .collect()
    }

    pub(super) fn pressure(&mut self) -> Option<PressureSample> {
        let curve = self.load.pressure.as_mut()?;
        Some(PressureSample {
            memory_some_avg10: curve.at(self.now, &mut self.random),
            ..PressureSample::default()
        })
    }
}

/// So many percent of something.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // of a part
pub(super) fn part(of: Bytes, percent: f64) -> Bytes {
    Bytes((of.0 as f64 * percent / 100.0) as u64)
}
