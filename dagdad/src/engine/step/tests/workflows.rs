//! Workflows in the catalogue, and what callers ask for of them.

use rstest::rstest;

use super::runs::{diamond, run, stop_workflow};
use super::world::sized;
use super::*;
use crate::domain::catalogue::{Change, Digest, Entries};
use crate::domain::run::RunState;
use crate::domain::workflow::OnFailure;

fn apply(bench: &mut Bench, pods: &[CataloguePod], workflows: &[CatalogueWorkflow]) -> Reply {
    bench.tickets += 1;
    let ticket = Ticket(bench.tickets);
    let entries = Entries {
        pods: pods.to_vec(),
        workflows: workflows.to_vec(),
    };
    let effects = bench.go(Event::Command {
        ticket,
        command: Command::Apply {
            entries,
            dry_run: false,
        },
    });
    let answers = effects.iter().find_map(|effect| match effect {
        Effect::Answer { ticket: to, reply } if *to == ticket => Some(reply.clone()),
        _ => None,
    });
    answers.expect("an answer")
}

fn refusal(reply: &Reply) -> String {
    match reply {
        Reply::Refused(error) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn after(name: &str, before: &[&str]) -> CataloguePod {
    let mut entry = changed(&sized(always(name), 100));
    entry.spec.after = before.iter().map(|pod| pod.parse().unwrap()).collect();
    entry
}

fn remove_workflow(workflow: &str) -> Command {
    Command::RemoveWorkflow {
        workflow: workflow.to_owned(),
    }
}

#[test]
fn an_unknown_workflow_is_refused_with_the_nearest_name() {
    let pods = [always("a")];
    let mut bench = Bench::with_workflows(&pods, &[workflow("nightly", &[("a", &[])])], &[]);
    for command in [
        run("nihgtly"),
        stop_workflow("nihgtly"),
        remove_workflow("nihgtly"),
    ] {
        let (reply, _) = bench.command(command);
        let Reply::Refused(CommandError::NoSuchWorkflow { nearest, .. }) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(nearest.unwrap().as_str(), "nightly");
    }
}

#[test]
fn a_run_is_refused_while_podman_does_not_answer() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.signal(RuntimeSignal::Disconnected {
        reason: "gone".to_owned(),
    });
    let (reply, _) = bench.command(run("w"));
    assert!(matches!(
        reply,
        Reply::Refused(CommandError::RuntimeDown { .. })
    ));
}

#[test]
fn a_run_whose_pod_has_left_the_catalogue_is_refused() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.order(remove("d", false));
    let (reply, _) = bench.command(run("w"));
    assert!(matches!(
        reply,
        Reply::Refused(CommandError::MissingPod { .. })
    ));
}

#[test]
fn a_run_whose_port_is_taken_is_refused() {
    let pods = [publishing("a", 80), publishing("b", 80)];
    let mut bench = Bench::with_workflows(&pods, &[workflow("w", &[("a", &[])])], &[]);
    bench.order(start_command("b"));
    let (reply, _) = bench.command(run("w"));
    assert!(matches!(
        reply,
        Reply::Refused(CommandError::PortTaken { .. })
    ));
}

#[test]
fn a_second_run_joins_the_first() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("play", "a");
    let (id, _) = bench.run_accepted(run("w"));
    assert_eq!(bench.run_accepted(run("w")).0, id);
    assert_eq!(bench.state.runs.len(), 1);
}

#[test]
fn a_second_run_of_one_that_runs_has_nothing_to_do() {
    let mut bench = diamond(OnFailure::Rollback);
    let (id, _) = bench.run_accepted(run("w"));
    let (reply, _) = bench.command(run("w"));
    let Reply::Done(done) = reply else {
        panic!("{reply:?}");
    };
    assert!(!done.changed);
    assert_eq!(done.message, format!("w is running already: run {id}"));
}

