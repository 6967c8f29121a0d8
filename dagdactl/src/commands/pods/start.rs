//! `dagdactl pods start`.

use dagda_proto::v1::StartPodRequest;

use super::operation::perform;
use crate::cli::pods::StartArgs;
use crate::commands::{Outcome, Session, Until};
use crate::error::Error;

/// Starts pods, all at the same time, and waits until they are ready.
pub async fn run(args: StartArgs, session: &mut Session) -> Result<Outcome, Error> {
    let StartArgs {
        names,
        admission,
        no_wait,
    } = args;
    let admission = admission.mode().into();
    let call = move |daemon: crate::client::Daemon, name| async move {
        daemon
            .answer(daemon.pods().start_pod(StartPodRequest { name, admission }))
            .await
    };
    perform("start", names, Until::from_no_wait(no_wait), session, call).await
}
