//! `dagdactl pods list` and `dagdactl ps`.

use dagda_proto::v1::ListPodsRequest;
use jiff::Timestamp;

use crate::cli::pods::ListArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::pods::PodListView;
use crate::output::table::pods;

/// Lists pods.
pub async fn run(args: &ListArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let view = PodListView::from(
        daemon
            .answer(daemon.pods().list_pods(ListPodsRequest { all: args.all }))
            .await?,
    );
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&pods::list(&view, Timestamp::now(), width))?;
        if view.pods.is_empty() {
            output.note("no pods yet; put one into the catalogue: dagdactl apply -f pod.yml");
        }
    }
    Ok(Outcome::Done)
}
