//! Economy mode as people read it.

use std::time::Duration;

use jiff::Timestamp;

use super::returning::{self, Obstacle};
use super::{Act, Change, Economy, Reading, Situation, Step};
use crate::domain::economy::{
    Active, Cause, EconomyRules, EconomyView, Gauge, Policy, Rung, Taken, TakenView, Taking,
    Trigger,
};
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};

impl Economy {
    /// As readers see it. Without a situation it is not known yet how things stand.
    #[must_use]
    pub fn view(
        &self,
        situation: Option<&Situation>,
        rules: &EconomyRules,
        policy: Policy,
    ) -> EconomyView {
        let taken = &self.record.taken;
        let in_order = match situation {
            Some(situation) => returning::in_order(situation, taken),
            None => taken.iter().collect(),
        };
        let first = situation.and_then(|situation| returning::next(situation, rules, taken));
        let views = in_order.into_iter().map(|taken| TakenView {
            taken: taken.clone(),
            priority: situation
                .and_then(|situation| situation.pods.get(&taken.pod))
                .map_or_else(Priority::default, |pod| pod.priority),
            returns: self.returns(situation, rules, taken, first),
        });
        EconomyView {
            policy,
            active: self.record.active,
            rules: *rules,
            gauges: self.gauges(rules),
            taken: views.collect(),
            next: self.next_in_words(rules, policy),
        }
    }

    /// How it stands with each trigger; none before the first reading.
    pub(super) fn gauges(&self, rules: &EconomyRules) -> Vec<Gauge> {
        let Some(reading) = self.reading else {
            return Vec::new();
        };
        let gauges = Trigger::ALL.into_iter().map(|trigger| Gauge {
            trigger,
            value: reading.value(trigger),
            band: rules.band(trigger),
            short_for: self.held.get(&trigger).copied(),
        });
        gauges.collect()
    }

    fn returns(
        &self,
        situation: Option<&Situation>,
        rules: &EconomyRules,
        taken: &Taken,
        first: Option<&Taken>,
    ) -> String {
        let pod = &taken.pod;
        if matches!(self.under_way(), Some(Act::Give(given)) if given.pod == *pod) {
            return "now".to_owned();
        }
        let obstacle = situation.and_then(|situation| returning::obstacle(situation, rules, taken));
        match obstacle {
            Some(Obstacle::ForGood) => format!(
                "not by itself, since it would not stay; start it: dagdactl pods start {pod}"
            ),
            Some(Obstacle::InHand) => "once what is being done with it is done".to_owned(),
            _ if self.record.active.is_some() => "after economy mode has ended".to_owned(),
            Some(Obstacle::Missing(missing)) => {
                format!("once {} is free", amount(missing, rules))
            }
            None if first == Some(taken) => match self.rest(rules) {
                Some(rest) => format!("next, if there is room for another {}", span(rest)),
                None => "next, once there is room".to_owned(),
            },
            None => "after those before it".to_owned(),
        }
    }

    /// How long there has to be room still; `None` while there is none.
    fn rest(&self, rules: &EconomyRules) -> Option<Duration> {
        Some(rules.recovery.saturating_sub(self.room?))
    }

    fn next_in_words(&self, rules: &EconomyRules, policy: Policy) -> String {
        match self.under_way() {
            Some(Act::Take(step)) if self.is_settling() => {
                return format!("measures what it brought to {}", infinitive(step));
            }
            Some(Act::Take(step)) => return format!("is about to {}", infinitive(step)),
            Some(Act::Give(taken)) => return format!("gives back: {}", given(taken)),
            None => {}
        }
        let Some(reading) = &self.reading else {
            return "nothing was measured yet".to_owned();
        };
        match (&self.record.active, policy) {
            (Some(_), Policy::On) => {
                "stays active until another policy is set: dagdactl economy set auto".to_owned()
            }
            (Some(_), _) => match self.rest(rules) {
                Some(rest) => format!("ends if there is room for another {}", span(rest)),
                None => format!(
                    "ends once {} for {}",
                    no_room(reading, rules),
                    span(rules.recovery)
                ),
            },
            (None, Policy::Off) => "never acts; arm it: dagdactl economy set auto".to_owned(),
            (None, _) => {
                let longest = self.held.iter().max_by_key(|(_, held)| **held);
                match longest {
                    Some((trigger, held)) => format!(
                        "begins if {} stays at {:.0} % or above for another {}",
                        trigger.label(),
                        rules.band(*trigger).enter,
                        span(rules.hold.saturating_sub(*held))
                    ),
                    None => "nothing is short".to_owned(),
                }
            }
        }
    }

    fn is_settling(&self) -> bool {
        self.under_way
            .as_ref()
            .is_some_and(|under_way| under_way.settling.is_some())
    }
}