#[rstest]
#[case::rolling_back(true, "rolling_back")]
#[case::stopping(false, "stopping")]
fn a_second_run_is_refused_while_the_first_ends(#[case] rollback: bool, #[case] state: &str) {
    let mut bench = diamond(OnFailure::Rollback);
    bench.hold("stop", "b");
    if rollback {
        bench.has_fail("play", "d");
    }
    let (id, _) = bench.run_accepted(run("w"));
    if !rollback {
        bench.order(stop_workflow("w"));
    }
    let (reply, _) = bench.command(run("w"));
    let Reply::Refused(CommandError::RunActive { run, state: of, .. }) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!((run, of), (id, state));
}

#[test]
fn a_run_may_follow_one_that_has_ended() {
    let mut bench = diamond(OnFailure::Rollback);
    let (first, _) = bench.run_accepted(run("w"));
    bench.order(stop_workflow("w"));
    let (second, _) = bench.run_accepted(run("w"));
    assert_ne!(first, second);
    assert_eq!(bench.phase(second), RunState::Running);
}

#[test]
fn a_workflow_is_removed_unless_a_run_of_it_is_active() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.run_accepted(run("w"));
    let (reply, _) = bench.command(remove_workflow("w"));
    assert!(matches!(
        reply,
        Reply::Refused(CommandError::RunActive { .. })
    ));
    bench.order(stop_workflow("w"));
    bench.tickets += 1;
    let effects = bench.go(Event::Command {
        ticket: Ticket(bench.tickets),
        command: remove_workflow("w"),
    });
    let done = effects.iter().any(
        |effect| matches!(effect, Effect::Answer { reply: Reply::Done(done), .. } if done.changed),
    );
    assert!(done);
    assert!(bench.state.workflows.is_empty());
}

#[test]
fn a_workflow_that_is_removed_while_its_change_is_stored_stays_removed() {
    let mut bench = diamond(OnFailure::Rollback);
    let mut other = workflow("w", &[("a", &[])]);
    other.manifest.digest = Digest("w 1".to_owned());
    let effects = bench.tell(Event::Command {
        ticket: Ticket(98),
        command: Command::Apply {
            entries: Entries {
                workflows: vec![other],
                ..Entries::default()
            },
            dry_run: false,
        },
    });
    let removal = bench.tell(Event::Command {
        ticket: Ticket(99),
        command: remove_workflow("w"),
    });
    let mut all = bench.carry_out(effects);
    all.extend(bench.carry_out(removal));
    assert!(bench.state.workflows.is_empty());
    let removed = all.iter().position(|effect| {
        matches!(effect, Effect::Persist(Persist::Fact { records, .. })
            if records.iter().any(|record| matches!(record, Record::DeleteWorkflow(_))))
    });
    let put = all.iter().rposition(|effect| {
        matches!(effect, Effect::Persist(Persist::Fact { records, .. })
            if records.iter().any(|record| matches!(record, Record::PutWorkflow(_))))
    });
    assert!(removed.is_some());
    assert_eq!(put, None, "its row is not written again");
}

#[test]
fn a_workflow_and_its_pods_come_together() {
    let mut bench = Bench::with(&[]);
    let reply = apply(
        &mut bench,
        &[always("a"), always("b")],
        &[workflow("w", &[("b", &[]), ("a", &["b"])])],
    );
    let Reply::Applied(applied) = reply else {
        panic!("{reply:?}");
    };
    assert!(
        applied
            .iter()
            .all(|object| object.change == Change::Created)
    );
    let order: Vec<(&str, u32)> = bench.state.workflows["w"]
        .order
        .iter()
        .map(|member| (member.pod.as_str(), member.level))
        .collect();
    assert_eq!(order, [("b", 0), ("a", 1)]);
}

#[test]
fn an_unknown_pod_is_refused_with_the_nearest_name() {
    let mut bench = Bench::with(&[always("llama")]);
    let reply = apply(&mut bench, &[], &[workflow("w", &[("lama", &[])])]);
    assert!(
        refusal(&reply).contains("there is no pod lama in the catalogue; did you mean llama?"),
        "{reply:?}"
    );
    assert!(bench.state.workflows.is_empty());
}

