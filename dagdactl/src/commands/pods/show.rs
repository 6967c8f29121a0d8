//! `dagdactl pods show`.

use dagda_proto::v1::GetPodRequest;
use jiff::Timestamp;

use crate::cli::pods::ShowArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::pod_detail::PodDetailView;
use crate::output::table::pod_detail;

/// Shows all that is known of a pod.
pub async fn run(args: ShowArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let request = GetPodRequest {
        name: args.name.into(),
    };
    let view = PodDetailView::from(daemon.answer(daemon.pods().get_pod(request)).await?);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&pod_detail::show(&view, Timestamp::now(), width))?;
    }
    Ok(Outcome::Done)
}
