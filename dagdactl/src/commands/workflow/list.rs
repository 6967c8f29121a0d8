//! `dagdactl workflow list`.

use dagda_proto::v1::ListWorkflowsRequest;

use crate::client::Daemon;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::Output;
use crate::output::json::workflows::WorkflowListView;
use crate::output::table::workflows;

/// Lists workflows.
pub async fn run(session: &mut Session) -> Result<Outcome, Error> {
    let view = ask(&session.connect().await?).await?;
    if session.output.json() {
        session.output.document(&view)?;
    } else {
        print(&view, &mut session.output)?;
    }
    Ok(Outcome::Done)
}

/// What dagdad has.
pub async fn ask(daemon: &Daemon) -> Result<WorkflowListView, Error> {
    let list = daemon
        .answer(daemon.workflows().list_workflows(ListWorkflowsRequest {}))
        .await?;
    Ok(list.into())
}

/// The list for people.
pub fn print(view: &WorkflowListView, output: &mut Output) -> Result<(), Error> {
    let width = output.width();
    output.text(&workflows::list(view, width))?;
    if view.workflows.is_empty() {
        output.note("no workflows yet; put one into the catalogue: dagdactl apply -f workflow.yml");
    }
    Ok(())
}
