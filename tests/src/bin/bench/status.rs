//! How fast the box says how it is.

use std::process::{Command, Stdio};
use std::time::Duration;

use dagda_proto::v1::GetStatusRequest;
use dagda_tests::TestHost;

use crate::box_of_pods::BoxOfPods;
use crate::measure::{Row, Spread, side_by_side, time};

/// Concurrent clients of the gRPC figure.
pub const CLIENTS: usize = 16;
const CALLS_EACH: usize = 500;
const ROUNDS: u32 = 40;

/// `dagdactl status --json` beside `podman pod ps --format json`, whole processes.
pub fn beside_podman(host: &TestHost, condition: &str) -> Row {
    let (ours, peer) = side_by_side(ROUNDS, || dagdactl_status(host), || podman_pod_ps(host));
    row(&ours, &peer, condition)
}

/// The same while Podman's service is stopped. The peer is measured just before: it waits for
/// locks that the stopped service may hold, for as long as that is stopped.
pub fn while_podman_hangs(box_of_pods: &mut BoxOfPods) -> Row {
    let host = box_of_pods.host();
    let peer = Spread::of_durations((0..ROUNDS).map(|_| podman_pod_ps(host)));
    let ours = box_of_pods.while_podman_hangs(|host| {
        Spread::of_durations((0..ROUNDS).map(|_| dagdactl_status(host)))
    });
    row(
        &ours,
        &peer,
        "50 pods, Podman stopped (SIGSTOP; the peer just before)",
    )
}

fn row(ours: &Spread, peer: &Spread, condition: &str) -> Row {
    let ratio = ours.median() / peer.median();
    Row {
        what: format!("`dagdactl status --json`, {condition}"),
        ours: format!("{ours} ms"),
        peer: format!("`podman pod ps --format json`: {peer} ms"),
        figure: format!("{ratio:.3} ×"),
        target: "≤ 0.1 ×".to_owned(),
        met: ratio <= 0.1,
    }
}

fn dagdactl_status(host: &TestHost) -> Duration {
    let mut command = host.dagdactl();
    command.args(["status", "--json"]);
    whole_process(command)
}

fn podman_pod_ps(host: &TestHost) -> Duration {
    let mut command = host.podman.command();
    command.args(["pod", "ps", "--format", "json"]);
    whole_process(command)
}

fn whole_process(mut command: Command) -> Duration {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    time(|| assert!(command.status().expect("start it").success(), "{command:?}"))
}

/// The status over the socket, many clients at once, a connection each.
pub fn over_grpc(host: &TestHost, condition: &str) -> Row {
    let clients: Vec<_> = (0..CLIENTS).map(|_| host.status_client()).collect();
    let durations: Vec<Duration> = host.block_on(async {
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                tokio::spawn(async move {
                    client
                        .get_status(GetStatusRequest {})
                        .await
                        .expect("connect");
                    let mut durations = Vec::with_capacity(CALLS_EACH);
                    for _ in 0..CALLS_EACH {
                        let begin = std::time::Instant::now();
                        client
                            .get_status(GetStatusRequest {})
                            .await
                            .expect("the status");
                        durations.push(begin.elapsed());
                    }
                    durations
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.expect("a client"));
        }
        all
    });
    let spread = Spread::of_durations(durations);
    let p99 = spread.quantile(0.99);
    Row {
        what: format!("gRPC status, {CLIENTS} concurrent clients, {condition}"),
        ours: format!("{spread} ms"),
        peer: "none".to_owned(),
        figure: format!("p99 {p99:.2} ms"),
        target: "p99 ≤ 5 ms".to_owned(),
        met: p99 <= 5.0,
    }
}
