//! SIGSTOP of each part in turn: it is there, takes connections, and never answers.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use dagda_tests::cli::{self, code};

use crate::fault::{Fault, Notes, milliseconds};
use crate::inhabited::Inhabited;
use crate::prober::Prober;

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "stopped-dagdad",
            done: "SIGSTOP of dagdad for 8 s, with a start under way; then SIGCONT",
            go: dagdad,
        },
        Fault {
            name: "stopped-podman",
            done: "SIGSTOP of Podman's service for 12 s, with a start and a stop asked for; \
                   then SIGCONT",
            go: podman,
        },
        Fault {
            name: "stopped-mariadb",
            done: "SIGSTOP of MariaDB; pods start and stop, dagdad is ended and started; then \
                   SIGCONT",
            go: mariadb,
        },
        Fault {
            name: "deaf-manager",
            done: "the service manager reads nothing of what dagdad tells it, until no more fits",
            go: manager,
        },
    ]
}

fn dagdad(notes: &mut Notes) {
    const STOPPED: Duration = Duration::from_secs(8);
    let mut inhabited = Inhabited::mirrored();
    let host = &mut inhabited.host;
    let mut start = host.spawn(["pods", "start", "spare"]);
    host.await_pods("the start is under way", |pods| {
        pods.iter()
            .any(|pod| pod.name == "spare" && pod.state() != dagda_proto::v1::PodState::Stopped)
    });
    host.daemon().freeze();
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    notes.must(
        "a client's patience ends in time, exit code 7, and it is told why",
        || {
            for arguments in [
                &["status"][..],
                &["pods", "stop", "web"],
                &["alerts", "list"],
            ] {
                let begin = Instant::now();
                let mut command = host.dagdactl();
                let output = cli::run(command.args(["--timeout", "2s"]).args(arguments), None);
                longest = longest.max(begin.elapsed());
                output.failed_saying(code::TIMED_OUT, ["2s"]);
            }
            assert!(longest < Duration::from_secs(3), "{longest:?}");
        },
    );
    notes.saw(
        "a client with 2 s of patience waited at most",
        milliseconds(longest),
    );
    // As long as was said; nothing happens meanwhile.
    std::thread::sleep(STOPPED.saturating_sub(begin.elapsed()));
    host.daemon().thaw();
    let begin = Instant::now();
    notes.must("what was under way goes on to its end", || {
        let status = start.wait().expect("the start ends");
        assert!(status.success(), "{status}");
        host.run(["status"]).done();
    });
    notes.saw("the start ended after", milliseconds(begin.elapsed()));
    inhabited.must_be_well(notes);
}

fn podman(notes: &mut Notes) {
    const STOPPED: Duration = Duration::from_secs(12);
    let mut inhabited = Inhabited::plain();
    let prober = Prober::start(&inhabited.host.configuration.socket);
    inhabited.host.podman.freeze_service();
    let begin = Instant::now();
    let host = &inhabited.host;
    let mut longest = Duration::ZERO;
    notes.must(
        "a command's caller is let go in time, exit code 7, with words",
        || {
            for (verb, pod) in [("start", "spare"), ("stop", "web")] {
                let begin = Instant::now();
                let mut command = host.dagdactl();
                let output = cli::run(command.args(["--timeout", "2s", "pods", verb, pod]), None);
                longest = longest.max(begin.elapsed());
                output.failed_saying(code::TIMED_OUT, [pod]);
            }
            assert!(longest < Duration::from_secs(3), "{longest:?}");
        },
    );
    notes.saw(
        "a caller with 2 s of patience waited at most",
        milliseconds(longest),
    );
    notes.must(
        "the catalogue, alerts, events and plans are read meanwhile",
        || {
            for arguments in [
                &["pods", "list"][..],
                &["alerts", "list"],
                &["events"],
                &["resources"],
                &["workflow", "plan", "site"],
                &["economy", "status"],
            ] {
                let mut command = host.dagdactl();
                cli::run(command.args(["--timeout", "2s"]).args(arguments), None).done();
            }
        },
    );
    std::thread::sleep(STOPPED.saturating_sub(begin.elapsed()));
    inhabited.host.podman.thaw_service();
    let begin = Instant::now();
    inhabited.await_podman(true);
    notes.saw(
        "Podman known to be back after",
        milliseconds(begin.elapsed()),
    );
    Inhabited::must_have_answered(notes, &prober.end());
    inhabited.must_be_well(notes);
}

fn mariadb(notes: &mut Notes) {
    let mut inhabited = Inhabited::mirrored();
    let prober = Prober::start(&inhabited.host.configuration.socket);
    inhabited.mariadb().freeze();
    notes.must("commands are carried out meanwhile", || {
        for verb in ["start", "stop"] {
            let mut command = inhabited.host.dagdactl();
            cli::run(
                command.args(["--timeout", "10s", "pods", verb, "spare"]),
                None,
            )
            .done();
        }
    });
    Inhabited::must_have_answered(notes, &prober.end());
    notes.must(
        "dagdad ends within 5 s of SIGTERM, and starts, without it",
        || {
            inhabited.host.stop();
            inhabited.host.start();
        },
    );
    inhabited.mariadb().thaw();
    let begin = Instant::now();
    inhabited.await_mariadb("connected");
    notes.saw("connected again after", milliseconds(begin.elapsed()));
    inhabited.must_be_well(notes);
}

fn manager(notes: &mut Notes) {
    let mut inhabited = Inhabited::plain();
    let prober = Prober::start(&inhabited.host.configuration.socket);
    let full = UnixDatagram::unbound().expect("make a socket");
    full.set_nonblocking(true).expect("wait for nobody");
    let heard = inhabited.host.scratch.join("dagdad.notify");
    while full.send_to(b"WATCHDOG=1", &heard).is_ok() {}
    inhabited.must_take_commands(notes);
    Inhabited::must_have_answered(notes, &prober.end());
    inhabited.must_be_settled(notes);
    let begin = Instant::now();
    notes.must("SIGTERM ends dagdad within 5 s, with exit code 0", || {
        let ended = inhabited
            .host
            .daemon()
            .terminate_unheard(Duration::from_secs(5));
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    });
    notes.saw("it ended after", milliseconds(begin.elapsed()));
}
