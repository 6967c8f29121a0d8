//! Callers that are too many, too quick, or no callers at all.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use dagda_tests::vitals::Vitals;
use dagda_tests::wire::{flood, frames, fuzz};
use dagda_tests::{PATIENCE, TestHost};

use crate::fault::{Fault, Notes, milliseconds};
use crate::inhabited::Inhabited;
use crate::prober::Prober;

/// How many connections say nothing.
const IDLE: usize = 1000;
/// How many times the status is asked for, on so many connections, so many at a time on each.
const CALLS: usize = 50_000;
const CONNECTIONS: usize = 16;
const EACH: usize = 4;
/// How long rubbish is talked.
const FUZZING: Duration = Duration::from_secs(10);
/// dagdad allocates and frees: what it may have more of afterwards than before.
const SOME_MEMORY: u64 = 16 << 20;
/// Files that dagdad opens as it needs them, and keeps.
const SOME_FILES: usize = 16;

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "idle-connections",
            done: "1,000 connections are opened and say nothing, or no more than what comes \
                   first; then they are let go",
            go: idle,
        },
        Fault {
            name: "request-flood",
            done: "50,000 status requests as fast as they go, on 16 connections, 4 at a time on \
                   each",
            go: requests,
        },
        Fault {
            name: "malformed-frames",
            done: "for 10 s, connections that talk HTTP/2 with random faults in it",
            go: malformed,
        },
    ]
}

fn idle(notes: &mut Notes) {
    let mut inhabited = Inhabited::plain();
    let before = at_rest(&mut inhabited.host);
    let prober = Prober::start(&inhabited.host.configuration.socket);
    let idle = flood::idle_connections(&inhabited.host.configuration.socket, IDLE);
    notes.must("other callers are let in and answered", || {
        inhabited.host.run(["pods", "list"]).done();
        inhabited.host.run(["pods", "start", "spare"]).done();
    });
    let pid = inhabited.host.daemon().pid();
    notes.saw("with them", Shown(Vitals::of(pid)));
    notes.must("connections that make no call are closed", || {
        for mut stream in idle {
            frames::until_closed(&mut stream);
        }
    });
    Inhabited::must_have_answered(notes, &prober.end());
    must_be_at_rest(&mut inhabited.host, before, notes);
    inhabited.must_be_well(notes);
}

fn requests(notes: &mut Notes) {
    let mut inhabited = Inhabited::plain();
    let before = at_rest(&mut inhabited.host);
    let prober = Prober::start(&inhabited.host.configuration.socket);
    let begin = Instant::now();
    let host = &inhabited.host;
    let calls = flood::status_calls(&host.configuration.socket, CALLS, CONNECTIONS, EACH);
    let tally = host.block_on(calls);
    let took = begin.elapsed();
    notes.must(
        "each is answered, or refused in order; no connection breaks",
        || {
            assert_eq!(tally.answered + tally.refused, CALLS, "{tally:?}");
            assert_eq!(tally.broken, 0, "{tally:?}");
        },
    );
    notes.saw("answered", tally.answered);
    notes.saw("refused", tally.refused);
    notes.saw("took", milliseconds(took));
    notes.saw("a second", (CALLS as f64 / took.as_secs_f64()).round());
    let answers = prober.end();
    notes.saw("somebody else's status, p99", milliseconds(answers.p99()));
    Inhabited::must_have_answered(notes, &answers);
    must_be_at_rest(&mut inhabited.host, before, notes);
    inhabited.must_be_well(notes);
}

fn malformed(notes: &mut Notes) {
    let mut inhabited = Inhabited::plain();
    let before = at_rest(&mut inhabited.host);
    let mut random = notes.random();
    let prober = Prober::start(&inhabited.host.configuration.socket);
    let fuzzed = fuzz::malformed(&inhabited.host.configuration.socket, &mut random, FUZZING);
    notes.saw("connections", fuzzed.attempts);
    notes.saw("of which answered", fuzzed.answered);
    notes.must("dagdad goes on, and nothing in it panicked", || {
        let log = inhabited.host.daemon().log();
        assert!(!log.contains("panicked"), "{log}");
    });
    Inhabited::must_have_answered(notes, &prober.end());
    must_be_at_rest(&mut inhabited.host, before, notes);
    inhabited.must_be_well(notes);
}

/// What dagdad holds while one client watches it.
fn at_rest(host: &mut TestHost) -> Vitals {
    let pid = host.daemon().pid();
    let mut looks = 0;
    let mut seen = None;
    host.await_status("it was looked at", |_| {
        // At the second look the caches are warm and earlier connections closed.
        looks += 1;
        seen = Some(Vitals::of(pid));
        looks == 2
    });
    seen.expect("it was looked at")
}

fn must_be_at_rest(host: &mut TestHost, before: Vitals, notes: &mut Notes) {
    let pid = host.daemon().pid();
    let mut now = before;
    notes.must(
        "its connections, files and memory are back where they were",
        || {
            let until = Instant::now() + PATIENCE;
            host.await_status("all connections are closed", |_| {
                now = Vitals::of(pid);
                now.sockets <= before.sockets || Instant::now() > until
            });
            assert!(now.sockets <= before.sockets, "{before:?}, now {now:?}");
            let files = before.descriptors + SOME_FILES;
            assert!(now.descriptors <= files, "{before:?}, now {now:?}");
            let growth = now.resident.saturating_sub(before.resident);
            assert!(growth < SOME_MEMORY, "{before:?}, now {now:?}");
        },
    );
    notes.saw("before", Shown(before));
    notes.saw("after", Shown(now));
}

/// Memory and files, as people read them.
pub struct Shown(pub Vitals);

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mebibytes = self.0.resident as f64 / f64::from(1 << 20);
        write!(f, "{mebibytes:.1} MiB, {} fd", self.0.descriptors)
    }
}
