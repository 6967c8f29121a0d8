//! `dagdactl economy status`.

use dagda_proto::v1::GetEconomyRequest;

use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::economy::EconomyStatusView;
use crate::output::table::economy;

/// Shows all there is to say of economy mode now.
pub async fn run(session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let answer = daemon
        .answer(daemon.economy().get_economy(GetEconomyRequest {}))
        .await?;
    let view = EconomyStatusView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&economy::status(&view, &Clock::system(), width))?;
    }
    Ok(Outcome::Done)
}
