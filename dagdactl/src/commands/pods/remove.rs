//! `dagdactl pods remove`.

use dagda_proto::v1::RemovePodRequest;

use super::operation::perform;
use crate::cli::pods::RemoveArgs;
use crate::commands::{Outcome, Session, Until};
use crate::error::Error;

/// Takes pods out of the catalogue and out of Podman.
pub async fn run(args: RemoveArgs, session: &mut Session) -> Result<Outcome, Error> {
    let RemoveArgs { names, force } = args;
    let call = move |daemon: crate::client::Daemon, name| async move {
        daemon
            .answer(daemon.pods().remove_pod(RemovePodRequest { name, force }))
            .await
    };
    perform("removal", names, Until::Done, session, call).await
}
