//! `dagdactl workflow remove`.

use dagda_proto::v1::{Done, RemoveWorkflowRequest};

use crate::cli::workflow::RemoveArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::operations::{OperationView, OutcomeView};

/// Takes a workflow out of the catalogue.
pub async fn run(args: RemoveArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let name = String::from(args.name);
    let request = RemoveWorkflowRequest { name: name.clone() };
    let Done { message, changed } = daemon
        .answer(daemon.workflows().remove_workflow(request))
        .await?;
    let message = if message.is_empty() {
        format!("workflow {name} is removed")
    } else {
        message
    };
    let output = &mut session.output;
    if output.json() {
        output.document(&OperationView {
            name,
            outcome: OutcomeView::Done { changed, message },
        })?;
    } else {
        output.success(&message, None)?;
    }
    Ok(Outcome::Done)
}
