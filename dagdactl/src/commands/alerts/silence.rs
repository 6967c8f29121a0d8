//! `dagdactl alerts silence`.

use dagda_proto::v1::SilenceRequest;

use crate::cli::alerts::SilenceArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::silences::SilenceListView;
use crate::output::table::silences;

/// Has nobody notified of something for a while.
pub async fn run(args: SilenceArgs, session: &mut Session) -> Result<Outcome, Error> {
    let SilenceArgs { what, span } = args;
    let daemon = session.connect().await?;
    // The parser takes no span that is too long for it.
    let span = span.try_into().ok();
    let request = SilenceRequest { what, span };
    let answer = daemon.answer(daemon.alerts().silence(request)).await?;
    let view = SilenceListView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        output.text(&silences::set(&view, &Clock::system()))?;
    }
    Ok(Outcome::Done)
}
