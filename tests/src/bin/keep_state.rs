//! Keeps what a release leaves on disk, for the tests of later ones that must open it:
//! `keep_state SCHEMA DIRECTORY` runs the real daemon through something of every kind, ends it, and
//! writes `state.tar.gz` and `mariadb.sql.gz` into the directory. With `DAGDA_BIN_DIR` it does so
//! with an older dagdad and dagdactl. `dagdad/tests/states/README.md` says when.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what cannot be kept stops there and then"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use dagda_tests::manifest::{NEVER_READY, Pod, Workflow, documents};
use dagda_tests::mariadb::{DATABASE, MariaDb};
use dagda_tests::process::run;
use dagda_tests::{PATIENCE, TestHost, binaries};

/// The first schemas that know of them.
const WORKFLOWS: u32 = 2;
const ECONOMY: u32 = 3;

/// How long the daemon measures: some samples, and more than one stretch of ten minutes would be
/// too long.
const MEASURED: Duration = Duration::from_secs(20);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(schema), Some(directory), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        panic!("usage: keep_state SCHEMA DIRECTORY");
    };
    let schema: u32 = schema.parse().expect("the schema's number");
    let directory = PathBuf::from(directory);
    std::fs::create_dir_all(&directory).expect("make the directory");

    let mut database = MariaDb::start();
    let mut host = TestHost::builder().mariadb(&database).without_daemon();
    host.start_with(command(&host, schema));
    live(&host, schema);
    std::thread::sleep(MEASURED);
    until(&host, "all is mirrored", |status| {
        status["store"]["mariadb"] == "connected" && status["store"]["outbox"] == 0
    });

    // MariaDB as it is when it goes away, and then what it does not get.
    host.daemon().freeze();
    dump(&database, &directory);
    database.stop();
    host.daemon().thaw();
    queue(&host, schema);
    let slow = Pod::waiting("slow").readiness(NEVER_READY);
    host.apply(&slow);
    let mut starting = host.spawn(["pods", "start", "slow"]);
    until_started(&host, "slow");
    if schema == 1 {
        host.stop();
    } else {
        host.kill9();
    }
    let _ = starting.wait();
    pack(&host.configuration.state, &directory);
}

/// dagdad, with a configuration that this schema's release reads.
fn command(host: &TestHost, schema: u32) -> Command {
    let path = host.configuration.write();
    if schema < ECONOMY {
        let text = std::fs::read_to_string(&path).expect("read dagdad.toml");
        let (before, _) = text.split_once("[economy]").expect("it is there");
        std::fs::write(&path, before).expect("write dagdad.toml");
    }
    let mut command = Command::new(binaries::path("dagdad"));
    command
        .arg("--config")
        .arg(path)
        .env("MONITORING_INTERVAL", "1")
        .envs(host.configuration.environment.iter().cloned());
    host.podman.configure(&mut command);
    command
}

fn live(host: &TestHost, schema: u32) {
    let note = "é \u{1F980} ' \" \\ %s ; -- \n\t";
    host.apply(&documents(&[
        Pod::waiting("db").essential(),
        Pod::waiting("web").annotation("example.org/note", note),
        Pod::waiting("llama").annotation("dagda/priority", "60"),
        Pod::frail("frail"),
        Pod::waiting("gone"),
    ]));
    for pod in ["db", "web", "frail"] {
        host.run(["pods", "start", pod]).done();
    }
    host.run(["pods", "restart", "web"]).done();
    let absent = Pod::waiting("absent").image("localhost/absent:latest");
    host.apply(&absent.to_string().replace("IfNotPresent", "Never"));
    let _ = host.run(["pods", "start", "absent"]);
    host.run(["pods", "remove", "gone"]).done();
    if schema < WORKFLOWS {
        return;
    }
    host.apply(&documents(&[
        Workflow::of("site", &["db", "web"]).description(note),
        Workflow::of("ai", &["db", "llama"]).priority(70),
        Workflow::new("broken")
            .pod("llama", &[])
            .pod("absent", &["llama"]),
    ]));
    host.run(["workflow", "run", "ai"]).done();
    host.run(["workflow", "stop", "ai"]).done();
    let _ = host.run(["workflow", "run", "broken"]);
    host.run(["workflow", "run", "site"]).done();
    host.podman.signal("frail-main", "USR1");
    until(host, "an alert", |status| status["alerts"]["firing"] != 0);
    if schema < ECONOMY {
        return;
    }
    host.run(["economy", "set", "auto"]).done();
    host.run(["alerts", "silence", "frail", "--for", "2h"])
        .done();
    host.run(["alerts", "ack", "pod_down"]).done();
}

/// What waits for MariaDB in the end.
fn queue(host: &TestHost, schema: u32) {
    host.apply(&Pod::waiting("late"));
    host.run(["pods", "stop", "web"]).done();
    host.run(["pods", "start", "llama"]).done();
    host.run(["pods", "remove", "absent"]).done();
    if schema >= WORKFLOWS {
        host.apply(&Workflow::of("later", &["late"]));
        host.run(["workflow", "remove", "broken"]).done();
    }
}

fn until(host: &TestHost, what: &str, wanted: impl Fn(&serde_json::Value) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = host.run(["--json", "status"]).done().json();
        if wanted(&status) {
            return;
        }
        assert!(Instant::now() < deadline, "not in time: {what}: {status:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn until_started(host: &TestHost, pod: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !host.podman.running().iter().any(|running| running == pod) {
        assert!(Instant::now() < deadline, "{pod} does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn dump(database: &MariaDb, directory: &Path) {
    let mut dump = Command::new("mariadb-dump");
    let plain = directory.join("mariadb.sql");
    dump.args([
        "--no-defaults",
        "--user=root",
        "--skip-dump-date",
        "--hex-blob",
    ])
    .arg(format!("--socket={}", database.socket().display()))
    .arg(format!("--result-file={}", plain.display()))
    .arg(DATABASE);
    let _ = run(&mut dump);
    let _ = run(Command::new("gzip")
        .args(["--force", "--best", "--no-name"])
        .arg(plain));
}

/// The database with what SQLite keeps beside it; what else is there belongs to the process.
fn pack(state: &Path, directory: &Path) {
    let files: Vec<_> = std::fs::read_dir(state)
        .expect("read the state directory")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().starts_with("dagda.db"))
        .collect();
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--file"])
        .arg(directory.join("state.tar.gz"))
        .arg("--directory")
        .arg(state)
        .args(files);
    let _ = run(&mut tar);
}
