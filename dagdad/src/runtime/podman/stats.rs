//! Use of pods as Podman measures it, for where their cgroup files are out of sight.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::client::{Call, Client, encode};
use super::list::Listing;
use super::wire;
use crate::domain::quantity::Bytes;
use crate::domain::sample::PodUsage;
use crate::ports::RuntimeError;

/// Remembers what each container had used when it was measured last. The percentage that
/// Podman gives itself is the mean since the container's start, and of no use here.
#[derive(Debug, Default)]
pub struct Meter {
    last: Mutex<HashMap<String, CpuReading>>,
}

#[derive(Debug, Clone, Copy)]
pub struct CpuReading {
    /// CPU time used, in ns.
    pub used: u64,
    /// When, in ns since 1970.
    pub at: u64,
}

impl CpuReading {
    /// Use between `earlier` and this one, in percent of one core.
    fn percent_since(self, earlier: Self) -> f64 {
        let time = self.at.saturating_sub(earlier.at);
        if time == 0 {
            return 0.0;
        }
        self.used.saturating_sub(earlier.used) as f64 * 100.0 / time as f64
    }
}

impl Meter {
    /// Use of those of `pods` that run.
    pub async fn usage(
        &self,
        client: &Client,
        pods: &[String],
        deadline: Duration,
    ) -> Result<Vec<(String, PodUsage)>, RuntimeError> {
        let listing = Listing::fetch(client, deadline).await?;
        let mut pod_of: HashMap<&str, &str> = HashMap::new();
        for name in pods {
            let Some((pod, containers)) = listing.pod(name) else {
                continue;
            };
            let running = containers
                .into_iter()
                .filter(|container| container.state == "running");
            pod_of.extend(running.map(|container| (container.id.as_str(), pod.name.as_str())));
        }
        if pod_of.is_empty() {
            return Ok(Vec::new());
        }
        let containers: Vec<String> = pod_of
            .keys()
            .map(|id| format!("containers={}", encode(id)))
            .collect();
        let call = Call::get(
            format!("/containers/stats?stream=false&{}", containers.join("&")),
            "measure the pods",
        );
        let report: wire::StatsReport = client.read(call, deadline).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = summed(&report, &pod_of, &last);
        for stats in &report.stats {
            last.insert(stats.container_id.clone(), stats.reading());
        }
        last.retain(|id, _| {
            listing
                .containers
                .iter()
                .any(|container| container.id == *id)
        });
        Ok(usage)
    }
}

pub fn summed(
    report: &wire::StatsReport,
    pod_of: &HashMap<&str, &str>,
    last: &HashMap<String, CpuReading>,
) -> Vec<(String, PodUsage)> {
    let mut sums: HashMap<&str, PodUsage> = HashMap::new();
    for stats in &report.stats {
        let Some(pod) = pod_of.get(stats.container_id.as_str()) else {
            continue;
        };
        let sum = sums.entry(pod).or_default();
        if let Some(&earlier) = last.get(&stats.container_id) {
            sum.cpu_percent += stats.reading().percent_since(earlier);
        }
        sum.memory += Bytes(stats.mem_usage);
        // Podman does not tell page cache apart. Taken for anonymous, and so for the working
        // set, memory is at worst thought scarcer than it is.
        sum.anon = sum.memory;
    }
    sums.into_iter()
        .map(|(pod, usage)| (pod.to_owned(), usage))
        .collect()
}

impl wire::ContainerStats {
    fn reading(&self) -> CpuReading {
        CpuReading {
            used: self.cpu_nano,
            at: self.system_nano,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(cpu_nano: u64, system_nano: u64) -> wire::StatsReport {
        let stats = |id: &str| wire::ContainerStats {
            container_id: id.to_owned(),
            cpu_nano,
            system_nano,
            mem_usage: 1000,
        };
        wire::StatsReport {
            stats: vec![stats("a"), stats("b"), stats("stranger")],
        }
    }

    #[test]
    fn a_pods_use_is_its_containers_since_the_reading_before() {
        let pod_of = HashMap::from([("a", "one"), ("b", "one")]);
        let first = summed(&report(5_000, 10_000), &pod_of, &HashMap::new());
        assert!(
            first[0].1.cpu_percent.abs() < f64::EPSILON,
            "no reading before, no percentage"
        );
        let last = ["a", "b"].map(|id| {
            (
                id.to_owned(),
                CpuReading {
                    used: 5_000,
                    at: 10_000,
                },
            )
        });
        let second = summed(&report(5_500, 11_000), &pod_of, &HashMap::from(last));
        assert_eq!(second.len(), 1);
        let usage = second[0].1;
        assert!((usage.cpu_percent - 100.0).abs() < 1e-9, "{usage:?}");
        assert_eq!(usage.memory, Bytes(2000));
        assert_eq!(usage.working_set(), Bytes(2000));
    }

    #[test]
    fn reads_podman_4() {
        let report: wire::StatsReport =
            serde_json::from_slice(include_bytes!("fixtures/stats_4.json")).unwrap();
        assert_eq!(report.stats[0].cpu_nano, 64_438_247);
        assert_eq!(report.stats[0].mem_usage, 2_396_160);
    }
}
