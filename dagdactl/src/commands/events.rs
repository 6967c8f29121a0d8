//! `dagdactl events`.

use dagda_proto::v1::ListEventsRequest;
use jiff::tz::TimeZone;

use super::resources::ago;
use super::{Outcome, Session, stream_ended};
use crate::cli::EventsArgs;
use crate::error::Error;
use crate::output::json::events::{EventView, EventsView};
use crate::output::table::events::event;

/// Shows what happened, with `--follow` also what happens.
pub async fn run(args: EventsArgs, session: &mut Session) -> Result<Outcome, Error> {
    let EventsArgs {
        object,
        follow,
        since,
        limit,
    } = args;
    let request = ListEventsRequest {
        since: since.map(ago),
        object: object.map(String::from),
        limit,
    };
    let daemon = session.connect().await?;
    let output = &mut session.output;
    if !follow {
        let view = EventsView::from(daemon.answer(daemon.events().list_events(request)).await?);
        if output.json() {
            output.document(&view)?;
        } else if view.events.is_empty() {
            output.note("no events");
        } else {
            let (zone, width) = (TimeZone::system(), output.width());
            output.text(
                &view
                    .events
                    .iter()
                    .map(|each| event(each, &zone, width))
                    .collect::<String>(),
            )?;
        }
        return Ok(Outcome::Done);
    }
    let mut events = daemon
        .answer(daemon.events().follow_events(request))
        .await?;
    let zone = TimeZone::system();
    while let Some(wire) = daemon.next(&mut events).await? {
        let view = EventView::from(wire);
        if output.json() {
            output.document(&view)?;
        } else {
            let width = output.width();
            output.text(&event(&view, &zone, width))?;
        }
    }
    Err(stream_ended())
}
