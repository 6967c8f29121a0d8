//! `dagdactl audit`.

use dagda_proto::v1::ListAuditRequest;

use super::resources::ago;
use super::{Outcome, Session};
use crate::cli::audit::AuditArgs;
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::audit::AuditView;
use crate::output::table::audit;

/// Shows who asked for what, the newest first.
pub async fn run(args: AuditArgs, session: &mut Session) -> Result<Outcome, Error> {
    let AuditArgs {
        since,
        user,
        object,
        denied,
        limit,
    } = args;
    let request = ListAuditRequest {
        since: since.map(ago),
        user,
        object,
        denied,
        limit,
    };
    let daemon = session.connect().await?;
    let answer = daemon.answer(daemon.audit().list_audit(request)).await?;
    let view = AuditView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else if view.audit.is_empty() {
        output.note("nobody asked for such a thing");
    } else {
        let width = output.width();
        output.text(&audit::list(&view, &Clock::system(), width))?;
    }
    Ok(Outcome::Done)
}
