//! `dagdactl alerts list`.

use dagda_proto::v1::ListAlertsRequest;

use crate::cli::alerts::ListArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::alerts::AlertListView;
use crate::output::table::alerts;

/// Lists alerts, the newest first.
pub async fn run(args: &ListArgs, session: &mut Session) -> Result<Outcome, Error> {
    let ListArgs { all, limit } = *args;
    let daemon = session.connect().await?;
    let request = ListAlertsRequest { all, limit };
    let view = AlertListView::from(daemon.answer(daemon.alerts().list_alerts(request)).await?);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&alerts::list(&view, &Clock::system(), width))?;
        if view.alerts.is_empty() {
            output.note(if all {
                "no alerts"
            } else {
                "nothing is amiss; past alerts: dagdactl alerts list --all"
            });
        }
    }
    Ok(Outcome::Done)
}
