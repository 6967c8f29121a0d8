//! `dagdactl alerts list`.

use dagda_proto::v1::{AlertSeverity, ListAlertsRequest};

use crate::cli::alerts::{ListArgs, Severity};
use crate::commands::resources::ago;
use crate::commands::{Outcome, Session, stream_ended};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::alerts::AlertListView;
use crate::output::table::alerts;

/// Lists alerts, the newest first; with `--watch` again at each change.
pub async fn run(args: &ListArgs, session: &mut Session) -> Result<Outcome, Error> {
    let ListArgs {
        all,
        since,
        severity,
        watch,
        limit,
    } = *args;
    let severity = match severity {
        None => AlertSeverity::Unspecified,
        Some(Severity::Info) => AlertSeverity::Info,
        Some(Severity::Warning) => AlertSeverity::Warning,
        Some(Severity::Critical) => AlertSeverity::Critical,
    };
    let daemon = session.connect().await?;
    let request = ListAlertsRequest {
        all,
        limit,
        since: since.map(ago),
        severity: severity.into(),
    };
    let output = &mut session.output;
    if !watch {
        let answer = daemon.answer(daemon.alerts().list_alerts(request)).await?;
        let view = AlertListView::from(answer);
        if output.json() {
            output.document(&view)?;
        } else {
            let width = output.width();
            output.text(&alerts::list(&view, &Clock::system(), width))?;
            if view.alerts.is_empty() {
                output.note(
                    if all || since.is_some() || severity != AlertSeverity::Unspecified {
                        "no such alerts"
                    } else {
                        "nothing is amiss; past alerts: dagdactl alerts list --all"
                    },
                );
            }
        }
        return Ok(Outcome::Done);
    }
    let mut lists = daemon.answer(daemon.alerts().watch_alerts(request)).await?;
    let mut first = true;
    while let Some(list) = daemon.next(&mut lists).await? {
        let view = AlertListView::from(list);
        if output.json() {
            output.document(&view)?;
        } else {
            let width = output.width();
            let picture = alerts::list(&view, &Clock::system(), width);
            output.picture(&picture, first)?;
        }
        first = false;
    }
    Err(stream_ended())
}
