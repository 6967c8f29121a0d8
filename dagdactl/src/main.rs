//! `dagdactl`, the command line of dagdad: arguments in, data on stdout, all else on stderr,
//! and an exit code that says how it went.

mod cli;
mod client;
mod commands;
mod error;
mod output;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::Output;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(cli::usage::report(&error, &arguments)),
    };
    let mut session = Session::new(&cli.global, Output::detect(cli.global.json));
    let result = commands::run(cli.verb, &mut session)
        .and_then(|outcome| session.output.flush().map(|()| outcome));
    ExitCode::from(match result {
        Ok(Outcome::Reported(error)) => error.exit_code(),
        // A reader that hangs up has what it wanted: `dagdactl events | head` went well.
        Ok(Outcome::Done) | Err(Error::ClosedPipe) => 0,
        Err(error) => {
            session.output.failure(&error);
            error.exit_code()
        }
    })
}
