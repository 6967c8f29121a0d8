//! The clock on the wall is set while dagdad runs; time goes on as ever.
//!
//! dagdad alone is shown another clock, by libfaketime: the machine's is left alone, and with it
//! Podman's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use dagda_proto::v1::{self, PodState};
use dagda_tests::manifest::{NEVER_READY, Pod};

use crate::fault::{Fault, Notes, milliseconds};
use crate::inhabited::Inhabited;
use crate::prober::Prober;

/// Longer than all that goes by samples, listings and the short rules of the box take.
const WATCHED: Duration = Duration::from_secs(8);
/// What Podman does must be seen as soon as ever.
const SEEN: Duration = Duration::from_secs(5);

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "clock-forward",
            done: "the clock is set forward by a day (libfaketime, CLOCK_REALTIME only) while a \
                   pod starts, one alert is pending, one fires, and economy mode holds back",
            go: forward,
        },
        Fault {
            name: "clock-back",
            done: "the clock is set back by an hour, all else the same",
            go: back,
        },
    ]
}

fn forward(notes: &mut Notes) {
    jump(notes, "+1d");
}

fn back(notes: &mut Notes) {
    jump(notes, "-1h");
}

fn jump(notes: &mut Notes, by: &str) {
    // Each is far longer than the box is watched, and far shorter than the jump.
    let rules = "[alerts.disk_high]\npercent = 0.5\nclear_percent = 0.4\nfor = '15m'\n\
                 [thresholds]\ncpu_percent = 1\n";
    let mut host = Inhabited::builder()
        .settings(rules)
        .economy("policy = 'auto'\nhold = '15m'\nhysteresis = 0.5")
        .without_daemon();
    let clock = host.scratch.write("clock", "+0");
    let mut command = host.configuration.command();
    host.podman.configure(&mut command);
    show_clock(&mut command, &clock);
    host.start_with(command);
    let mut inhabited = Inhabited::of(host, None);
    let host = &mut inhabited.host;
    host.run(["pods", "start", "spare"]).done();
    host.apply(&Pod::waiting("slow").readiness(NEVER_READY));
    drop(host.start_until_awaiting("slow"));

    let prober = Prober::start(&host.configuration.socket);
    let before = host.events();
    fs::write(&clock, by).expect("set the clock");
    // Nothing is awaited but that nothing happens.
    std::thread::sleep(WATCHED);
    notes.must(
        "dagdad goes by the new clock, and says that it was set",
        || {
            let status = host.run(["--json", "status"]).done().json();
            assert!(status["host"].is_object(), "{status}");
            let log = host.daemon().log();
            assert!(log.contains("the clock was set by"), "{log}");
        },
    );
    notes.must(
        "the start that was under way goes on: neither timed out nor failed",
        || {
            let detail = host.detail("slow");
            assert!(detail.operation.is_some(), "{detail:?}");
        },
    );
    notes.must("no pending alert is raised by the jump", || {
        let raised = host.alerts_of("disk_high");
        assert!(raised.is_empty(), "{raised:?}");
    });
    notes.must(
        "economy mode, which was holding, does not begin by the jump",
        || {
            let economy = host.economy();
            assert!(!economy.active, "{economy:?}");
        },
    );
    host.podman.run(["pod", "stop", "--time", "0", "spare"]);
    let begin = Instant::now();
    notes.must("what is done in Podman is seen within 5 s", || {
        // Stopped or failed: Podman's clock, which was not set, dates its end.
        let is_down = |pod: &v1::Pod| pod.state() != PodState::Running;
        host.await_pod("spare", "spare is down", is_down);
        assert!(begin.elapsed() < SEEN, "after {:?}", begin.elapsed());
    });
    notes.saw(
        "a stop in Podman was seen after",
        milliseconds(begin.elapsed()),
    );
    notes.must("a caller of a start or a stop is answered at once", || {
        let begin = Instant::now();
        host.run(["pods", "stop", "slow"]).done();
        host.run(["pods", "remove", "slow"]).done();
        host.run(["pods", "start", "spare"]).done();
        assert!(begin.elapsed() < 3 * SEEN, "after {:?}", begin.elapsed());
    });
    notes.must(
        "each event is told once, and their ids go on rising over the jump",
        || {
            let ids = |events: Vec<v1::Event>| events.into_iter().map(|event| event.id);
            let before: BTreeSet<String> = ids(before).collect();
            let told: Vec<String> = ids(host.events()).collect();
            let after: BTreeSet<String> = told.iter().cloned().collect();
            assert_eq!(after.len(), told.len(), "one is told twice");
            assert!(before.is_subset(&after), "one is gone");
            let new: Vec<&String> = after.difference(&before).collect();
            assert!(new.len() > 5, "{new:?}");
            assert!(new.first().copied() > before.last(), "{new:?}");
        },
    );
    notes.must("history of the last minutes is shown", || {
        host.run(["resources", "--since", "5m"]).done();
    });
    Inhabited::must_have_answered(notes, &prober.end());
    notes.must("nothing panicked", || {
        let log = host.daemon().log();
        assert!(!log.contains("panicked"), "{log}");
    });
    inhabited.must_be_well(notes);
}

/// Lets a daemon see what the file at `clock` says, such as `+1d`. Only CLOCK_REALTIME: timers go
/// by the monotonic clock, which nobody sets.
fn show_clock(command: &mut Command, clock: &Path) {
    let library = Path::new("/usr/lib")
        .read_dir()
        .expect("read /usr/lib")
        .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|path| path.exists())
        .expect("libfaketime is not installed; `make faults` installs it");
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
}
