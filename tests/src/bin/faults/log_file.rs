//! The write-ahead log of the state file is damaged after a kill -9.

use dagda_tests::TestHost;
use dagda_tests::manifest::Pod;

use crate::fault::{Fault, Notes};
use crate::saved::{Contents, Saved, Tally, flip, flips};

/// Pods that were applied one after another, each acknowledged before the next.
const PODS: usize = 30;
/// So many at the end are not sure to have others behind them that prove that they were there.
const LAST: usize = 3;

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "log-flipped",
            done: "dagdad is killed; one byte of the state file's write-ahead log is changed at \
                   random, 60 times in a fresh copy; dagdad is started",
            go: flipped,
        },
        Fault {
            name: "log-truncated",
            done: "dagdad is killed; the write-ahead log is cut off at ten lengths; dagdad is \
                   started",
            go: truncated,
        },
    ]
}

fn name(number: usize) -> String {
    format!("p{number:02}")
}

fn killed() -> (TestHost, Saved) {
    let mut host = TestHost::ready();
    // What is in the log, and not yet in the database, is to be what is tried.
    host.restart();
    for number in 0..PODS {
        host.apply(&Pod::waiting(&name(number)));
    }
    host.kill9();
    let saved = Saved::of(&host);
    assert!(!saved.log.is_empty(), "a killed daemon leaves a log");
    (host, saved)
}

/// Of the pods, those that were applied first, at least `least` of them, and no others.
fn first(contents: &Contents, least: usize) -> Result<(), String> {
    let count = contents.pods.len();
    let named = |(number, pod): (usize, &String)| pod.contains(&name(number));
    if count < least {
        return Err(format!(
            "it started with {count} of {PODS} pods that were acknowledged"
        ));
    }
    if contents.pods.iter().enumerate().all(named) {
        Ok(())
    } else {
        Err(format!("not the first {count} pods: {:?}", contents.pods))
    }
}

fn flipped(notes: &mut Notes) {
    let mut random = notes.random();
    let (mut host, saved) = killed();
    notes.saw("bytes of log", saved.log.len());
    let mut tally = Tally::default();
    for _ in 0..flips() {
        let mut log = saved.log.clone();
        let what = flip(&mut log, &mut random);
        let damaged = Saved {
            database: saved.database.clone(),
            log,
        };
        let ending = damaged.try_with(&mut host, false);
        tally.count(&what, ending, |now| first(now, PODS - LAST));
    }
    tally.note(
        notes,
        "each time: refused with exit code 1 and words, both files untouched; or started with \
         every change that was acknowledged (the very last may be taken for one that a power \
         cut tore)",
    );
}

fn truncated(notes: &mut Notes) {
    let mut random = notes.random();
    let (mut host, saved) = killed();
    let whole = saved.log.len();
    let mut lengths = vec![0, 16, 32, whole - 1];
    lengths.extend((0..6).map(|_| usize::try_from(random.below(whole as u64)).expect("a length")));
    let mut tally = Tally::default();
    for length in lengths {
        let damaged = Saved {
            database: saved.database.clone(),
            log: saved.log[..length].to_vec(),
        };
        let ending = damaged.try_with(&mut host, false);
        tally.count(&format!("{length} of {whole} bytes"), ending, |now| {
            first(now, 0)
        });
    }
    tally.note(
        notes,
        "each time: as it was at some moment, whole changes only, none out of order",
    );
}
