//! What dagdad adds to a start.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use dagda_tests::TestHost;
use dagda_tests::manifest::Pod;

use crate::measure::{Row, side_by_side, time};

const ROUNDS: u32 = 15;

/// `dagdactl pods start` beside the same manifest posted straight to Podman's socket.
pub fn beside_podman(host: &TestHost) -> Row {
    host.apply(&Pod::waiting("ours"));
    let straight = Pod::waiting("straight").to_string();
    let (ours, peer) = side_by_side(
        ROUNDS,
        || {
            let duration = time(|| drop(host.run(["pods", "start", "ours"]).done()));
            host.run(["pods", "stop", "--grace", "0s", "ours"]).done();
            host.podman
                .run(["pod", "rm", "--force", "--ignore", "--time", "0", "ours"]);
            duration
        },
        || {
            let duration = play(host, &straight);
            host.podman
                .run(["pod", "rm", "--force", "--time", "0", "straight"]);
            duration
        },
    );
    let ratio = ours.median() / peer.median();
    Row {
        what: "`dagdactl pods start`, whole process, until it is ready".to_owned(),
        ours: format!("{ours} ms"),
        peer: format!("`play/kube` straight to Podman's socket: {peer} ms"),
        figure: format!("{ratio:.3} ×"),
        target: "≤ 1.15 ×".to_owned(),
        met: ratio <= 1.15,
    }
}

/// How long `POST play/kube` takes, connection and answer included.
fn play(host: &TestHost, manifest: &str) -> Duration {
    let request = format!(
        "POST /v4.0.0/libpod/play/kube?start=true HTTP/1.1\r\nHost: podman\r\nConnection: close\r\n\
         Content-Type: application/yaml\r\nContent-Length: {}\r\n\r\n{manifest}",
        manifest.len()
    );
    let mut answer = String::new();
    let duration = time(|| {
        let mut stream = UnixStream::connect(host.podman.socket()).expect("connect to Podman");
        stream
            .write_all(request.as_bytes())
            .expect("send the request");
        stream.read_to_string(&mut answer).expect("read the answer");
    });
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    duration
}
