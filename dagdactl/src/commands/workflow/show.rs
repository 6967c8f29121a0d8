//! `dagdactl workflow show`.

use dagda_proto::v1::GetWorkflowRequest;

use crate::cli::workflow::ShowArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::workflows::WorkflowDetailView;
use crate::output::table::workflows;

/// Shows all that is known of a workflow.
pub async fn run(args: ShowArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let name = args.name.into();
    let view = WorkflowDetailView::from(
        daemon
            .answer(daemon.workflows().get_workflow(GetWorkflowRequest { name }))
            .await?,
    );
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&workflows::show(&view, &Clock::system(), width))?;
    }
    Ok(Outcome::Done)
}
