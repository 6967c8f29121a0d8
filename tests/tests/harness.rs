//! The harness itself: what it starts works, and what it drops is gone.

use std::process::Command;

use dagda_tests::host::PodmanService;
use dagda_tests::manifest::{Pod, documents};
use dagda_tests::mariadb::MariaDb;
use dagda_tests::{TestHost, ports};

#[test]
fn podman_runs_what_the_manifests_say() {
    let host = TestHost::builder().without_daemon();
    let port = ports::free();
    let file = host
        .scratch
        .write("web.yml", Pod::http("web", port).to_string());
    host.podman.run(["play", "kube", file.to_str().unwrap()]);
    assert_eq!(
        host.podman.pods(),
        [("web".to_owned(), "running".to_owned())]
    );
    host.podman.run(["pod", "stop", "web"]);
    assert_eq!(
        host.podman.pods(),
        [("web".to_owned(), "exited".to_owned())]
    );
}

#[test]
fn nothing_is_left_of_a_dropped_host() {
    let mut host = TestHost::builder()
        .podman_service(PodmanService::Nobody)
        .without_daemon();
    host.podman.start_service();
    let file = host.scratch.write(
        "pods.yml",
        documents(&[Pod::waiting("a"), Pod::waiting("b")]),
    );
    host.podman.run(["play", "kube", file.to_str().unwrap()]);
    host.podman.freeze_service();
    let path = host.scratch.path().to_owned();
    assert!(!host.scratch.processes().is_empty());
    drop(host);
    assert!(!path.exists(), "{} is still there", path.display());
    let name = path.to_str().unwrap();
    let arguments = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(
        !String::from_utf8_lossy(&arguments.stdout).contains(name),
        "a process is left"
    );
    assert!(
        !std::fs::read_to_string("/proc/self/mounts")
            .unwrap()
            .contains(name),
        "a mount is left"
    );
}

#[test]
fn mariadb_survives_its_own_end() {
    let mut database = MariaDb::start();
    let _ = database.execute(
        "CREATE TABLE dagda_orchestrator.t (a INT); INSERT INTO dagda_orchestrator.t VALUES (7)",
    );
    database.stop();
    database.resume();
    assert_eq!(
        database.execute("SELECT a FROM dagda_orchestrator.t"),
        "7\n"
    );
    database.kill9();
    database.resume();
    assert_eq!(
        database.execute("SELECT a FROM dagda_orchestrator.t"),
        "7\n"
    );
}
