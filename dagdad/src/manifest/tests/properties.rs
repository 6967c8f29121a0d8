//! What holds for every text and every variable.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::super::{Variables, document, join, json, parse, recall, recall_workflow, render, yaml};
use super::{FLOW, SMALL, TWO_WITH_SETTINGS, file};
use crate::domain::catalogue::Entries;

/// Any character, those that mean something to YAML more often.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        any::<char>(),
        proptest::char::range(' ', '~'),
        prop::sample::select(
            &[
                '\n', '\r', '\t', '\'', '"', '\\', '{', '}', '[', ']', ':', '-', '#', '&', '*',
                '!', '|', '>', '%', '@', '$', ',', '\u{0}', '\u{7f}', '\u{85}', '\u{a0}',
                '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}'
            ][..]
        ),
    ]
}

fn text() -> impl Strategy<Value = String> {
    vec(character(), 0..24).prop_map(|characters| characters.into_iter().collect())
}

/// Pieces that manifests are made of, in any order.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "apiVersion: v1\n",
            "kind: Pod\n",
            "kind: ConfigMap\n",
            "metadata: {name: web}\n",
            "metadata:\n",
            "spec:\n",
            "  name: web\n",
            "  containers:\n",
            "  - {name: a, image: i}\n",
            "    ports: [{containerPort: 80}]\n",
            "---\n",
            "--- ",
            "...\n",
            "- ",
            "? ",
            ": ",
            "&a ",
            "*a",
            "<<: *a\n",
            "!!str ",
            "!x ",
            "|\n  ---\n",
            ">-\n",
            "'",
            "\"",
            "[",
            "]",
            "{",
            "}",
            ",",
            "#",
            "\n",
            "  ",
            "\t",
            "${A}",
            "$${A}",
            "0644",
            "null",
            "%YAML 1.2\n",
            "\u{feff}",
            "\r\n",
            "é",
            "  annotations: {dagda/priority: 1}\n",
            "data: {a: b}\n",
            "apiVersion: dagda/v1\n",
            "kind: Workflow\n",
            "  pods: [{name: web}]\n",
            "  pods:\n",
            "  - {name: db, after: [web]}\n",
            "    after: [db]\n",
            "  timeout: 5m\n",
            "  priority: ${A}\n",
        ][..],
    );
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A pod or a workflow with a few characters changed.
fn mutated() -> impl Strategy<Value = String> {
    let changes = vec((any::<prop::sample::Index>(), character()), 0..6);
    (prop::sample::select(&[SMALL, FLOW][..]), changes).prop_map(|(text, changes)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (index, character) in changes {
            let at = index.index(characters.len());
            characters[at] = character;
        }
        characters.into_iter().collect()
    })
}

