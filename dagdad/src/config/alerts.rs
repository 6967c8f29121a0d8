//! `[alerts.CONDITION]`: when what is an alert, as far as somebody said so, and over what holds
//! anyway.

use std::time::Duration;

use super::error::ConfigError;
use crate::domain::alert::{Limit, Pace, Rules, Severity};

/// What was said of one condition; keys that it does not have stay `None`.
#[derive(Debug, Default)]
pub struct AlertDraft {
    pub percent: Option<f64>,
    pub clear_percent: Option<f64>,
    pub critical_percent: Option<f64>,
    pub hold: Option<Duration>,
    pub clear_hold: Option<Duration>,
    pub severity: Option<Severity>,
}

/// What was said of alerts.
#[derive(Debug, Default)]
pub struct AlertsDraft {
    pub cpu_high: AlertDraft,
    pub ram_high: AlertDraft,
    pub disk_high: AlertDraft,
    pub pressure_high: AlertDraft,
    pub pod_down: AlertDraft,
    pub workflow_failed: AlertDraft,
    pub store_down: AlertDraft,
}

impl AlertsDraft {
    /// The rules; the thresholds of CPU and memory hold for their alerts too, where nothing else
    /// is said.
    pub fn finish(self, cpu_percent: f64, ram_percent: f64) -> Result<Rules, ConfigError> {
        let Self {
            cpu_high,
            ram_high,
            disk_high,
            pressure_high,
            pod_down,
            workflow_failed,
            store_down,
        } = self;
        let rules = Rules::of(cpu_percent, ram_percent);
        Ok(Rules {
            cpu_high: cpu_high.limit("cpu_high", rules.cpu_high)?,
            ram_high: ram_high.limit("ram_high", rules.ram_high)?,
            disk_high: disk_high.limit("disk_high", rules.disk_high)?,
            pressure_high: pressure_high.limit("pressure_high", rules.pressure_high)?,
            pod_down: pod_down.pace(rules.pod_down),
            workflow_failed: workflow_failed.severity.unwrap_or(rules.workflow_failed),
            store_down: store_down.pace(rules.store_down),
        })
    }
}

impl AlertDraft {
    fn pace(&self, otherwise: Pace) -> Pace {
        Pace {
            hold: self.hold.unwrap_or(otherwise.hold),
            clear_hold: self.clear_hold.unwrap_or(otherwise.clear_hold),
            severity: self.severity.unwrap_or(otherwise.severity),
        }
    }

    fn limit(self, condition: &str, otherwise: Limit) -> Result<Limit, ConfigError> {
        let pace = self.pace(otherwise.pace);
        let Self {
            percent,
            clear_percent,
            critical_percent,
            hold: _,
            clear_hold: _,
            severity: _,
        } = self;
        let percent = percent.unwrap_or(otherwise.percent);
        let usual = Limit::of(percent, otherwise.critical_percent, pace);
        let contradiction = |key: &str, value: f64, side: &'static str| {
            Err(ConfigError::Contradiction {
                key: format!("alerts.{condition}.{key}"),
                value,
                side,
                other: format!("alerts.{condition}.percent"),
                threshold: percent,
            })
        };
        match (clear_percent, critical_percent) {
            (Some(clear), _) if clear >= percent => contradiction("clear_percent", clear, "below"),
            (_, Some(critical)) if critical <= percent => {
                contradiction("critical_percent", critical, "above")
            }
            _ => Ok(Limit {
                percent,
                clear_percent: clear_percent.unwrap_or(usual.clear_percent),
                critical_percent: critical_percent.or(usual.critical_percent),
                pace,
            }),
        }
    }
}
