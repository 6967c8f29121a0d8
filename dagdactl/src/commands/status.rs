//! `dagdactl status`.

use dagda_proto::v1::{GetStatusRequest, WatchStatusRequest};
use jiff::Timestamp;

use super::{Outcome, Session, stream_ended};
use crate::cli::StatusArgs;
use crate::error::Error;
use crate::output::json::status::StatusView;
use crate::output::table::status::panel;

/// Shows the box at a glance, with `--watch` again at each change.
pub async fn run(args: &StatusArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let output = &mut session.output;
    if !args.watch {
        let view = StatusView::from(
            daemon
                .answer(daemon.status().get_status(GetStatusRequest {}))
                .await?,
        );
        if output.json() {
            output.document(&view)?;
        } else {
            let width = output.width();
            output.text(&panel(&view, Timestamp::now(), width))?;
        }
        return Ok(Outcome::Done);
    }
    let mut updates = daemon
        .answer(daemon.status().watch_status(WatchStatusRequest {}))
        .await?;
    let mut first = true;
    while let Some(update) = daemon.next(&mut updates).await? {
        let view = StatusView::from(update);
        if output.json() {
            output.document(&view)?;
        } else {
            let width = output.width();
            output.picture(&panel(&view, Timestamp::now(), width), first)?;
        }
        first = false;
    }
    Err(stream_ended())
}
