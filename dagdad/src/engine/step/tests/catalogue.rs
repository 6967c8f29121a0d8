//! `apply`.

use super::*;
use crate::domain::catalogue::{Change, Entries};

fn apply(bench: &mut Bench, ticket: u64, pods: &[&CataloguePod]) -> Vec<Effect> {
    let pods = pods.iter().map(|&pod| pod.clone()).collect();
    bench.tell(Event::Command {
        ticket: Ticket(ticket),
        command: Command::Apply {
            entries: Entries {
                pods,
                ..Entries::default()
            },
            dry_run: false,
        },
    })
}

fn stored(bench: &mut Bench, ticket: u64, result: Result<(), StoreError>) -> Vec<Effect> {
    let ticket = Ticket(ticket);
    bench.tell(Event::ChangeStored { ticket, result })
}

fn answers(effects: &[Effect]) -> Vec<(u64, Vec<Change>)> {
    let answers = effects.iter().filter_map(|effect| match effect {
        Effect::Answer {
            ticket,
            reply: Reply::Applied(applied),
        } => Some((
            ticket.0,
            applied.iter().map(|object| object.change).collect(),
        )),
        Effect::Answer { ticket, .. } => Some((ticket.0, Vec::new())),
        _ => None,
    });
    answers.collect()
}

#[test]
fn nothing_is_true_before_it_is_stored() {
    let (a, b) = (always("a"), always("b"));
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let effects = apply(&mut bench, 1, &[&changed(&a), &b]);
    assert!(answers(&effects).is_empty());
    assert!(bench.state.snapshot(bench.now).pod("b").is_none());
    let effects = stored(&mut bench, 1, Ok(()));
    assert_eq!(
        answers(&effects),
        [(1, vec![Change::Changed, Change::Created])]
    );
    assert_eq!(bench.status("b"), PodStatus::Stopped);
}

#[test]
fn a_refused_change_changes_nothing() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    apply(&mut bench, 1, &[&changed(&a), &always("b")]);
    let effects = stored(&mut bench, 1, Err(store_error()));
    assert_eq!(answers(&effects), [(1, Vec::new())], "refused");
    assert!(bench.state.snapshot(bench.now).pod("b").is_none());
    assert_eq!(bench.state.pods["a"].entry.manifest, a.manifest);
}

#[test]
fn every_apply_in_line_is_answered() {
    let (a, b) = (always("a"), always("b"));
    let mut bench = Bench::with(&[]);
    apply(&mut bench, 1, &[&a]);
    apply(&mut bench, 2, &[&a]);
    apply(&mut bench, 3, &[&b]);
    let effects = stored(&mut bench, 1, Ok(()));
    assert_eq!(
        answers(&effects),
        [(1, vec![Change::Created]), (2, vec![Change::Unchanged])]
    );
    let effects = stored(&mut bench, 3, Ok(()));
    assert_eq!(answers(&effects), [(3, vec![Change::Created])]);
}

#[test]
fn no_row_undoes_a_change_that_is_being_stored() {
    let a = always("a");
    let mut bench = Bench::with_running(std::slice::from_ref(&a), &["a"]);
    let new = changed(&a);
    let (id, _) = bench.stop("a");
    apply(&mut bench, 1, &[&new]);
    let effects = bench.result(id, EffectResult::Stopped(Ok(())));
    assert!(ending(&effects, id).is_some());
    assert_eq!(
        written(&effects, "a"),
        None,
        "it would carry the old manifest"
    );
    let effects = stored(&mut bench, 1, Ok(()));
    let row = written(&effects, "a").unwrap();
    assert_eq!(
        (row.status, row.manifest),
        (PodStatus::Stopped, new.manifest)
    );
}

#[test]
fn what_is_removed_while_its_change_is_stored_stays_removed() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.accepted(remove("a", false));
    apply(&mut bench, 1, &[&changed(&a)]);
    bench.result(id, EffectResult::Removed(Ok(())));
    stored(&mut bench, 1, Ok(()));
    assert!(bench.state.snapshot(bench.now).pod("a").is_none());
}

#[test]
fn a_changed_manifest_shows_until_the_restart() {
    let a = always("a");
    let mut bench = Bench::with(std::slice::from_ref(&a));
    let (id, _) = bench.start("a");
    bench.reach_awaiting(id, &a);
    bench.runs("a");
    bench.list();
    let new = changed(&a);
    apply(&mut bench, 1, &[&new]);
    stored(&mut bench, 1, Ok(()));
    assert!(bench.state.snapshot(bench.now).pod("a").unwrap().changed);
    let (id, _) = bench.accepted(restart("a"));
    bench.result(id, EffectResult::Stopped(Ok(())));
    bench.reach_awaiting(id, &new);
    bench.runs("a");
    bench.list();
    assert!(!bench.state.snapshot(bench.now).pod("a").unwrap().changed);
}
