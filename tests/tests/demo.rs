//! `make demo` and `make demo-stop`, with the binaries of this build and a Podman of the test's
//! own. One test, since the examples' host port is one.

use std::path::Path;
use std::process::Command;

use dagda_tests::manifest::Pod;
use dagda_tests::process::finish;
use dagda_tests::{Output, PATIENCE, TestHost, binaries, cli};

fn script(host: &TestHost, name: &str, directory: &Path) -> Output {
    let mut command = Command::new(binaries::workspace().join("scripts").join(name));
    host.podman.configure(&mut command);
    command
        .env("DAGDA_DEMO_DIR", directory)
        .env("DAGDA_BIN_DIR", binaries::directory())
        .env("DAGDA_PODMAN_SOCKET", host.podman.socket())
        .env_remove("DAGDA_SOCKET");
    cli::run_within(&mut command, None, 4 * PATIENCE)
}

#[test]
fn the_demo_starts_stops_and_takes_up_where_it_was() {
    let host = TestHost::builder().without_daemon();
    let before = host.podman.run([
        "image",
        "ls",
        "--all",
        "--format",
        "{{.Id}} {{.Repository}}:{{.Tag}}",
    ]);
    // Deep enough for the socket's path to be too long.
    let directory = host
        .scratch
        .join("a-rather-deep-directory-that-somebody-keeps-their-checkouts-in")
        .join("demo");

    let stopped = script(&host, "demo-stop", &directory).done();
    assert!(stopped.stdout.contains("no demo"), "{stopped:?}");

    let started = script(&host, "demo-start", &directory).done();
    for shown in [
        "web",
        "clock",
        "running",
        "http://127.0.0.1:8907/",
        "export DAGDA_SOCKET=",
        "make demo-stop",
    ] {
        assert!(
            started.stdout.contains(shown),
            "{shown:?} is not shown: {started:#?}"
        );
    }
    let ids = |host: &TestHost| {
        host.podman.run([
            "pod",
            "ps",
            "--format",
            "{{.Name}} {{.Id}}",
            "--sort",
            "name",
        ])
    };
    let pods = ids(&host);
    assert_eq!(pods.lines().count(), 2, "{pods}");

    script(&host, "demo-start", &directory).done();
    assert_eq!(ids(&host), pods, "twice is once");

    let daemon = std::fs::read_to_string(directory.join("dagdad.pid")).unwrap();
    assert!(
        finish(Command::new("kill").args(["-KILL", daemon.trim()]))
            .status
            .success()
    );
    script(&host, "demo-start", &directory).done();
    assert_eq!(ids(&host), pods, "a killed daemon took no pod with it");

    script(&host, "demo-stop", &directory).done();
    assert_eq!(host.podman.pods(), []);
    assert_eq!(
        host.podman.run([
            "image",
            "ls",
            "--all",
            "--format",
            "{{.Id}} {{.Repository}}:{{.Tag}}"
        ]),
        before
    );
    assert!(!directory.exists());
    script(&host, "demo-stop", &directory).done();

    // Somebody's own pod of that name is not the demo's to replace.
    let file = host
        .scratch
        .write("web.yml", Pod::waiting("web").to_string());
    host.podman.run(["play", "kube", file.to_str().unwrap()]);
    let refused = script(&host, "demo-start", &directory).ended_with(cli::code::FAILED);
    assert!(refused.stderr.contains("web"), "{refused:?}");
    assert_eq!(
        host.podman.pods(),
        [("web".to_owned(), "running".to_owned())]
    );
}
