//! I2 and I3: whom economy mode takes from, when, and when it gives back. When something was
//! short, and when there was room, is reckoned from the samples alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::super::effect::{Easing, Effect, Persist};
use super::super::super::event::{Command, Event};
use super::super::super::pod::{Life, Pod};
use super::super::super::state::State;
use super::super::World;
use super::Told;
use crate::domain::economy::{EconomyRecord, EconomyRules, Policy, Rung, Taken, Taking, Trigger};
use crate::domain::event::EventKind;
use crate::domain::name::PodName;
use crate::domain::pod::{Category, Footprint, Priority};
use crate::ports::Record;

/// Longer than this between two samples is a time in which nobody watched.
const GAP: Duration = Duration::from_secs(15);

/// What the daemon that lives was shown of the machine, and what it made of it.
#[derive(Debug, Default)]
pub(in crate::engine::simulation) struct Readings {
    at: Option<Timestamp>,
    /// Since when each of [`Trigger::ALL`] was short at each sample.
    short: [Option<Timestamp>; 3],
    /// Since when there was room at each sample, and nothing was given back.
    room: Option<Timestamp>,
    policy: Policy,
    taken: Vec<Taken>,
    /// What was taken since economy mode began.
    tried: Vec<(PodName, Rung)>,
}

/// One sample's values, as [`Trigger::ALL`].
pub(in crate::engine::simulation) type Reading = (Timestamp, [Option<f64>; 3]);

impl Readings {
    fn at_birth(record: &EconomyRecord, configured: Policy) -> Self {
        Self {
            policy: record.policy.unwrap_or(configured),
            taken: record.taken.clone(),
            ..Self::default()
        }
    }

    pub(in crate::engine::simulation) fn of(event: &Event) -> Option<Reading> {
        let Event::Sampled(sample) = event else {
            return None;
        };
        let host = &sample.host;
        let ram = host.memory.used.0 as f64 * 100.0 / host.memory.total.0 as f64;
        let pressure = host.pressure.map(|pressure| pressure.memory_some_avg10);
        Some((host.at, [Some(ram), pressure, Some(host.cpu_percent)]))
    }

    fn take_in(&mut self, (at, values): Reading, rules: &EconomyRules) {
        let watched = self.at.replace(at).is_some_and(|before| {
            Duration::try_from(at.duration_since(before)).is_ok_and(|passed| passed <= GAP)
        });
        if !watched {
            self.short = [None; 3];
            self.room = None;
        }
        let mut room = true;
        for ((trigger, value), short) in Trigger::ALL.into_iter().zip(values).zip(&mut self.short) {
            let band = rules.band(trigger);
            let value = value.unwrap_or(0.0);
            room &= value < band.leave;
            *short = (value >= band.enter).then(|| short.unwrap_or(at));
        }
        self.room = room.then(|| self.room.unwrap_or(at));
    }

    /// Whether anything was short for the hold time by `now`.
    fn is_short(&self, rules: &EconomyRules, now: Timestamp) -> bool {
        let mut short = self.short.iter().flatten();
        short.any(|since| lasted(*since, now) >= rules.hold)
    }

    fn has_room(&self, rules: &EconomyRules, now: Timestamp) -> bool {
        self.room
            .is_some_and(|since| lasted(since, now) >= rules.recovery)
    }
}

