//! Less for a pod without stopping it: throttled, paused, and back again.

use std::fs;
use std::path::PathBuf;

use dagdad::domain::catalogue::RenderedPod;
use dagdad::domain::observed::PodCondition;
use dagdad::domain::pod::Protocol;
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::ports::{Runtime, RuntimeError};
use dagdad::runtime::podman::Podman;

use crate::observing::{connected, pod, until};
use crate::podman::TestPodman;
use crate::pods::{GRACE, TestPod, free_port, name, sleeper};

/// CPU time in µs that a container may use in each 100 ms, straight from the kernel; -1 is no
/// limit.
fn quota(podman: &TestPodman, container: &str) -> i64 {
    let cgroup = podman.cli(&["inspect", "--format", "{{.State.CgroupPath}}", container]);
    let below = |root: &str| PathBuf::from(format!("/sys/fs/cgroup/{root}{cgroup}"));
    let v1 = ["cpu", "cpu,cpuacct"]
        .iter()
        .find_map(|controller| fs::read_to_string(below(controller).join("cpu.cfs_quota_us")).ok());
    if let Some(quota) = v1 {
        return quota.trim().parse().unwrap();
    }
    let max = fs::read_to_string(below("").join("cpu.max")).unwrap();
    let (quota, period) = max.trim().split_once(' ').unwrap();
    assert_eq!(period, "100000");
    if quota == "max" {
        -1
    } else {
        quota.parse().unwrap()
    }
}

/// Half a core for the one container, no limit for the other.
fn pair() -> RenderedPod {
    let mut pair = TestPod::new("pair")
        .container("half", "exec busybox sleep 1000")
        .container("free", "exec busybox sleep 1000")
        .render();
    pair.text = pair.text.replacen(
        "{name: half,",
        "{name: half, resources: {limits: {cpu: 500m, memory: 64Mi}},",
        1,
    );
    let half = &mut pair.spec.containers[0];
    half.cpu_limit = Some(Millicpu(500));
    half.memory_limit = Some(Bytes::mib(64));
    pair
}

#[tokio::test]
async fn a_throttled_pod_gets_less_cpu_and_then_as_much_as_its_manifest_says() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let RenderedPod { spec, .. } = {
        let pair = pair();
        runtime.play(&pair).await.unwrap();
        pair
    };
    let quotas = || (quota(&podman, "pair-half"), quota(&podman, "pair-free"));
    assert_eq!(quotas(), (50_000, -1));

    runtime.throttle(&spec, Some(Millicpu(400))).await.unwrap();
    assert_eq!(quotas(), (20_000, 20_000), "the same for each");
    runtime.throttle(&spec, Some(Millicpu(1500))).await.unwrap();
    assert_eq!(quotas(), (50_000, 100_000), "none more than its own limit");

    // A dagdad that knows nothing of the throttling.
    let runtime = podman.runtime();
    runtime.throttle(&spec, None).await.unwrap();
    assert_eq!(quotas(), (50_000, -1));
    runtime.throttle(&spec, None).await.unwrap();
    assert_eq!(quotas(), (50_000, -1), "twice does no harm");
    let memory = podman.cli(&["inspect", "--format", "{{.HostConfig.Memory}}", "pair-half"]);
    assert_eq!(memory, Bytes::mib(64).0.to_string());

    runtime.stop(&spec.name, GRACE).await.unwrap();
    let error = runtime.throttle(&spec, Some(Millicpu(400))).await;
    assert!(
        matches!(&error, Err(RuntimeError::Refused { message, .. }) if message == "pod pair does not run"),
        "{error:?}"
    );
    runtime
        .throttle(&spec, None)
        .await
        .expect("nothing is to be put back in a stopped pod");
}

async fn condition(runtime: &Podman, name: &str) -> PodCondition {
    pod(runtime, name).await.unwrap().condition()
}

