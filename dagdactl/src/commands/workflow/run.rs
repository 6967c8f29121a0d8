//! `dagdactl workflow run`.

use dagda_proto::v1::{GetWorkflowRequest, RunWorkflowRequest};

use super::follow::{Ask, follow};
use super::list;
use crate::cli::workflow::RunArgs;
use crate::client::Daemon;
use crate::commands::{Outcome, Session, Until};
use crate::error::Error;
use crate::output::json::runs::RunView;

/// Runs a workflow and waits until its pods are ready; without a name, lists what can be run.
pub async fn run(args: RunArgs, session: &mut Session) -> Result<Outcome, Error> {
    let RunArgs {
        name,
        admission,
        queue,
        no_wait,
        timeout,
    } = args;
    let Some(name) = name else {
        return nameless(session).await;
    };
    let name = String::from(name);
    let request = RunWorkflowRequest {
        name: name.clone(),
        admission: admission.mode().into(),
        queue,
        timeout: timeout
            .map(prost_types::Duration::try_from)
            .transpose()
            .map_err(|_| Error::Usage("--timeout is too long".to_owned()))?,
    };
    // The limit is the run's: dagdad keeps it, and what comes after it (a rollback) is waited for.
    let daemon = session.connect_without_limit().await?;
    let mut followed = follow(
        Ask::Run,
        &name,
        Until::from_no_wait(no_wait),
        &daemon,
        &session.output,
        async {
            daemon
                .answer(daemon.workflows().run_workflow(request))
                .await
        },
    )
    .await?;
    if followed.end.is_ok() && followed.run.is_none() {
        // It runs already, and dagdad said no more than that: which run it is, it knows.
        followed.run = active(&daemon, &name).await;
    }
    followed.tell(&name, &format!("{name} is running"), &mut session.output)
}

/// The active run of a workflow.
async fn active(daemon: &Daemon, name: &str) -> Option<RunView> {
    let request = GetWorkflowRequest {
        name: name.to_owned(),
    };
    let answer = daemon
        .answer(daemon.workflows().get_workflow(request))
        .await;
    answer.ok()?.workflow?.run.map(RunView::from)
}

/// Lists what can be run; that is not what was asked for.
async fn nameless(session: &mut Session) -> Result<Outcome, Error> {
    let error = Error::Usage(
        "a name is needed: dagdactl workflow run NAME; \
         the list tells what there is and whether it fits now"
            .to_owned(),
    );
    let mut view = list::ask(&session.connect().await?).await?;
    if !session.output.json() {
        list::print(&view, &mut session.output)?;
        return Err(error);
    }
    view.error = Some((&error).into());
    session.output.document(&view)?;
    Ok(Outcome::Reported(error))
}
