//! `[alerts]`: whom alerts are told to.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use secrecy::{ExposeSecret, SecretString};

use super::defaults;
use super::environment::{CREDENTIALS, Environment};
use super::error::ConfigError;
use super::secret::{self, ReadSecret};

/// Name of the systemd credential with the webhook's URL.
const CREDENTIAL: &str = "alert-webhook";
/// What a webhook's URL is to look like.
pub const WEBHOOK: &str =
    "an http or https URL with a host, such as \"https://example.org/alerts\", without a user name";

/// Whom alerts are told to.
#[derive(Debug, Clone, Default)]
pub struct NotificationOptions {
    /// The program that is run, with its arguments.
    pub hook: Option<HookOptions>,
    /// Where they are posted to.
    pub webhook: Option<WebhookOptions>,
}

/// A program that is run for each alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookOptions {
    /// An absolute path.
    pub program: PathBuf,
    /// What it is given.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// An endpoint that each alert is posted to.
#[derive(Debug, Clone)]
pub struct WebhookOptions {
    /// Whether it is `https`.
    pub encrypted: bool,
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, which may hold a token.
    pub path: SecretString,
}

/// What was said of it.
#[derive(Debug, Default)]
pub struct NotificationDraft {
    /// A program and its arguments; never empty.
    pub on_alert: Option<Vec<String>>,
    pub on_alert_timeout: Option<Duration>,
    pub webhook: Option<WebhookOptions>,
    pub webhook_file: Option<PathBuf>,
}

impl NotificationDraft {
    pub fn has_two_webhooks(&self) -> bool {
        self.webhook.is_some() && self.webhook_file.is_some()
    }

    pub fn finish(
        self,
        environment: &Environment,
        read_secret: ReadSecret<'_>,
    ) -> Result<NotificationOptions, ConfigError> {
        let Self {
            on_alert,
            on_alert_timeout,
            webhook,
            webhook_file,
        } = self;
        let mut command = on_alert.unwrap_or_default().into_iter();
        let hook = command.next().map(|program| HookOptions {
            program: program.into(),
            arguments: command.collect(),
            timeout: on_alert_timeout.unwrap_or(defaults::ON_ALERT_TIMEOUT),
        });
        let read = |path: &Path| webhook_in(path, read_secret);
        let credential = match environment.get(CREDENTIALS)? {
            Some(directory) => secret::if_there(read(&Path::new(&directory).join(CREDENTIAL)))?,
            None => None,
        };
        let webhook = match (credential, webhook) {
            (Some(webhook), _) | (None, Some(webhook)) => Some(webhook),
            (None, None) => webhook_file.as_deref().map(read).transpose()?,
        };
        Ok(NotificationOptions { hook, webhook })
    }
}

fn webhook_in(path: &Path, read_secret: ReadSecret<'_>) -> Result<WebhookOptions, ConfigError> {
    let url = read_secret(path).map_err(|source| ConfigError::SecretFile {
        secret: "the webhook",
        path: path.to_owned(),
        source,
    })?;
    WebhookOptions::parse(url.expose_secret().trim()).ok_or_else(|| ConfigError::NotAWebhook {
        path: path.to_owned(),
    })
}

impl WebhookOptions {
    /// `None` where `url` is none that can be posted to.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let (encrypted, usual) = match uri.scheme_str()? {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return None,
        };
        let authority = uri.authority()?;
        // It would be sent along by nobody, and ends up in logs elsewhere.
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host();
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().ok().map(|_| address)?,
            // A `Uri` may have them anywhere in it.
            None if host.contains(['[', ']', ':']) => return None,
            None => host,
        };
        // A port that is none is left out by `port_u16`, not refused.
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str().ends_with([']']) || !authority.as_str().contains(':') => {
                usual
            }
            None => return None,
        };
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        // As in `https://host?token=…`; no request can be made for a path of nothing.
        let slash = if path.starts_with('/') { "" } else { "/" };
        (!host.is_empty() && port > 0).then(|| Self {
            encrypted,
            host: host.to_owned(),
            port,
            path: SecretString::from(format!("{slash}{path}")),
        })
    }
}
