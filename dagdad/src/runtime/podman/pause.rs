//! Pausing pods, and letting them run again.
//!
//! Podman leaves out containers that have nothing to pause or to resume, and one version counts
//! as an error what another does not. So the listing afterwards decides; what Podman said only
//! explains where that is not as wanted.

use std::time::Duration;

use super::client::{Answer, Call, Client, encode, within};
use super::list::{Listing, no_such_pod};
use super::text::one_line;
use super::wire;
use crate::ports::RuntimeError;

/// Pauses all that runs in `pod`.
pub async fn freeze(client: &Client, pod: &str, deadline: Duration) -> Result<(), RuntimeError> {
    let what = "pause the pod";
    within(deadline, what, async {
        let complaint = order(client, pod, "pause", what, deadline).await?;
        let states = states(client, pod, deadline).await?;
        if states.iter().any(|state| state == "running") {
            return Err(refused(complaint, "a container of it goes on running"));
        }
        if states.iter().any(|state| state == "paused") {
            return Ok(());
        }
        Err(refused(complaint, &format!("pod {pod} does not run")))
    })
    .await
}

/// Lets all that is paused in `pod` run again.
pub async fn thaw(client: &Client, pod: &str, deadline: Duration) -> Result<(), RuntimeError> {
    let what = "let the pod run again";
    within(deadline, what, async {
        let complaint = order(client, pod, "unpause", what, deadline).await?;
        let states = states(client, pod, deadline).await?;
        if states.iter().any(|state| state == "paused") {
            return Err(refused(complaint, "a container of it stays paused"));
        }
        Ok(())
    })
    .await
}

/// Tells Podman; what it complained of, if anything.
async fn order(
    client: &Client,
    pod: &str,
    verb: &str,
    what: &'static str,
    deadline: Duration,
) -> Result<Option<String>, RuntimeError> {
    let path = format!("/pods/{}/{verb}", encode(pod));
    let answer = client.call(Call::post(path, what), deadline).await?;
    if answer.status == http::StatusCode::NOT_FOUND {
        return Err(no_such_pod(pod));
    }
    Ok(complaint(answer))
}

fn complaint(answer: Answer) -> Option<String> {
    // Podman 5 reports the containers' errors with a status of 409, Podman 4.3 with one of 200.
    if let Ok(report) = answer.json::<wire::PauseReport>()
        && let Some(error) = report.errs.first()
    {
        return Some(one_line(&error.to_string()));
    }
    match answer.accepted() {
        Err(RuntimeError::Refused { message, .. }) => Some(message),
        _ => None,
    }
}

/// States of the pod's containers, the infra container left out.
async fn states(
    client: &Client,
    pod: &str,
    deadline: Duration,
) -> Result<Vec<String>, RuntimeError> {
    let listing = Listing::fetch(client, deadline).await?;
    let (_, containers) = listing.pod(pod).ok_or_else(|| no_such_pod(pod))?;
    Ok(containers
        .into_iter()
        .filter(|container| !container.is_infra)
        .map(|container| container.state.clone())
        .collect())
}

fn refused(complaint: Option<String>, otherwise: &str) -> RuntimeError {
    RuntimeError::Refused {
        status: 200,
        message: complaint.unwrap_or_else(|| otherwise.to_owned()),
    }
}
