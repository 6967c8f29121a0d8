//! What Dagda understands of a workflow.

use std::fmt::Write as _;
use std::time::Duration;

use rstest::rstest;

use super::super::{Variables, parse, recall, recall_workflow, render};
use super::{FLOW, SMALL, file, parse_all, parse_one, parse_workflow};
use crate::domain::catalogue::Manifest;
use crate::domain::name::PodName;
use crate::domain::workflow::{DEFAULT_TIMEOUT, Member, OnFailure, WorkflowSpec};

fn pod(name: &str) -> PodName {
    name.parse().unwrap()
}

fn member(name: &str, after: &[&str]) -> Member {
    Member {
        pod: pod(name),
        after: after.iter().map(|name| pod(name)).collect(),
    }
}

#[test]
fn everything_a_workflow_says_is_understood() {
    let text = "\
# why
apiVersion: dagda/v1
kind: Workflow
metadata: {name: ai-complete}
spec:
  description: |
    Llama and Qwen behind n8n on ${HOST}
  pods:
  - {name: mariadb}
  - {name: llama, after: [mariadb]}
  - {name: qwen, after: [mariadb, mariadb]}
  - name: n8n
    after:
    - llama
    - qwen
  priority: 70
  timeout: 300s
  onFailure: keep
";
    let workflow = parse_workflow(text, &[("HOST", "box")]);
    assert_eq!(
        workflow.spec,
        WorkflowSpec {
            name: "ai-complete".parse().unwrap(),
            description: Some("Llama and Qwen behind n8n on box".to_owned()),
            members: vec![
                member("mariadb", &[]),
                member("llama", &["mariadb"]),
                member("qwen", &["mariadb"]),
                member("n8n", &["llama", "qwen"]),
            ],
            priority: crate::domain::pod::Priority::new(70).unwrap(),
            timeout: Duration::from_mins(5),
            on_failure: OnFailure::Keep,
        }
    );
    assert_eq!(workflow.manifest.text, text, "as its owner wrote it");
    assert_ne!(
        workflow.manifest.digest,
        parse_workflow(&text.replace("# why", "# because"), &[("HOST", "box")])
            .manifest
            .digest
    );
}

#[rstest]
#[case("")]
#[case("  description: ''\n  priority:\n  timeout: ~\n  onFailure:\n")]
fn what_is_left_out_has_defaults(#[case] fields: &str) {
    let spec = parse_workflow(&format!("{FLOW}{fields}"), &[]).spec;
    assert_eq!(spec.description, None);
    assert_eq!(spec.priority.get(), 50);
    assert_eq!(spec.timeout, DEFAULT_TIMEOUT);
    assert_eq!(spec.on_failure, OnFailure::Rollback);
}

#[rstest]
#[case("  priority: 0\n  timeout: 5m\n", 0, 300)]
#[case("  priority: '100'\n  timeout: '1h 30m'\n", 100, 5400)]
#[case("  priority: ${N}\n  timeout: ${N}s\n", 42, 42)]
#[case("  priority: \" 7 \"\n  timeout: 24h\n", 7, 86400)]
fn numbers_may_be_quoted_or_variables(
    #[case] fields: &str,
    #[case] priority: u8,
    #[case] seconds: u64,
) {
    let spec = parse_workflow(&format!("{FLOW}{fields}"), &[("N", "42")]).spec;
    assert_eq!(spec.priority.get(), priority);
    assert_eq!(spec.timeout, Duration::from_secs(seconds));
}

#[test]
fn a_pod_and_a_workflow_may_bear_one_name_and_stand_in_any_order() {
    let text = format!("{}---\n{SMALL}", FLOW.replace("name: all", "name: web"));
    let entries = parse_all(&text, &[]).unwrap();
    assert_eq!(entries.pods[0].spec.name.as_str(), "web");
    assert_eq!(entries.workflows[0].spec.name.as_str(), "web");
    assert_eq!(entries.pods[0].manifest.text, SMALL);
    let apart = [
        file("a.yml", SMALL),
        file("b.yml", &FLOW.replace("name: all", "name: web")),
    ];
    assert_eq!(parse(&apart, &Variables::default()).unwrap(), entries);
}

#[test]
fn a_workflow_may_have_five_hundred_pods_and_more() {
    let mut text = FLOW.split("  pods").next().unwrap().to_owned() + "  pods:\n  - {name: pod-0}\n";
    for pod in 1..2000 {
        writeln!(text, "  - {{name: pod-{pod}, after: [pod-{}]}}", pod - 1).unwrap();
    }
    let spec = parse_workflow(&text, &[]).spec;
    assert_eq!(spec.members.len(), 2000);
    assert_eq!(spec.members[1999], member("pod-1999", &["pod-1998"]));
}

#[test]
fn without_its_variables_a_workflow_is_recalled_doing_least() {
    let text = format!(
        "{FLOW}  description: on ${{HOST}}\n  priority: ${{N}}\n  timeout: ${{N}}s\n  onFailure: ${{F}}\n"
    );
    let variables = [("HOST", "box"), ("N", "77"), ("F", "rollback")];
    let workflow = parse_workflow(&text, &variables);
    let recall = |variables: &[(&str, &str)]| {
        recall_workflow(&workflow.manifest, &variables.iter().copied().collect()).unwrap()
    };
    assert_eq!(recall(&variables), workflow);
    let without = recall(&[]);
    assert_eq!(without.manifest, workflow.manifest);
    assert_eq!(
        without.spec,
        WorkflowSpec {
            description: Some("on ${HOST}".to_owned()),
            priority: crate::domain::pod::Priority::default(),
            timeout: DEFAULT_TIMEOUT,
            // Nothing is stopped that its owner may have wanted kept.
            on_failure: OnFailure::Keep,
            ..workflow.spec.clone()
        }
    );
    // Values that no longer fit do the same as values that are gone.
    let nonsense = recall(&[("HOST", "${HOST}"), ("N", "/"), ("F", "/")]);
    assert_eq!(nonsense.spec, without.spec);
}

#[rstest]
#[case::no_yaml("a: [", "stored manifest:1:4: invalid YAML: unclosed bracket '['")]
#[case::nothing("", "stored manifest: is not one document")]
#[case::two(&format!("{FLOW}---\n{FLOW}"), "stored manifest: is not one document")]
#[case::a_pod(SMALL, "stored manifest:1:1: is not a workflow")]
#[case::a_circle(
    &FLOW.replace("{name: db}", "{name: db, after: [web]}"),
    "stored manifest:5:21: spec.pods[0].after: pods cannot come after each other in a circle: db after web after db"
)]
#[case::a_pod_twice(
    &FLOW.replace("{name: db}", "{name: db}, {name: db}"),
    "stored manifest:5:23: spec.pods[1].name: pod db is asked for twice: as spec.pods[0] at stored manifest:5 and here; keep one of them"
)]
fn a_damaged_manifest_is_no_workflow(#[case] text: &str, #[case] expected: &str) {
    let manifest = Manifest {
        text: text.to_owned(),
        ..parse_workflow(FLOW, &[]).manifest
    };
    let error = recall_workflow(&manifest, &Variables::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_workflow_is_no_pod() {
    let manifest = parse_workflow(FLOW, &[]).manifest;
    let expected = "stored manifest:1:1: a workflow, where a pod is expected";
    let error = render(&manifest, &Variables::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);
    let error = recall(&manifest, &Variables::default()).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(recall_workflow(&parse_one(SMALL, &[]).manifest, &Variables::default()).is_err());
}
