//! `dagdactl alerts silences`.

use dagda_proto::v1::ListSilencesRequest;

use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::silences::SilenceListView;
use crate::output::table::silences;

/// Lists what nobody is notified of, that first which ends first.
pub async fn run(session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let request = ListSilencesRequest {};
    let answer = daemon
        .answer(daemon.alerts().list_silences(request))
        .await?;
    let view = SilenceListView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        output.text(&silences::list(&view, &Clock::system()))?;
        if view.silences.is_empty() {
            output.note("nothing is silenced");
        }
    }
    Ok(Outcome::Done)
}