/// Documents of pods, companions and workflows, in any order, with comments and directives.
fn catalogue() -> impl Strategy<Value = Vec<String>> {
    let pods = TWO_WITH_SETTINGS.replace("${WHO}", "${A}");
    let leads = &[
        "",
        "# why\n",
        "# é\r\n\n",
        "%YAML 1.2\n---\n",
        "--- # here\n",
    ];
    let workflow = (prop::sample::select(&leads[..]), vec(0..6_usize, 1..6)).prop_map(|(lead, after)| {
        // Each pod after some of those before it, so there is no circle.
        let pods = after.iter().enumerate().map(|(pod, before)| {
            let after: Vec<String> = (0..pod.min(*before)).map(|pod| format!("p{pod}")).collect();
            format!("  - {{name: p{pod}, after: [{}]}}\n", after.join(", "))
        });
        let pods: String = pods.collect();
        format!("{lead}apiVersion: dagda/v1\nkind: Workflow\nmetadata: {{name: NAME}}\nspec:\n  priority: '${{A}}'\n  pods:\n{pods}")
    });
    vec(workflow, 1..5)
        .prop_map(move |workflows| {
            let workflows = workflows
                .into_iter()
                .enumerate()
                .map(|(index, text)| text.replace("NAME", &format!("w{index}")));
            let pods = pods
                .split_inclusive("---\n")
                .map(|text| text.trim_end_matches("---\n").to_owned());
            pods.chain(workflows).collect::<Vec<String>>()
        })
        .prop_shuffle()
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        prop::sample::select(
            &[
                "yes",
                "0644",
                "1.10",
                "null",
                "~",
                "1e3",
                "<<",
                "---",
                "",
                "2026-11-21"
            ][..]
        )
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn variables(value: &str) -> Variables {
    [("A", value)].into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_brings_the_parser_down(text in prop_oneof![text(), yaml_like(), mutated()]) {
        let variables = variables("1");
        match parse(&[file("-", &text)], &variables) {
            Err(errors) => prop_assert!(!errors.problems.is_empty() && !errors.to_string().is_empty()),
            Ok(Entries { pods, workflows }) => {
                for pod in pods {
                    prop_assert_eq!(&recall(&pod.manifest, &variables).unwrap(), &pod);
                    prop_assert_eq!(render(&pod.manifest, &variables).unwrap().spec, pod.spec.clone());
                    prop_assert!(recall(&pod.manifest, &Variables::default()).is_ok());
                }
                for workflow in workflows {
                    prop_assert_eq!(&recall_workflow(&workflow.manifest, &variables).unwrap(), &workflow);
                    let without = recall_workflow(&workflow.manifest, &Variables::default()).unwrap();
                    prop_assert_eq!(without.spec.members, workflow.spec.members);
                }
            }
        }
    }

    #[test]
    fn what_is_exported_is_the_same_when_it_is_applied_again(documents in catalogue()) {
        let variables = variables("1");
        let text = join(documents.iter().map(String::as_str));
        let entries = parse(&[file("-", &text)], &variables).unwrap();
        prop_assert!(!entries.workflows.is_empty());
        let exported = join(
            entries.pods.iter().map(|pod| &*pod.manifest.text)
                .chain(entries.workflows.iter().map(|workflow| &*workflow.manifest.text)),
        );
        prop_assert_eq!(parse(&[file("-", &exported)], &variables).unwrap(), entries, "{}", exported);
    }

    #[test]
    fn a_split_text_joined_is_split_the_same(text in prop_oneof![text(), yaml_like(), mutated()]) {
        if let Ok(documents) = document::split(&text) {
            let joined = join(documents.iter().map(|document| document.text.as_str()));
            let again = document::split(&joined).unwrap();
            let values = |documents: &[document::Document]| -> Vec<(String, Value)> {
                documents.iter().map(|document| (document.text.clone(), document.root.to_value())).collect()
            };
            prop_assert_eq!(values(&documents), values(&again), "{:?}", joined);
        }
    }

    #[test]
    fn what_goes_to_podman_reads_as_what_it_is(value in json_value()) {
        let documents = yaml::read(&json::write(&value)).unwrap();
        prop_assert_eq!(documents[0].root.to_value(), value);
    }

    #[test]
    fn no_value_changes_the_structure(value in text()) {
        let text = SMALL.replace("image: i", "image: i, args: ['${A}', 'a${A}b', '$${A}', \"$A $(A) ${A:-b}\"]");
        let variables = variables(&value);
        let pods = parse(&[file("-", &text)], &variables).unwrap().pods;
        let rendered = render(&pods[0].manifest, &variables).unwrap();
        let mut read: Value = serde_json::from_str(&rendered.text).unwrap();
        let args = read["spec"]["containers"][0].as_object_mut().unwrap().remove("args").unwrap();
        let expected = [value.clone(), format!("a{value}b"), "${A}".to_owned(), "$A $(A) ${A:-b}".to_owned()];
        prop_assert_eq!(args, Value::from(&expected[..]));
        let plain = parse(&[file("-", SMALL)], &variables).unwrap().pods;
        let plain: Value = serde_json::from_str(&render(&plain[0].manifest, &variables).unwrap().text).unwrap();
        prop_assert_eq!(read, plain);
    }

    #[test]
    fn any_text_can_be_written_escaped(text in "[$${}A-C_a ]{0,12}|\\PC{0,12}") {
        let mut escaped = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("${") {
            let name_end = rest[at + 2..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let is_reference = name_end.is_some_and(|end| {
                let name = &rest[at + 2..at + 2 + end];
                !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && rest[at + 2 + end..].starts_with('}')
            });
            escaped.push_str(&rest[..at]);
            escaped.push_str(if is_reference { "$${" } else { "${" });
            rest = &rest[at + 2..];
        }
        escaped.push_str(rest);
        let mut value = Value::String(escaped);
        let missing = super::super::substitution::fill(&mut value, &Variables::default());
        prop_assert!(missing.is_empty());
        prop_assert_eq!(value, Value::String(text));
    }
}
