//! `dagdactl man`.

use clap::CommandFactory;
use clap_mangen::Man;

use super::{Outcome, Session};
use crate::cli::{Cli, ManArgs};
use crate::error::Error;

/// Prints dagdactl(1), or writes every page into a folder.
pub fn run(args: &ManArgs, session: &mut Session) -> Result<Outcome, Error> {
    if let Some(folder) = &args.out {
        let failed = |error| {
            Error::File(format!(
                "cannot write the manual pages to {}: {error}",
                folder.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
        return Ok(Outcome::Done);
    }
    let mut page = Vec::new();
    Man::new(Cli::command())
        .render(&mut page)
        .map_err(Error::Output)?;
    session.output.verbatim(&page)?;
    Ok(Outcome::Done)
}
