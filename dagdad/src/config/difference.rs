//! What one configuration says otherwise than another, for people, and what of it holds without
//! a restart.
//!
//! Every structure is taken apart field by field, so that a new setting does not compile before
//! it is said here whether it needs a restart.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Config, CpuAdmission, HookOptions, MariaDbAddress, MariaDbOptions, NotificationOptions,
    WebhookOptions,
};
use crate::domain::alert::{Limit, Pace, Rules, Severity};
use crate::domain::caller::{Access, Members};
use crate::domain::economy::{Band, EconomyRules, Policy};

/// Percentages are told apart when they differ by more than arithmetic does.
const SAME: f64 = 1e-9;

/// A setting that has another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its key, with its table: `thresholds.ram_percent`.
    pub key: String,
    /// What it was and what it is; `None` for a secret.
    pub values: Option<(String, String)>,
    /// From when on it holds.
    pub holds: Holds,
}

/// From when on a setting that was changed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Once the configuration was read again.
    AtOnce,
    /// Only after a restart.
    AfterRestart,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.values {
            Some((was, is)) => write!(f, "{}: {was} → {is}", self.key),
            None => write!(f, "{} changed", self.key),
        }
    }
}

impl Config {
    /// What `new` says otherwise, in the order of the example file.
    #[must_use]
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut found = Found::default();
        found.compare(self, new);
        found.0
    }

    /// What is in force once `new` was read: its settings that hold at once, and this one's where
    /// a restart is needed.
    #[must_use]
    pub fn taking_over(&self, new: &Self) -> Self {
        let Self {
            file,
            state_dir: _,
            socket: _,
            variables_file: _,
            podman_socket: _,
            sample_interval,
            history_retention: _,
            event_retention: _,
            audit_retention: _,
            access: _,
            start_timeout,
            ram_threshold_percent,
            cpu_threshold_percent,
            cpu_admission,
            economy,
            economy_policy,
            alerts,
            notifications,
            mariadb: _,
        } = new;
        Self {
            file: file.clone(),
            sample_interval: *sample_interval,
            start_timeout: *start_timeout,
            ram_threshold_percent: *ram_threshold_percent,
            cpu_threshold_percent: *cpu_threshold_percent,
            cpu_admission: *cpu_admission,
            economy: *economy,
            economy_policy: *economy_policy,
            alerts: *alerts,
            notifications: notifications.clone(),
            ..self.clone()
        }
    }
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn compare(&mut self, old: &Config, new: &Config) {
        let Config {
            // It says nothing by itself.
            file: _,
            state_dir,
            socket,
            variables_file,
            podman_socket,
            sample_interval,
            history_retention,
            event_retention,
            audit_retention,
            access,
            start_timeout,
            ram_threshold_percent,
            cpu_threshold_percent,
            cpu_admission,
            economy,
            economy_policy,
            alerts,
            notifications,
            mariadb,
        } = old;
        self.restart("daemon.state_dir", state_dir, &new.state_dir, path);
        self.restart("daemon.socket", socket, &new.socket, path);
        let variables = &new.variables_file;
        self.restart("daemon.variables_file", variables_file, variables, path);
        self.restart("podman.socket", podman_socket, &new.podman_socket, |it| {
            or_none(it.as_ref().map(path))
        });
        let interval = &new.sample_interval;
        self.live("sampler.interval", sample_interval, interval, span);
        let retention = &new.history_retention;
        self.restart("history.retention", history_retention, retention, span);
        let retention = &new.event_retention;
        self.restart("events.retention", event_retention, retention, span);
        let retention = &new.audit_retention;
        self.restart("audit.retention", audit_retention, retention, span);
        self.access(access, &new.access);
        self.live("start.timeout", start_timeout, &new.start_timeout, span);
        let percents = (*ram_threshold_percent, new.ram_threshold_percent);
        self.percent("thresholds.ram_percent", percents);
        let percents = (*cpu_threshold_percent, new.cpu_threshold_percent);
        self.percent("thresholds.cpu_percent", percents);
        self.live("admission.cpu", cpu_admission, &new.cpu_admission, |it| {
            match it {
                CpuAdmission::Warn => "warn",
                CpuAdmission::Enforce => "enforce",
            }
            .to_owned()
        });
        self.live(
            "economy.policy",
            economy_policy,
            &new.economy_policy,
            |it| Policy::as_str(*it).to_owned(),
        );
        self.economy(economy, &new.economy);
        self.notifications(notifications, &new.notifications);
        self.alerts(alerts, &new.alerts);
        self.mariadb(mariadb.as_ref(), new.mariadb.as_ref());
    }

    fn add<T: PartialEq>(
        &mut self,
        key: &str,
        (old, new): (&T, &T),
        show: impl Fn(&T) -> String,
        holds: Holds,
    ) {
        if old != new {
            self.0.push(Difference {
                key: key.to_owned(),
                values: Some((show(old), show(new))),
                holds,
            });
        }
    }

    fn live<T: PartialEq>(&mut self, key: &str, old: &T, new: &T, show: impl Fn(&T) -> String) {
        self.add(key, (old, new), show, Holds::AtOnce);
    }

    fn restart<T: PartialEq>(&mut self, key: &str, old: &T, new: &T, show: impl Fn(&T) -> String) {
        self.add(key, (old, new), show, Holds::AfterRestart);
    }

    fn percent(&mut self, key: &str, (old, new): (f64, f64)) {
        if (old - new).abs() > SAME {
            self.live(key, &old, &new, percent);
        }
    }

    /// Says that a secret changed, and nothing of it.
    fn secret(
        &mut self,
        key: &str,
        old: Option<&SecretString>,
        new: Option<&SecretString>,
        holds: Holds,
    ) {
        if old.map(ExposeSecret::expose_secret) != new.map(ExposeSecret::expose_secret) {
            self.0.push(Difference {
                key: key.to_owned(),
                values: None,
                holds,
            });
        }
    }

    fn access(&mut self, old: &Access, new: &Access) {
        let Access {
            viewers,
            operators,
            admins,
        } = old;
        self.restart("access.viewers", viewers, &new.viewers, members);
        self.restart("access.operators", operators, &new.operators, members);
        self.restart("access.admins", admins, &new.admins, members);
    }

    fn economy(&mut self, old: &EconomyRules, new: &EconomyRules) {
        let EconomyRules {
            ram,
            cpu,
            pressure,
            hold,
            recovery,
            grace,
            sheds_per_hour,
        } = old;
        // One key for both, which may be cut short by a low threshold. Where they are entered is
        // told as `thresholds`.
        let hysteresis = (distance(*ram), distance(new.ram));
        let of_cpu = (distance(*cpu), distance(new.cpu));
        if (hysteresis.0 - hysteresis.1).abs() > SAME {
            self.percent("economy.hysteresis", hysteresis);
        } else {
            self.percent("economy.hysteresis", of_cpu);
        }
        let entered = (pressure.enter, new.pressure.enter);
        self.percent("economy.pressure_percent", entered);
        let hysteresis = (distance(*pressure), distance(new.pressure));
        self.percent("economy.pressure_hysteresis", hysteresis);
        self.live("economy.hold", hold, &new.hold, span);
        self.live("economy.recovery", recovery, &new.recovery, span);
        self.live("economy.grace", grace, &new.grace, span);
        let sheds = &new.sheds_per_hour;
        self.live("economy.sheds_per_hour", sheds_per_hour, sheds, |it| {
            it.to_string()
        });
    }

    fn notifications(&mut self, old: &NotificationOptions, new: &NotificationOptions) {
        let NotificationOptions { hook, webhook } = old;
        // Its arguments may hold a secret.
        let parts = |hook: &Option<HookOptions>| {
            let hook = hook.clone().map(|hook| {
                let HookOptions {
                    program,
                    arguments,
                    timeout,
                } = hook;
                ((program, arguments), timeout)
            });
            let (command, timeout) = hook.unzip();
            let (program, arguments) = command.unzip();
            (program, arguments, timeout)
        };
        let (program, arguments, timeout) = parts(hook);
        let (new_program, new_arguments, new_timeout) = parts(&new.hook);
        if program == new_program && arguments != new_arguments {
            self.0.push(Difference {
                key: "alerts.on_alert".to_owned(),
                values: None,
                holds: Holds::AtOnce,
            });
        }
        self.live("alerts.on_alert", &program, &new_program, |it| {
            or_none(it.as_ref().map(path))
        });
        if let (Some(old), Some(new)) = (timeout, new_timeout) {
            self.live("alerts.on_alert_timeout", &old, &new, span);
        }
        let url = |webhook: &Option<WebhookOptions>| {
            webhook.as_ref().map(|webhook| {
                let WebhookOptions {
                    encrypted,
                    host,
                    port,
                    path,
                } = webhook;
                let path = path.expose_secret();
                SecretString::from(format!("{encrypted} {host} {port} {path}"))
            })
        };
        let (old, new) = (url(webhook), url(&new.webhook));
        self.secret("alerts.webhook", old.as_ref(), new.as_ref(), Holds::AtOnce);
    }

    fn alerts(&mut self, old: &Rules, new: &Rules) {
        let Rules {
            cpu_high,
            ram_high,
            disk_high,
            pressure_high,
            pod_down,
            workflow_failed,
            store_down,
        } = old;
        self.limit("cpu_high", cpu_high, &new.cpu_high);
        self.limit("ram_high", ram_high, &new.ram_high);
        self.limit("disk_high", disk_high, &new.disk_high);
        self.limit("pressure_high", pressure_high, &new.pressure_high);
        self.pace("pod_down", pod_down, &new.pod_down);
        let key = "alerts.workflow_failed.severity";
        self.live(key, workflow_failed, &new.workflow_failed, severity);
        self.pace("store_down", store_down, &new.store_down);
    }

    fn limit(&mut self, condition: &str, old: &Limit, new: &Limit) {
        let Limit {
            percent: threshold,
            clear_percent,
            critical_percent,
            pace,
        } = old;
        let key = |key: &str| format!("alerts.{condition}.{key}");
        self.percent(&key("percent"), (*threshold, new.percent));
        let clear = (*clear_percent, new.clear_percent);
        self.percent(&key("clear_percent"), clear);
        let critical = &new.critical_percent;
        self.live(&key("critical_percent"), critical_percent, critical, |it| {
            or_none(it.as_ref().map(percent))
        });
        self.pace(condition, pace, &new.pace);
    }

    fn pace(&mut self, condition: &str, old: &Pace, new: &Pace) {
        let Pace {
            hold,
            clear_hold,
            severity: how_bad,
        } = old;
        let key = |key: &str| format!("alerts.{condition}.{key}");
        self.live(&key("for"), hold, &new.hold, span);
        self.live(&key("clear_for"), clear_hold, &new.clear_hold, span);
        self.live(&key("severity"), how_bad, &new.severity, severity);
    }

    fn mariadb(&mut self, old: Option<&MariaDbOptions>, new: Option<&MariaDbOptions>) {
        let address = |options: Option<&MariaDbOptions>| match options.map(|it| &it.address) {
            None => (None, None, None),
            Some(MariaDbAddress::Tcp { host, port }) => (Some(host.clone()), Some(*port), None),
            Some(MariaDbAddress::Socket(socket)) => (None, None, Some(path(socket))),
        };
        let ((host, port, socket), is) = (address(old), address(new));
        let text = |it: &Option<String>| or_none(it.clone());
        self.restart("mariadb.host", &host, &is.0, text);
        self.restart("mariadb.port", &port, &is.1, |it| {
            or_none(it.map(|port| port.to_string()))
        });
        self.restart("mariadb.socket", &socket, &is.2, text);
        let account = |options: Option<&MariaDbOptions>| {
            let Some(options) = options else {
                return (None, None, None);
            };
            let MariaDbOptions {
                address: _,
                user,
                password,
                database,
            } = options.clone();
            (Some(user), Some(database), password)
        };
        let ((user, database, password), is) = (account(old), account(new));
        self.restart("mariadb.user", &user, &is.0, text);
        self.restart("mariadb.database", &database, &is.1, text);
        let holds = Holds::AfterRestart;
        self.secret("mariadb.password", password.as_ref(), is.2.as_ref(), holds);
    }
}

fn distance(band: Band) -> f64 {
    let Band { enter, leave } = band;
    enter - leave
}

#[allow(clippy::ptr_arg)] // as the field is
fn path(path: &PathBuf) -> String {
    path.display().to_string()
}

fn span(span: &Duration) -> String {
    humantime::format_duration(*span).to_string()
}

/// As it would be written: `80`, `72.5`.
#[allow(clippy::trivially_copy_pass_by_ref)] // as the others
fn percent(percent: &f64) -> String {
    let rounded = (percent * 1e6).round() / 1e6;
    rounded.to_string()
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as the others
fn severity(severity: &Severity) -> String {
    severity.as_str().to_owned()
}

fn members(members: &Members) -> String {
    match members {
        Members::Everyone => "everyone".to_owned(),
        Members::Groups(groups) => format!("{groups:?}"),
    }
}

fn or_none(value: Option<String>) -> String {
    value.unwrap_or_else(|| "none".to_owned())
}
