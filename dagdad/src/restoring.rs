//! `dagdad restore`: a lost state directory is rebuilt from MariaDB, the system of record.

use crate::config::Config;

/// Rebuilds the state directory that `config` names.
///
/// # Errors
/// What stands in the way, for the person who asked; nothing is changed then.
#[allow(clippy::unused_async, reason = "its work is still to come")]
pub async fn restore(_config: Config) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
