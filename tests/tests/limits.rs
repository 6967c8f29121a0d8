//! What a caller can make dagdad hold has a limit, and nothing lasts: clients that say nothing,
//! send rubbish, ask for too much, do not read or die in the middle.

#![allow(
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dagda_proto::v1;
use dagda_tests::cli::code;
use dagda_tests::manifest::{Pod, documents};
use dagda_tests::random::Random;
use dagda_tests::vitals::Vitals;
use dagda_tests::wire::frames::Kind;
use dagda_tests::wire::{flood, frames, fuzz};
use dagda_tests::{PATIENCE, TestHost, wire};
use rustix::process::{Pid, Signal, kill_process};
use tonic::Code;

/// dagdad allocates and frees: what it may have more of after a storm than before.
const SOME_MEMORY: u64 = 16 << 20;
/// Files that dagdad opens as it needs them and keeps: of the database, of what it measures.
const SOME_FILES: usize = 16;
/// Connections that a caller may have.
const CONNECTIONS: usize = 128;
/// Calls that a caller may have in flight.
const CALLS: usize = 128;

const WATCH: &str = "/dagda.v1.StatusService/WatchStatus";
const APPLY: &str = "/dagda.v1.CatalogueService/Apply";

fn pid(host: &mut TestHost) -> Pid {
    host.daemon().pid()
}

/// What dagdad holds while somebody watches its status, which is how it is measured afterwards.
fn at_rest(host: &mut TestHost) -> Vitals {
    let pid = pid(host);
    let mut seen = None;
    host.await_status("the daemon is looked at", |_| {
        // At the second look the caches are warm and earlier connections closed.
        seen.replace(Vitals::of(pid)).is_some()
    });
    seen.unwrap()
}

/// Waits until dagdad has no more connections than at rest, and checks its files and memory.
fn is_at_rest_again(host: &mut TestHost, before: Vitals) {
    let pid = pid(host);
    let mut now = before;
    host.await_status("all connections are closed", |_| {
        now = Vitals::of(pid);
        now.sockets <= before.sockets
    });
    let files = before.descriptors + SOME_FILES;
    assert!(now.descriptors <= files, "before: {before:?}, now: {now:?}");
    let growth = now.resident.saturating_sub(before.resident);
    assert!(growth < SOME_MEMORY, "before: {before:?}, now: {now:?}");
}

fn status_is_answered(host: &TestHost) {
    let _ = host.run(["status", "--json"]).done().json();
}

#[test]
fn a_thousand_idle_connections_keep_nobody_out() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let idle = flood::idle_connections(&host.configuration.socket, 1000);
    status_is_answered(&host);
    let held = Vitals::of(pid(&mut host)).sockets;
    assert!(held <= before.sockets + CONNECTIONS, "{held}");
    // Most were closed at once to make room; the rest were silent for too long.
    for mut stream in idle {
        frames::until_closed(&mut stream);
    }
    is_at_rest_again(&mut host, before);
}

#[test]
fn who_makes_no_call_is_closed() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let socket = &host.configuration.socket;
    let mut silent = frames::connect(socket);
    let mut half = frames::connect(socket);
    half.write_all(&frames::PREFACE[..12]).unwrap();
    let mut polite = frames::converse(socket);
    let mut rubbish = frames::connect(socket);
    rubbish
        .write_all(&[0x16, 3, 1, 2, 0, 1, 0].repeat(100))
        .unwrap();
    let mut older = frames::connect(socket);
    older
        .write_all(b"GET / HTTP/1.1\r\nHost: dagda.local\r\n\r\n")
        .unwrap();
    for stream in [
        &mut rubbish,
        &mut older,
        &mut silent,
        &mut half,
        &mut polite,
    ] {
        frames::until_closed(stream);
    }
    is_at_rest_again(&mut host, before);
}

#[test]
fn who_made_a_call_may_be_idle_and_who_does_not_answer_may_not() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let call = frames::call(
        1,
        "/dagda.v1.StatusService/GetStatus",
        &v1::GetStatusRequest {},
    );
    // It reads nothing and so answers no ping, as if stopped by SIGSTOP.
    let mut stopped = frames::converse(&host.configuration.socket);
    stopped.write_all(&call).unwrap();
    let mut idle = host.status_client();
    host.block_on(idle.get_status(v1::GetStatusRequest {}))
        .unwrap();
    let mut watcher = host.spawn(["status", "--watch", "--json"]);
    watcher
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0])
        .unwrap();
    kill_process(Pid::from_child(&watcher), Signal::STOP).unwrap();
    // The idle client's connection is one more than before. The harness's runtime answers its
    // pings while the status is watched.
    let one_more = Vitals {
        sockets: before.sockets + 1,
        ..before
    };
    is_at_rest_again(&mut host, one_more);
    frames::until_closed(&mut stopped);
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    host.block_on(idle.get_status(v1::GetStatusRequest {}))
        .unwrap();
}

