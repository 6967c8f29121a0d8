//! What lies beside the state file is damaged, or all of it goes away while dagdad runs.

use std::fs;

use dagda_tests::cli::code;
use dagda_tests::manifest::Pod;

use crate::fault::{Fault, Notes};
use crate::inhabited::Inhabited;
use crate::prober::Prober;

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "lock-garbage",
            done: "rubbish is written into the lock file, before a start and while dagdad runs; \
                   a directory lies in its place",
            go: lock,
        },
        Fault {
            name: "state-gone",
            done: "rm -r of the state directory while dagdad runs",
            go: gone,
        },
    ]
}

const RUBBISH: &[u8] = b"\x00\x1b[31m\xff\xfe not a process id\n\n\x07";

fn lock(notes: &mut Notes) {
    let mut inhabited = Inhabited::plain();
    let host = &mut inhabited.host;
    let lock = host.configuration.state.join("dagdad.lock");
    host.stop();
    fs::write(&lock, RUBBISH).expect("write the lock file");
    notes.must(
        "rubbish in the lock file keeps nobody from starting",
        || host.start(),
    );
    fs::write(&lock, RUBBISH).expect("write the lock file");
    notes.must(
        "a second dagdad is refused all the same, in clean words",
        || {
            let ended = host.spawn_daemon().expect_err("the state is held");
            assert_eq!(ended.status.code(), Some(1));
            assert!(ended.log.contains("is held by"), "{}", ended.log);
            assert!(
                !ended.log.contains(['\u{1b}', '\u{7}', '\0']),
                "{:?}",
                ended.log
            );
        },
    );
    host.stop();
    fs::remove_file(&lock).expect("remove the lock file");
    fs::create_dir(&lock).expect("make a directory");
    notes.must("a directory in its place is named, exit code 1", || {
        let ended = host.try_start().expect_err("it cannot be locked");
        assert_eq!(ended.status.code(), Some(1));
        let state = host.configuration.state.display().to_string();
        assert!(ended.log.contains(&state), "{}", ended.log);
    });
    fs::remove_dir(&lock).expect("remove the directory");
    host.start();
    inhabited.must_be_well(notes);
}

fn gone(notes: &mut Notes) {
    let mut inhabited = Inhabited::plain();
    let prober = Prober::start(&inhabited.host.configuration.socket);
    let host = &mut inhabited.host;
    let state = host.configuration.state.clone();
    fs::remove_dir_all(&state).expect("remove the state directory");
    notes.must(
        "what would be lost is refused with words that name the file",
        || {
            let new = Pod::waiting("new").to_string();
            let name = state.display().to_string();
            host.run_with_input(["apply", "-f", "-"], &new)
                .failed_saying(code::FAILED, [name.as_str(), "restart dagdad"]);
            host.run(["pods", "start", "spare"])
                .failed_saying(code::FAILED, ["nothing was done", name.as_str()]);
        },
    );
    Inhabited::must_have_answered(notes, &prober.end());
    notes.must("the essential pod was not touched: same process", || {
        inhabited.assert_essential_untouched();
    });
    inhabited.must_end(notes);
}
