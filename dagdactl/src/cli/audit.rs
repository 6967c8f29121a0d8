//! The arguments of `audit`.

use std::time::Duration;

use clap::Args;

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Only younger than this: 10m, 1d
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,

    /// Only what this user asked for: a name or a user id
    #[arg(long, value_name = "NAME|UID")]
    pub user: Option<String>,

    /// Only what was asked of this pod, workflow or alert, as the caller wrote it
    #[arg(long, value_name = "NAME")]
    pub object: Option<String>,

    /// Only what was denied
    #[arg(long)]
    pub denied: bool,

    /// At most so many, the newest
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub limit: u32,
}
