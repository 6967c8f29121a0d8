//! What holds for every configuration that somebody may write.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

use http::{HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};

use super::{Config, ConfigError, Environment, FileConfig, Identity, WebhookOptions};

/// In nothing that is told.
const SECRET: &str = "correct-horse-7f3a";

/// Feeds a file, and behind a NUL the environment as `NAME=value` with a NUL behind each.
///
/// # Panics
/// Where what was accepted contradicts itself, a secret is told, or a second reading differs.
pub fn config(input: &[u8]) {
    let mut parts = input.split(|&byte| byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let mut variables: HashMap<String, OsString> = parts
        .filter_map(|part| {
            let at = part.iter().position(|&byte| byte == b'=')?;
            let name = String::from_utf8(part[..at].to_vec()).ok()?;
            Some((name, OsString::from_vec(part[at + 1..].to_vec())))
        })
        .collect();
    variables.insert("MYSQL_API_PASSWORD".to_owned(), SECRET.into());
    let path = Path::new("dagdad.toml");
    let resolve = |who| {
        let variables = variables.clone();
        let environment = Environment::from_lookup(move |name| variables.get(name).cloned());
        let file = FileConfig::parse(&text, path)?;
        Config::resolve(Some(file), &environment, who, &|_| Ok(secret()))
    };
    for who in [Identity::Root, Identity::User] {
        let told = match resolve(who) {
            Ok(config) => {
                holds(&config);
                format!("{config:?}")
            }
            Err(error) => told_well(&error),
        };
        assert!(!told.contains(SECRET), "{told}");
        let again = match resolve(who) {
            Ok(config) => format!("{config:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, again);
    }
}

/// As if every file held the same.
fn secret() -> SecretString {
    SecretString::from(format!("https://host/{SECRET}"))
}

fn told_well(error: &ConfigError) -> String {
    let told = error.to_string();
    assert!(
        !told.is_empty() && !told.chars().any(char::is_control),
        "{told:?}"
    );
    told
}

fn holds(config: &Config) {
    let hours = |hours| Duration::from_hours(hours);
    let second = Duration::from_secs(1);
    assert!((second..=hours(1)).contains(&config.sample_interval));
    assert!((second..=hours(24)).contains(&config.start_timeout));
    for kept in [config.history_retention, config.event_retention] {
        assert!((hours(1)..=hours(3650 * 24)).contains(&kept));
    }
    for percent in [config.ram_threshold_percent, config.cpu_threshold_percent] {
        assert!(percent > 0.0 && percent <= 100.0, "{percent}");
    }
    let economy = &config.economy;
    for band in [economy.ram, economy.cpu, economy.pressure] {
        assert!(band.enter > 0.0 && band.enter <= 100.0, "{band:?}");
        assert!(band.leave < band.enter && band.leave >= 0.0, "{band:?}");
    }
    assert!(economy.recovery >= config.sample_interval);
    let alerts = &config.alerts;
    for limit in [
        &alerts.cpu_high,
        &alerts.ram_high,
        &alerts.disk_high,
        &alerts.pressure_high,
    ] {
        assert!(limit.percent > 0.0 && limit.percent <= 100.0, "{limit:?}");
        assert!(limit.clear_percent < limit.percent, "{limit:?}");
        assert!(limit.clear_percent >= 0.0, "{limit:?}");
        if let Some(critical) = limit.critical_percent {
            assert!(critical > limit.percent && critical <= 100.0, "{limit:?}");
        }
    }
    if let Some(webhook) = &config.notifications.webhook {
        can_be_posted_to(webhook);
    }
}

/// Feeds the URL of a webhook.
///
/// # Panics
/// Where one is accepted to which nothing could be sent, or which is another one when it is
/// written and read again.
pub fn webhook(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(webhook) = WebhookOptions::parse(&text) {
        can_be_posted_to(&webhook);
    }
}

fn can_be_posted_to(webhook: &WebhookOptions) {
    let WebhookOptions {
        encrypted,
        host,
        port,
        path,
    } = webhook;
    let path = path.expose_secret();
    assert!(
        !host.is_empty() && *port > 0 && path.starts_with('/'),
        "{webhook:?}"
    );
    let scheme = if *encrypted { "https" } else { "http" };
    let brackets = host.contains(':');
    let authority = if brackets {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    assert!(HeaderValue::from_str(&authority).is_ok(), "{authority:?}");
    assert!(Request::post(path).body(()).is_ok(), "{path:?}");
    let url = format!("{scheme}://{authority}{path}");
    let Some(again) = WebhookOptions::parse(&url) else {
        panic!("{url:?} is refused");
    };
    let same = again.encrypted == *encrypted && again.host == *host && again.port == *port;
    assert!(same && again.path.expose_secret() == path, "{url:?}");
}
