//! The configuration in the terms of the parts that go by it, at the start and when it is read
//! again.

use std::time::Duration;

use crate::config::{self, Config, CpuAdmission, NotificationOptions};
use crate::engine::state::{Settings, Thresholds};
use crate::notify::{Endpoint, Hook, Way, Webhook};
use crate::store;

/// Samples are recorded no more often than this; in between they are only shown.
const RECORD_INTERVAL: Duration = Duration::from_secs(5);

/// What the engine goes by.
pub(crate) fn settings(config: &Config) -> Settings {
    Settings {
        start_timeout: config.start_timeout,
        sample_interval: config.sample_interval,
        record_interval: RECORD_INTERVAL.max(config.sample_interval),
        thresholds: Thresholds {
            ram_percent: config.ram_threshold_percent,
            cpu_percent: config.cpu_threshold_percent,
        },
        cpu_enforced: config.cpu_admission == CpuAdmission::Enforce,
        alerts: config.alerts,
        economy_policy: config.economy_policy,
        economy: config.economy,
    }
}

/// How people are told of alerts.
pub(crate) fn ways(options: NotificationOptions) -> Vec<Way> {
    let NotificationOptions { hook, webhook } = options;
    let hook = hook.map(|options| {
        let config::HookOptions {
            program,
            arguments,
            timeout,
        } = options;
        let hook = Hook {
            program,
            arguments,
            timeout,
        };
        if let Err(error) = hook.look() {
            let program = hook.program.display();
            tracing::warn!(dagda_error = %error, "`alerts.on_alert` names {program}, which cannot be run");
        }
        Way::Hook(hook)
    });
    let webhook = webhook.map(|options| {
        let config::WebhookOptions {
            encrypted,
            host,
            port,
            path,
        } = options;
        let endpoint = Endpoint {
            encrypted,
            host,
            port,
            path,
        };
        Way::Webhook(Webhook::at(endpoint))
    });
    hook.into_iter().chain(webhook).collect()
}

/// How MariaDB is reached.
pub(crate) fn mariadb_options(options: config::MariaDbOptions) -> store::MariaDbOptions {
    let config::MariaDbOptions {
        address,
        user,
        password,
        database,
    } = options;
    let (host, port, socket) = match address {
        config::MariaDbAddress::Tcp { host, port } => (host, port, None),
        config::MariaDbAddress::Socket(path) => (String::new(), 0, Some(path)),
    };
    let password = password.unwrap_or_default();
    store::MariaDbOptions {
        host,
        port,
        socket,
        user,
        password,
        database,
    }
}
