//! `dagdactl workflow plan`.

use dagda_proto::v1::PlanWorkflowRequest;

use crate::cli::workflow::PlanArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::plan::PlanView;
use crate::output::table::plan::plan;

/// Explains what a run would do. That it does not fit is an answer, not a failure.
pub async fn run(args: PlanArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let name = args.name.into();
    let view = PlanView::from(
        daemon
            .answer(
                daemon
                    .workflows()
                    .plan_workflow(PlanWorkflowRequest { name }),
            )
            .await?,
    );
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&plan(&view, &Clock::system(), width))?;
    }
    Ok(Outcome::Done)
}