#[test]
fn two_hundred_calls_at_once_are_answered() {
    let host = TestHost::ready();
    let socket = &host.configuration.socket;
    let tally = host.block_on(flood::status_calls(socket, 200, 1, 200));
    assert_eq!(tally.answered, 200, "{tally:?}");
}

#[test]
fn calls_in_flight_have_a_limit_that_is_told() {
    let host = TestHost::ready();
    let streams = host.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..CALLS / 32 {
            let mut client = host.status_client();
            for _ in 0..32 {
                let opened = client.watch_status(v1::WatchStatusRequest {}).await;
                streams.push(opened.unwrap().into_inner());
            }
        }
        streams
    });
    let mut client = host.status_client();
    let refused = host
        .block_on(client.get_status(v1::GetStatusRequest {}))
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(wire::detail(&refused).code, "too_many_requests");
    host.run(["status"])
        .failed_saying(code::FAILED, ["128 calls in flight", "--watch"]);
    let told = host.run(["status", "--json"]).ended_with(code::FAILED);
    assert_eq!(told.json()["error"]["code"], "too_many_requests");

    drop(streams);
    host.block_on(async {
        let answered = async { while client.get_status(v1::GetStatusRequest {}).await.is_err() {} };
        tokio::time::timeout(PATIENCE, answered)
            .await
            .expect("room once the streams are given up");
    });
}

#[test]
fn applies_in_flight_have_a_lower_limit() {
    let host = TestHost::ready();
    let mut stream = frames::converse(&host.configuration.socket);
    for call in 0..4 {
        let headers = frames::headers(call * 2 + 1, APPLY);
        stream.write_all(&headers).unwrap();
    }
    // A call behind those on the same connection: once it is answered they have begun.
    let path = "/dagda.v1.StatusService/GetStatus";
    let call = frames::call(9, path, &v1::GetStatusRequest {});
    stream.write_all(&call).unwrap();
    while !frames::read(&mut stream).ends(9) {}
    let manifest = Pod::waiting("a").to_string();
    host.run_with_input(["apply", "-f", "-"], &manifest)
        .failed_saying(code::FAILED, ["4 `apply`s in flight", "try again"]);
    status_is_answered(&host);
    drop(stream);
    let mut tries = 0;
    while host.run_with_input(["apply", "-f", "-"], &manifest).code != Some(code::DONE) {
        tries += 1;
        assert!(tries < 100, "the given up ones still count");
    }
}

#[test]
fn busy_connections_are_not_closed_for_new_ones() {
    let host = TestHost::ready();
    let mut busy: Vec<UnixStream> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = frames::converse(&host.configuration.socket);
            let call = frames::call(1, WATCH, &v1::WatchStatusRequest {});
            stream.write_all(&call).unwrap();
            // Its first answer.
            stream.read_exact(&mut [0; 128]).unwrap();
            stream
        })
        .collect();
    let mut refused = frames::connect(&host.configuration.socket);
    let said = frames::until_closed(&mut refused);
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("too many connections"), "{said:?}");
    let told = host.run(["status"]).ended_with(code::UNREACHABLE);
    assert!(told.stderr.contains("the connection"), "{told:?}");
    assert!(!told.stderr.contains("speak gRPC"), "{told:?}");
    for stream in &mut busy {
        stream.read_exact(&mut [0]).unwrap();
    }
    busy.pop();
    let mut tries = 0;
    while host.run(["status"]).code != Some(code::DONE) {
        tries += 1;
        assert!(tries < 100, "no room although one is closed");
    }
}

/// The same command with room for so few files.
fn with_few_files(command: &Command) -> Command {
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => few.env(name, value),
            None => few.env_remove(name),
        };
    }
    few
}

