//! `dagdactl alerts`.

pub mod ack;
pub mod list;
pub mod resolve;
pub mod silence;
pub mod silences;
pub mod unsilence;

use dagda_proto::v1::AlertsChanged;

use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::alerts::AlertsChangedView;
use crate::output::table::alerts;

/// Says what became of alerts.
fn report(answer: AlertsChanged, session: &mut Session) -> Result<Outcome, Error> {
    let view = AlertsChangedView::from(answer);
    if session.output.json() {
        session.output.document(&view)?;
    } else {
        session.output.text(&alerts::changed(&view))?;
        if view.alerts.is_empty() {
            session.output.note("none is firing");
        }
    }
    Ok(Outcome::Done)
}
