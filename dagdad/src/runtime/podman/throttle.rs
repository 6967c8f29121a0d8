//! Less CPU for a pod, through Podman's update of its containers.
//!
//! Podman 4.3 forgets an update when the container starts anew, and its inspection never tells
//! of it; from 5.1 on an update is kept, and the inspection tells nothing else. So what to put
//! back is known from the manifest alone. Up to 5.3 an update drops what it does not name from
//! Podman's records of the container, so that its memory limit would be lost at its next start:
//! it is named again.
//! Sources: <https://github.com/containers/podman/pull/22322>,
//! <https://github.com/containers/podman/issues/24610>

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;

use super::client::{Call, Client, encode, within};
use super::list::{Listing, no_such_pod};
use super::wire;
use crate::domain::pod::{ContainerSpec, PodSpec};
use crate::domain::quantity::Millicpu;
use crate::ports::RuntimeError;

const WHAT: &str = "change how much CPU the pod may use";

/// In µs; what Podman and Kubernetes take, too.
const PERIOD: u64 = 100_000;

/// The kernel takes no quota below 1 ms.
/// Source: <https://docs.kernel.org/scheduler/sched-bwc.html>
const LEAST: Millicpu = Millicpu(10);

/// Lets the containers of `pod` use `to` together, or as much as their manifest says.
pub async fn throttle(
    client: &Client,
    pod: &PodSpec,
    to: Option<Millicpu>,
    deadline: Duration,
) -> Result<(), RuntimeError> {
    within(deadline, WHAT, async {
        let running = running(client, pod, deadline).await?;
        let own: Vec<_> = running.iter().map(Running::limit).collect();
        let Some(to) = to else {
            return update(client, &running, &own, deadline).await;
        };
        if running.is_empty() {
            return Err(RuntimeError::Refused {
                status: 200,
                message: format!("pod {} does not run", pod.name),
            });
        }
        let shares: Vec<_> = shares(to, &own).into_iter().map(Some).collect();
        let outcome = update(client, &running, &shares, deadline).await;
        if outcome.is_err()
            && let Err(error) = update(client, &running, &own, deadline).await
        {
            tracing::warn!(dagda_pod = %pod.name, "some containers may still be throttled: {error}");
        }
        outcome
    })
    .await
}

/// A container with a process, and what the manifest says of it.
struct Running<'p> {
    id: String,
    /// `None` where the manifest does not know it.
    spec: Option<&'p ContainerSpec>,
}

impl Running<'_> {
    fn limit(&self) -> Option<Millicpu> {
        self.spec?.cpu_limit
    }
}

async fn running<'p>(
    client: &Client,
    pod: &'p PodSpec,
    deadline: Duration,
) -> Result<Vec<Running<'p>>, RuntimeError> {
    let name = pod.name.as_str();
    let listing = Listing::fetch(client, deadline).await?;
    let (_, containers) = listing.pod(name).ok_or_else(|| no_such_pod(name))?;
    Ok(containers
        .into_iter()
        .filter(|container| !container.is_infra && container.is_running())
        .map(|container| Running {
            id: container.id.clone(),
            spec: pod
                .init_containers
                .iter()
                .chain(&pod.containers)
                .find(|spec| spec.name == container.manifest_name(name)),
        })
        .collect())
}

/// Gives each container its limit; `None` is no limit.
async fn update(
    client: &Client,
    containers: &[Running<'_>],
    limits: &[Option<Millicpu>],
    deadline: Duration,
) -> Result<(), RuntimeError> {
    let updates = containers
        .iter()
        .zip(limits)
        .map(|(container, limit)| update_one(client, container, *limit, deadline));
    join_all(updates).await.into_iter().collect()
}

async fn update_one(
    client: &Client,
    container: &Running<'_>,
    limit: Option<Millicpu>,
    deadline: Duration,
) -> Result<(), RuntimeError> {
    let memory_limit = container.spec.and_then(|spec| spec.memory_limit);
    let resources = wire::Resources {
        cpu: wire::CpuResources {
            quota: limit.map_or(-1, quota),
            period: PERIOD,
        },
        memory: memory_limit.map(|limit| wire::MemoryResources { limit: limit.0 }),
    };
    let path = format!("/containers/{}/update", encode(&container.id));
    let call = Call::post(path, WHAT).json(&resources)?;
    let answer = client.call(call, deadline).await?;
    // One that ended meanwhile and was removed uses nothing any more.
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(());
    }
    answer.accepted().map(|_| ())
}

/// CPU time in a period, in µs.
fn quota(limit: Millicpu) -> i64 {
    let micros = limit.0.max(LEAST.0).saturating_mul(PERIOD / 1000);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Divides `to`: each gets the same, but none more than its own limit, and what one may not use
/// goes to the others.
fn shares(to: Millicpu, own: &[Option<Millicpu>]) -> Vec<Millicpu> {
    let most = |index: usize| own[index].map_or(u64::MAX, |limit| limit.0);
    let mut order: Vec<usize> = (0..own.len()).collect();
    order.sort_by_key(|&index| most(index));
    let mut shares = vec![Millicpu(0); own.len()];
    let mut left = to.0;
    for (given, &index) in order.iter().enumerate() {
        let share = (left / (own.len() - given) as u64).min(most(index));
        shares[index] = Millicpu(share);
        left -= share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_small_container_may_not_use_goes_to_the_others() {
        let own = [None, Some(Millicpu(100)), None];
        assert_eq!(
            shares(Millicpu(1100), &own),
            [Millicpu(500), Millicpu(100), Millicpu(500)]
        );
    }

    #[test]
    fn the_kernel_gets_no_less_than_it_takes() {
        assert_eq!(quota(Millicpu(500)), 50_000);
        assert_eq!(quota(Millicpu(1)), 1000);
    }

    proptest! {
        #[test]
        fn all_that_may_be_used_is_given_out_evenly(to in 0_u64..100_000, own in prop::collection::vec(prop::option::of(0_u64..10_000), 1..8)) {
            let own: Vec<_> = own.into_iter().map(|limit| limit.map(Millicpu)).collect();
            let shares = shares(Millicpu(to), &own);
            let given: u64 = shares.iter().map(|share| share.0).sum();
            let usable = own.iter().try_fold(0, |sum, limit| limit.map(|limit| sum + limit.0));
            prop_assert_eq!(given, usable.map_or(to, |usable| usable.min(to)));
            let highest = shares.iter().map(|share| share.0).max().unwrap_or(0);
            for (share, limit) in shares.iter().zip(&own) {
                prop_assert!(limit.is_none_or(|limit| *share <= limit));
                // Who has less than another is at its own limit, save for what cannot be divided.
                prop_assert!(share.0 + 1 >= highest || Some(*share) == *limit);
            }
        }
    }
}