#[test]
fn too_few_files_for_its_connections_do_not_end_dagdad() {
    let mut host = TestHost::builder().without_daemon();
    let mut command = host.configuration.command();
    host.podman.configure(&mut command);
    host.start_with(with_few_files(&command));
    let mut client = host.status_client();
    host.block_on(client.get_status(v1::GetStatusRequest {}))
        .unwrap();
    let idle = flood::idle_connections(&host.configuration.socket, CONNECTIONS);
    while !host.daemon().log().contains("cannot accept connections") {
        // Each call takes the daemon as long as it takes.
        host.block_on(client.get_status(v1::GetStatusRequest {}))
            .unwrap();
    }
    host.block_on(client.get_status(v1::GetStatusRequest {}))
        .unwrap();
    drop(idle);
    status_is_answered(&host);
    let log = host.daemon().log();
    let told = log.matches("cannot accept connections").count();
    assert!(told < 5, "told {told} times:\n{log}");
}

#[test]
fn a_request_that_does_not_arrive_is_given_up() {
    let host = TestHost::ready();
    let mut stream = frames::converse(&host.configuration.socket);
    let headers = frames::headers(1, "/dagda.v1.StatusService/GetStatus");
    stream.write_all(&headers).unwrap();
    let begin = Instant::now();
    loop {
        let said = frames::read(&mut stream);
        if said.is(Kind::Ping) && said.flags == 0 {
            let pong = frames::frame(Kind::Ping, 1, 0, &said.payload);
            stream.write_all(&pong).unwrap();
        }
        if said.ends(1) {
            break;
        }
    }
    // Not for another reason.
    assert!(begin.elapsed() > Duration::from_secs(25));
    status_is_answered(&host);
}

#[test]
fn a_request_that_is_too_large_is_refused() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let name = "x".repeat(65 * 1024);
    let status = host
        .block_on(host.pods_client().get_pod(v1::GetPodRequest { name }))
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    let files = vec![v1::ManifestFile {
        name: "a.yml".to_owned(),
        text: "#".repeat(17 << 20),
    }];
    let request = v1::ApplyRequest {
        files,
        dry_run: false,
    };
    let status = host
        .block_on(host.catalogue_client().apply(request))
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(status.message().contains("the limit is"), "{status:?}");
    is_at_rest_again(&mut host, before);

    let mut folder = String::new();
    for _ in 0..40_000 {
        let _ = writeln!(folder, "# a line of a manifest that is far too large");
    }
    let file = host.scratch.write("large.yml", folder);
    host.run(["apply", "-f", file.to_str().unwrap()])
        .failed_saying(code::FAILED, ["large.yml", "MiB"]);
}

#[test]
fn a_client_that_dies_in_the_middle_of_an_apply_changes_nothing() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let pods: Vec<Pod> = (0..50).map(|n| Pod::waiting(&format!("p{n}"))).collect();
    let text = documents(&pods);

    // A client that holds the only end of its connection, and has sent half of a request.
    let request = v1::ApplyRequest {
        files: vec![v1::ManifestFile {
            name: "pods.yml".to_owned(),
            text: text.clone(),
        }],
        dry_run: false,
    };
    let stream = frames::converse(&host.configuration.socket);
    let call = frames::call(1, APPLY, &request);
    let mut client = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(OwnedFd::from(stream))
        .spawn()
        .unwrap();
    let input = client.stdin.as_mut().unwrap();
    input.write_all(&call[..call.len() / 2]).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    is_at_rest_again(&mut host, before);
    let list = host.run(["pods", "list", "--json"]).done().json();
    assert_eq!(list["pods"].as_array().unwrap().len(), 0, "{list}");

    // dagdactl itself, at any moment of it.
    let file = host.scratch.write("pods.yml", text);
    let mut random = Random::from_environment();
    for _ in 0..10 {
        let mut client = host.spawn(["apply", "-f", file.to_str().unwrap()]);
        // Not to wait for something: the moment of death is random.
        std::thread::sleep(Duration::from_micros(random.below(40_000)));
        client.kill().unwrap();
        client.wait().unwrap();
        let list = host.run(["pods", "list", "--json"]).done().json();
        let known = list["pods"].as_array().unwrap().len();
        assert!(known == 0 || known == 50, "{known} of 50");
    }
    is_at_rest_again(&mut host, before);
}

