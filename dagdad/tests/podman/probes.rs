//! Checks of readiness, over the network and inside a container.

use std::time::Duration;

use dagdad::domain::pod::{PodSpec, Probe, ProbeAction, PublishedPort, Readiness};
use dagdad::ports::{ProbeFailure, Runtime};
use dagdad::runtime::podman::Podman;

use crate::PATIENCE;
use crate::podman::TestPodman;
use crate::pods::{TestPod, free_port};

fn probe(action: ProbeAction) -> Readiness {
    Readiness::Probe {
        container: "server".to_owned(),
        probe: Probe {
            action,
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            success_threshold: 1,
            failure_threshold: 3,
        },
    }
}

fn http_get(path: &str, port: u16) -> Readiness {
    probe(ProbeAction::HttpGet {
        path: path.to_owned(),
        port,
        headers: Vec::new(),
        host: None,
    })
}

fn exec(command: &[&str]) -> Readiness {
    let command = command.iter().map(|&word| word.to_owned()).collect();
    probe(ProbeAction::Exec { command })
}

/// Asks until it holds: a server needs a moment until it listens.
async fn holds(runtime: &Podman, spec: &PodSpec, readiness: &Readiness) {
    let ask = async {
        while let Err(ProbeFailure(_)) = runtime.probe(spec, readiness).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let held = tokio::time::timeout(PATIENCE, ask).await.is_ok();
    assert!(
        held,
        "{readiness:?}: {:?}",
        runtime.probe(spec, readiness).await
    );
}

#[tokio::test]
async fn probes_ask_over_http_tcp_and_inside_the_container() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let port = free_port();
    let web = TestPod::new("web")
        .container(
            "server",
            "echo ok > /index.html; (busybox httpd -f -p 8081 &) ; exec busybox httpd -f -p 8080",
        )
        .port(port, 8080);
    let spec = web.spec();
    runtime.play(&web.render()).await.unwrap();
    holds(&runtime, &spec, &http_get("/index.html", 8080)).await;
    holds(
        &runtime,
        &spec,
        &probe(ProbeAction::TcpSocket {
            port: 8080,
            host: None,
        }),
    )
    .await;
    let published = spec.published_ports().next().unwrap();
    holds(&runtime, &spec, &Readiness::Accepts { port: published }).await;
    holds(
        &runtime,
        &spec,
        &exec(&["/bin/busybox", "test", "-f", "/index.html"]),
    )
    .await;

    let fails = async |readiness: Readiness| runtime.probe(&spec, &readiness).await.unwrap_err().0;
    let why = fails(http_get("/none", 8080)).await;
    assert!(why.contains("404") && why.contains("server"), "{why}");
    let why = fails(exec(&["/bin/sh", "-c", "echo not yet >&2; exit 4"])).await;
    assert!(why.contains("exit code 4: not yet"), "{why}");
    let why = fails(exec(&["/no/such/program"])).await;
    assert!(why.contains("/no/such/program"), "{why}");

    let slow = exec(&["/bin/busybox", "sleep", "1000"]);
    let why = fails(slow.clone()).await;
    assert!(why.contains("no end within 5s"), "{why}");
    let why = fails(slow).await;
    assert!(why.contains("an earlier check has not ended yet"), "{why}");

    // An unpublished port is reachable from the host for root only.
    if rustix::process::geteuid().is_root() {
        holds(&runtime, &spec, &http_get("/index.html", 8081)).await;
    } else {
        let why = fails(http_get("/index.html", 8081)).await;
        assert!(why.contains("publish it with hostPort"), "{why}");
    }
    let closed = PublishedPort {
        host_port: free_port(),
        ..published
    };
    fails(Readiness::Accepts { port: closed }).await;
}
