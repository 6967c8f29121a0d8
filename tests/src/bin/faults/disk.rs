//! The disk with the state directory is full.

use std::path::PathBuf;

use dagda_tests::cli::code;
use dagda_tests::manifest::Pod;
use dagda_tests::mount::PrivateMount;

use crate::fault::{Fault, Notes, milliseconds};
use crate::inhabited::Inhabited;
use crate::prober::Prober;

pub fn faults() -> Vec<Fault> {
    vec![Fault {
        name: "disk-full",
        done: "the 8 MiB disk with the state directory is filled to the last byte; a pod dies \
               and is started by hand meanwhile; then there is room again",
        go: full,
    }]
}

fn full(notes: &mut Notes) {
    let mut host = Inhabited::builder().without_daemon();
    let mut command = host.configuration.command();
    host.podman.configure(&mut command);
    let mount = PrivateMount::tmpfs(&host.configuration.state, "size=8m");
    host.start_with(mount.wrap(&command));
    let mut inhabited = Inhabited::of(host, None);
    let host = &mut inhabited.host;
    host.run(["pods", "start", "spare"]).done();
    let pid = host.daemon().pid();
    let prober = Prober::start(&host.configuration.socket);
    mount.fill(pid);

    notes.must(
        "what has to be kept is refused with words: apply, start, stop",
        || {
            let new = Pod::waiting("new").to_string();
            host.run_with_input(["apply", "-f", "-"], &new)
                .failed_saying(code::FAILED, ["full"]);
            host.run(["pods", "start", "extra"])
                .failed_saying(code::FAILED, ["nothing was done", "full"]);
            host.run(["pods", "stop", "spare"])
                .failed_saying(code::FAILED, ["nothing was done", "full"]);
            assert!(host.podman.running().contains(&"spare".to_owned()));
        },
    );
    notes.must("what happens is seen and told all the same", || {
        host.podman.run(["pod", "stop", "spare"]);
        host.await_state("spare", dagda_proto::v1::PodState::Stopped);
        host.run(["events"]).done();
        host.run(["alerts", "list"]).done();
    });
    mount.empty(pid);
    let begin = std::time::Instant::now();
    notes.must(
        "what was seen meanwhile is written once there is room",
        || {
            host.await_event("the pod's end", |event| {
                event.kind == "pod_stopped" && event.object.as_deref() == Some("spare")
            });
            // A command is written after all that was kept.
            host.run(["pods", "start", "spare"]).done();
        },
    );
    notes.saw(
        "a command was taken again after",
        milliseconds(begin.elapsed()),
    );
    Inhabited::must_have_answered(notes, &prober.end());
    // Nobody but the daemon sees its disk; what it holds is looked at in a copy.
    let state = inhabited.host.configuration.state.display().to_string();
    let state = PathBuf::from(format!("/proc/{}/root{state}", pid.as_raw_nonzero()));
    let copy = inhabited.host.scratch.join("copy");
    std::fs::create_dir(&copy).expect("make a directory");
    inhabited.host.daemon().freeze();
    for file in ["dagda.db", "dagda.db-wal"] {
        std::fs::copy(state.join(file), copy.join(file)).expect("copy the state");
    }
    inhabited.host.daemon().thaw();
    inhabited.host.configuration.state = copy;
    inhabited.must_be_settled(notes);
    inhabited.must_end(notes);
}
