//! What the runtime shows of pods: its list, and its signals.

use dagdad::domain::observed::{ObservedPod, PodCondition, RuntimeSignal};
use dagdad::ports::Runtime;
use dagdad::runtime::podman::Podman;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::PATIENCE;
use crate::podman::TestPodman;

/// What [`Podman::signals`] gives.
pub type Signals = BoxStream<'static, RuntimeSignal>;

/// A Podman, a runtime on it, and the runtime's signals.
pub async fn watched() -> (TestPodman, Podman, Signals) {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let signals = connected(&runtime).await;
    (podman, runtime, signals)
}

/// Signals, beyond the first `Connected`.
pub async fn connected(runtime: &Podman) -> Signals {
    let mut signals = runtime.signals();
    let first = next(&mut signals).await;
    assert!(
        matches!(first, RuntimeSignal::Connected { .. }),
        "{first:?}"
    );
    signals
}

/// The next signal.
pub async fn next(signals: &mut Signals) -> RuntimeSignal {
    tokio::time::timeout(PATIENCE, signals.next())
        .await
        .expect("a signal in time")
        .expect("signals never end")
}

/// Waits until the condition of pod `name` is as wanted (none where the pod is gone), looking
/// again at each signal.
pub async fn until(
    runtime: &Podman,
    signals: &mut Signals,
    name: &str,
    wanted: impl Fn(Option<PodCondition>) -> bool,
) {
    let look = async {
        while !wanted(
            pod(runtime, name)
                .await
                .as_ref()
                .map(ObservedPod::condition),
        ) {
            next(signals).await;
        }
    };
    let looked = tokio::time::timeout(PATIENCE, look).await;
    assert!(looked.is_ok(), "pod {name} did not become as wanted");
}

/// Pod `name` as it is listed now.
pub async fn pod(runtime: &Podman, name: &str) -> Option<ObservedPod> {
    runtime
        .list()
        .await
        .unwrap()
        .into_iter()
        .find(|pod| pod.name == name)
}
