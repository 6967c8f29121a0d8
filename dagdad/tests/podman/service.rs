//! Podman's API service: found, hung, killed, missing, or run by dagdad itself.

use std::path::Path;
use std::time::Duration;

use dagdad::domain::observed::RuntimeSignal;
use dagdad::ports::{Runtime, RuntimeError};
use dagdad::runtime::podman::{Deadlines, Origin, Podman, PodmanOptions};
use rustix::process::{Pid, Signal, kill_process};

use crate::observing::{connected, next, pod};
use crate::podman::TestPodman;
use crate::pods::{TestPod, sleeper};

#[tokio::test]
async fn a_configured_socket_is_the_only_one_tried() {
    let mut podman = TestPodman::start();
    let runtime = podman.runtime();
    let description = runtime.describe().await.unwrap();
    assert_eq!(description.origin, Origin::Configured);
    assert!(description.to_string().contains(&description.version));
    let mut signals = connected(&runtime).await;
    podman.kill_service();
    let signal = next(&mut signals).await;
    let RuntimeSignal::Disconnected { reason } = signal else {
        panic!("{signal:?}")
    };
    assert!(reason.contains("podman.sock"), "{reason}");
    let error = runtime.list().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::Unreachable { .. }),
        "{error:?}"
    );
    podman.start_service();
    let signal = next(&mut signals).await;
    assert!(
        matches!(signal, RuntimeSignal::Connected { .. }),
        "{signal:?}"
    );
}

#[tokio::test]
async fn a_hung_podman_is_noticed_and_noticed_again_when_it_answers() {
    let podman = TestPodman::start();
    let short = Duration::from_secs(2);
    let runtime = podman.runtime_within(Deadlines {
        list: short,
        version: short,
        ping_every: short,
        ..Deadlines::default()
    });
    let mut signals = connected(&runtime).await;
    podman.freeze_service();
    let error = runtime.list().await.unwrap_err();
    assert_eq!(
        error,
        RuntimeError::TimedOut {
            what: "list the pods".to_owned(),
            after: short
        }
    );
    let signal = next(&mut signals).await;
    assert!(
        matches!(signal, RuntimeSignal::Disconnected { .. }),
        "{signal:?}"
    );
    podman.thaw_service();
    let signal = next(&mut signals).await;
    assert!(
        matches!(signal, RuntimeSignal::Connected { .. }),
        "said once, until it answers: {signal:?}"
    );
    assert_eq!(runtime.list().await.unwrap(), []);
}

/// A Podman without a service, and the options for a runtime that is to start its own.
fn without_service() -> (TestPodman, PodmanOptions) {
    let podman = TestPodman::without_service();
    let options = PodmanOptions {
        socket: None,
        ..podman.options()
    };
    (podman, options)
}

/// Ids of the processes that serve the API at `socket`.
fn services_at(socket: &Path) -> Vec<Pid> {
    let url = format!("unix://{}", socket.display());
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            arguments
                .split('\0')
                .any(|argument| argument == url)
                .then_some(pid)
        })
        .filter_map(Pid::from_raw)
        .collect()
}

#[tokio::test]
async fn without_a_socket_podman_is_run_and_run_again() {
    let (podman, options) = without_service();
    let socket = options.service_socket.clone();
    let runtime = Podman::new(options.clone());
    let (first, second) = tokio::join!(runtime.list(), runtime.list());
    assert_eq!((first.unwrap(), second.unwrap()), (Vec::new(), Vec::new()));
    assert_eq!(
        services_at(&socket).len(),
        1,
        "two calls at once start one service"
    );
    let description = runtime.describe().await.unwrap();
    assert_eq!(
        (description.origin, &description.socket),
        (Origin::Own, &socket)
    );

    let mut signals = connected(&runtime).await;
    // An event shows that the stream is open, and so that it breaks with the service.
    podman.cli(&["pod", "create", "--name", "sign"]);
    assert_eq!(next(&mut signals).await, RuntimeSignal::Changed);
    podman.cli(&["pod", "rm", "sign"]);
    let [pid] = services_at(&socket)[..] else {
        panic!("one service")
    };
    kill_process(pid, Signal::KILL).unwrap();
    while !matches!(next(&mut signals).await, RuntimeSignal::Connected { .. }) {}
    let again = services_at(&socket);
    assert!(again.len() == 1 && again != [pid], "{again:?}");

    // A later dagdad finds the service that an earlier one left behind.
    let later = Podman::new(options);
    assert_eq!(later.list().await.unwrap(), []);
    assert_eq!(services_at(&socket), again);
    later.shutdown().await;
    assert_eq!(services_at(&socket), again, "not its child");

    drop(signals);
    runtime.shutdown().await;
    assert_eq!(services_at(&socket), []);
    assert!(
        runtime.list().await.is_err(),
        "after its shutdown no service is started"
    );
}

#[tokio::test]
async fn a_configured_socket_that_dagdad_served_is_served_again_after_both_were_killed() {
    let podman = TestPodman::without_service();
    let options = podman.options();
    let socket = options.socket.clone().expect("a configured socket");
    let killed = Podman::new(options.clone());
    assert_eq!(killed.list().await.unwrap(), []);
    for pid in services_at(&socket) {
        kill_process(pid, Signal::KILL).unwrap();
    }
    // A kill takes effect a moment later; until then the socket takes connections.
    while tokio::net::UnixStream::connect(&socket).await.is_ok() {
        tokio::task::yield_now().await;
    }
    // dagdad itself is killed too: what it held in memory is gone.
    std::mem::forget(killed);
    assert!(socket.exists(), "the dead service's socket stays");

    let runtime = Podman::new(options);
    assert_eq!(runtime.list().await.unwrap(), []);
    assert_eq!(runtime.describe().await.unwrap().origin, Origin::Configured);
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_podman_killed_during_a_start_leaves_nothing_half_made() {
    let (_podman, options) = without_service();
    let socket = options.service_socket.clone();
    let runtime = Podman::new(options);
    let mut signals = connected(&runtime).await;
    // Podman reports the first sign of a start some time after it, when the start of a pod with
    // nothing to wait for may be over.
    let long = TestPod::new("idle")
        .init("prepare", "exec busybox sleep 1000")
        .container("main", "exec busybox sleep 1000")
        .render();
    let kill = async {
        // The first sign of the start.
        while next(&mut signals).await != RuntimeSignal::Changed {}
        for pid in services_at(&socket) {
            kill_process(pid, Signal::KILL).unwrap();
        }
    };
    let (outcome, ()) = tokio::join!(runtime.play(&long), kill);
    assert!(
        outcome.is_err(),
        "killed before it could say that it was done"
    );
    assert_eq!(pod(&runtime, "idle").await, None);
    runtime
        .play(&sleeper("idle"))
        .await
        .expect("nothing is in the way of another start");
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_missing_podman_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let run_as = |program: &str| {
        Podman::new(PodmanOptions {
            socket: None,
            system_socket: None,
            service_socket: folder.path().join("podman.sock"),
            program: program.into(),
            cgroup_root: "/sys/fs/cgroup".into(),
            deadlines: Deadlines::default(),
        })
    };
    let runtime = run_as("no-such-podman");
    let error = runtime.list().await.unwrap_err().to_string();
    assert!(
        error.contains("no-such-podman") && error.contains("apt install podman"),
        "{error}"
    );
    std::fs::write(folder.path().join("podman.sock"), "in the way").unwrap();
    let runtime = run_as("true");
    let error = runtime.list().await.unwrap_err().to_string();
    assert!(error.contains("is in the way and not a socket"), "{error}");
}
