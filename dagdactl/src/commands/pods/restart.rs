//! `dagdactl pods restart`.

use dagda_proto::v1::RestartPodRequest;

use super::operation::perform;
use crate::cli::pods::RestartArgs;
use crate::commands::{Outcome, Session, Until};
use crate::error::Error;

/// Stops pods and starts them again, all at the same time.
pub async fn run(args: RestartArgs, session: &mut Session) -> Result<Outcome, Error> {
    let RestartArgs { names, no_wait } = args;
    let call = |daemon: crate::client::Daemon, name| async move {
        daemon
            .answer(daemon.pods().restart_pod(RestartPodRequest { name }))
            .await
    };
    perform(
        "restart",
        names,
        Until::from_no_wait(no_wait),
        session,
        call,
    )
    .await
}
