//! What the sampler makes of pods' networks.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use dagdad::domain::sample::PodUsage;
use dagdad::ports::{Runtime, SampledPod, Sampler};
use dagdad::runtime::podman::Podman;
use dagdad::sampler::{HostSampler, SamplerOptions};

use crate::PATIENCE;
use crate::observing::pod;
use crate::podman::TestPodman;
use crate::pods::{TestPod, free_port};

const MIB: usize = 1 << 20;

/// Serves a file of 1 MiB at `address`.
fn serve(address: &str) -> String {
    format!(
        "busybox mkdir /www && busybox dd if=/dev/zero of=/www/file bs=1M count=1 && exec busybox httpd -f -h /www -p {address}"
    )
}

/// Fetches the file, once somebody serves it.
fn fetch(port: u16) {
    let begin = Instant::now();
    loop {
        let mut answer = Vec::new();
        let fetched = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
            stream.write_all(b"GET /file HTTP/1.0\r\n\r\n")?;
            stream.read_to_end(&mut answer)
        });
        if fetched.is_ok() && answer.len() > MIB {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{fetched:?}");
        std::thread::yield_now();
    }
}

async fn sampled(runtime: &Podman, name: &str) -> SampledPod {
    SampledPod {
        name: name.to_owned(),
        cgroup: pod(runtime, name).await.unwrap().cgroup,
    }
}

fn usage(sampler: &mut HostSampler, pod: &SampledPod) -> PodUsage {
    let sample = sampler.sample(std::slice::from_ref(pod));
    assert_eq!(sample.unseen, [""; 0]);
    sample.pods[0].1
}

#[tokio::test]
async fn what_a_pod_sends_is_counted_unless_it_shares_the_hosts_network() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let (published, shared) = (free_port(), free_port());
    let apart = TestPod::new("apart")
        .container("server", serve("8080"))
        .port(published, 8080)
        .render();
    let mut host = TestPod::new("host").container("server", serve(&format!("127.0.0.1:{shared}")));
    host.spec_extra = ", hostNetwork: true".to_owned();
    runtime.play(&apart).await.unwrap();
    runtime.play(&host.render()).await.unwrap();
    let mut sampler = HostSampler::start(&SamplerOptions::default()).unwrap();

    for (name, port, own) in [("apart", published, true), ("host", shared, false)] {
        let pod = sampled(&runtime, name).await;
        let begin = Instant::now();
        assert!(usage(&mut sampler, &pod).network_per_second < f64::EPSILON);
        fetch(port);
        let rate = usage(&mut sampler, &pod).network_per_second;
        // No less time than the sampler saw go by.
        let most = rate * begin.elapsed().as_secs_f64();
        if own {
            assert!(most >= MIB as f64, "{rate} B/s");
        } else {
            assert!(rate < f64::EPSILON, "{rate} B/s");
        }
    }
}