impl Change {
    /// What happened, with the numbers.
    #[must_use]
    pub fn message(&self, rules: &EconomyRules, now: Timestamp) -> String {
        match self {
            Self::Entered(Active { cause, .. }) => match cause {
                Cause::Policy => "economy mode begins: the policy is on".to_owned(),
                Cause::Short { .. } => {
                    format!("economy mode begins: {cause} for {}", span(rules.hold))
                }
            },
            Self::Left { was, reading } => {
                let lasted = Duration::try_from(now.duration_since(was.since)).unwrap_or_default();
                let figures = reading.as_ref().map(|it| format!("; {}", figures(it)));
                format!(
                    "economy mode ends after {}{}",
                    span(lasted),
                    figures.unwrap_or_default()
                )
            }
            Self::Measured {
                step,
                before,
                after,
                helped,
            } => measured(step, before, after, *helped),
        }
    }
}

fn measured(step: &Step, before: &Reading, after: &Reading, helped: bool) -> String {
    let value = |reading: &Reading| reading.value(step.trigger).unwrap_or_default();
    let expected = match step.trigger {
        Trigger::Ram | Trigger::Pressure => format!("{} expected", step.frees.memory),
        Trigger::Cpu => format!("{} cores expected", step.frees.cpu),
    };
    let verdict = match (helped, step.rung) {
        (true, _) => "",
        (false, Rung::Stop) => "; that did not help",
        (false, _) => "; that did not help and is not tried again before economy mode has ended",
    };
    format!(
        "{} {}: {} went from {:.1} % to {:.1} % ({expected}){verdict}",
        step.rung.as_str(),
        step.pod,
        step.trigger.label(),
        value(before),
        value(after),
    )
}

/// What is done to whom: `stop llama, which frees 1.2 GiB`.
pub(super) fn infinitive(step: &Step) -> String {
    let pod = &step.pod;
    match (step.rung, step.limit) {
        (Rung::Reclaim, _) => format!("reclaim {} of memory from {pod}", step.frees.memory),
        (Rung::Throttle, Some(limit)) => format!("throttle {pod} to {limit} cores"),
        (Rung::Throttle, None) => format!("throttle {pod}"),
        (Rung::Freeze, _) => format!("freeze {pod}"),
        (Rung::Stop, _) => format!("stop {pod}"),
    }
}

impl Step {
    /// What is done and why, with the numbers.
    #[must_use]
    pub fn message(&self) -> String {
        let frees = match (self.rung, self.trigger) {
            (Rung::Stop | Rung::Reclaim, Trigger::Ram | Trigger::Pressure) => {
                format!(", frees about {}", self.frees.memory)
            }
            (Rung::Stop | Rung::Freeze | Rung::Throttle, Trigger::Cpu) => {
                format!(", frees about {} cores", self.frees.cpu)
            }
            _ => String::new(),
        };
        format!("{}{frees}: {}", infinitive(self), self.reason)
    }
}

/// What is given back: `llama is thawed`.
#[must_use]
pub fn given(taken: &Taken) -> String {
    let pod = &taken.pod;
    match taken.taking.rung() {
        Rung::Reclaim | Rung::Stop => format!("{pod} is started again"),
        Rung::Throttle => format!("{pod} may use its CPU again"),
        Rung::Freeze => format!("{pod} is thawed"),
    }
}

/// What a pod misses and when it gets that back, beside its state: `frozen by economy mode; comes
/// back after economy mode has ended`.
#[must_use]
pub fn missed(view: &TakenView) -> String {
    let TakenView {
        taken,
        priority: _,
        returns,
    } = view;
    let what = match taken.taking {
        Taking::Throttled { to } => format!("throttled to {to} cores"),
        Taking::Frozen => "frozen".to_owned(),
        Taking::Shed { for_good: _ } => "stopped".to_owned(),
    };
    format!("{what} by economy mode; comes back {returns}")
}

/// Which triggers are not below where they are left: `RAM stays below 75 %`.
fn no_room(reading: &Reading, rules: &EconomyRules) -> String {
    let short = Trigger::ALL.into_iter().filter_map(|trigger| {
        let leave = rules.band(trigger).leave;
        let label = trigger.label();
        reading
            .reaches(trigger, leave)
            .then(|| format!("{label} stays below {leave:.0} %"))
    });
    short.collect::<Vec<_>>().join(" and ")
}

/// Every trigger's value: `RAM 61.0 %, memory pressure 0.0 %, CPU 12.5 %`.
pub(super) fn figures(reading: &Reading) -> String {
    let figures = Trigger::ALL.into_iter().filter_map(|trigger| {
        let value = reading.value(trigger)?;
        Some(format!("{} {value:.1} %", trigger.label()))
    });
    figures.collect::<Vec<_>>().join(", ")
}

fn amount(missing: Footprint, rules: &EconomyRules) -> String {
    let memory = (missing.memory > Bytes(0)).then(|| {
        format!(
            "another {} below {:.0} % of RAM",
            missing.memory, rules.ram.leave
        )
    });
    let cpu = (missing.cpu > Millicpu(0)).then(|| {
        format!(
            "another {} cores below {:.0} % of CPU",
            missing.cpu, rules.cpu.leave
        )
    });
    let parts: Vec<String> = memory.into_iter().chain(cpu).collect();
    parts.join(" and ")
}

/// In whole seconds.
pub(super) fn span(span: Duration) -> String {
    let whole = Duration::from_secs(span.as_secs() + u64::from(span.subsec_millis() >= 500));
    humantime::format_duration(whole).to_string()
}
