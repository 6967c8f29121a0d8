//! `dagdactl alerts ack`.

use dagda_proto::v1::AcknowledgeAlertsRequest;

use super::report;
use crate::cli::alerts::AckArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;

/// Takes note of alerts.
pub async fn run(args: AckArgs, session: &mut Session) -> Result<Outcome, Error> {
    let AckArgs { which } = args;
    let daemon = session.connect().await?;
    let which = which.into();
    let request = AcknowledgeAlertsRequest { which };
    let answer = daemon
        .answer(daemon.alerts().acknowledge_alerts(request))
        .await?;
    report(answer, session)
}
