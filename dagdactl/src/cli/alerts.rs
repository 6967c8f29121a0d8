//! The verbs below `alerts`.

use clap::{Args, Subcommand};

/// What can be done with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsVerb {
    /// List what is amiss, the newest first
    ///
    /// An alert is one episode: it is raised when something goes wrong and resolved when that is
    /// over. FOR is how long it has gone on, or lasted.
    #[command(after_help = "\
Examples:
  dagdactl alerts list
  dagdactl alerts list --all --limit 20
  dagdactl alerts list --json | jq -r '.alerts[] | select(.severity == \"critical\").object'")]
    List(ListArgs),
}

/// Arguments of `alerts list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Also those that are resolved
    #[arg(short, long)]
    pub all: bool,

    /// At most so many, the newest
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub limit: u32,
}