#[test]
fn a_circle_through_the_pods_is_refused() {
    let mut bench = diamond(OnFailure::Rollback);
    let reply = apply(&mut bench, &[after("a", &["b"]), after("b", &["a"])], &[]);
    assert!(refusal(&reply).contains("dagda/after: pods cannot come after each other"));
    assert!(bench.state.pods["a"].entry.spec.after.is_empty());
}

#[test]
fn a_pod_after_itself_is_refused() {
    let mut bench = diamond(OnFailure::Rollback);
    let reply = apply(&mut bench, &[after("a", &["a"])], &[]);
    assert!(
        refusal(&reply).contains("a cannot come after itself"),
        "{reply:?}"
    );
}

#[test]
fn a_circle_through_the_workflow_is_refused() {
    let mut bench = diamond(OnFailure::Rollback);
    let circle = workflow("v", &[("a", &["b"]), ("b", &["a"])]);
    let reply = apply(&mut bench, &[], &[circle]);
    assert!(refusal(&reply).contains("workflow v"), "{reply:?}");
}

#[test]
fn a_circle_through_both_is_refused_whichever_comes_last() {
    let mut bench = diamond(OnFailure::Rollback);
    let reply = apply(&mut bench, &[after("a", &["d"])], &[]);
    let said = refusal(&reply);
    assert!(
        said.contains("workflow w, together with dagda/after"),
        "{said}"
    );
    let reply = apply(&mut bench, &[after("x", &["a"])], &[]);
    assert!(matches!(reply, Reply::Applied(_)), "{reply:?}");
    let reply = apply(
        &mut bench,
        &[],
        &[workflow("v", &[("x", &[]), ("a", &["x"])])],
    );
    assert!(refusal(&reply).contains("workflow v, together with dagda/after"));
}

#[test]
fn the_order_of_pods_counts_within_a_workflow_and_follows_their_changes() {
    let mut bench = diamond(OnFailure::Rollback);
    apply(&mut bench, &[after("c", &["b", "x"])], &[]);
    let member = bench.state.workflows["w"]
        .order
        .iter()
        .find(|member| member.pod.as_str() == "c")
        .unwrap();
    let before: Vec<&str> = member.after.iter().map(PodName::as_str).collect();
    assert_eq!(before, ["a", "b"], "x is not of the workflow");
    assert_eq!(member.level, 2);
}

#[test]
fn what_can_never_fit_is_refused() {
    let mut bench = diamond(OnFailure::Rollback);
    bench.measure(150, 0);
    let reply = apply(&mut bench, &[], &[workflow("v", &[("a", &[]), ("b", &[])])]);
    let said = refusal(&reply);
    assert!(said.contains("workflow v can never fit here"), "{said}");
    assert!(said.contains("200 MiB"), "{said}");
}

#[test]
fn all_or_nothing_is_applied() {
    let mut bench = diamond(OnFailure::Rollback);
    let reply = apply(
        &mut bench,
        &[always("y")],
        &[workflow("v", &[("nobody", &[])])],
    );
    refusal(&reply);
    assert!(!bench.state.pods.contains_key("y"));
}

#[test]
fn five_hundred_pods_are_run_in_order() {
    let names: Vec<String> = (0..500).map(|n| format!("p{n:03}")).collect();
    let pods: Vec<CataloguePod> = names.iter().map(|name| sized(always(name), 1)).collect();
    let mut chain: CatalogueWorkflow = workflow("w", &[]);
    chain.spec.members = (0..500)
        .map(|n| crate::domain::workflow::Member {
            pod: names[n].parse().unwrap(),
            after: n
                .checked_sub(1)
                .map(|n| names[n].parse().unwrap())
                .into_iter()
                .collect(),
        })
        .collect();
    let mut bench = Bench::with(&[]);
    let reply = apply(&mut bench, &pods, &[chain]);
    assert!(matches!(reply, Reply::Applied(_)), "{reply:?}");
    let (id, effects) = bench.run_accepted(run("w"));
    assert_eq!(super::world::asked(&effects, "play"), names);
    assert_eq!(bench.phase(id), RunState::Running);
}