fn lasted(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

impl World {
    /// A daemon that is born knows what was taken, as it was written.
    pub(in crate::engine::simulation) fn check_economy_restored(&mut self, state: &State) {
        let record = state.economy.record();
        assert_eq!(
            record, &self.disk.economy,
            "economy mode (left) and its row"
        );
        self.readings = Readings::at_birth(record, self.climate.policy);
    }

    pub(in crate::engine::simulation) fn check_economy(
        &mut self,
        told: &Told,
        reading: Option<Reading>,
        effects: &[Effect],
    ) {
        let (now, rules) = (self.clock(), self.economy_rules);
        let Some(daemon) = &self.daemon else {
            return;
        };
        let (state, readings) = (&daemon.state, &mut self.readings);
        if let Some((_, Command::SetEconomy { policy })) = told.command {
            if readings.policy == Policy::On && policy != Policy::On {
                // By other limits, for as long again.
                for short in readings.short.iter_mut().flatten() {
                    *short = readings.at.unwrap_or(*short);
                }
            }
            readings.policy = policy;
        }
        if let Some(reading) = reading {
            readings.take_in(reading, &rules);
        }
        let kinds = |kind: EventKind| {
            let of_kind = move |effect: &&Effect| matches!(effect, Effect::Announce { event, .. } if event.kind == kind);
            effects.iter().filter(of_kind).count()
        };
        let record = state.economy.record();
        if kinds(EventKind::EconomyEntered) > 0 {
            readings.tried.clear();
            let fair = match readings.policy {
                Policy::On => true,
                Policy::Auto => readings.is_short(&rules, now),
                Policy::Off => false,
            };
            assert!(fair, "it began for no reason: {record:?}; {readings:?}");
        }
        if kinds(EventKind::EconomyLeft) > 0 {
            readings.tried.clear();
            let short = readings.short.iter().any(Option::is_some);
            let fair = match readings.policy {
                Policy::On => false,
                // One that was there for the policy's sake ends where nothing is short.
                Policy::Auto => readings.has_room(&rules, now) || !short,
                Policy::Off => true,
            };
            assert!(fair, "it ended for no reason: {record:?}; {readings:?}");
        }
        if let (Some((at, _)), true) = (reading, state.settled) {
            let must = match readings.policy {
                Policy::On => true,
                Policy::Auto => readings.is_short(&rules, at),
                Policy::Off => false,
            };
            assert!(
                record.active.is_some() || !must,
                "it does not begin: {record:?}; {readings:?}"
            );
            assert!(
                record.active.is_none() || readings.policy != Policy::Off,
                "it is active, and told to be off"
            );
        }
        for restored in effects.iter().filter(|effect| gives_back(effect)) {
            let mild = matches!(restored, Effect::Ease { .. });
            assert!(
                readings.has_room(&rules, now) || (mild && readings.policy == Policy::Off),
                "{restored:?} comes too early: {readings:?}"
            );
            readings.room = None;
        }
        for effect in effects {
            if let Some(pod) = taken_from(effect) {
                assert_ne!(readings.policy, Policy::Off, "{effect:?}");
                check_unprotected(state, pod);
            }
        }
        if record.taken != readings.taken {
            for taken in &record.taken {
                let same = |other: &Taken| {
                    other.pod == taken.pod && other.taking.rung() == taken.taking.rung()
                };
                if readings.taken.iter().any(same) {
                    continue;
                }
                assert!(record.active.is_some(), "nothing is short: {taken:?}");
                check_unprotected(state, &taken.pod);
                check_grace(state, &taken.pod, &rules, readings.at.unwrap_or(now));
                check_choice(state, readings, taken, &rules);
                let rung = taken.taking.rung();
                readings.tried.push((taken.pod.clone(), rung));
            }
            readings.taken.clone_from(&record.taken);
        }
    }

    /// What is taken is on disk before.
    pub(in crate::engine::simulation) fn check_easing(&self, pod: &PodName, easing: Easing) {
        let rung = match easing {
            Easing::Throttle(Some(_)) => Rung::Throttle,
            Easing::Freeze => Rung::Freeze,
            Easing::Throttle(None) | Easing::Thaw | Easing::Reclaim(_) => return,
        };
        let mut taken = self.disk.economy.taken.iter();
        assert!(
            taken.any(|taken| taken.pod == *pod && taken.taking.rung() == rung),
            "{easing:?} of {pod} is not on disk: {:?}",
            self.disk.economy
        );
    }

    pub(super) fn check_economy_in_peace(&self, state: &State) {
        let record = state.economy.record();
        assert_eq!(
            record, &self.disk.economy,
            "economy mode (left) and its row"
        );
        assert_eq!(state.economy_policy(), self.readings.policy);
        let doing = state.economy.under_way().is_some();
        for (name, model) in &self.podman.pods {
            if !state.pods.contains_key(name) || !model.runs() || doing {
                continue;
            }
            let taken = |rung: Rung| {
                let mut taken = record.taken.iter();
                taken.any(|taken| taken.pod == *name && taken.taking.rung() == rung)
            };
            let is = [model.throttled.is_some(), model.frozen()];
            let should = [taken(Rung::Throttle), taken(Rung::Freeze)];
            // Behind the daemon's back pods are let run, and containers die and start again.
            let no_more = is.iter().zip(should).all(|(is, should)| !is || should);
            assert!(
                is == should || (no_more && !self.climate.gentle),
                "{name} is throttled, frozen: {is:?}, and should be {should:?}: {record:?}"
            );
        }
        let room = self.readings.room.map(|since| lasted(since, self.clock()));
        let patience = self.economy_rules.recovery + Duration::from_mins(2);
        let policy = self.readings.policy;
        if doing || policy == Policy::On || room.is_none_or(|room| room < patience) {
            return;
        }
        for taken in &record.taken {
            assert!(
                !self.would_fit(state, taken),
                "{taken:?} does not come back, and there is room: {record:?}; {:?}",
                self.readings
            );
        }
    }

    fn would_fit(&self, state: &State, taken: &Taken) -> bool {
        let (Some(pod), Some(host)) = (state.pods.get(&taken.pod), &state.host) else {
            return false;
        };
        if pod.operation.is_some() {
            return false;
        }
        let rules = &self.economy_rules;
        let cores = f64::from(host.cpu_count) * 1000.0;
        let used = state.usage_of(&taken.pod).cpu_percent * 10.0;
        let cpu = host.cpu_percent / 100.0 * cores + taken.used.cpu.0 as f64 - used;
        let cpu_fits = cpu < (rules.cpu.leave - 1.0) / 100.0 * cores;
        match taken.taking {
            Taking::Throttled { .. } | Taking::Frozen => cpu_fits,
            Taking::Shed { for_good: true } => false,
            Taking::Shed { for_good: false } => {
                let promised: f64 = (state.pods.iter())
                    .filter_map(|(name, pod)| {
                        let used = state.usage_of(name).anon;
                        Some(pod.reserved?.memory.saturating_sub(used).0 as f64)
                    })
                    .sum();
                let expected = state.expected(pod).footprint;
                let wanted = expected.memory.max(taken.used.memory).0 as f64;
                let ram = host.memory.used.0 as f64 + promised + wanted;
                let ports = state.check_ports(&pod.entry.spec).is_ok();
                let beyond = wanted + promised + state.others.memory.0 as f64;
                cpu_fits
                    && ports
                    && !self.cpu_enforced
                    && beyond * 1.2 < state.memory_ceiling().0 as f64
                    && ram < (rules.ram.leave - 1.0) / 100.0 * host.memory.total.0 as f64
            }
        }
    }
}

/// Whether something is given back by this.
fn gives_back(effect: &Effect) -> bool {
    match effect {
        Effect::Ease { easing, .. } => matches!(easing, Easing::Thaw | Easing::Throttle(None)),
        Effect::Persist(Persist::Intent { records, .. }) => has_event(records, EventKind::Restored),
        _ => false,
    }
}

/// From which pod something is taken by this.
fn taken_from(effect: &Effect) -> Option<&PodName> {
    match effect {
        Effect::Ease { spec, easing, .. } => match easing {
            Easing::Reclaim(_) | Easing::Throttle(Some(_)) | Easing::Freeze => Some(&spec.name),
            Easing::Throttle(None) | Easing::Thaw => None,
        },
        Effect::Persist(Persist::Intent { pod, records, .. }) => {
            has_event(records, EventKind::Shed).then_some(pod)
        }
        _ => None,
    }
}

fn has_event(records: &[Record], kind: EventKind) -> bool {
    let of_kind = |record: &Record| matches!(record, Record::Event(event) if event.kind == kind);
    records.iter().any(of_kind)
}

fn check_unprotected(state: &State, name: &PodName) {
    assert!(
        !is_protected(state, name),
        "something is taken from {name}, which is essential or needed by what is"
    );
}

fn is_protected(state: &State, name: &PodName) -> bool {
    let essential = |pod: &Pod| pod.entry.spec.category == Category::Essential;
    let needs = |pod: &Pod| {
        essential(pod) && matches!(pod.life, Life::Up { .. }) && pod.entry.spec.after.contains(name)
    };
    state.pods.get(name).is_some_and(essential) || state.pods.values().any(needs)
}

/// It has been up for its grace period.
fn check_grace(state: &State, name: &PodName, rules: &EconomyRules, now: Timestamp) {
    assert!(
        is_grown(&state.pods[name], rules, now),
        "{name} was only just started: {:?}",
        state.pods[name].life
    );
}

fn is_grown(pod: &Pod, rules: &EconomyRules, now: Timestamp) -> bool {
    let Life::Up { since, .. } = pod.life else {
        return false;
    };
    // One that was started before the clock was set back.
    let before_it_jumped = since.duration_since(now) >= SignedDuration::from_secs(50);
    before_it_jumped || lasted(since, now) >= rules.grace
}

/// No pod of a lower priority would have done as well by the same means.
fn check_choice(state: &State, readings: &Readings, taken: &Taken, rules: &EconomyRules) {
    let rung = taken.taking.rung();
    let priority = effective_priority(state, &taken.pod);
    for (name, pod) in &state.pods {
        let usage = state.usage_of(name);
        let at_rest = pod.operation.is_none() && pod.queued.is_none();
        let higher = |taken: &Taken| taken.pod == *name && taken.taking.rung() >= rung;
        let as_well = Footprint::of_cpu_percent(usage.cpu_percent) >= taken.used.cpu
            && (rung != Rung::Stop || usage.anon >= taken.used.memory)
            && (rung != Rung::Freeze || pod.entry.spec.freeze);
        let open = at_rest
            && !is_protected(state, name)
            && !state.going().contains(name)
            && is_grown(pod, rules, readings.at.unwrap_or(taken.at))
            && !readings.tried.contains(&(name.clone(), rung))
            && !state.economy.record().taken.iter().any(higher);
        assert!(
            !open || !as_well || effective_priority(state, name) >= priority,
            "{rung:?} of {} ({priority}), where {name} ({}) would do",
            taken.pod,
            effective_priority(state, name)
        );
    }
}

/// Its own, or that of the most important run that needs it.
fn effective_priority(state: &State, name: &PodName) -> Priority {
    let runs = state.runs.values().map(|active| &active.run);
    let needing = runs.filter(|run| run.needs_pods() && run.member(name).is_some());
    let own = state.pods[name].entry.spec.priority;
    needing.map(|run| run.priority).fold(own, Priority::max)
}