#[tokio::test]
async fn a_pod_is_paused_and_goes_on() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let mut signals = connected(&runtime).await;
    let port = free_port();
    let web = TestPod::new("web")
        .container("server", "exec busybox httpd -f -p 8080")
        .container("idle", "exec busybox sleep 1000")
        .port(port, 8080)
        .render();
    runtime.play(&web).await.unwrap();
    let before = condition(&runtime, "web").await;
    assert!(
        matches!(before, PodCondition::Running { whole: true, .. }),
        "{before:?}"
    );

    let web = name("web");
    runtime.freeze(&web).await.unwrap();
    assert_eq!(condition(&runtime, "web").await, PodCondition::Paused);
    runtime.freeze(&web).await.expect("paused already");
    let ports = pod(&runtime, "web").await.unwrap().ports;
    assert!(
        matches!(&ports[..], [held] if held.host_port == port && held.protocol == Protocol::Tcp),
        "a paused pod keeps its ports: {ports:?}"
    );

    // The change is reported by itself.
    let (thawed, ()) = tokio::join!(
        runtime.thaw(&web),
        until(&runtime, &mut signals, "web", |condition| condition
            .as_ref()
            == Some(&before)),
    );
    thawed.unwrap();
    runtime.thaw(&web).await.expect("it runs already");
    assert_eq!(condition(&runtime, "web").await, before, "since as before");
}

#[tokio::test]
async fn a_paused_pod_is_up_and_can_be_stopped_replaced_and_removed() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let sleeper = sleeper("sleeper");
    let name = name("sleeper");
    runtime.play(&sleeper).await.unwrap();
    runtime.freeze(&name).await.unwrap();
    assert_eq!(
        runtime.play(&sleeper).await,
        Err(RuntimeError::AlreadyRunning {
            pod: "sleeper".to_owned()
        })
    );
    assert_eq!(condition(&runtime, "sleeper").await, PodCondition::Paused);

    runtime.stop(&name, GRACE).await.unwrap();
    let stopped = condition(&runtime, "sleeper").await;
    assert!(
        matches!(
            stopped,
            PodCondition::Completed | PodCondition::Failed { .. }
        ),
        "{stopped:?}"
    );
    let error = runtime.freeze(&name).await;
    assert!(
        matches!(&error, Err(RuntimeError::Refused { message, .. }) if message == "pod sleeper does not run"),
        "{error:?}"
    );
    runtime.thaw(&name).await.expect("nothing is paused in it");

    runtime
        .play(&sleeper)
        .await
        .expect("a stopped pod is replaced");
    runtime.freeze(&name).await.unwrap();
    runtime.remove(&name).await.unwrap();
    assert_eq!(pod(&runtime, "sleeper").await, None);
}

#[tokio::test]
async fn a_pod_that_is_not_there_is_not_found() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let spec = sleeper("ghost").spec;
    let missing = RuntimeError::NotFound {
        what: "pod ghost".to_owned(),
    };
    let ghost = &spec.name;
    assert_eq!(
        runtime.throttle(&spec, Some(Millicpu(100))).await,
        Err(missing.clone())
    );
    assert_eq!(runtime.throttle(&spec, None).await, Err(missing.clone()));
    assert_eq!(runtime.freeze(ghost).await, Err(missing.clone()));
    assert_eq!(runtime.thaw(ghost).await, Err(missing.clone()));
    assert_eq!(runtime.reclaim(ghost, Bytes::mib(1)).await, Err(missing));
}

/// The kernel does it where it can; where it cannot, it is said why.
#[tokio::test]
async fn memory_of_a_pod_is_reclaimed_where_the_kernel_can() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let cache = TestPod::new("cache")
        .container(
            "main",
            "busybox dd if=/dev/zero of=/file bs=1M count=32 && busybox sync && exec busybox sleep 1000",
        )
        .render();
    runtime.play(&cache).await.unwrap();
    let cgroup = pod(&runtime, "cache").await.unwrap().cgroup.unwrap();
    let offered = PathBuf::from(format!("/sys/fs/cgroup{cgroup}/memory.reclaim")).exists();
    match runtime.reclaim(&cache.spec.name, Bytes::mib(16)).await {
        Ok(_) => assert!(offered, "nothing can have been asked"),
        Err(RuntimeError::Unsupported(reason)) => {
            assert!(
                !offered && reason.contains("cannot be reclaimed here"),
                "{reason}"
            );
        }
        Err(error) => panic!("{error}"),
    }
}
