//! The command tree: the one definition behind parsing, `--help`, completions and man pages.

pub mod admission;
pub mod alerts;
pub mod audit;
pub mod economy;
pub mod name;
pub mod pods;
pub mod run_id;
pub mod usage;
pub mod workflow;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use self::alerts::AlertsVerb;
use self::audit::AuditArgs;
use self::economy::EconomyArgs;
use self::name::Name;
use self::pods::{ListArgs, PodsVerb};
use self::workflow::WorkflowVerb;

const AFTER_HELP: &str = "\
Examples:
  dagdactl apply -f pod.yml            put a manifest into the catalogue
  dagdactl pods start llama            start it and wait until it is ready
  dagdactl workflow plan ai-complete   would it fit, who would have to go, when could it run
  dagdactl workflow run ai-complete    start its pods in order and wait until all are ready
  dagdactl status                      the whole box at a glance
  dagdactl economy plan                what would be done now if memory ran short
  dagdactl pods list --json | jq .     the same for scripts
  dagdactl doctor                      something is wrong: what, and how to mend it

Exit codes:
  0 done, 1 failed, 2 usage, 3 no such thing, 4 refused for lack of resources,
  5 daemon unreachable, 6 not permitted, 7 timed out, 130 interrupted";

/// Steward of one box: pods, workflows, resources.
///
/// dagdactl talks to dagdad over its Unix socket. Data goes to standard output, everything
/// else to standard error. Tables are for people and may change; --json is for scripts and
/// keeps its shape. With --json a failure, too, is a JSON document on standard output, with
/// the key "error", and standard error stays quiet.
#[derive(Debug, Parser)]
#[command(
    name = "dagdactl",
    version,
    after_help = AFTER_HELP,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options accepted before and after every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The Unix socket of dagdad
    ///
    /// Without it: $DAGDA_SOCKET; without that, /run/dagda/dagdad.sock for root; for others
    /// $XDG_RUNTIME_DIR/dagda/dagdad.sock where that exists, else /run/dagda/dagdad.sock.
    #[arg(
        long,
        global = true,
        env = "DAGDA_SOCKET",
        hide_env_values = true,
        value_name = "PATH",
        value_parser = clap::builder::OsStringValueParser::new(),
        value_hint = ValueHint::FilePath
    )]
    pub socket: Option<OsString>,

    /// Print JSON: one document, or one object a line where the output goes on
    #[arg(long, global = true)]
    pub json: bool,

    /// Wait at most this long, then exit with 7: 500ms, 30s, 5m
    ///
    /// An operation that dagdad has accepted goes on there. Without it, answers are awaited
    /// for 30 s, operations and backtests for as long as they take.
    #[arg(long, global = true, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show host, pods, economy mode, runs, alerts and store at a glance
    #[command(after_help = "\
Examples:
  dagdactl status
  dagdactl status --watch
  dagdactl status --json | jq .host.ram_percent")]
    Status(StatusArgs),

    /// Put manifests into the catalogue: all of them or none
    ///
    /// Nothing is started or restarted by it. A running pod whose manifest changes is marked
    /// as changed; a restart makes it use the new one.
    ///
    /// A workflow with an unknown pod, with an order that leads in a circle, or that could never
    /// fit on this machine is refused.
    #[command(after_help = "\
Examples:
  dagdactl apply -f pod.yml
  dagdactl apply -f pods/ --dry-run    every *.yml and *.yaml in the folder
  envsubst < pod.yml | dagdactl apply -f -")]
    Apply(ApplyArgs),

    /// Print the catalogue as manifests that `apply` takes
    #[command(after_help = "\
Examples:
  dagdactl export > catalogue.yml
  dagdactl export llama qwen")]
    Export(ExportArgs),

    /// List, start, stop and inspect pods
    #[command(visible_alias = "pod", subcommand, disable_help_subcommand = true)]
    Pods(PodsVerb),

    /// List pods: the same as `pods list`
    Ps(ListArgs),

    /// Run, plan, stop and inspect workflows: named sets of pods with an order
    #[command(
        visible_aliases = ["workflows", "wf"],
        subcommand,
        disable_help_subcommand = true
    )]
    Workflow(WorkflowVerb),

    /// Show, set, plan and replay economy mode, which makes room before memory runs out
    ///
    /// While it is active, optional pods are not started, and those of the lowest priority give
    /// up what is short; they get it back when there is room again. Without a verb: `status`.
    #[command(disable_help_subcommand = true)]
    Economy(EconomyArgs),

    /// Show what is amiss, take note of it, end it
    #[command(visible_alias = "alert", subcommand, disable_help_subcommand = true)]
    Alerts(AlertsVerb),

    /// Show the host's CPU, memory, disks and pressure, now or over time
    #[command(after_help = "\
