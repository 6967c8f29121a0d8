//! The verbs below `workflow`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::admission::AdmissionArgs;
use super::name::Name;
use super::run_id::RunId;

/// What can be done with workflows.
#[derive(Debug, Subcommand)]
pub enum WorkflowVerb {
    /// List workflows: what they need, what they do, whether they fit now
    ///
    /// MEMORY and CPU (in cores) are what the pods are expected to use together. FITS NOW says
    /// whether a run would be admitted at this moment: "yes"; "no" and what is missing; or
    /// "never", where it needs more than this machine may give. RUN is the state of the active
    /// run.
    #[command(after_help = "\
Examples:
  dagdactl workflow list
  dagdactl workflow list --json | jq -r '.workflows[] | select(.fits).name'")]
    List,

    /// Show all that is known of a workflow, its pods drawn as a tree
    ///
    /// A pod stands below the one it comes after. A pod that comes after several is drawn once;
    /// the others stand beside it under ALSO AFTER.
    #[command(after_help = "\
Examples:
  dagdactl workflow show ai-complete
  dagdactl workflow show ai-complete --json | jq '.members[] | {pod, state}'")]
    Show(ShowArgs),

    /// Explain what a run would do and whether it fits; change nothing
    ///
    /// First the pods in the order of their start; those of one STEP start together. MEMORY and
    /// CPU are what each is expected to use. BASIS says where that comes from: declared in the
    /// manifest, or observed, once three RUNS were seen to use more; SURE is how far they agree.
    ///
    /// Then the room: NEEDED is what is asked for and not held already, AVAILABLE what is left
    /// below the CEILING, which is the CAPACITY of the machine times dagdad's threshold. OTHERS
    /// is used by everything outside the catalogue, RESERVED held for pods that run or start.
    ///
    /// Then the verdict: the command that runs it; or what is missing, the pods whose stop would
    /// make room, why these, and when it fits by itself where that is known.
    ///
    /// Being an explanation it exits with 0 whether it fits or not; with --json look at "fits".
    #[command(after_help = "\
Examples:
  dagdactl workflow plan ai-complete
  dagdactl workflow plan ai-complete --json | jq '.fits, .gap_bytes, .victims'

Exit codes:
  0 explained, whether it fits or not; 3 no such workflow")]
    Plan(PlanArgs),

    /// Run a workflow: start its pods in order and wait until all are ready
    ///
    /// Whether it fits is decided before anything is touched. Where it does not, nothing is
    /// started, the reason stands on standard error and the exit code is 4; --evict, --queue or
    /// --force do otherwise. Pods that run already are used as they are.
    ///
    /// When a pod fails, or not all are ready in time, what the run started is stopped again,
    /// or left as it is with onFailure: keep in the manifest; the pod's last log lines are
    /// shown.
    ///
    /// The run belongs to dagdad: it goes on when dagdactl is interrupted, and after a restart
    /// of dagdad. A workflow whose run is active already is not run twice.
    ///
    /// Without a name it lists what can be run, and exits with 2.
    #[command(after_help = "\
Examples:
  dagdactl workflow run ai-complete
  dagdactl workflow run ai-complete --evict --timeout 5m
  dagdactl workflow run ai-complete --queue
  id=$(dagdactl workflow run ai-complete --no-wait)

Exit codes:
  0 all pods are ready (or with --no-wait: accepted), 1 failed, 2 usage or no name,
  3 no such workflow or pod, 4 it does not fit, 5 daemon unreachable, 6 not permitted,
  7 not ready in time, 130 interrupted: the run goes on")]
    Run(RunArgs),

    /// Stop a workflow's pods in reverse order, or take its run out of the queue
    ///
    /// Pods that another active run needs, or that an essential pod comes after, stay up; they
    /// are named with the reason. The stop goes on in dagdad when dagdactl is interrupted.
    #[command(after_help = "\
Examples:
  dagdactl workflow stop ai-complete
  dagdactl workflow stop ai-complete --json | jq '.run.pods[] | select(.step == \"kept\")'")]
    Stop(StopArgs),

    /// List runs, the newest first, or show one
    ///
    /// STARTED is when dagdad accepted the run. TOOK is the time from its admission until all
    /// its pods were ready, or until it ended without that. IDs are shortened as far as they
    /// stay clear; `runs show` takes them so.
    #[command(
        disable_help_subcommand = true,
        after_help = "\
Examples:
  dagdactl workflow runs
  dagdactl workflow runs ai-complete --limit 5 --json
  dagdactl workflow runs show 019a2f4c-7b1e"
    )]
    Runs(RunsArgs),

    /// Take a workflow out of the catalogue; its pods stay
    ///
    /// Refused while a run of it is active: stop that first.
    #[command(after_help = "\
Examples:
  dagdactl workflow stop ai-complete && dagdactl workflow remove ai-complete")]
    Remove(RemoveArgs),
}

/// Arguments of `workflow show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The workflow
    pub name: Name,
}

/// Arguments of `workflow plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The workflow
    pub name: Name,
}

/// Arguments of `workflow run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The workflow; without it, what can be run is listed
    pub name: Option<Name>,

    /// Whether it may start.
    #[command(flatten)]
    pub admission: AdmissionArgs,

    /// Where it does not fit, wait until it does
    ///
    /// The highest priority goes first, then who came first. Shown are the place in the queue,
    /// what is waited for, and the earliest time where one can be justified. The place is kept
    /// when dagdactl is interrupted and over restarts of dagdad; `workflow stop` gives it up.
    #[arg(long, conflicts_with = "force")]
    pub queue: bool,

    /// Return as soon as dagdad has accepted it, and print the run's id
    #[arg(long)]
    pub no_wait: bool,

    /// How long the pods may take to become ready, instead of the manifest's timeout: 90s, 5m
    ///
    /// It counts from the moment there is room: the time in the queue does not. Then the run
    /// has failed with exit code 7. Without it, the manifest's counts.
    // The id of the global option, which this one stands in for.
    #[arg(id = "timeout", long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,
}

/// Arguments of `workflow stop`.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// The workflow
    pub name: Name,
}

/// Arguments of `workflow runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub verb: Option<RunsVerb>,

    /// Only of this workflow
    pub name: Option<Name>,

    /// At most so many, the newest
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    pub limit: u32,
}

/// What can be done with runs beside listing them.
#[derive(Debug, Subcommand)]
pub enum RunsVerb {
    /// Show a run: its pods step by step, and what happened when
    #[command(after_help = "\
Examples:
  dagdactl workflow runs show 019a2f4c-7b1e
  dagdactl workflow runs show 019a2f4c-7b1e --json | jq -r '.events[] | [.at, .message] | @tsv'")]
    Show(ShowRunArgs),
}

/// Arguments of `workflow runs show`.
#[derive(Debug, Args)]
pub struct ShowRunArgs {
    /// The run's id, or its first characters where they are clear
    pub id: RunId,
}

/// Arguments of `workflow remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The workflow
    pub name: Name,
}
