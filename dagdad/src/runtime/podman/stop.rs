//! Bringing pods down.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::future::join_all;
use http::StatusCode;
use tokio::time::Instant;

use super::client::{Call, Client, encode, within};
use super::list::Listing;
use super::text::one_line;
use super::wire;
use crate::ports::RuntimeError;

const WHAT: &str = "stop the pod";

/// Pause between two looks at a pod that changes under our hands.
const SETTLE: Duration = Duration::from_millis(50);

/// Asks the containers of `pod` to end and kills them after `grace`.
///
/// Podman 4.3 answers `304 Not Modified`, and does nothing, for every pod that is not wholly
/// running: one with a dead or paused container, or one in a crash loop. The containers of such
/// a pod are stopped one by one until all are at rest. A container stopped this way is not
/// restarted by its restart policy.
pub async fn stop(
    client: &Client,
    pod: &str,
    grace: Duration,
    deadline: Duration,
) -> Result<(), RuntimeError> {
    let seconds = whole_seconds(grace);
    let started = Instant::now();
    let path = format!("/pods/{}/stop?t={seconds}", encode(pod));
    let answer = client.call(Call::post(path, WHAT), deadline).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(());
    }
    if answer.status != StatusCode::NOT_MODIFIED {
        let report: wire::StopReport = answer.accepted()?.json()?;
        if let Some(error) = report.errs.first() {
            return Err(RuntimeError::Refused {
                status: 200,
                message: one_line(&error.to_string()),
            });
        }
    }
    let rest = deadline.saturating_sub(started.elapsed());
    within(rest, WHAT, bring_to_rest(client, pod, seconds, rest))
        .await
        .map_err(|error| match error {
            RuntimeError::TimedOut { what, .. } => RuntimeError::TimedOut {
                what,
                after: deadline,
            },
            other => other,
        })
}

/// Stops what still runs in `pod`, until nothing does.
async fn bring_to_rest(
    client: &Client,
    pod: &str,
    seconds: u64,
    deadline: Duration,
) -> Result<(), RuntimeError> {
    loop {
        let listing = Listing::fetch(client, deadline).await?;
        let Some((_, containers)) = listing.pod(pod) else {
            return Ok(());
        };
        let (infra, regular): (Vec<_>, Vec<_>) = containers
            .into_iter()
            .filter(|container| container.is_live())
            .partition(|c| c.is_infra);
        // The infra container holds ports and network: it goes when nobody needs it any more.
        let live = if regular.is_empty() { infra } else { regular };
        if live.is_empty() {
            return Ok(());
        }
        if live.iter().any(|container| container.state == "paused") {
            let path = format!("/pods/{}/unpause", encode(pod));
            client
                .call(Call::post(path, WHAT), deadline)
                .await?
                .accepted()?;
        }
        let answers = join_all(live.iter().map(|container| {
            let path = format!(
                "/containers/{}/stop?timeout={seconds}",
                encode(&container.id)
            );
            client.call(Call::post(path, WHAT), deadline)
        }))
        .await;
        let mut refused = None;
        for answer in answers {
            match answer?.accepted() {
                Ok(_) | Err(RuntimeError::Refused { status: 404, .. }) => {}
                Err(error) => refused = Some(error),
            }
        }
        if let Some(error) = refused {
            // A container between two restarts refuses; the next round finds it running.
            tracing::debug!(
                dagda_pod = pod,
                "a container could not be stopped, trying again: {error}"
            );
        }
        tokio::time::sleep(SETTLE).await;
    }
}

/// Removes `pod`, after killing what does not end within `grace`.
///
/// The forced removal of a running pod takes Podman 4 s; that of one at rest, none.
pub async fn remove(
    client: &Client,
    pod: &str,
    grace: Duration,
    deadline: Duration,
) -> Result<(), RuntimeError> {
    let what = "remove the pod";
    within(deadline, what, async {
        if let Err(error) = stop(client, pod, grace, deadline).await {
            tracing::debug!(dagda_pod = pod, "not stopped before its removal: {error}");
        }
        let mut pauses = removal_pauses();
        loop {
            let error = match remove_once(client, pod, grace, deadline).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match (&error, pauses.next()) {
                (RuntimeError::Refused { .. }, Some(pause)) => {
                    tracing::debug!(dagda_pod = pod, "not removed, trying again: {error}");
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
    })
    .await
}

async fn remove_once(
    client: &Client,
    pod: &str,
    grace: Duration,
    deadline: Duration,
) -> Result<(), RuntimeError> {
    let seconds = whole_seconds(grace);
    let path = format!("/pods/{}?force=true&timeout={seconds}", encode(pod));
    let answer = client
        .call(Call::delete(path, "remove the pod"), deadline)
        .await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(());
    }
    answer.accepted().map(|_| ())
}

/// 3 s in all. Where its service was killed, Podman's clean-up still holds mounts for a moment,
/// and a removal gets only half through.
fn removal_pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_times(4)
        .build()
}

/// At least one: Podman takes 0 for "as usual", which is 10.
fn whole_seconds(grace: Duration) -> u64 {
    (grace.as_secs() + u64::from(grace.subsec_nanos() > 0)).max(1)
}
