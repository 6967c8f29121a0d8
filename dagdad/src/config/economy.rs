//! `[economy]`: what economy mode goes by, as far as somebody said so, and over what holds anyway.
//! The thresholds of memory and CPU are those of `[thresholds]`.

use std::time::Duration;

use super::error::ConfigError;
use crate::domain::economy::{Band, EconomyRules, Policy};

/// What was said of economy mode.
#[derive(Debug, Default)]
pub struct EconomyDraft {
    pub policy: Option<Policy>,
    pub hysteresis: Option<f64>,
    pub pressure_percent: Option<f64>,
    pub pressure_hysteresis: Option<f64>,
    pub hold: Option<Duration>,
    pub recovery: Option<Duration>,
    pub grace: Option<Duration>,
    pub sheds_per_hour: Option<u32>,
}

impl EconomyDraft {
    /// The policy and the rules, for these thresholds of memory and CPU in percent.
    pub fn finish(
        self,
        ram_percent: f64,
        cpu_percent: f64,
        sample_interval: Duration,
    ) -> Result<(Policy, EconomyRules), ConfigError> {
        let Self {
            policy,
            hysteresis,
            pressure_percent,
            pressure_hysteresis,
            hold,
            recovery,
            grace,
            sheds_per_hour,
        } = self;
        let usual = EconomyRules::of(ram_percent, cpu_percent);
        let pressure_percent = pressure_percent.unwrap_or(usual.pressure.enter);
        // What nobody asked for gives way to a low threshold.
        let pressure_distance =
            (usual.pressure.enter - usual.pressure.leave).min(pressure_percent / 2.0);
        let rules = EconomyRules {
            ram: band(
                usual.ram,
                ("hysteresis", hysteresis),
                "thresholds.ram_percent",
            )?,
            cpu: band(
                usual.cpu,
                ("hysteresis", hysteresis),
                "thresholds.cpu_percent",
            )?,
            pressure: band(
                Band::below(pressure_percent, pressure_distance),
                ("pressure_hysteresis", pressure_hysteresis),
                "economy.pressure_percent",
            )?,
            hold: hold.unwrap_or(usual.hold),
            recovery: match recovery {
                Some(recovery) if recovery < sample_interval => {
                    return Err(ConfigError::TooShort {
                        key: "economy.recovery",
                        value: recovery,
                        other: "sampler.interval",
                        least: sample_interval,
                        why: "what is given back would be taken again at the next sample",
                    });
                }
                Some(recovery) => recovery,
                None => usual.recovery.max(sample_interval),
            },
            grace: grace.unwrap_or(usual.grace),
            sheds_per_hour: sheds_per_hour.unwrap_or(usual.sheds_per_hour),
        };
        Ok((policy.unwrap_or_default(), rules))
    }
}

/// A band that is left as far below its threshold as was said.
fn band(
    usual: Band,
    (key, hysteresis): (&str, Option<f64>),
    threshold: &str,
) -> Result<Band, ConfigError> {
    match hysteresis {
        None => Ok(usual),
        Some(hysteresis) if hysteresis < usual.enter => Ok(Band::below(usual.enter, hysteresis)),
        Some(hysteresis) => Err(ConfigError::Contradiction {
            key: format!("economy.{key}"),
            value: hysteresis,
            side: "below",
            other: threshold.to_owned(),
            threshold: usual.enter,
        }),
    }
}
