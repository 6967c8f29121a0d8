//! The verbs below `alerts`.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::run_id::RunId;

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

    /// Take note of an alert, or of all of one condition
    ///
    /// It goes on and is shown as acknowledged; `status` counts it as firing no more. Once it is
    /// over, the next episode fires again.
    #[command(after_help = "\
Examples:
  dagdactl alerts ack 019a2f30-2222
  dagdactl alerts ack disk_high")]
    Ack(AckArgs),

    /// End an alert by hand
    ///
    /// What still holds is not raised again before it was over once, or dagdad was started again.
    #[command(after_help = "\
Examples:
  dagdactl alerts resolve 019a2f30-2222")]
    Resolve(ResolveArgs),

    /// Notify nobody of something for a while
    ///
    /// Of a condition, or of all that is about a pod, a workflow or a mount point. Its alerts are
    /// recorded and listed all the same, and shown as silenced. What began meanwhile and goes on
    /// is told when the silence ends. A second silence of the same thing takes the place of the
    /// first.
    #[command(after_help = "\
Examples:
  dagdactl alerts silence llama --for 2h
  dagdactl alerts silence ram_high --for 30m
  dagdactl alerts silences
  dagdactl alerts unsilence llama")]
    Silence(SilenceArgs),

    /// Notify people again, before the silence ends
    #[command(after_help = "\
Examples:
  dagdactl alerts unsilence llama
  dagdactl alerts unsilence 019a2f30-2222")]
    Unsilence(UnsilenceArgs),

    /// List what nobody is notified of, and until when
    Silences,
}

/// Arguments of `alerts list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Also those that are resolved
    #[arg(short, long)]
    pub all: bool,

    /// Only those raised or changed within this: 10m, 1h
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,

    /// Only those that are at least as bad
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub severity: Option<Severity>,

    /// Show them again at each change, until interrupted
    #[arg(short, long)]
    pub watch: bool,

    /// At most so many, the newest
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub limit: u32,
}

/// How bad an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    /// Good to know
    Info,
    /// Look at it some time
    Warning,
    /// Look at it now
    Critical,
}

/// A condition that dagdad watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition(&'static str);

impl Condition {
    const ALL: [&'static str; 7] = [
        "cpu_high",
        "ram_high",
        "disk_high",
        "pressure_high",
        "pod_down",
        "workflow_failed",
        "store_down",
    ];
}

/// Which alerts are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of a condition.
    Of(Condition),
    /// One.
    Id(RunId),
}

/// Why a text names no alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "give an alert's id, its first characters where they are clear (at least four), or one of {}; see: dagdactl alerts list",
    Condition::ALL.join(", ")
)]
pub struct WhichError;

impl FromStr for Which {
    type Err = WhichError;

    fn from_str(text: &str) -> Result<Self, WhichError> {
        let condition = Condition::ALL.into_iter().find(|name| *name == text);
        match condition {
            Some(name) => Ok(Self::Of(Condition(name))),
            None => text.parse().map(Self::Id).map_err(|_| WhichError),
        }
    }
}

impl From<Which> for String {
    fn from(which: Which) -> Self {
        match which {
            Which::Of(Condition(name)) => name.to_owned(),
            Which::Id(id) => id.into(),
        }
    }
}

/// Arguments of `alerts ack`.
#[derive(Debug, Args)]
pub struct AckArgs {
    /// The alert's id, or its first characters where they are clear; or a condition
    #[arg(value_name = "ID|CONDITION")]
    pub which: Which,
}

/// The longest span that something can be silenced for.
const LONGEST_SILENCE: Duration = Duration::from_hours(365 * 24);

/// Arguments of `alerts silence`.
#[derive(Debug, Args)]
pub struct SilenceArgs {
    /// A condition, or the pod, workflow or mount point that alerts are about
    #[arg(
        value_name = "CONDITION|OBJECT",
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub what: String,

    /// For how long: 30m, 2h, 1d; at most 365d
    #[arg(long = "for", value_name = "DUR", value_parser = silence_span)]
    pub span: Duration,
}

/// Arguments of `alerts unsilence`.
#[derive(Debug, Args)]
pub struct UnsilenceArgs {
    /// What is silenced; or the silence's id, or its first characters where they are clear
    #[arg(
        value_name = "CONDITION|OBJECT|ID",
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub which: String,
}

fn silence_span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if span.is_zero() || span > LONGEST_SILENCE {
        return Err("give more than 0s and at most 365d, such as 2h".to_owned());
    }
    Ok(span)
}

/// Arguments of `alerts resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The alert's id, or its first characters where they are clear
    #[arg(value_parser = alert_id)]
    pub id: RunId,
}

/// Ids of alerts look like those of runs.
fn alert_id(text: &str) -> Result<RunId, WhichError> {
    text.parse().map_err(|_| WhichError)
}
