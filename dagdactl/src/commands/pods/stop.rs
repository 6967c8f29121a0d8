//! `dagdactl pods stop`.

use dagda_proto::v1::StopPodRequest;

use super::operation::perform;
use crate::cli::pods::StopArgs;
use crate::commands::{Outcome, Session, Until};
use crate::error::Error;

/// Stops pods, all at the same time.
pub async fn run(args: StopArgs, session: &mut Session) -> Result<Outcome, Error> {
    let StopArgs { names, grace } = args;
    let grace_period = grace
        .map(prost_types::Duration::try_from)
        .transpose()
        .map_err(|_| Error::Usage("--grace is too long".to_owned()))?;
    let call = move |daemon: crate::client::Daemon, name| async move {
        daemon
            .answer(
                daemon
                    .pods()
                    .stop_pod(StopPodRequest { name, grace_period }),
            )
            .await
    };
    perform("stop", names, Until::Done, session, call).await
}
