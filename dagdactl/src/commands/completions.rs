//! `dagdactl completions`.

use clap::CommandFactory;

use super::{Outcome, Session};
use crate::cli::{Cli, CompletionsArgs};
use crate::error::Error;

/// Prints the completion script of a shell.
pub fn run(args: &CompletionsArgs, session: &mut Session) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dagdactl", &mut script);
    session.output.verbatim(&script)?;
    Ok(Outcome::Done)
}
