//! Economy mode.

use dagda_proto::v1;

use super::time::{duration, timestamp};
use crate::domain::economy::{
    Active, Backtest, BacktestAct, BacktestOutcome, Band, EconomyPlan, EconomyRules, EconomyView,
    Gauge, PlannedStep, Policy, Rung, Taken, TakenView, Taking, Trigger,
};
use crate::domain::pod::Footprint;

/// The whole of it.
pub fn economy(view: &EconomyView) -> v1::EconomyStatus {
    let EconomyView {
        policy,
        active,
        rules,
        gauges,
        taken,
        next,
    } = view;
    v1::EconomyStatus {
        policy: self::policy(*policy).into(),
        active: active.is_some(),
        since: active.map(|Active { since, cause: _ }| timestamp(since)),
        reason: active.map(|Active { since: _, cause }| cause.to_string()),
        rules: Some(self::rules(rules)),
        gauges: gauges.iter().map(gauge).collect(),
        taken: taken.iter().map(self::taken).collect(),
        next: next.clone(),
    }
}

/// What of it belongs to the box at a glance.
pub fn economy_glance(view: &EconomyView) -> v1::Economy {
    let EconomyView {
        policy,
        active,
        rules: _, // this and what is not named below are told by `economy`
        gauges: _,
        taken,
        next: _,
    } = view;
    let shed = taken
        .iter()
        .filter(|view| matches!(view.taken.taking, Taking::Shed { for_good: _ }));
    v1::Economy {
        policy: self::policy(*policy).into(),
        active: active.is_some(),
        reason: active.map(|Active { since: _, cause }| cause.to_string()),
        shed: shed.map(|view| view.taken.pod.to_string()).collect(),
    }
}

/// What a caller asks for; `None` where it is not said, or said by a later dagdactl.
pub fn from_policy(policy: v1::EconomyPolicy) -> Option<Policy> {
    match policy {
        v1::EconomyPolicy::Unspecified => None,
        v1::EconomyPolicy::Auto => Some(Policy::Auto),
        v1::EconomyPolicy::On => Some(Policy::On),
        v1::EconomyPolicy::Off => Some(Policy::Off),
    }
}

fn policy(policy: Policy) -> v1::EconomyPolicy {
    match policy {
        Policy::Auto => v1::EconomyPolicy::Auto,
        Policy::On => v1::EconomyPolicy::On,
        Policy::Off => v1::EconomyPolicy::Off,
    }
}

fn trigger(trigger: Trigger) -> v1::EconomyTrigger {
    match trigger {
        Trigger::Ram => v1::EconomyTrigger::Ram,
        Trigger::Pressure => v1::EconomyTrigger::Pressure,
        Trigger::Cpu => v1::EconomyTrigger::Cpu,
    }
}

fn rung(rung: Rung) -> v1::EconomyRung {
    match rung {
        Rung::Reclaim => v1::EconomyRung::Reclaim,
        Rung::Throttle => v1::EconomyRung::Throttle,
        Rung::Freeze => v1::EconomyRung::Freeze,
        Rung::Stop => v1::EconomyRung::Stop,
    }
}

fn rules(rules: &EconomyRules) -> v1::EconomyRules {
    let EconomyRules {
        ram,
        cpu,
        pressure,
        hold,
        recovery,
        grace,
        sheds_per_hour,
    } = rules;
    v1::EconomyRules {
        ram: Some(band(*ram)),
        cpu: Some(band(*cpu)),
        pressure: Some(band(*pressure)),
        hold: duration(*hold),
        recovery: duration(*recovery),
        grace: duration(*grace),
        sheds_per_hour: *sheds_per_hour,
    }
}

fn band(Band { enter, leave }: Band) -> v1::EconomyBand {
    v1::EconomyBand { enter, leave }
}

fn gauge(gauge: &Gauge) -> v1::EconomyGauge {
    let Gauge {
        trigger,
        value,
        band,
        short_for,
    } = gauge;
    v1::EconomyGauge {
        trigger: self::trigger(*trigger).into(),
        value_percent: *value,
        band: Some(self::band(*band)),
        short_for: short_for.and_then(duration),
    }
}

fn taken(view: &TakenView) -> v1::Taken {
    let TakenView {
        taken:
            Taken {
                pod,
                taking,
                at,
                used: Footprint { memory, cpu },
                reason,
            },
        priority,
        returns,
    } = view;
    let (cpu_limit, for_good) = match taking {
        Taking::Throttled { to } => (Some(to.0), false),
        Taking::Frozen => (None, false),
        Taking::Shed { for_good } => (None, *for_good),
    };
    v1::Taken {
        pod: pod.to_string(),
        rung: rung(taking.rung()).into(),
        at: Some(timestamp(*at)),
        reason: reason.clone(),
        priority: u32::from(priority.get()),
        used_memory_bytes: memory.0,
        used_cpu_millicores: cpu.0,
        cpu_limit_millicores: cpu_limit,
        for_good,
        returns: returns.clone(),
    }
}

/// What it would do now.
pub fn economy_plan(plan: &EconomyPlan) -> v1::EconomyPlan {
    let EconomyPlan {
        rules,
        gauges,
        verdict,
        steps,
        enough,
        ram_after,
        cpu_after,
        restores,
    } = plan;
    v1::EconomyPlan {
        rules: Some(self::rules(rules)),
        gauges: gauges.iter().map(gauge).collect(),
        verdict: verdict.clone(),
        steps: steps.iter().map(step).collect(),
        enough: *enough,
        ram_percent_after: *ram_after,
        cpu_percent_after: *cpu_after,
        restores: restores.iter().map(ToString::to_string).collect(),
    }
}

fn step(step: &PlannedStep) -> v1::PlannedStep {
    let PlannedStep {
        pod,
        rung,
        priority,
        frees: Footprint { memory, cpu },
        reason,
    } = step;
    v1::PlannedStep {
        pod: pod.to_string(),
        rung: self::rung(*rung).into(),
        priority: u32::from(priority.get()),
        frees_memory_bytes: memory.0,
        frees_cpu_millicores: cpu.0,
        reason: reason.clone(),
    }
}

/// What it would have done.
pub fn backtest(backtest: &Backtest) -> v1::BacktestResponse {
    let Backtest {
        since,
        until,
        samples,
        gaps,
        outcomes,
    } = backtest;
    v1::BacktestResponse {
        since: since.map(timestamp),
        until: until.map(timestamp),
        samples: *samples,
        gaps: duration(*gaps),
        outcomes: outcomes.iter().map(outcome).collect(),
    }
}

fn outcome(outcome: &BacktestOutcome) -> v1::BacktestOutcome {
    let BacktestOutcome {
        rules,
        entered,
        active,
        over,
        acts,
    } = outcome;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    v1::BacktestOutcome {
        rules: Some(self::rules(rules)),
        entered: *entered,
        active: duration(*active),
        over: duration(*over),
        sheds: count(outcome.sheds()),
        restores: count(outcome.restores()),
        acts: acts.iter().map(act).collect(),
    }
}

fn act(act: &BacktestAct) -> v1::BacktestAct {
    let BacktestAct {
        at,
        pod,
        rung,
        restored,
    } = act;
    v1::BacktestAct {
        at: Some(timestamp(*at)),
        pod: pod.to_string(),
        rung: self::rung(*rung).into(),
        restored: *restored,
    }
}
