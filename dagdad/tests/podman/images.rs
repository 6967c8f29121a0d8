//! Images: there already, pulled, and not to be had.

use dagdad::domain::pod::PullPolicy;
use dagdad::ports::{Runtime, RuntimeError};
use tokio::sync::mpsc;

use crate::podman::{IMAGE, TestPodman};

#[tokio::test]
async fn a_missing_image_is_told_in_one_line() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let (progress, mut lines) = mpsc::channel(16);
    let ensure =
        |image: &'static str, policy| runtime.ensure_image(image, policy, progress.clone());

    ensure(IMAGE, PullPolicy::IfNotPresent).await.unwrap();
    ensure(IMAGE, PullPolicy::Never).await.unwrap();
    let never = ensure("localhost/none", PullPolicy::Never)
        .await
        .unwrap_err();
    assert!(
        never.to_string().contains("imagePullPolicy is Never"),
        "{never}"
    );

    // Port 1 answers no registry.
    let image = "127.0.0.1:1/none:latest";
    let error = ensure(image, PullPolicy::IfNotPresent).await.unwrap_err();
    let RuntimeError::Image {
        image: named,
        reason,
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(named, image);
    assert!(
        reason.contains("connection refused") && !reason.contains('\n'),
        "{reason}"
    );
    let line = lines.try_recv().expect("the pull tells what it does");
    assert!(line.message.contains("Trying to pull"), "{line:?}");

    let error = ensure("not an image", PullPolicy::Always)
        .await
        .unwrap_err();
    assert!(matches!(error, RuntimeError::Image { .. }), "{error:?}");
}
