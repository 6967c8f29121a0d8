//! What should have been told of the machine and of MariaDB, reckoned from the samples and from
//! nothing else: stretches in which a value stayed on one side of its thresholds.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::super::super::event::Event;
use super::super::super::state::State;
use super::super::load::MOUNTS;
use crate::domain::alert::{Alert, Condition, HOST, Limit, MARIADB, Pace, Rules};
use crate::domain::sample::Sample;
use crate::ports::MirrorLink;

/// Longer than this between two samples is a time in which nobody watched.
const GAP: Duration = Duration::from_secs(15);
/// What comes back so often is flapping, and has to be quiet for so much longer.
const FLAPPING: u32 = 3;

/// What is watched.
pub(super) const WATCHED: [(Condition, &str); 6] = [
    (Condition::CpuHigh, HOST),
    (Condition::RamHigh, HOST),
    (Condition::PressureHigh, HOST),
    (Condition::DiskHigh, MOUNTS[0]),
    (Condition::DiskHigh, MOUNTS[1]),
    (Condition::StoreDown, MARIADB),
];
pub(super) const STORE: usize = WATCHED.len() - 1;

/// What the daemon that lives has been shown of each thing that is watched.
#[derive(Debug, Default)]
pub(in crate::engine::simulation) struct Sightings {
    pub(super) of: [Sighting; WATCHED.len()],
    pub(super) levels: [Level; WATCHED.len()],
    pub(super) sampled_at: Option<Timestamp>,
    /// Pods whose absence somebody wants to hear no more of.
    pub(super) hushed_pods: BTreeSet<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::simulation) enum Level {
    #[default]
    Below,
    Between,
    Over,
}

/// How long it has been on the same side of its thresholds.
#[derive(Debug, Default)]
pub(in crate::engine::simulation) struct Sighting {
    /// Since when it was over at each sample, where no two samples were too far apart.
    over: Option<Timestamp>,
    /// The same, below.
    below: Option<Timestamp>,
    /// The alert that goes on.
    pub(super) open: Option<Alert>,
    /// It was flapping when the daemon was born.
    flapped: bool,
    dipped: bool,
    returns: u32,
    /// Resolved by hand, and not over since.
    pub(super) hushed: bool,
}

/// What an event shows of what is watched.
pub(in crate::engine::simulation) enum Shown {
    Sampled(Timestamp, [Level; WATCHED.len()]),
    Mirror(Timestamp, Level),
    Nothing,
}

impl Sightings {
    /// As a daemon is born that knows of these.
    pub(super) fn at_birth(state: &State) -> Self {
        let mut sightings = Self::default();
        for (sighting, key) in sightings.of.iter_mut().zip(WATCHED) {
            sighting.open = open(state, key).cloned();
            sighting.flapped = sighting.open.as_ref().is_some_and(|alert| alert.flapping);
        }
        sightings
    }

    pub(in crate::engine::simulation) fn of(
        &self,
        event: &Event,
        rules: &Rules,
        now: Timestamp,
    ) -> Shown {
        match event {
            Event::Sampled(sample) => {
                let mut levels = levels(sample, rules);
                levels[STORE] = self.levels[STORE];
                Shown::Sampled(sample.host.at, levels)
            }
            Event::Mirror(status) => {
                let level = match status.link {
                    MirrorLink::Disconnected { .. } => Level::Over,
                    MirrorLink::Connecting => Level::Between,
                    MirrorLink::Connected | MirrorLink::Disabled => Level::Below,
                };
                Shown::Mirror(now, level)
            }
            _ => Shown::Nothing,
        }
    }

    pub(super) fn take_in(&mut self, shown: &Shown, looked: bool) {
        match *shown {
            Shown::Sampled(at, levels) => {
                let before = self.sampled_at.replace(at).filter(|before| {
                    let passed = Duration::try_from(at.duration_since(*before));
                    passed.is_ok_and(|passed| passed <= GAP)
                });
                self.levels = levels;
                if !looked {
                    return;
                }
                for (sighting, level) in self.of.iter_mut().zip(levels) {
                    if before.is_none() {
                        (sighting.over, sighting.below) = (None, None);
                    }
                    sighting.turn(level);
                    sighting.stretch(level, at);
                }
            }
            Shown::Mirror(at, level) => {
                self.levels[STORE] = level;
                if looked {
                    self.of[STORE].turn(level);
                    // A clock that was set back since the last sample does not make it longer.
                    let since = self.sampled_at.map_or(at, |sampled| at.max(sampled));
                    self.of[STORE].stretch(level, since);
                }
            }
            Shown::Nothing => {}
        }
    }

    /// It is known what runs; the last sample is looked at now.
    pub(super) fn settle(&mut self) {
        for (index, (sighting, level)) in self.of.iter_mut().zip(self.levels).enumerate() {
            if self.sampled_at.is_some() || index == STORE {
                sighting.turn(level);
            }
            if let Some(at) = self.sampled_at {
                sighting.stretch(level, at);
            }
        }
    }
}

