//! `dagdactl alerts resolve`.

use dagda_proto::v1::ResolveAlertRequest;

use super::report;
use crate::cli::alerts::ResolveArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;

/// Ends an alert by hand.
pub async fn run(args: ResolveArgs, session: &mut Session) -> Result<Outcome, Error> {
    let ResolveArgs { id } = args;
    let daemon = session.connect().await?;
    let request = ResolveAlertRequest { id: id.into() };
    let answer = daemon
        .answer(daemon.alerts().resolve_alert(request))
        .await?;
    report(answer, session)
}
