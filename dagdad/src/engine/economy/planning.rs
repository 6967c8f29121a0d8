//! What economy mode would do now: the ladder climbed in thought.

use std::collections::BTreeSet;

use super::ladder::{self, Spent, Step};
use super::words::{figures, infinitive, span};
use super::{Economy, Situation, limit, returning};
use crate::domain::economy::{
    EconomyPlan, EconomyRules, Gauge, PlannedStep, Policy, Rung, Trigger,
};
use crate::domain::name::PodName;
use crate::domain::pod::Footprint;
use crate::domain::quantity::{Bytes, Millicpu};

/// What would be done in `situation` under `rules`, each step only if what came before was not
/// enough. Hold times are left out: what is short now is taken for short long enough.
#[must_use]
pub fn plan(
    economy: &Economy,
    situation: &Situation,
    rules: &EconomyRules,
    policy: Policy,
) -> EconomyPlan {
    let acting = match policy {
        // What would happen if it were armed.
        Policy::Off => Policy::Auto,
        Policy::Auto | Policy::On => policy,
    };
    let mut left = situation.clone();
    let mut steps = Vec::new();
    let mut tried: BTreeSet<(PodName, Rung)> = BTreeSet::new();
    let futile = BTreeSet::new();
    let mut relieved = false;
    let taken = &economy.record().taken;
    while let Some(step) = Trigger::ALL.into_iter().find_map(|trigger| {
        let limit = limit(rules.band(trigger), acting);
        let short = left.reading.reaches(trigger, limit);
        // How far one step brings pressure down cannot be told.
        let relieved = trigger == Trigger::Pressure && relieved;
        let spent = Spent {
            futile: &futile,
            tried: &tried,
            taken,
        };
        (short && !relieved)
            .then(|| ladder::next(&left, rules, spent, trigger, limit))
            .flatten()
    }) {
        relieved |= step.trigger == Trigger::Pressure;
        tried.insert((step.pod.clone(), step.rung));
        apply(&mut left, &step);
        steps.push(step);
    }
    let still_short = |trigger: &Trigger| {
        let limit = limit(rules.band(*trigger), acting);
        left.reading.reaches(*trigger, limit) && !(*trigger == Trigger::Pressure && relieved)
    };
    let enough = !Trigger::ALL.iter().any(still_short);
    let idle = economy.record().active.is_none();
    let restores = if steps.is_empty() && enough && idle {
        restores(&left, economy, rules)
    } else {
        Vec::new()
    };
    let value = |trigger| left.reading.value(trigger).unwrap_or_default();
    EconomyPlan {
        rules: *rules,
        gauges: gauges(economy, situation, rules, acting),
        verdict: verdict(situation, &left, &steps, enough, policy, rules),
        ram_after: value(Trigger::Ram),
        cpu_after: value(Trigger::Cpu),
        steps: steps.into_iter().map(planned).collect(),
        enough,
        restores,
    }
}

/// The situation once a step was done.
pub(super) fn apply(situation: &mut Situation, step: &Step) {
    situation.reading = situation.reading.without(step.frees);
    let Some(pod) = situation.pods.get_mut(&step.pod) else {
        return;
    };
    match step.rung {
        Rung::Reclaim => pod.reclaimable = Bytes(0),
        Rung::Throttle => pod.used.cpu = step.limit.unwrap_or_default(),
        Rung::Freeze => pod.used.cpu = Millicpu(0),
        Rung::Stop => {
            // What it holds goes with it, whatever it was stopped for.
            let rest = Footprint {
                memory: pod.used.memory.saturating_sub(step.frees.memory),
                cpu: pod.used.cpu.saturating_sub(step.frees.cpu),
            };
            situation.reading = situation.reading.without(rest);
            pod.up_since = None;
            pod.used = Footprint::default();
        }
    }
}

/// What would come back, one after the other, if nothing else changed.
fn restores(left: &Situation, economy: &Economy, rules: &EconomyRules) -> Vec<PodName> {
    let mut taken = economy.record().taken.clone();
    let mut situation = left.clone();
    let mut restores = Vec::new();
    while let Some(next) = returning::next(&situation, rules, &taken).cloned() {
        taken.retain(|taken| *taken != next);
        if next.taking.rung() == Rung::Stop {
            let expected = situation.pods.get(&next.pod).map(|pod| pod.expected);
            situation.promised.memory += expected.unwrap_or_default().memory;
        }
        restores.push(next.pod);
    }
    restores
}

fn gauges(
    economy: &Economy,
    situation: &Situation,
    rules: &EconomyRules,
    policy: Policy,
) -> Vec<Gauge> {
    let gauges = Trigger::ALL.into_iter().map(|trigger| {
        let limit = limit(rules.band(trigger), policy);
        let short = situation.reading.reaches(trigger, limit);
        Gauge {
            trigger,
            value: situation.reading.value(trigger),
            band: rules.band(trigger),
            // Of other rules it is only known whether it is short now.
            short_for: short.then(|| economy.held.get(&trigger).copied().unwrap_or_default()),
        }
    });
    gauges.collect()
}

fn verdict(
    situation: &Situation,
    left: &Situation,
    steps: &[Step],
    enough: bool,
    policy: Policy,
    rules: &EconomyRules,
) -> String {
    let armed = match policy {
        Policy::Off => "the policy is off, so nothing is done; if it were auto: ",
        Policy::Auto | Policy::On => "",
    };
    let verdict = match (steps, enough) {
        ([], true) => format!("nothing is short: {}", figures(&situation.reading)),
        ([], false) => format!(
            "{}, and there is nothing optional left to take from",
            figures(&situation.reading)
        ),
        ([first, rest @ ..], enough) => {
            let more = match rest.len() {
                0 => String::new(),
                1 => ", and one thing more if that is not enough".to_owned(),
                more => format!(", and up to {more} things more if that is not enough"),
            };
            let outcome = if enough {
                format!("that leads to {}", figures(&left.reading))
            } else {
                format!("even that leaves {}", figures(&left.reading))
            };
            format!(
                "{}: what has been short for {} makes it {}{more}; {outcome}",
                figures(&situation.reading),
                span(rules.hold),
                infinitive(first),
            )
        }
    };
    format!("{armed}{verdict}")
}

fn planned(step: Step) -> PlannedStep {
    let Step {
        pod,
        rung,
        trigger: _,
        priority,
        used: _,
        frees,
        limit: _,
        reason,
    } = step;
    PlannedStep {
        pod,
        rung,
        priority,
        frees,
        reason,
    }
}
