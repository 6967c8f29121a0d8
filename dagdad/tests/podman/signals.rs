//! What happens to pods without dagdad's doing, as it is told.

use dagdad::domain::observed::{PodCondition, RuntimeSignal};
use dagdad::domain::pod::RestartPolicy;
use dagdad::ports::Runtime;

use crate::PATIENCE;
use crate::observing::{next, pod, until, watched};
use crate::pods::{GRACE, TestPod, name, sleeper};

#[tokio::test]
async fn each_end_in_a_crash_loop_is_told_and_the_loop_can_be_stopped() {
    let (_podman, runtime, mut signals) = watched().await;
    let crash = TestPod::new("crash")
        .container("main", "echo boom; exit 3")
        .render();
    runtime.play(&crash).await.unwrap();
    let mut died = 0;
    while died < 5 {
        if let RuntimeSignal::Died {
            pod,
            container,
            code,
        } = next(&mut signals).await
        {
            assert_eq!(
                (pod.as_str(), container.as_str(), code),
                ("crash", "main", 3)
            );
            died += 1;
        }
    }
    runtime.stop(&name("crash"), GRACE).await.unwrap();
    let observed = pod(&runtime, "crash").await.unwrap();
    assert!(
        matches!(observed.condition(), PodCondition::Failed { code: 3, .. }),
        "Podman itself ignores a stop of a pod in a crash loop: {observed:?}"
    );
}

#[tokio::test]
async fn a_pod_that_ends_by_itself_was_not_asked_to() {
    let (podman, runtime, mut signals) = watched().await;
    let short = TestPod::new("short")
        .restart(RestartPolicy::Never)
        .container("main", "exit 0");
    runtime.play(&short.render()).await.unwrap();
    let look = async {
        let mut seen = Vec::new();
        loop {
            let signal = next(&mut signals).await;
            seen.push(signal.clone());
            let ended = pod(&runtime, "short").await.unwrap();
            // Its infra container follows it, with a `stop` of the pod.
            if signal == RuntimeSignal::Changed
                && ended.condition() == PodCondition::Completed
                && podman.cli(&["pod", "ps", "--format", "{{.Status}}"]) == "Exited"
            {
                return seen;
            }
        }
    };
    let seen = tokio::time::timeout(PATIENCE, look)
        .await
        .expect("the pod ends");
    assert!(
        !seen
            .iter()
            .any(|signal| matches!(signal, RuntimeSignal::StopRequested { .. })),
        "{seen:?}"
    );
}

#[tokio::test]
async fn what_others_do_with_podman_is_told() {
    let (podman, runtime, mut signals) = watched().await;
    let idle = sleeper("idle");
    runtime.play(&idle).await.unwrap();
    podman.cli(&["pod", "stop", "--time", "0", "idle"]);
    let id = podman.cli(&["pod", "inspect", "--format", "{{.Id}}", "idle"]);
    let requested = RuntimeSignal::StopRequested {
        pod: "idle".to_owned(),
        id,
    };
    while next(&mut signals).await != requested {}
    until(&runtime, &mut signals, "idle", |condition| {
        matches!(condition, Some(PodCondition::Failed { code: 137, .. }))
    })
    .await;
    podman.cli(&["pod", "start", "idle"]);
    until(&runtime, &mut signals, "idle", |condition| {
        matches!(condition, Some(PodCondition::Running { .. }))
    })
    .await;
    podman.cli(&["pod", "rm", "--force", "--time", "0", "idle"]);
    until(&runtime, &mut signals, "idle", |condition| {
        condition.is_none()
    })
    .await;
}
