//! How fast the box says how it is.

use std::process::{Command, Stdio};
use std::time::Duration;

use dagda_proto::v1::GetStatusRequest;
use dagda_tests::TestHost;

use crate::measure::{Row, Spread, side_by_side, time};

/// Concurrent clients of the gRPC figure.
pub const CLIENTS: usize = 16;
const CALLS_EACH: usize = 500;
const ROUNDS: u32 = 40;

/// `dagdactl status --json` beside `podman pod ps --format json`, whole processes.
pub fn beside_podman(host: &TestHost, condition: &str) -> Row {
    let whole_process = |mut command: Command| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        time(|| assert!(command.status().expect("start it").success(), "{command:?}"))
    };
    let (ours, peer) = side_by_side(
        ROUNDS,
        || {
            let mut command = host.dagdactl();
            command.args(["status", "--json"]);
            whole_process(command)
        },
        || {
            let mut command = host.podman.command();
            command.args(["pod", "ps", "--format", "json"]);
            whole_process(command)
        },
    );
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

/// The status over the socket, many clients at once, a connection each.
pub fn over_grpc(host: &TestHost) -> Row {
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
        what: format!("gRPC status, {CLIENTS} concurrent clients, 50 pods"),
        ours: format!("{spread} ms"),
        peer: "none".to_owned(),
        figure: format!("p99 {p99:.2} ms"),
        target: "p99 ≤ 5 ms".to_owned(),
        met: p99 <= 5.0,
    }
}
