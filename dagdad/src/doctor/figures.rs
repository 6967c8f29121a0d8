//! Whether all that dagdad reckons with is measured.

use std::fs::File;
use std::io;

use crate::domain::check::{Check, Verdict};
use crate::domain::state::PodStatus;
use crate::engine::snapshot::{PodView, Snapshot};
use crate::sampler::squeeze::Trigger;

pub(super) fn check_sampling(snapshot: &Snapshot) -> Check {
    let (verdict, finding) = match &snapshot.host {
        Some(host) => {
            let finding = format!("last sample at {}", host.at.strftime("%T UTC"));
            (Verdict::Ok, finding)
        }
        None => {
            let remedy =
                "wait for one interval, then look at the journal: journalctl -u dagdad".to_owned();
            (Verdict::Warning { remedy }, "no sample yet".to_owned())
        }
    };
    Check {
        name: "sampling",
        verdict,
        finding,
    }
}

pub(super) fn check_cgroups(snapshot: &Snapshot) -> Check {
    let running: Vec<_> = snapshot
        .pods
        .iter()
        .chain(&snapshot.unmanaged)
        .filter(|pod| pod.status == PodStatus::Running)
        .collect();
    let out_of_sight = |pod: &&PodView| {
        let observed = pod.observed.as_ref();
        observed.is_none_or(|observed| observed.cgroup.is_none())
    };
    // Those that were up when all pods were last measured.
    let unknown = |pod: &&PodView| {
        let last = snapshot.host.as_ref().map(|host| host.at);
        pod.usage.is_none() && pod.since.is_some_and(|since| last > Some(since))
    };
    let all = running.len();
    let unseen = running.iter().copied().filter(out_of_sight).count();
    let unmeasured = running.iter().copied().filter(unknown).count();
    let warning = |remedy: &str| Verdict::Warning {
        remedy: remedy.to_owned(),
    };
    let (verdict, finding) = if unmeasured > 0 {
        (
            warning(
                "let Podman create a cgroup for each pod (the default), and /sys/fs/cgroup be readable; without root, Podman measures and limits nothing on cgroup v1: boot with systemd.unified_cgroup_hierarchy=1",
            ),
            format!("of {unmeasured} of {all} running pods nobody can tell what they use"),
        )
    } else if unseen > 0 {
        (
            warning(
                "let Podman create a cgroup for each pod (the default), and /sys/fs/cgroup be readable",
            ),
            format!(
                "{unseen} of {all} running pods have no cgroup in sight; Podman's slower stats are used"
            ),
        )
    } else {
        (
            Verdict::Ok,
            match all {
                0 => "no pod runs; cgroup files will tell what it uses".to_owned(),
                1 => "the running pod's use is read from cgroup files".to_owned(),
                _ => format!("the use of {all} running pods is read from cgroup files"),
            },
        )
    };
    Check {
        name: "cgroups",
        verdict,
        finding,
    }
}

pub(super) fn check_pressure(snapshot: &Snapshot, trigger: io::Result<(File, Trigger)>) -> Check {
    let psi = snapshot.host.as_ref().map(|host| host.pressure.is_some());
    let (verdict, finding) = match (psi, trigger) {
        (Some(true), Ok((_, trigger))) => {
            let finding = format!("the kernel reports pressure, and tells at once when {trigger}");
            (Verdict::Ok, finding)
        }
        (Some(true), Err(error)) => {
            let remedy = "run dagdad as root with CAP_SYS_RESOURCE, or on Linux 6.5 or later; until then a sudden squeeze of memory is seen at the next sample".to_owned();
            (
                Verdict::Warning { remedy },
                format!("the kernel reports pressure, but takes no trigger: {error}"),
            )
        }
        (None, _) => {
            let remedy = "wait for the first sample".to_owned();
            (Verdict::Warning { remedy }, "not measured yet".to_owned())
        }
        (Some(false), _) => {
            let remedy = "boot with psi=1 on the kernel command line".to_owned();
            (
                Verdict::Warning { remedy },
                "the kernel reports no pressure (no /proc/pressure)".to_owned(),
            )
        }
    };
    Check {
        name: "pressure",
        verdict,
        finding,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::sample::{HostSample, PressureSample};
    use crate::engine::example;

    fn measured(pressure: Option<PressureSample>) -> Snapshot {
        let mut snapshot = example::snapshot(Vec::new(), Vec::new());
        snapshot.host = Some(Arc::new(HostSample {
            pressure,
            ..example::host(snapshot.started_at)
        }));
        snapshot
    }

    fn refused() -> io::Result<(File, Trigger)> {
        Err(io::ErrorKind::InvalidInput.into())
    }

    #[test]
    fn a_kernel_that_takes_no_trigger_is_told_of_and_how_to_mend_that() {
        let check = check_pressure(&measured(Some(PressureSample::default())), refused());
        assert!(check.finding.contains("takes no trigger"), "{check:?}");
        assert!(
            matches!(&check.verdict, Verdict::Warning { remedy } if remedy.contains("CAP_SYS_RESOURCE")),
            "{check:?}"
        );
    }

    #[test]
    fn without_psi_the_remedy_is_another() {
        let check = check_pressure(&measured(None), refused());
        assert!(
            matches!(&check.verdict, Verdict::Warning { remedy } if remedy.contains("psi=1")),
            "{check:?}"
        );
    }

    #[test]
    fn a_pod_that_nobody_can_measure_is_told_of() {
        use crate::domain::observed::ObservedPod;
        use crate::domain::sample::PodUsage;
        let look = |cgroup: Option<&str>, usage: Option<PodUsage>, sampled: i64| {
            let mut snapshot = measured(None);
            let mut pod = example::pod("web", example::footprint(1, 1));
            pod.status = PodStatus::Running;
            pod.since = Some(example::at(10));
            pod.usage = usage;
            pod.observed = Some(Arc::new(ObservedPod {
                id: "1".to_owned(),
                name: "web".to_owned(),
                created_at: example::at(0),
                containers: Vec::new(),
                ports: Vec::new(),
                cgroup: cgroup.map(str::to_owned),
            }));
            snapshot.pods = vec![pod];
            if let Some(host) = &mut snapshot.host {
                Arc::make_mut(host).at = example::at(sampled);
            }
            let check = check_cgroups(&snapshot);
            (check.verdict == Verdict::Ok, check.finding)
        };
        let used = Some(PodUsage::default());
        let told = |finding: &str, (ok, found): (bool, String)| {
            assert!(!ok && found.contains(finding), "{found}");
        };
        told("of 1 of 1 running pods nobody", look(Some("/p"), None, 11));
        told("Podman's slower stats", look(None, used, 11));
        assert!(look(Some("/p"), used, 11).0);
        assert!(
            look(Some("/p"), None, 10).0,
            "it was not up yet when pods were last measured"
        );
    }
}
