//! What a manifest may ask for beyond its containers' commands.

use dagdad::domain::observed::PodCondition;
use dagdad::domain::pod::RestartPolicy;
use dagdad::ports::Runtime;

use crate::observing::pod;
use crate::podman::TestPodman;
use crate::pods::TestPod;

#[tokio::test]
async fn volumes_variables_limits_and_init_containers_work() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let folder = podman.folder().join("data");
    std::fs::create_dir(&folder).unwrap();
    let mut full = TestPod::new("full")
        .init("prepare", "echo $GREETING >> /data/prepared")
        .container(
            "main",
            "busybox cat /data/prepared; echo > /data/seen; exec busybox sleep 1000",
        );
    full.container_extra = ", env: [{name: GREETING, value: hello}], volumeMounts: [{name: data, mountPath: /data}], resources: {limits: {memory: 64Mi}}".to_owned();
    full.spec_extra = format!(
        ", volumes: [{{name: data, hostPath: {{path: {}}}}}]",
        folder.display()
    );
    runtime.play(&full.render()).await.unwrap();
    let observed = pod(&runtime, "full").await.unwrap();
    assert!(
        matches!(
            observed.condition(),
            PodCondition::Running { whole: true, .. }
        ),
        "{observed:?}"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("prepared")).unwrap(),
        "hello\n",
        "an init container runs once, under restartPolicy Always too"
    );
    let limit = podman.cli(&["inspect", "full-main", "--format", "{{.HostConfig.Memory}}"]);
    assert_eq!(limit, (64 << 20).to_string());

    let usage = runtime
        .usage(&["full".to_owned(), "nobody".to_owned()])
        .await
        .unwrap();
    let [(measured, usage)] = &usage[..] else {
        panic!("{usage:?}")
    };
    assert_eq!(measured, "full");
    assert!(usage.memory.0 > 0, "{usage:?}");
}

#[tokio::test]
async fn an_init_container_that_fails_fails_the_start() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let failing = TestPod::new("failing")
        .restart(RestartPolicy::Never)
        .init("prepare", "exit 4")
        .container("main", "exec busybox sleep 1000")
        .render();
    let error = runtime.play(&failing).await.unwrap_err().to_string();
    assert!(
        error.contains("init container prepare exited with code 4"),
        "{error}"
    );
    assert_eq!(pod(&runtime, "failing").await, None);
}
