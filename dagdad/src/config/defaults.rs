//! What holds where nothing was said.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::{Environment, Identity};
use super::error::ConfigError;

pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(5);
pub const HISTORY_RETENTION: Duration = Duration::from_hours(7 * 24);
pub const EVENT_RETENTION: Duration = Duration::from_hours(30 * 24);
pub const AUDIT_RETENTION: Duration = Duration::from_hours(90 * 24);
pub const ON_ALERT_TIMEOUT: Duration = Duration::from_secs(10);
pub const START_TIMEOUT: Duration = Duration::from_mins(5);
pub const RAM_THRESHOLD_PERCENT: f64 = 80.0;
pub const CPU_THRESHOLD_PERCENT: f64 = 70.0;
pub const MARIADB_PORT: u16 = 3306;
pub const MARIADB_USER: &str = "dagda_api";
pub const MARIADB_DATABASE: &str = "dagda_orchestrator";

/// systemd's `StateDirectory=` first, as it has made the directory and owns it.
pub fn state_dir(environment: &Environment, who: Identity) -> Result<PathBuf, ConfigError> {
    if let Some(given) = systemd_directory(environment, "STATE_DIRECTORY")? {
        return Ok(given);
    }
    match who {
        Identity::Root => Ok("/var/lib/dagda".into()),
        Identity::User => xdg(environment, "XDG_STATE_HOME", ".local/state")?
            .map(|dir| dir.join("dagda"))
            .ok_or(ConfigError::NoStateDirectory),
    }
}

/// systemd's `RuntimeDirectory=` first. A user without `XDG_RUNTIME_DIR` has no safe place:
/// `/tmp` belongs to everybody.
pub fn socket(environment: &Environment, who: Identity) -> Result<PathBuf, ConfigError> {
    if let Some(given) = systemd_directory(environment, "RUNTIME_DIRECTORY")? {
        return Ok(given.join("dagdad.sock"));
    }
    match who {
        Identity::Root => Ok("/run/dagda/dagdad.sock".into()),
        Identity::User => match absolute(environment, "XDG_RUNTIME_DIR")? {
            Some(dir) => Ok(dir.join("dagda/dagdad.sock")),
            None => Err(ConfigError::NoRuntimeDirectory),
        },
    }
}

/// systemd's `ConfigurationDirectory=` first. An account without a home is a service's, and
/// shares the machine's file.
pub fn variables_file(environment: &Environment, who: Identity) -> Result<PathBuf, ConfigError> {
    if let Some(given) = systemd_directory(environment, "CONFIGURATION_DIRECTORY")? {
        return Ok(given.join("variables.env"));
    }
    let own = match who {
        Identity::Root => None,
        Identity::User => xdg(environment, "XDG_CONFIG_HOME", ".config")?,
    };
    Ok(own
        .unwrap_or_else(|| "/etc".into())
        .join("dagda/variables.env"))
}

/// systemd separates several directories with colons; the first one is ours.
/// Source: <https://www.freedesktop.org/software/systemd/man/systemd.exec.html#RuntimeDirectory=>
fn systemd_directory(
    environment: &Environment,
    variable: &str,
) -> Result<Option<PathBuf>, ConfigError> {
    let first = environment
        .get(variable)?
        .and_then(|list| list.split(':').next().map(PathBuf::from));
    Ok(first.filter(|path| path.is_absolute()))
}

/// A directory of <https://specifications.freedesktop.org/basedir-spec/latest/>; `None` without
/// a home.
fn xdg(
    environment: &Environment,
    variable: &str,
    below_home: &str,
) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(dir) = absolute(environment, variable)? {
        return Ok(Some(dir));
    }
    Ok(absolute(environment, "HOME")?.map(|home| home.join(below_home)))
}

/// The base directory specification wants relative paths ignored.
fn absolute(environment: &Environment, variable: &str) -> Result<Option<PathBuf>, ConfigError> {
    Ok(environment
        .get(variable)?
        .map(PathBuf::from)
        .filter(|path| path.is_absolute()))
}