#[test]
fn a_reader_that_does_not_read_costs_no_memory_and_delays_nobody() {
    let mut host = TestHost::ready();
    let talker = Pod::script(
        "talker",
        "while :; do echo a line that nobody reads, and one more, and one more; \
         busybox usleep 1000; done",
    );
    host.up("talker", &talker);
    let before = at_rest(&mut host);
    let logs = v1::ReadLogsRequest {
        name: "talker".to_owned(),
        follow: true,
        ..v1::ReadLogsRequest::default()
    };
    let pods = v1::ListPodsRequest { all: true };
    let events = v1::ListEventsRequest::default();
    let deaf: Vec<UnixStream> = (0..8)
        .map(|_| {
            let mut stream = frames::converse(&host.configuration.socket);
            let mut calls = Vec::new();
            for call in (0..12).step_by(4) {
                let id = call * 2 + 1;
                calls.extend(frames::call(id, WATCH, &v1::WatchStatusRequest {}));
                calls.extend(frames::call(
                    id + 2,
                    "/dagda.v1.PodsService/WatchPods",
                    &pods,
                ));
                calls.extend(frames::call(id + 4, WATCH, &v1::WatchStatusRequest {}));
                if call == 0 {
                    calls.extend(frames::call(
                        id + 6,
                        "/dagda.v1.PodsService/ReadLogs",
                        &logs,
                    ));
                } else {
                    let path = "/dagda.v1.EventsService/FollowEvents";
                    calls.extend(frames::call(id + 6, path, &events));
                }
            }
            stream.write_all(&calls).unwrap();
            stream
        })
        .collect();
    // News for all of them.
    let mut most = before.resident;
    for round in 0..500 {
        let changed = Pod::waiting("changing").annotation("round", &format!("r{round}"));
        let request = v1::ApplyRequest {
            files: vec![v1::ManifestFile {
                name: "changing.yml".to_owned(),
                text: changed.to_string(),
            }],
            dry_run: false,
        };
        host.block_on(host.catalogue_client().apply(request))
            .unwrap();
        most = most.max(Vitals::of(pid(&mut host)).resident);
    }
    let growth = most.saturating_sub(before.resident);
    println!("grew by {} KiB", growth >> 10);
    assert!(growth < SOME_MEMORY, "{growth} bytes");
    drop(deaf);
    is_at_rest_again(&mut host, before);
}

#[test]
fn a_flood_of_requests_is_answered_or_refused() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let pid = pid(&mut host);
    let socket = &host.configuration.socket;
    let tally = host.block_on(flood::status_calls(socket, 5000, 16, 32));
    println!("{tally:?}");
    assert_eq!(tally.answered + tally.refused, 5000, "{tally:?}");
    assert!(tally.answered > 0, "{tally:?}");
    assert_eq!(host.daemon().pid(), pid);
    is_at_rest_again(&mut host, before);
}

#[test]
fn malformed_frames_do_no_harm() {
    let mut host = TestHost::ready();
    let before = at_rest(&mut host);
    let pid = pid(&mut host);
    let mut random = Random::from_environment();
    let ended = AtomicBool::new(false);
    let socket = &host.configuration.socket;
    let fuzzed = std::thread::scope(|scope| {
        let fuzzing = scope.spawn(|| {
            let fuzzed = fuzz::malformed(socket, &mut random, Duration::from_secs(5));
            ended.store(true, Ordering::Release);
            fuzzed
        });
        while !ended.load(Ordering::Acquire) {
            status_is_answered(&host);
        }
        fuzzing.join().unwrap()
    });
    println!("{fuzzed:?}");
    assert!(fuzzed.attempts > 20 && fuzzed.answered > 0, "{fuzzed:?}");
    assert_eq!(host.daemon().pid(), pid);
    is_at_rest_again(&mut host, before);
}

#[test]
fn the_exchange_that_is_mutated_is_valid() {
    let host = TestHost::ready();
    let mut stream = frames::connect(&host.configuration.socket);
    stream.write_all(&fuzz::valid().concat()).unwrap();
    // WatchStatus on 5 is given up in the exchange; the others are answered.
    let mut answered = BTreeSet::new();
    while answered.len() < 3 {
        let said = frames::read(&mut stream);
        assert!(!said.is(Kind::GoAway), "{said:?}");
        assert!(!said.is(Kind::ResetStream), "{said:?}");
        if said.ends(said.stream) {
            answered.insert(said.stream);
        }
    }
    assert_eq!(answered, BTreeSet::from([1, 3, 7]));
}
