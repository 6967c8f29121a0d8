//! The figures that the design promises, each beside its target and measured side by side with
//! the peer it names, in one run. Prints a table; judges nobody by exit code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot measure stops there and then"
)]

mod box_of_pods;
mod daemon;
mod measure;
mod start;
mod status;

use box_of_pods::BoxOfPods;
use dagda_tests::TestHost;
use measure::Row;

fn main() {
    let host = TestHost::ready();
    let mut rows = Vec::new();
    eprintln!("status on an idle box …");
    rows.push(status::beside_podman(&host, "idle"));
    eprintln!("starts …");
    rows.push(start::beside_podman(&host));

    eprintln!("making {} pods …", BoxOfPods::MANY);
    let mut box_of_pods = BoxOfPods::fill(host);
    rows.push(status::beside_podman(box_of_pods.host(), "50 pods"));
    eprintln!("status while a pod is starting …");
    rows.push(
        box_of_pods.while_a_pod_starts(|host| status::beside_podman(host, "50 pods, one starting")),
    );
    eprintln!("status while Podman hangs …");
    rows.push(box_of_pods.while_podman_hangs(|host| {
        status::beside_podman(host, "50 pods, Podman stopped (SIGSTOP)")
    }));
    eprintln!("gRPC under {} clients …", status::CLIENTS);
    rows.push(status::over_grpc(box_of_pods.host()));
    rows.push(daemon::memory(box_of_pods.host_mut()));
    eprintln!("CPU at one sample a second, for {:?} …", daemon::STRETCH);
    box_of_pods.keep(BoxOfPods::FEWER);
    rows.push(daemon::cpu(box_of_pods.host_mut()));

    println!("{}", Row::table(&rows));
}
