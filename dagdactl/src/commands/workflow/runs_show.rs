//! `dagdactl workflow runs show`.

use dagda_proto::v1::GetRunRequest;

use crate::cli::workflow::ShowRunArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::runs::RunDetailView;
use crate::output::table::runs;

/// Shows all that is known of a run.
pub async fn run(args: ShowRunArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let id = args.id.into();
    let view = RunDetailView::from(
        daemon
            .answer(daemon.workflows().get_run(GetRunRequest { id }))
            .await?,
    );
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&runs::show(&view, &Clock::system(), width))?;
    }
    Ok(Outcome::Done)
}