impl Sighting {
    fn turn(&mut self, level: Level) {
        if level != Level::Over {
            self.over = None;
        }
        if level != Level::Below {
            self.below = None;
        }
        match level {
            Level::Below => {
                self.hushed = false;
                self.dipped = self.open.is_some();
            }
            Level::Over if self.open.is_some() && std::mem::take(&mut self.dipped) => {
                self.returns += 1;
            }
            Level::Over | Level::Between => {}
        }
    }

    fn stretch(&mut self, level: Level, begun: Timestamp) {
        match level {
            Level::Over => _ = self.over.get_or_insert(begun),
            Level::Below => _ = self.below.get_or_insert(begun),
            Level::Between => {}
        }
    }

    fn flapping(&self) -> bool {
        self.flapped || self.returns >= FLAPPING
    }

    /// Nobody looks: only people change something.
    pub(super) fn rest(&mut self, is: Option<&Alert>, by_hand: bool) {
        let was = self.open.take();
        self.hushed |= by_hand && was.is_some() && is.is_none();
        let same = was.as_ref().map(|was| was.id) == is.map(|is| is.id);
        assert!(
            same || self.hushed,
            "{was:?} became {is:?}, and nobody looked"
        );
        self.open = is.cloned();
    }

    /// Compares what goes on with what should.
    pub(super) fn check(
        &mut self,
        is: Option<&Alert>,
        key: (Condition, &str),
        pace: Pace,
        at: Option<Timestamp>,
        by_hand: bool,
        seen_to_be_over: bool,
    ) {
        let lasted = |since: Timestamp| {
            let lasted = at.map(|at| at.duration_since(since));
            Duration::try_from(lasted.unwrap_or_default()).unwrap_or_default()
        };
        let holds = |since: Timestamp| lasted(since) >= pace.hold;
        let patience = pace.clear_hold * if self.flapping() { 3 } else { 1 };
        let over = |since: Timestamp| lasted(since) >= patience;
        let was = self.open.take();
        match (&was, is) {
            (None, Some(raised)) => {
                let fair = self.over.is_some_and(holds);
                assert!(fair, "it is too early: {raised:?}; {self:?}");
                (self.flapped, self.dipped, self.returns) = (false, false, 0);
            }
            (Some(_), None) if by_hand => self.hushed = !seen_to_be_over,
            (Some(was), None) => {
                let fair = self.below.is_some_and(over);
                assert!(fair, "it is not over: {was:?}; {self:?}");
            }
            (Some(was), Some(is)) => {
                assert_eq!(was.id, is.id, "one follows at once on another: {self:?}");
                assert!(
                    was.acknowledged_at.is_none() || was.acknowledged_at == is.acknowledged_at,
                    "it was acknowledged: {was:?} (before), {is:?}"
                );
                assert_eq!(is.flapping, self.flapping(), "flapping: {is:?}; {self:?}");
            }
            (None, None) => {}
        }
        match is {
            None => {
                let due = self.over.is_some_and(holds) && !self.hushed;
                assert!(!due, "{key:?} is not told: {self:?}");
            }
            Some(is) => {
                let due = self.below.is_some_and(over);
                assert!(!due, "it is over and goes on: {is:?}; {self:?}");
                assert!(!self.hushed, "somebody resolved it: {is:?}");
            }
        }
        self.open = is.cloned();
    }
}

pub(super) fn open<'a>(state: &'a State, key: (Condition, &str)) -> Option<&'a Alert> {
    let of = |alert: &&Alert| (alert.condition, alert.object.as_str()) == key;
    let mut alerts = state.episodes.alerts().filter(of);
    let open = alerts.next();
    let second = alerts.next();
    assert!(second.is_none(), "{open:?} and {second:?}");
    open
}

fn levels(sample: &Sample, rules: &Rules) -> [Level; WATCHED.len()] {
    let host = &sample.host;
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole as f64;
    let memory = percent(host.memory.used.0, host.memory.total.0);
    let disk = |mount: &str| {
        let disk = host.disks.iter().find(|disk| disk.mount == mount)?;
        Some(percent(disk.total.0 - disk.available.0, disk.total.0))
    };
    let pressure = host.pressure.map(|pressure| pressure.memory_some_avg10);
    [
        level(&rules.cpu_high, Some(host.cpu_percent)),
        level(&rules.ram_high, Some(memory)),
        level(&rules.pressure_high, pressure),
        level(&rules.disk_high, disk(MOUNTS[0])),
        level(&rules.disk_high, disk(MOUNTS[1])),
        Level::Below,
    ]
}

fn level(limit: &Limit, value: Option<f64>) -> Level {
    match value {
        Some(value) if value >= limit.percent => Level::Over,
        Some(value) if value >= limit.clear_percent => Level::Between,
        _ => Level::Below,
    }
}

pub(super) fn pace(rules: &Rules, condition: Condition) -> Pace {
    match condition {
        Condition::CpuHigh => rules.cpu_high.pace,
        Condition::RamHigh => rules.ram_high.pace,
        Condition::PressureHigh => rules.pressure_high.pace,
        Condition::DiskHigh => rules.disk_high.pace,
        _ => rules.store_down,
    }
}
