//! What is said about arguments that make no sense, and `--help`.

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;

use crate::error::Error;
use crate::output::{Output, escape};

/// Prints what clap has to say and returns the exit code: help and version on stdout (0), a
/// usage error on stderr, or as a JSON document on stdout where `--json` is among the
/// arguments (2).
pub fn report(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let wants_json = arguments
        .iter()
        .skip(1)
        .take_while(|a| *a != "--")
        .any(|a| a == "--json");
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is the reader's choice.
            let _ = error.print();
            0
        }
        _ if wants_json => {
            let error = Error::Usage(plain(error));
            Output::detect(true).failure(&error);
            error.exit_code()
        }
        _ => {
            let tainted = arguments
                .iter()
                .any(|a| a.to_string_lossy().chars().any(escape::is_harmful));
            if tainted {
                // clap repeats arguments as they are; without colours all of it can be escaped.
                let text = escape::text(&error.render().to_string()).into_owned();
                let _ = std::io::stderr().write_all(text.as_bytes());
            } else {
                let _ = error.print();
            }
            2
        }
    }
}

/// The first paragraph of clap's message, without its `error: ` and the usage line below.
fn plain(error: &clap::Error) -> String {
    let text = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return "a verb is missing; see: dagdactl --help".to_owned();
        }
        _ => error.render().to_string(),
    };
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let said: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    escape::text(&said.join("; ")).into_owned()
}
