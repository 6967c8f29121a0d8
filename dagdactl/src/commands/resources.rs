//! `dagdactl resources`.

use dagda_proto::v1::{GetHistoryRequest, GetResourcesRequest};
use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Session};
use crate::cli::ResourcesArgs;
use crate::error::Error;
use crate::output::json::resources::{HistoryView, ResourcesView};
use crate::output::table::resources;

/// Shows the host's resources now, or with `--since` their history.
pub async fn run(args: &ResourcesArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let output = &mut session.output;
    let Some(since) = args.since else {
        let view = ResourcesView::from(
            daemon
                .answer(daemon.resources().get_resources(GetResourcesRequest {}))
                .await?,
        );
        if output.json() {
            output.document(&view)?;
        } else {
            output.text(&resources::now(&view))?;
        }
        return Ok(Outcome::Done);
    };
    let points = if output.json() {
        0
    } else {
        resources::points(output.width())
    };
    let request = GetHistoryRequest {
        since: Some(ago(since)),
        until: None,
        points,
    };
    let view = HistoryView::from(
        daemon
            .answer(daemon.resources().get_history(request))
            .await?,
    );
    if output.json() {
        output.document(&view)?;
    } else if view.points.is_empty() {
        output.note("nothing was measured in that time");
    } else {
        output.text(&resources::history(&view, since))?;
    }
    Ok(Outcome::Done)
}

/// The moment so long ago; the beginning of all time where that is too long ago.
pub fn ago(duration: std::time::Duration) -> prost_types::Timestamp {
    let then = SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| Timestamp::now().checked_sub(duration).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .max(Timestamp::UNIX_EPOCH);
    prost_types::Timestamp {
        seconds: then.as_second(),
        nanos: then.subsec_nanosecond(),
    }
}