Examples:
  dagdactl resources
  dagdactl resources --since 6h")]
    Resources(ResourcesArgs),

    /// Show what happened and why
    #[command(after_help = "\
Examples:
  dagdactl events --since 1h
  dagdactl events llama --follow")]
    Events(EventsArgs),

    /// Show who asked for what, and what became of it
    ///
    /// Every command that changes something is kept with the user who gave it, and so is what was
    /// denied; looking leaves no trace. OUTCOME: accepted is under way, refused could not be
    /// begun, denied takes a role that the user does not have. A run of a workflow stays accepted;
    /// how it ended: `workflow runs`.
    #[command(after_help = "\
Examples:
  dagdactl audit --since 1d
  dagdactl audit --object llama
  dagdactl audit --denied --json | jq -r '.audit[].user'")]
    Audit(AuditArgs),

    /// Check that everything dagdad needs is there, and say how to mend what is not
    ///
    /// Exits with 0 when nothing failed (warnings are allowed), 1 when a check failed, 5 or 6
    /// when dagdad could not be asked.
    Doctor,

    /// Print the completion script of a shell
    #[command(after_help = "\
Examples:
  dagdactl completions bash > /etc/bash_completion.d/dagdactl
  dagdactl completions zsh > \"${fpath[1]}/_dagdactl\"
  dagdactl completions fish > ~/.config/fish/completions/dagdactl.fish")]
    Completions(CompletionsArgs),

    /// Print the manual page, or write all of them
    #[command(after_help = "\
Examples:
  dagdactl man | man -l -
  dagdactl man --out /usr/local/share/man/man1")]
    Man(ManArgs),
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show it again at each change, until interrupted
    #[arg(short, long)]
    pub watch: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A manifest, a folder with *.yml and *.yaml files, or - for standard input; may be repeated
    #[arg(
        short,
        long = "file",
        required = true,
        value_name = "FILE|DIR|-",
        value_hint = ValueHint::AnyPath,
        allow_hyphen_values = false
    )]
    pub files: Vec<PathBuf>,

    /// Check and say what would change; change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Also look into the folders inside a folder
    #[arg(short = 'R', long)]
    pub recursive: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Only these; everything without any
    #[arg(value_name = "NAME")]
    pub names: Vec<Name>,
}

/// Arguments of `resources`.
#[derive(Debug, Args)]
pub struct ResourcesArgs {
    /// Show the history of this long until now instead: 1h, 2days
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,
}

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Only about this pod or workflow
    #[arg(value_name = "NAME")]
    pub object: Option<Name>,

    /// Go on and show new events as they happen, until interrupted
    #[arg(short, long)]
    pub follow: bool,

    /// Only younger than this: 10m, 1h
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,

    /// At most so many, the newest
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub limit: u32,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write dagdactl.1 and a page for each verb into this folder instead
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// Scripts rely on help being there for all of it.
    #[test]
    fn every_verb_and_every_argument_has_help() {
        fn check(command: &clap::Command, path: &str) {
            assert!(command.get_about().is_some(), "{path} has no help");
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{path} {} has no help",
                    argument.get_id()
                );
            }
            for verb in command.get_subcommands() {
                check(verb, &format!("{path} {}", verb.get_name()));
            }
        }
        check(&Cli::command(), "dagdactl");
    }

    #[test]
    fn global_options_stand_before_or_after_the_verb() {
        for arguments in [
            [
                "dagdactl",
                "--json",
                "--socket",
                "/s",
                "--timeout",
                "2s",
                "pods",
                "list",
            ],
            [
                "dagdactl",
                "pods",
                "list",
                "--json",
                "--socket",
                "/s",
                "--timeout",
                "2s",
            ],
            [
                "dagdactl",
                "pods",
                "--json",
                "--socket",
                "/s",
                "--timeout",
                "2s",
                "list",
            ],
        ] {
            let Global {
                socket,
                json,
                timeout,
            } = Cli::try_parse_from(arguments).unwrap().global;
            assert_eq!(socket.unwrap(), "/s");
            assert!(json);
            assert_eq!(timeout, Some(Duration::from_secs(2)));
        }
    }
}
