//! Connections that are too many, or of no use.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use dagda_proto::v1;
use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::vitals::Vitals;
use dagda_tests::wire::{flood, frames};
use rustix::process::{Pid, Signal, kill_process};

use crate::{CONNECTIONS, WATCH, at_rest, is_at_rest_again, pid, status_is_answered};

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
