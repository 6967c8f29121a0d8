//! Images: there already, pulled, and not to be had.

use dagdad::domain::pod::PullPolicy;
use dagdad::domain::quantity::Bytes;
use dagdad::ports::{Runtime, RuntimeError};
use tokio::sync::mpsc;

use crate::podman::{IMAGE, Surroundings, TestPodman};
use crate::registry::Registry;

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

/// A Podman that keeps its images on a small disk, and a registry.
fn with_small_disk() -> (TestPodman, Registry) {
    let registry = Registry::start();
    let podman = TestPodman::start_in(&Surroundings {
        registry: Some(registry.address().to_owned()),
        disk_mib: Some(64),
        ..Surroundings::default()
    });
    (podman, registry)
}

/// What the runtime says it lacks: how much it takes, and what is free.
#[track_caller]
fn no_room(error: &RuntimeError, image: &str, podman: &TestPodman) -> (Option<Bytes>, Bytes) {
    let RuntimeError::NoRoom {
        image: named,
        needed,
        available,
        path,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(named, image);
    assert_eq!(*path, podman.images().display().to_string());
    (*needed, *available)
}

#[tokio::test]
async fn an_image_that_outgrows_the_disk_is_no_room() {
    let (podman, registry) = with_small_disk();
    let runtime = podman.runtime();
    let ensure = |image, policy| {
        let (progress, _) = mpsc::channel(1);
        let runtime = &runtime;
        async move { runtime.ensure_image(image, policy, progress).await }
    };
    let image = registry.publish(80, b'a');
    for policy in [PullPolicy::IfNotPresent, PullPolicy::Always] {
        let error = ensure(&image, policy).await.unwrap_err();
        let (needed, available) = no_room(&error, &image, &podman);
        assert_eq!(needed, None, "nobody said how large it is");
        assert!(available < Bytes::mib(64), "{available}");
    }
    registry.publish(1, b'a');
    ensure(&image, PullPolicy::IfNotPresent).await.unwrap();
}

#[tokio::test]
async fn a_changed_image_for_which_there_is_no_room_is_not_pulled() {
    let (podman, registry) = with_small_disk();
    let runtime = podman.runtime();
    let ensure = |image| {
        let (progress, _) = mpsc::channel(1);
        let runtime = &runtime;
        async move {
            runtime
                .ensure_image(image, PullPolicy::Always, progress)
                .await
        }
    };
    let image = registry.publish(20, b'a');
    ensure(&image).await.unwrap();
    let filler = podman.images().join("filler");
    std::fs::write(&filler, vec![0; 20 << 20]).unwrap();

    // What did not change needs no room, however little there is.
    assert!(registry.gave_content());
    ensure(&image).await.unwrap();

    registry.publish(20, b'b');
    registry.gave_content();
    let error = ensure(&image).await.unwrap_err();
    let (needed, available) = no_room(&error, &image, &podman);
    assert!(
        (Bytes::mib(20)..Bytes::mib(21)).contains(&needed.unwrap()),
        "{needed:?}"
    );
    assert!(available < Bytes::mib(20), "{available}");
    assert!(!registry.gave_content(), "it was refused before it came");

    std::fs::remove_file(filler).unwrap();
    ensure(&image).await.unwrap();
    assert!(registry.gave_content());
}
