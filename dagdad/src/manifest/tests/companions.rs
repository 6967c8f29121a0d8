//! The documents that are played with a pod, since it refers to them.

use rstest::rstest;
use serde_json::Value;

use super::super::render;
use super::{SMALL, TWO_WITH_SETTINGS, parse_all, rendered};
use crate::domain::catalogue::CataloguePod;

#[test]
fn companions_follow_the_pods_that_refer_to_them() {
    let variables = [("WHO", "world")];
    let pods = parse_all(TWO_WITH_SETTINGS, &variables).unwrap().pods;
    let kinds = |pod: &CataloguePod| -> Vec<String> {
        let rendered = render(&pod.manifest, &variables.into_iter().collect()).unwrap();
        let documents = rendered
            .text
            .split("---\n")
            .map(|text| serde_json::from_str::<Value>(text).unwrap());
        documents
            .map(|document| document["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&pods[0]), ["settings", "one"]);
    assert_eq!(kinds(&pods[1]), ["settings", "more", "two"]);
    assert!(
        pods[1]
            .manifest
            .text
            .starts_with("# the second\napiVersion: v1\nkind: Pod\n")
    );
    assert!(
        !pods[0]
            .manifest
            .text
            .contains("kind: PersistentVolumeClaim")
    );
    let rendered = render(&pods[0].manifest, &variables.into_iter().collect()).unwrap();
    assert!(
        rendered
            .text
            .contains(r#"{"GREETING":"hello world","RAW":"${WHO}"}"#),
        "{}",
        rendered.text
    );
}

#[test]
fn where_companions_stand_in_the_file_changes_nothing() {
    let variables = [("WHO", "world")];
    let parts: Vec<&str> = TWO_WITH_SETTINGS.split("---\n").collect();
    let turned = parts
        .iter()
        .rev()
        .copied()
        .collect::<Vec<_>>()
        .join("---\n");
    let texts = |text: &str| -> Vec<String> {
        let pods = parse_all(text, &variables).unwrap().pods;
        let mut texts: Vec<_> = pods.into_iter().map(|pod| pod.manifest.text).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&turned), texts(TWO_WITH_SETTINGS));
}

#[rstest]
#[case("", false)]
#[case(", annotations: {volume.podman.io/driver: local}", true)]
fn a_claim_is_played_where_it_says_more_than_a_name(
    #[case] annotations: &str,
    #[case] played: bool,
) {
    let text = format!(
        "{SMALL}  volumes: [{{name: v, persistentVolumeClaim: {{claimName: data}}}}]\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data{annotations}}}\n"
    );
    assert_eq!(rendered(&text, &[]).len(), 1 + usize::from(played));
}
