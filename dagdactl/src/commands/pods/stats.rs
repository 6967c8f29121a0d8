//! `dagdactl pods stats`.

use dagda_proto::v1::{ListPodsRequest, ListPodsResponse};

use crate::cli::name::Name;
use crate::cli::pods::StatsArgs;
use crate::commands::{Outcome, Session, stream_ended};
use crate::error::Error;
use crate::output::json::pods::{PodListView, PodStateView, PodStatsView, StatsView};
use crate::output::table::pods;

/// Shows what pods use, with `--watch` again at each measurement.
pub async fn run(args: StatsArgs, session: &mut Session) -> Result<Outcome, Error> {
    let StatsArgs { names, watch } = args;
    let daemon = session.connect().await?;
    let output = &mut session.output;
    // Asked for by name, a pod need not be in the catalogue.
    let request = ListPodsRequest {
        all: !names.is_empty(),
    };
    if !watch {
        let view = select(
            daemon.answer(daemon.pods().list_pods(request)).await?,
            &names,
        )?;
        if output.json() {
            output.document(&view)?;
        } else {
            output.text(&pods::stats(&view))?;
            if view.pods.is_empty() {
                output.note("no pod runs; start one: dagdactl pods start NAME");
            }
        }
        return Ok(Outcome::Done);
    }
    let mut lists = daemon.answer(daemon.pods().watch_pods(request)).await?;
    let mut first = true;
    while let Some(list) = daemon.next(&mut lists).await? {
        let view = select(list, &names)?;
        if output.json() {
            output.document(&view)?;
        } else {
            output.picture(&pods::stats(&view), first)?;
        }
        first = false;
    }
    Err(stream_ended())
}

/// The pods named, in that order; without names, those that run.
fn select(list: ListPodsResponse, names: &[Name]) -> Result<StatsView, Error> {
    let PodListView { pods } = list.into();
    if names.is_empty() {
        let running = pods
            .into_iter()
            .filter(|pod| pod.state == PodStateView::Running || pod.ram_bytes.is_some());
        return Ok(StatsView {
            pods: running.map(PodStatsView::from).collect(),
        });
    }
    let find = |name: &Name| {
        let found = pods.iter().find(|pod| pod.name == name.as_str());
        found.cloned().map(PodStatsView::from).ok_or_else(|| {
            let message = format!("no pod named {name}; see: dagdactl pods list --all");
            Error::refused("not_found", message)
        })
    };
    Ok(StatsView {
        pods: names.iter().map(find).collect::<Result<_, _>>()?,
    })
}
