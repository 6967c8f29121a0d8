//! Calls that are too many, too large, cut off, or whose answers nobody reads.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dagda_proto::v1;
use dagda_tests::cli::code;
use dagda_tests::manifest::{Pod, documents};
use dagda_tests::random::Random;
use dagda_tests::vitals::Vitals;
use dagda_tests::wire::frames::Kind;
use dagda_tests::wire::{flood, frames};
use dagda_tests::{PATIENCE, TestHost, wire};
use tonic::Code;

use crate::{APPLY, CALLS, SOME_MEMORY, WATCH, at_rest, is_at_rest_again, pid, status_is_answered};

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
