//! Pods from their start to their removal, whatever comes between.

use std::net::TcpListener;
use std::time::Duration;

use dagdad::domain::observed::{ContainerState, PodCondition};
use dagdad::domain::pod::{Protocol, PublishedPort, RestartPolicy};
use dagdad::ports::{Runtime, RuntimeError};
use dagdad::runtime::podman::Deadlines;

use crate::observing::{connected, pod, until};
use crate::podman::{Surroundings, TestPodman};
use crate::pods::{GRACE, TestPod, free_port, name, sleeper};

#[tokio::test]
async fn a_pod_is_started_listed_stopped_and_removed() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    assert_eq!(runtime.list().await.unwrap(), []);
    let port = free_port();
    let web = TestPod::new("web")
        .container("server", "exec busybox httpd -f -p 8080")
        .container("idle-one", "exec busybox sleep 1000")
        .port(port, 8080)
        .render();
    runtime.play(&web).await.unwrap();

    let observed = pod(&runtime, "web").await.unwrap();
    let mut names: Vec<_> = observed
        .containers
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["idle-one", "server"]);
    assert!(
        matches!(
            observed.condition(),
            PodCondition::Running { whole: true, .. }
        ),
        "{observed:?}"
    );
    assert_eq!(
        observed.ports,
        [PublishedPort {
            host_ip: Some("127.0.0.1".parse().unwrap()),
            host_port: port,
            container_port: 8080,
            protocol: Protocol::Tcp,
        }]
    );
    let cgroup = observed.cgroup.expect("a running pod's cgroup is known");
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"];
    assert!(
        roots
            .iter()
            .any(|root| std::path::Path::new(&format!("{root}{cgroup}")).is_dir()),
        "{cgroup} is in no hierarchy"
    );

    assert_eq!(
        runtime.play(&web).await,
        Err(RuntimeError::AlreadyRunning {
            pod: "web".to_owned()
        })
    );
    runtime.stop(&name("web"), GRACE).await.unwrap();
    let observed = pod(&runtime, "web").await.unwrap();
    assert!(
        observed
            .containers
            .iter()
            .all(|c| matches!(c.state, ContainerState::Exited { .. })),
        "restartPolicy Always must not bring a stopped pod back: {observed:?}"
    );
    assert_eq!(observed.ports, [], "a stopped pod holds no port");
    runtime
        .stop(&name("web"), GRACE)
        .await
        .expect("stopping a stopped pod is a success");

    runtime.play(&web).await.expect("a stopped pod is replaced");
    runtime.remove(&name("web")).await.unwrap();
    assert_eq!(pod(&runtime, "web").await, None);
    runtime
        .remove(&name("web"))
        .await
        .expect("removing a missing pod is a success");
    runtime
        .stop(&name("web"), GRACE)
        .await
        .expect("stopping a missing pod is a success");
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let conflict = TestPod::new("conflict")
        .container("main", "sleep 1")
        .port(port, 80)
        .render();
    let error = runtime.play(&conflict).await.unwrap_err().to_string();
    assert!(
        error.contains("address already in use") && error.contains(&port.to_string()),
        "{error}"
    );
    assert!(!error.contains('\n'));
    assert_eq!(pod(&runtime, "conflict").await, None);

    let mut nonsense = TestPod::new("nonsense").container("main", "").render();
    nonsense.text = nonsense.text.replace("/bin/sh", "/no/such/program");
    let error = runtime.play(&nonsense).await.unwrap_err().to_string();
    assert!(
        error.contains("container main") && error.contains("/no/such/program"),
        "{error}"
    );
    assert_eq!(pod(&runtime, "nonsense").await, None);
}

#[tokio::test]
async fn a_play_that_dagdad_did_not_live_to_see_is_replaced_or_kept() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let twin = sleeper("twin");
    let abandoned = runtime.play(&twin);
    // As after kill -9: the first play goes on in Podman while nobody waits for it.
    let _ = tokio::time::timeout(Duration::from_millis(60), abandoned).await;
    match runtime.play(&twin).await {
        Ok(()) | Err(RuntimeError::AlreadyRunning { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let mut signals = connected(&runtime).await;
    until(&runtime, &mut signals, "twin", |condition| {
        matches!(condition, Some(PodCondition::Running { whole: true, .. }))
    })
    .await;
}

#[tokio::test]
async fn a_pod_with_a_dead_or_paused_container_can_be_stopped() {
    // Where its own grace gets lost, it takes so long instead, which ends in an error here.
    let podman = TestPodman::start_in(&Surroundings {
        stop_timeout: Some(Duration::from_mins(2)),
        ..Surroundings::default()
    });
    let runtime = podman.runtime_within(Deadlines {
        stop_beyond_grace: Duration::from_mins(1),
        ..Deadlines::default()
    });
    let mut signals = connected(&runtime).await;
    let half = TestPod::new("half")
        .restart(RestartPolicy::Never)
        .container("dead", "exit 1")
        .container("alive", "exec busybox sleep 1000")
        .render();
    runtime.play(&half).await.unwrap();
    until(&runtime, &mut signals, "half", |condition| {
        matches!(condition, Some(PodCondition::Running { whole: false, .. }))
    })
    .await;
    podman.cli(&["pod", "pause", "half"]);
    runtime.stop(&name("half"), GRACE).await.unwrap();
    let observed = pod(&runtime, "half").await.unwrap();
    assert!(
        matches!(observed.condition(), PodCondition::Failed { .. }),
        "{observed:?}"
    );
}
