//! The figures that the design promises, each beside its target and measured side by side with
//! the peer it names, in one run. Prints a table; judges nobody by exit code. `bench economy`
//! measures economy mode alone, `bench api` what callers wait for on an empty box.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot measure stops there and then"
)]

mod admission;
mod box_of_pods;
mod daemon;
mod economy;
mod measure;
mod start;
mod status;

use box_of_pods::BoxOfPods;
use dagda_tests::TestHost;
use measure::Row;

fn main() {
    let only = std::env::args().nth(1);
    let mut rows = Vec::new();
    let mut keep = |row: Row| {
        eprintln!("{}: {}", row.what, row.figure);
        rows.push(row);
    };
    if only.as_deref() == Some("api") {
        let host = TestHost::ready();
        keep(status::beside_podman(&host, "idle"));
        keep(status::over_grpc(&host, "no pods"));
        println!("{}", Row::table(&rows));
        return;
    }
    economy::pressure_to_first_act()
        .into_iter()
        .for_each(&mut keep);
    if only.as_deref() == Some("economy") {
        println!("{}", Row::table(&rows));
        return;
    }
    let host = TestHost::ready();
    for pods in [10, 50, 200] {
        keep(admission::with_victims(pods));
    }
    keep(status::beside_podman(&host, "idle"));
    keep(start::beside_podman(&host));

    eprintln!("making {} pods …", BoxOfPods::MANY);
    let mut box_of_pods = BoxOfPods::fill(host);
    keep(status::beside_podman(box_of_pods.host(), "50 pods"));
    keep(
        box_of_pods.while_a_pod_starts(|host| status::beside_podman(host, "50 pods, one starting")),
    );
    keep(status::while_podman_hangs(&mut box_of_pods));
    keep(status::over_grpc(box_of_pods.host(), "50 pods"));
    keep(daemon::memory(box_of_pods.host_mut()));
    box_of_pods.keep(BoxOfPods::FEWER);
    keep(daemon::cpu(box_of_pods.host_mut()));

    println!("{}", Row::table(&rows));
    box_of_pods.clear();
}
