//! `dagdactl apply`.

mod files;

use dagda_proto::v1::ApplyRequest;

use super::{Outcome, Session};
use crate::cli::ApplyArgs;
use crate::error::Error;
use crate::output::json::catalogue::ApplyView;
use crate::output::table::catalogue::applied;

/// Reads the files here and has dagdad take them all or none.
pub async fn run(args: ApplyArgs, session: &mut Session) -> Result<Outcome, Error> {
    let ApplyArgs {
        files,
        dry_run,
        recursive,
    } = args;
    let files = files::read(&files, recursive, &session.output)?;
    let daemon = session.connect().await?;
    let answer = daemon
        .answer(daemon.catalogue().apply(ApplyRequest { files, dry_run }))
        .await?;
    let view = ApplyView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&applied(&view, width))?;
        if dry_run {
            output.note("nothing was changed");
        }
    }
    Ok(Outcome::Done)
}
