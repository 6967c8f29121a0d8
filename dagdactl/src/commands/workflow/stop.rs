//! `dagdactl workflow stop`.

use dagda_proto::v1::StopWorkflowRequest;

use super::follow::{Ask, follow};
use crate::cli::workflow::StopArgs;
use crate::commands::{Outcome, Session, Until};
use crate::error::Error;

/// Stops a workflow's pods, or takes its run out of the queue, and names the pods that stay up.
pub async fn run(args: StopArgs, session: &mut Session) -> Result<Outcome, Error> {
    let name = String::from(args.name);
    let request = StopWorkflowRequest { name: name.clone() };
    let daemon = session.connect().await?;
    let followed = follow(
        Ask::Stop,
        &name,
        Until::Done,
        &daemon,
        &session.output,
        async {
            daemon
                .answer(daemon.workflows().stop_workflow(request))
                .await
        },
    )
    .await?;
    followed.tell(&name, &format!("{name} is stopped"), &mut session.output)
}
