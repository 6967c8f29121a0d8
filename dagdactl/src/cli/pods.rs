//! The verbs below `pods`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::admission::AdmissionArgs;
use super::name::Name;

/// What can be done with pods.
#[derive(Debug, Subcommand)]
pub enum PodsVerb {
    /// List pods with their state and use
    ///
    /// "running*" marks a pod whose manifest was changed after it was started. CPU is in
    /// percent of one core: 200% is two cores.
    #[command(after_help = "\
Examples:
  dagdactl pods list
  dagdactl pods list --all --json")]
    List(ListArgs),

    /// Show all that is known of a pod
    ///
    /// DECLARED is what its manifest says it uses, OBSERVED the highest peak of its latest runs,
    /// EXPECTED what dagdad reckons with, by the BASIS named; RESERVED is held for it while it
    /// runs or starts. Three runs must be known before they count, and they count only where
    /// they used more than is declared.
    #[command(after_help = "\
Examples:
  dagdactl pods show llama
  dagdactl pods show llama --json | jq .expected")]
    Show(ShowArgs),

    /// Start pods and wait until they are ready
    ///
    /// Several are started at the same time. A pod that runs already is a success. dagdad goes
    /// on with the start when dagdactl is interrupted.
    ///
    /// A pod that does not fit is not started: the exit code is 4, and standard error says what
    /// it needs, what is available, which pods would have to go and why, and the command that
    /// stops them first. With --json the error carries the same: needed_bytes, available_bytes,
    /// victims, suggested_command and more.
    #[command(after_help = "\
Examples:
  dagdactl pods start llama
  dagdactl pods start llama --evict    make room for it first, where it does not fit
  dagdactl pods start mariadb n8n --timeout 2m
  dagdactl pods start llama --no-wait")]
    Start(StartArgs),

    /// Stop pods, gracefully
    ///
    /// A pod that is stopped already is a success.
    #[command(after_help = "\
Examples:
  dagdactl pods stop llama
  dagdactl pods stop llama --grace 2s")]
    Stop(StopArgs),

    /// Stop pods and start them again with their present manifests
    Restart(RestartArgs),

    /// Take pods out of the catalogue and out of Podman
    Remove(RemoveArgs),

    /// Print what a pod's containers wrote
    #[command(after_help = "\
Examples:
  dagdactl pods logs llama --tail 20
  dagdactl pods logs n8n --follow --since 10m
  dagdactl pods logs n8n --container worker --timestamps")]
    Logs(LogsArgs),

    /// Show the CPU and memory that running pods use
    #[command(after_help = "\
Examples:
  dagdactl pods stats --watch
  dagdactl pods stats llama --json")]
    Stats(StatsArgs),
}

/// Arguments of `pods list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Also pods that Podman runs but that are not in the catalogue
    #[arg(short, long)]
    pub all: bool,
}

/// Arguments of `pods show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The pod
    pub name: Name,
}

/// Arguments of `pods start`.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<Name>,

    /// Whether they may start.
    #[command(flatten)]
    pub admission: AdmissionArgs,

    /// Return as soon as dagdad has accepted it
    #[arg(long)]
    pub no_wait: bool,
}

/// Arguments of `pods stop`.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<Name>,

    /// Kill what has not ended after this long, instead of the manifest's grace period: 0s, 30s
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub grace: Option<Duration>,
}

/// Arguments of `pods restart`.
#[derive(Debug, Args)]
pub struct RestartArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<Name>,

    /// Return as soon as dagdad has accepted it
    #[arg(long)]
    pub no_wait: bool,
}

/// Arguments of `pods remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The pods
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<Name>,

    /// Stop those that run first
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `pods logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The pod
    pub name: Name,

    /// Go on and print new lines as they are written, until interrupted
    #[arg(short, long)]
    pub follow: bool,

    /// Begin with the last so many lines
    #[arg(long, value_name = "N")]
    pub tail: Option<u32>,

    /// Only lines younger than this: 10m, 1h
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,

    /// Only of this container
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<Name>,

    /// Put the time before each line
    #[arg(long)]
    pub timestamps: bool,
}

/// Arguments of `pods stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Only these; all that run without any
    #[arg(value_name = "NAME")]
    pub names: Vec<Name>,

    /// Show it again at each measurement, until interrupted
    #[arg(short, long)]
    pub watch: bool,
}
