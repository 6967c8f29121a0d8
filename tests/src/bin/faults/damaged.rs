//! The state file is damaged while dagdad does not run.

use dagda_tests::manifest::{Pod, Workflow};
use dagda_tests::random::Random;

use crate::fault::{Fault, Notes};
use crate::inhabited::Inhabited;
use crate::saved::{Contents, Saved, Tally, flip, flips};

pub fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "state-flipped",
            done: "one byte of the state file is changed at random, 60 times, each time in a \
                   fresh copy of a filled one; dagdad is started",
            go: flipped,
        },
        Fault {
            name: "state-truncated",
            done: "the state file is cut off: to nothing, within its head, at and within pages, \
                   by a byte; dagdad is started",
            go: truncated,
        },
    ]
}

/// A box that was ended in order, what was in it, and what it knew.
fn ended() -> (Inhabited, Saved, Contents) {
    let mut inhabited = Inhabited::plain();
    let host = &mut inhabited.host;
    host.apply(&Pod::script("bad", "exit 7").restart_policy("Never"));
    let _ = host.run(["pods", "start", "bad"]);
    host.run(["pods", "start", "spare"]).done();
    host.run(["workflow", "run", "site"]).done();
    for number in 0..20 {
        let workflow = Workflow::of(&format!("many-{number}"), &["web", "spare"]);
        let description = "Text that takes room. ".repeat(20);
        host.apply(&workflow.description(&description));
    }
    host.restart();
    let contents = Contents::of(host, true);
    host.stop();
    let saved = Saved::of(host);
    assert!(
        saved.log.is_empty(),
        "a daemon that ends in order leaves one file"
    );
    (inhabited, saved, contents)
}

fn same(before: &Contents, now: &Contents) -> Result<(), String> {
    if before == now {
        Ok(())
    } else {
        Err(format!(
            "it started, and knows otherwise: {}",
            difference(before, now)
        ))
    }
}

fn difference(before: &Contents, now: &Contents) -> String {
    let sets = [
        (&before.pods, &now.pods),
        (&before.workflows, &now.workflows),
        (&before.runs, &now.runs),
        (&before.alerts, &now.alerts),
    ];
    let mut differing = sets.into_iter().filter(|(before, now)| before != now);
    match differing.next() {
        Some((before, now)) => {
            let lost: Vec<_> = before.difference(now).collect();
            let new: Vec<_> = now.difference(before).collect();
            format!("gone {lost:?}, new {new:?}")
        }
        None => "a manifest reads otherwise".to_owned(),
    }
}

fn flipped(notes: &mut Notes) {
    let mut random: Random = notes.random();
    let (mut inhabited, saved, before) = ended();
    notes.saw("bytes of state", saved.database.len());
    let mut tally = Tally::default();
    for _ in 0..flips() {
        let mut database = saved.database.clone();
        let what = flip(&mut database, &mut random);
        let damaged = Saved {
            database,
            log: saved.log.clone(),
        };
        let ending = damaged.try_with(&mut inhabited.host, true);
        tally.count(&what, ending, |now| same(&before, now));
    }
    tally.note(
        notes,
        "each time: refused with exit code 1 and words, the file untouched; or started with \
         every pod, manifest, run and alert as before",
    );
    notes.must("the essential pod was not touched: same process", || {
        inhabited.assert_essential_untouched();
    });
}

fn truncated(notes: &mut Notes) {
    let (mut inhabited, saved, before) = ended();
    let whole = saved.database.len();
    let lengths = [
        0,
        1,
        16,
        99,
        100,
        1000,
        4096,
        5000,
        whole / 2,
        whole - 4096,
        whole - 1,
    ];
    let mut tally = Tally::default();
    for length in lengths {
        let damaged = Saved {
            database: saved.database[..length].to_vec(),
            log: saved.log.clone(),
        };
        let ending = damaged.try_with(&mut inhabited.host, true);
        let what = format!("{length} of {whole} bytes");
        tally.count(&what, ending, |now| same(&before, now));
    }
    tally.note(
        notes,
        "each time: refused with exit code 1 and words, the file untouched, never begun \
         anew; or nothing was missing (the last byte of a page may be empty)",
    );
}
