//! The command line of dagdad: one definition for parsing, help and the manual page.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The steward of one box that has too little memory for all its owner wants to run.
///
/// Runs pods under Podman, samples the host, keeps the records, and serves dagdactl on a Unix
/// socket. Without arguments it just works: as root with its state in /var/lib/dagda and its
/// socket in /run/dagda, as a user in $XDG_STATE_HOME/dagda and $XDG_RUNTIME_DIR/dagda.
#[derive(Debug, Parser)]
#[command(name = "dagdad", version)]
pub struct Arguments {
    /// Configuration file [default: /etc/dagda/dagdad.toml, where it exists]
    #[arg(long, value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What dagdad can do instead of serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Action {
    /// Read the configuration and say what is wrong with it; start nothing
    ///
    /// Reads what serving would: file, environment and secrets. Exit code 0 where all is good, 2
    /// where it is not. A secret's file that is not there, or not for this user to read, may be
    /// there for the service: it is named on standard error, and is no fault.
    Check,
    /// Rebuild a lost state directory from MariaDB, then end
    ///
    /// Stop dagdad first, and run this as the user that it runs as. The state directory must hold
    /// no database: move aside what is left of one. What MariaDB has comes back as it was (pods,
    /// workflows, runs, alerts, events, samples, the audit), and goes on being mirrored; nothing
    /// is written to MariaDB, save that an older schema is brought up to date. What MariaDB never
    /// had is lost: rows that still waited to be sent, operations that were under way, what
    /// economy mode was set to and had taken, silences. It is all or nothing: after a failure, or
    /// a power cut, it can be run again.
    Restore,
}
