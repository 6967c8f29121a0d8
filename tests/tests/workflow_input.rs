//! Workflows that cannot be: refused when they are applied, with the reason.

use std::fmt::Display;

use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::manifest::{MIB, Pod, Workflow, documents};
use dagda_tests::memory::Memory;

fn refused<const N: usize>(
    host: &TestHost,
    manifest: &(impl Display + ?Sized),
    fragments: [&str; N],
) {
    host.run_with_input(["apply", "-f", "-"], &manifest.to_string())
        .failed_saying(code::FAILED, fragments);
}

#[test]
fn what_cannot_be_run_is_refused_when_it_is_applied() {
    let host = TestHost::ready();
    host.apply(&documents(&["a", "b", "c"].map(Pod::waiting)));
    let circle = Workflow::new("circle")
        .pod("a", &["c"])
        .pod("b", &["a"])
        .pod("c", &["b"]);
    refused(&host, &circle, ["circle", "a", "b", "c"]);
    refused(
        &host,
        &Workflow::new("self").pod("a", &["a"]),
        ["self", "a"],
    );
    refused(
        &host,
        &Workflow::of("stranger", &["a", "d"]),
        ["stranger", "d"],
    );
    refused(
        &host,
        &Workflow::of("twice", &["a", "b", "a"]),
        ["twice", "a"],
    );
    refused(
        &host,
        &Workflow::new("outside").pod("a", &["b"]),
        ["b", "after"],
    );
    refused(&host, &Workflow::new("empty"), ["pods"]);
    refused(
        &host,
        &Workflow::of("soon", &["a"]).timeout("soon"),
        ["soon", "timeout"],
    );
    let nonsense = Workflow::of("nonsense", &["a"]).to_string() + "  onFailure: panic\n";
    refused(&host, &nonsense, ["onFailure", "rollback", "keep"]);
    let unknown = Workflow::of("unknown", &["a"]).to_string() + "  prioritty: 3\n";
    refused(&host, &unknown, ["prioritty", "priority"]);

    let total = Memory::now().total;
    let heavy = documents(&["x", "y"].map(|name| Pod::waiting(name).memory(total / 3 * 2)));
    host.apply(&heavy);
    refused(
        &host,
        &Workflow::of("heavy", &["x", "y"]),
        ["heavy", "never fit"],
    );

    // A pod by its own word, alone and across.
    refused(
        &host,
        &documents(&[
            Pod::waiting("p").after(&["q"]),
            Pod::waiting("q").after(&["p"]),
        ]),
        ["p", "q"],
    );
    refused(&host, &Pod::waiting("p").after(&["p"]), ["p"]);
    let across = documents(&[Pod::waiting("a").after(&["b"])])
        + &documents(&[Workflow::new("across").pod("a", &[]).pod("b", &["a"])]);
    refused(&host, &across, ["across", "a", "b"]);
    // A pod that was fine until it came after one that comes after it in a workflow.
    host.apply(&Workflow::new("fine").pod("a", &[]).pod("b", &["a"]));
    refused(&host, &Pod::waiting("a").after(&["b"]), ["fine", "a", "b"]);

    // Nothing of what was refused is there.
    let list = host.run(["--json", "workflow", "list"]).done().json();
    let names: Vec<_> = list["workflows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|workflow| workflow["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["fine"]);
    assert_eq!(host.detail("a").after, [] as [String; 0]);
    // Pods and the workflow that names them may come together, in any order.
    host.apply(
        &(documents(&[Workflow::of("together", &["m", "n"])])
            + &documents(&["m", "n"].map(Pod::waiting))),
    );
    host.run(["workflow", "show", "together"]).done();
}

#[test]
fn a_workflow_of_five_hundred_pods_is_shown_and_planned_whole() {
    let host = TestHost::ready();
    let names: Vec<String> = (0..500).map(|number| format!("p{number:03}")).collect();
    let pods: Vec<Pod> = names
        .iter()
        .map(|name| Pod::waiting(name).memory(MIB))
        .collect();
    // Ten chains of fifty.
    let workflow =
        names
            .iter()
            .enumerate()
            .fold(Workflow::new("many"), |workflow, (number, name)| {
                let before = number.checked_sub(10).map(|before| names[before].as_str());
                workflow.pod(name, before.as_slice())
            });
    host.apply(&(documents(&pods) + &documents(&[workflow])));
    for verb in ["show", "plan"] {
        let text = host
            .run(["--timeout", "5s", "workflow", verb, "many"])
            .done()
            .stdout;
        let missing: Vec<_> = names
            .iter()
            .filter(|name| !text.contains(name.as_str()))
            .collect();
        assert!(missing.is_empty(), "{verb} leaves out {missing:?}");
    }
    let plan = host.plan("many");
    assert_eq!(plan.pods.len(), 500);
    assert_eq!(plan.pods.iter().map(|pod| pod.level).max(), Some(49));
    assert!(plan.fits, "{:#?}", plan.denial);
    let needed = plan
        .figures
        .and_then(|figures| figures.memory)
        .unwrap()
        .needed;
    assert_eq!(needed, 500 * MIB);
    let list = host.run(["--timeout", "5s", "workflow", "list"]).done();
    assert!(list.stdout.contains("many"));
}
