//! Where a pod's cgroup really is. Podman's word (`CgroupPath`) is relative to the user's
//! systemd where it runs rootless, so the kernel is asked first.

/// The cgroup of the pod with this id, below the hierarchy's root, from the membership of its
/// process `pid`; `None` where that process is not to be seen or the pod has no cgroup of
/// its own.
pub fn of_pod(pid: u32, pod_id: &str) -> Option<String> {
    // The kernel answers at once: this is no disk.
    parse(
        &std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?,
        pod_id,
    )
}

/// Reads `/proc/PID/cgroup`, whose lines are `ID:CONTROLLERS:PATH`, `0::PATH` for v2.
/// Source: <https://man7.org/linux/man-pages/man7/cgroups.7.html>
///
/// With the cgroupfs manager the pod's directory is its id, with systemd it is
/// `machine-libpod_pod_ID.slice`. On a hybrid host v2 has no memory controller, so the memory
/// line counts most.
pub fn parse(membership: &str, pod_id: &str) -> Option<String> {
    let of = |wanted: &str| {
        membership.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            controllers
                .split(',')
                .any(|controller| controller == wanted)
                .then_some(path)
        })
    };
    ["memory", ""].into_iter().filter_map(of).find_map(|path| {
        let start = path.find(pod_id)?;
        let end = path[start..]
            .find('/')
            .map_or(path.len(), |length| start + length);
        Some(path[..end].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const POD: &str = "9e3a56bbac45db5859a70bc5fcc3f792fd8a984cc2a8e77b1ceeaaefcae845ee";

    #[rstest]
    #[case::hybrid_cgroupfs(
        "9:name=systemd:/libpod_parent/POD/libpod-c\n4:memory:/libpod_parent/POD/libpod-c\n0::/\n",
        Some("/libpod_parent/POD")
    )]
    #[case::v1_systemd(
        "4:cpu,memory:/machine.slice/machine-libpod_pod_POD.slice/libpod-c.scope\n",
        Some("/machine.slice/machine-libpod_pod_POD.slice")
    )]
    #[case::v2_rootful(
        "0::/machine.slice/machine-libpod_pod_POD.slice/libpod-c.scope/container\n",
        Some("/machine.slice/machine-libpod_pod_POD.slice")
    )]
    #[case::v2_rootless(
        "0::/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_POD.slice/libpod-c.scope\n",
        Some("/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_POD.slice")
    )]
    #[case::no_pod_cgroup("0::/machine.slice/libpod-c.scope\n", None)]
    #[case::another_process("0::/init.scope\n", None)]
    #[case::garbled("memory\n::\n", None)]
    fn finds_the_pods_own_directory(#[case] membership: &str, #[case] expected: Option<&str>) {
        assert_eq!(
            parse(&membership.replace("POD", POD), POD),
            expected.map(|path| path.replace("POD", POD))
        );
    }
}
