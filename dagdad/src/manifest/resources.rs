//! `resources` of containers to a pod's footprint.

use std::collections::BTreeMap;
use std::str::FromStr;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::domain::pod::Footprint;
use crate::domain::quantity::{Bytes, Millicpu};

use super::path::Path;
use super::report::Report;

/// What a container declares. A request that is absent is its limit, as in Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Declared {
    /// `requests.memory`, else `limits.memory`.
    pub memory: Option<Bytes>,
    /// `requests.cpu`, else `limits.cpu`.
    pub cpu: Option<Millicpu>,
    /// `limits.memory`.
    pub memory_limit: Option<Bytes>,
    /// `limits.cpu`.
    pub cpu_limit: Option<Millicpu>,
}

/// Reads a container's `resources`, which stand at `path`.
pub fn read(
    resources: Option<&ResourceRequirements>,
    path: &Path,
    report: &mut Report<'_>,
) -> Declared {
    let Some(resources) = resources else {
        return Declared::default();
    };
    let mut pair = Pair {
        resources,
        path,
        report,
    };
    let (memory, memory_limit) = pair.read("memory");
    let (cpu, cpu_limit) = pair.read("cpu");
    Declared {
        memory,
        cpu,
        memory_limit,
        cpu_limit,
    }
}

struct Pair<'p, 'r> {
    resources: &'p ResourceRequirements,
    path: &'p Path,
    report: &'p mut Report<'r>,
}

impl Pair<'_, '_> {
    /// The effective request and the limit of `resource`.
    fn read<T>(&mut self, resource: &str) -> (Option<T>, Option<T>)
    where
        T: FromStr<Err: std::fmt::Display> + Ord + Copy,
    {
        let request = self.quantity(self.resources.requests.as_ref(), "requests", resource);
        let limit = self.quantity(self.resources.limits.as_ref(), "limits", resource);
        if let (Some(request), Some(limit)) = (request, limit)
            && request > limit
        {
            let at = self.path.key("requests").key(resource);
            let message = format!(
                "{} is more than limits.{resource} ({}); lower the request or raise the limit",
                self.report.quote(&at),
                self.report.quote(&self.path.key("limits").key(resource)),
            );
            self.report.add(&at, message);
        }
        (request.or(limit), limit)
    }

    fn quantity<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        map: Option<&BTreeMap<String, Quantity>>,
        field: &str,
        resource: &str,
    ) -> Option<T> {
        let Quantity(text) = map?.get(resource)?;
        match text.parse() {
            Ok(quantity) => Some(quantity),
            Err(error) => {
                self.report
                    .add_reason(&self.path.key(field).key(resource), &error);
                None
            }
        }
    }
}

/// The pod's footprint: init containers run one after the other and before all others, so
/// the pod needs the most that one of them asks for, or the sum of the regular containers,
/// whichever is more. Source: Kubernetes, "Resource sharing within containers".
/// <https://kubernetes.io/docs/concepts/workloads/pods/init-containers/>
///
/// A regular container that declares nothing counts with [`Footprint::DEFAULT`]; an init
/// container that declares nothing counts nothing, as in Kubernetes: it lives shortly.
#[must_use]
pub fn footprint(init: &[Declared], regular: &[Declared]) -> Footprint {
    let memory: Bytes = regular
        .iter()
        .map(|declared| declared.memory.unwrap_or(Footprint::DEFAULT.memory))
        .sum();
    let cpu: Millicpu = regular
        .iter()
        .map(|declared| declared.cpu.unwrap_or(Footprint::DEFAULT.cpu))
        .sum();
    Footprint {
        memory: init
            .iter()
            .filter_map(|declared| declared.memory)
            .fold(memory, Ord::max),
        cpu: init
            .iter()
            .filter_map(|declared| declared.cpu)
            .fold(cpu, Ord::max),
    }
}
