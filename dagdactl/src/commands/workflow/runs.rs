//! `dagdactl workflow runs`.

use dagda_proto::v1::ListRunsRequest;

use crate::cli::name::Name;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::runs::RunListView;
use crate::output::table::runs;

/// Lists runs, the newest first.
pub async fn run(name: Option<Name>, limit: u32, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let request = ListRunsRequest {
        workflow: name.map(String::from),
        limit,
    };
    let view = RunListView::from(daemon.answer(daemon.workflows().list_runs(request)).await?);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&runs::list(&view, &Clock::system(), width))?;
        if view.runs.is_empty() {
            output.note("no runs yet; begin one: dagdactl workflow run NAME");
        }
    }
    Ok(Outcome::Done)
}
