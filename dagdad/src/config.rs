//! The daemon's configuration: built-in defaults, under the file, under the environment.
//!
//! [`Config::load`] reads what there is, [`Config::resolve`] merges it and touches nothing.
//! Which keys and variables exist, what they take and where they go stands in one table,
//! `schema::SETTINGS`.

mod access;
mod alerts;
mod defaults;
mod difference;
mod economy;
mod environment;
mod error;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod mariadb;
mod nearest;
mod notifications;
mod schema;
mod secret;
mod value;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use self::difference::{Difference, Holds};
pub use self::environment::{Environment, Identity};
pub use self::error::{ConfigError, Origin};
pub use self::file::FileConfig;
pub use self::mariadb::{MariaDbAddress, MariaDbOptions};
pub use self::notifications::{HookOptions, NotificationOptions, WebhookOptions};
pub use self::secret::SecretFileError;

use self::schema::Draft;
use self::secret::ReadSecret;
use crate::domain::alert::Rules;
use crate::domain::caller::Access;
use crate::domain::economy::{EconomyRules, Policy};

/// Where the file is looked for unless another is named.
pub const DEFAULT_FILE: &str = "/etc/dagda/dagdad.toml";

/// All that dagdad can be told. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from; `None`: there is none.
    pub file: Option<ConfigFile>,
    /// Directory of the database and of all else that must survive.
    pub state_dir: PathBuf,
    /// The Unix socket that dagdactl talks to.
    pub socket: PathBuf,
    /// Values for `${NAME}` in manifests. A missing file is an empty one.
    pub variables_file: PathBuf,
    /// Podman's API socket; `None`: look in the usual places.
    pub podman_socket: Option<PathBuf>,
    /// Time from one sample to the next, 1 s to 1 h.
    pub sample_interval: Duration,
    /// How long samples are kept.
    pub history_retention: Duration,
    /// How long events are kept, and what has ended: runs, alerts, silences.
    pub event_retention: Duration,
    /// How long it is kept who asked for what.
    pub audit_retention: Duration,
    /// Who may do what.
    pub access: Access,
    /// How long a pod may take to become ready.
    pub start_timeout: Duration,
    /// The share of memory that may be used, in percent: above 0, at most 100.
    pub ram_threshold_percent: f64,
    /// The share of CPU that may be used, in percent: above 0, at most 100.
    pub cpu_threshold_percent: f64,
    /// What a lack of CPU does to a start.
    pub cpu_admission: CpuAdmission,
    /// What economy mode goes by.
    pub economy: EconomyRules,
    /// What economy mode may do until somebody sets it otherwise.
    pub economy_policy: Policy,
    /// When what is an alert.
    pub alerts: Rules,
    /// Whom alerts are told to.
    pub notifications: NotificationOptions,
    /// The system of record; `None`: the embedded store is all there is.
    pub mariadb: Option<MariaDbOptions>,
}

/// Reads the configuration again from where it was read at the start.
pub type Load = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// The file that a configuration was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether a secret stands in it: a webhook's address, which may hold a token.
    pub holds_secret: bool,
}

/// What happens to a start for which there is not enough CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CpuAdmission {
    /// It is admitted with a warning: CPU is shared, everything only gets slower.
    #[default]
    Warn,
    /// It is refused, as it is for a lack of memory.
    Enforce,
}

impl Config {
    /// Reads the file (`explicit`, else what `DAGDA_CONFIG` names, else [`DEFAULT_FILE`] where
    /// that exists), the environment and the secrets.
    ///
    /// # Errors
    /// [`ConfigError`]; the daemon then ends with exit code 2.
    pub fn load(
        explicit: Option<&Path>,
        environment: &Environment,
        who: Identity,
    ) -> Result<Self, ConfigError> {
        let file = FileConfig::find(explicit, environment)?;
        Self::of_file(file, environment, who)
    }

    /// As [`Config::load`], where the file was read already.
    ///
    /// # Errors
    /// [`ConfigError`] for the first value that is not allowed, or secret that is not to be had.
    pub fn of_file(
        file: Option<FileConfig>,
        environment: &Environment,
        who: Identity,
    ) -> Result<Self, ConfigError> {
        Self::resolve(file, environment, who, &secret::read)
    }

    /// Merges defaults, `file` and `environment`. Secrets are asked of `read_secret`, once a
    /// file is known to be needed.
    ///
    /// # Errors
    /// [`ConfigError`] for the first value that is not allowed.
    pub fn resolve(
        file: Option<FileConfig>,
        environment: &Environment,
        who: Identity,
        read_secret: ReadSecret<'_>,
    ) -> Result<Self, ConfigError> {
        let mut draft = Draft::default();
        let file = match file {
            Some(file) => {
                let path = file.path().to_owned();
                file.apply(&mut draft)?;
                let holds_secret = draft.notifications.webhook.is_some();
                Some(ConfigFile { path, holds_secret })
            }
            None => None,
        };
        schema::apply_environment(environment, &mut draft)?;
        let ram_threshold_percent = draft
            .ram_threshold_percent
            .unwrap_or(defaults::RAM_THRESHOLD_PERCENT);
        let cpu_threshold_percent = draft
            .cpu_threshold_percent
            .unwrap_or(defaults::CPU_THRESHOLD_PERCENT);
        let sample_interval = draft.sample_interval.unwrap_or(defaults::SAMPLE_INTERVAL);
        let (economy_policy, economy) = draft.economy.finish(
            ram_threshold_percent,
            cpu_threshold_percent,
            sample_interval,
        )?;
        Ok(Self {
            file,
            state_dir: draft
                .state_dir
                .map_or_else(|| defaults::state_dir(environment, who), Ok)?,
            socket: draft
                .socket
                .map_or_else(|| defaults::socket(environment, who), Ok)?,
            variables_file: draft
                .variables_file
                .map_or_else(|| defaults::variables_file(environment, who), Ok)?,
            podman_socket: draft.podman_socket,
            sample_interval,
            history_retention: draft
                .history_retention
                .unwrap_or(defaults::HISTORY_RETENTION),
            event_retention: draft.event_retention.unwrap_or(defaults::EVENT_RETENTION),
            audit_retention: draft.audit_retention.unwrap_or(defaults::AUDIT_RETENTION),
            access: draft.access.finish(),
            start_timeout: draft.start_timeout.unwrap_or(defaults::START_TIMEOUT),
            ram_threshold_percent,
            cpu_threshold_percent,
            economy,
            economy_policy,
            alerts: draft
                .alerts
                .finish(cpu_threshold_percent, ram_threshold_percent)?,
            cpu_admission: draft.cpu_admission.unwrap_or_default(),
            // Secrets last: where one cannot be read, all else was found good.
            notifications: draft.notifications.finish(environment, read_secret)?,
            mariadb: draft.mariadb.finish(environment, read_secret)?,
        })
    }
}

#[cfg(test)]
mod tests;
