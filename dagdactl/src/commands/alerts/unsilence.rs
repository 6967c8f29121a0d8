//! `dagdactl alerts unsilence`.

use dagda_proto::v1::LiftSilenceRequest;

use crate::cli::alerts::UnsilenceArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::silences::SilenceListView;
use crate::output::table::silences;

/// Has people notified again.
pub async fn run(args: UnsilenceArgs, session: &mut Session) -> Result<Outcome, Error> {
    let UnsilenceArgs { which } = args;
    let daemon = session.connect().await?;
    let request = LiftSilenceRequest { which };
    let answer = daemon.answer(daemon.alerts().lift_silence(request)).await?;
    let view = SilenceListView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        output.text(&silences::lifted(&view))?;
    }
    Ok(Outcome::Done)
}
