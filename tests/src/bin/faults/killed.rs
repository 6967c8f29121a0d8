//! `kill -9` of each part in turn.

use std::time::Duration;

use dagda_tests::vitals::Vitals;

use crate::crowd::Shown;
use crate::fault::{Fault, Notes, milliseconds};
use crate::inhabited::{Inhabited, start_again};
use crate::prober::Prober;

const MOMENTS: u32 = 5;
/// From a command to its end, and a little more.
const MOMENT: u64 = 1200;

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "killed-dagdad",
            done: "kill -9 of dagdad at five random moments while pods start and stop, a \
                   workflow runs and an alert fires; started again each time",
            go: dagdad,
        },
        Fault {
            name: "killed-podman",
            done: "kill -9 of Podman's service three times in the midst of starts and stops; \
                   started again each time",
            go: podman,
        },
        Fault {
            name: "killed-mariadb",
            done: "kill -9 of MariaDB while rows are written to it; pods start and stop while \
                   it is away; started again",
            go: mariadb,
        },
    ]
}

fn dagdad(notes: &mut Notes) {
    let mut random = notes.random();
    let mut inhabited = Inhabited::mirrored();
    let mut longest = Duration::ZERO;
    for moment in 0..MOMENTS {
        let host = &mut inhabited.host;
        let [up, down] = if moment.is_multiple_of(2) {
            ["start", "stop"]
        } else {
            ["stop", "start"]
        };
        let mut commands = [
            host.spawn(["pods", up, "spare"]),
            host.spawn(["pods", down, "extra"]),
        ];
        // A moment is what is to be random, not awaited.
        std::thread::sleep(Duration::from_millis(random.below(MOMENT)));
        host.kill9();
        for command in &mut commands {
            let _ = command.wait().expect("the command ends");
        }
        longest = longest.max(start_again(host));
        // Panics, and so ends the fault, where it does not hold.
        host.assert_settled_and_true();
    }
    notes.saw("longest time to be ready again", milliseconds(longest));
    inhabited.must_be_well(notes);
}

fn podman(notes: &mut Notes) {
    let mut random = notes.random();
    let mut inhabited = Inhabited::plain();
    let before = Shown(Vitals::of(inhabited.host.daemon().pid()));
    let prober = Prober::start(&inhabited.host.configuration.socket);
    for verbs in [["start", "stop"], ["stop", "start"], ["start", "stop"]] {
        let host = &mut inhabited.host;
        let mut commands = [
            host.spawn(["pods", verbs[0], "spare"]),
            host.spawn(["pods", verbs[1], "extra"]),
        ];
        std::thread::sleep(Duration::from_millis(random.below(MOMENT)));
        host.podman.kill_service();
        host.podman.start_service();
        notes.must(
            "a command that was under way ends: done, or failed with words",
            || {
                for command in &mut commands {
                    let status = command.wait().expect("the command ends");
                    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
                }
            },
        );
        inhabited.await_podman(true);
    }
    Inhabited::must_have_answered(notes, &prober.end());
    let after = Shown(Vitals::of(inhabited.host.daemon().pid()));
    notes.saw("before", before);
    notes.saw("after", after);
    inhabited.must_be_well(notes);
}

fn mariadb(notes: &mut Notes) {
    let mut inhabited = Inhabited::mirrored();
    let prober = Prober::start(&inhabited.host.configuration.socket);
    inhabited.host.run(["pods", "start", "spare"]).done();
    inhabited.mariadb().kill9();
    inhabited.await_mariadb("disconnected");
    notes.must("commands are carried out without it", || {
        let host = &inhabited.host;
        host.run(["pods", "stop", "spare"]).done();
        host.run(["workflow", "stop", "site"]).done();
        host.run(["workflow", "run", "site"]).done();
    });
    let waiting = inhabited.host.await_status("rows wait", |status| {
        status.store.as_ref().is_some_and(|store| store.outbox > 0)
    });
    let waiting = waiting.store.map_or(0, |store| store.outbox);
    notes.saw("rows that waited", waiting);
    inhabited.mariadb().resume();
    let begin = std::time::Instant::now();
    inhabited.await_mariadb("connected");
    notes.saw("connected again after", milliseconds(begin.elapsed()));
    Inhabited::must_have_answered(notes, &prober.end());
    inhabited.must_be_well(notes);
}
