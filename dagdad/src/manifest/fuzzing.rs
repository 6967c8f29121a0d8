//! What holds for every text that somebody may apply.

use serde_json::Value;

use super::node::{Content, Node};
use super::problem::MAX_TEXT;
use super::yaml::{MAX_DEPTH, MAX_NODES};
use super::{
    ManifestErrors, SourceFile, Variables, document, join, parse, recall, recall_workflow, render,
    yaml,
};
use crate::domain::catalogue::Entries;

/// Feeds a variables file and a manifest, with a NUL between them, or a manifest alone.
///
/// # Panics
/// Where an accepted manifest is not the same when it is exported and applied again, cannot be
/// read again or rendered, or where what was read exceeds its limits.
pub fn manifest(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (variables, text) = match text.split_once('\0') {
        Some((variables, text)) => (Variables::parse(variables).unwrap_or_default(), text),
        None => (usual(), &*text),
    };
    splits_the_same(text);
    let Entries { pods, workflows } = match parse(&[file(text)], &variables) {
        Ok(entries) => entries,
        Err(errors) => return told_well(&errors, text),
    };
    for pod in &pods {
        let recalled = recall(&pod.manifest, &variables);
        assert_eq!(recalled.as_ref(), Ok(pod), "recalled");
        let rendered = render(&pod.manifest, &variables)
            .unwrap_or_else(|errors| panic!("cannot be rendered: {errors}"));
        assert_eq!(rendered.spec, pod.spec, "rendered");
        reads_as_json(&rendered.text);
        assert!(
            recall(&pod.manifest, &Variables::default()).is_ok(),
            "recalled without variables"
        );
    }
    for workflow in &workflows {
        let recalled = recall_workflow(&workflow.manifest, &variables);
        assert_eq!(recalled.as_ref(), Ok(workflow), "recalled");
        let without = recall_workflow(&workflow.manifest, &Variables::default());
        let members = without.map(|workflow| workflow.spec.members);
        assert_eq!(members.as_ref(), Ok(&workflow.spec.members));
    }
    let texts = pods.iter().map(|pod| &*pod.manifest.text);
    let texts = texts.chain(workflows.iter().map(|workflow| &*workflow.manifest.text));
    let exported = join(texts);
    let again = parse(&[file(&exported)], &variables);
    assert_eq!(again, Ok(Entries { pods, workflows }), "{exported}");
}

fn usual() -> Variables {
    [("A", "1"), ("B", "true"), ("C", "{b: [\n"), ("EMPTY", "")]
        .into_iter()
        .collect()
}

fn file(text: &str) -> SourceFile {
    SourceFile {
        name: "-".to_owned(),
        text: text.to_owned(),
    }
}

/// A text's documents, put behind one another, are the same documents, and within the limits.
fn splits_the_same(text: &str) {
    let Ok(documents) = document::split(text) else {
        return;
    };
    let values: Vec<(&str, Value)> = documents
        .iter()
        .map(|document| (&*document.text, document.root.to_value()))
        .collect();
    let joined = join(values.iter().map(|(text, _)| *text));
    let again =
        document::split(&joined).unwrap_or_else(|error| panic!("{joined:?} is no YAML: {error:?}"));
    let again: Vec<(&str, Value)> = again
        .iter()
        .map(|document| (&*document.text, document.root.to_value()))
        .collect();
    assert_eq!(values, again, "{joined:?}");
    let mut nodes = 0;
    for document in &documents {
        measure(&document.root, 0, &mut nodes);
    }
    assert!(nodes <= MAX_NODES, "{nodes} values");
}

fn measure(node: &Node, depth: usize, nodes: &mut usize) {
    assert!(depth <= MAX_DEPTH, "nested {depth} levels deep");
    *nodes += 1;
    match &node.content {
        Content::Scalar(_) => {}
        Content::Sequence(items) => {
            for item in items {
                measure(item, depth + 1, nodes);
            }
        }
        Content::Mapping(entries) => {
            for (_, _, value) in entries {
                measure(value, depth + 1, nodes);
            }
        }
    }
}

/// Each problem has a place in the text, and all of them fit into an answer.
fn told_well(errors: &ManifestErrors, text: &str) {
    assert!(!errors.problems.is_empty());
    // To YAML a carriage return alone ends a line too.
    let lines = text.split(['\n', '\r']).count() + 1;
    for problem in &errors.problems {
        assert!(!problem.message.is_empty());
        if let Some(mark) = problem.mark {
            assert!((1..=lines).contains(&mark.line), "{mark:?} of {lines}");
            assert!(mark.column > 0, "{mark:?}");
        }
    }
    let told = errors.to_string();
    assert!(!told.is_empty() && told.len() <= 2 * MAX_TEXT, "{told}");
}

/// What goes to Podman means the same to a reader of JSON and to one of YAML.
fn reads_as_json(text: &str) {
    let documents =
        yaml::read(text).unwrap_or_else(|error| panic!("{text:?} is no YAML: {error:?}"));
    let as_json: Vec<Value> = text
        .split("---\n")
        .map(|text| {
            serde_json::from_str(text)
                .unwrap_or_else(|error| panic!("{text:?} is no JSON: {error}"))
        })
        .collect();
    let as_yaml: Vec<Value> = documents
        .iter()
        .map(|document| document.root.to_value())
        .collect();
    assert_eq!(as_json, as_yaml);
}
