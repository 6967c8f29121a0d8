//! What a caller can make dagdad hold has a limit, and nothing lasts: clients that say nothing,
//! send rubbish, ask for too much, do not read or die in the middle.

#![allow(
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails, there and then"
)]

mod connections;
mod requests;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dagda_tests::TestHost;
use dagda_tests::random::Random;
use dagda_tests::vitals::Vitals;
use dagda_tests::wire::frames::Kind;
use dagda_tests::wire::{flood, frames, fuzz};
use rustix::process::Pid;

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
