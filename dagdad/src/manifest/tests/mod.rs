//! What manifests mean, what is refused and how, and what holds for all of them.

use serde_json::Value;

use super::{ManifestErrors, SourceFile, parse, render};
use crate::domain::catalogue::{CataloguePod, Entries};
use crate::domain::workflow::CatalogueWorkflow;

mod companions;
mod examples;
mod properties;
mod refusals;
mod rendering;
mod secrecy;
mod spec;
mod stored;
mod workflows;

/// A pod that is as small as can be; tests add to it.
const SMALL: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, image: i}\n";

/// Two pods and what they refer to.
const TWO_WITH_SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {GREETING: 'hello ${WHO}', RAW: '$${WHO}'}
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers: [{name: a, image: i, envFrom: [{configMapRef: {name: settings}}]}]
---
# the second
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers: [{name: a, image: i, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: GREETING}}}]}]
  volumes:
  - {name: claim, persistentVolumeClaim: {claimName: data}}
  - {name: all, projected: {sources: [{configMap: {name: more}}]}}
  - {name: absent, configMap: {name: elsewhere, optional: true}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: more}
";

/// A workflow that is as small as can be; tests add to it.
const FLOW: &str = "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: all}\nspec:\n  pods: [{name: db}, {name: web, after: [db]}]\n";

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn parse_all(text: &str, variables: &[(&str, &str)]) -> Result<Entries, ManifestErrors> {
    parse(
        &[file("box.yml", text)],
        &variables.iter().copied().collect(),
    )
}

/// The only pod of `text`.
#[track_caller]
fn parse_one(text: &str, variables: &[(&str, &str)]) -> CataloguePod {
    let Entries { pods, workflows } = parse_all(text, variables).unwrap_or_else(|e| panic!("{e}"));
    assert!(workflows.is_empty(), "{workflows:?}");
    let [pod] = <[_; 1]>::try_from(pods).unwrap();
    pod
}

/// The only workflow of `text`.
#[track_caller]
fn parse_workflow(text: &str, variables: &[(&str, &str)]) -> CatalogueWorkflow {
    let Entries { pods, workflows } = parse_all(text, variables).unwrap_or_else(|e| panic!("{e}"));
    assert!(pods.is_empty(), "{pods:?}");
    let [workflow] = <[_; 1]>::try_from(workflows).unwrap();
    workflow
}

/// The pod `web` with one container, whose further fields are `fields`.
fn container(fields: &str) -> String {
    SMALL.replace("image: i", &format!("image: i, {fields}"))
}

/// The documents that go to Podman.
#[track_caller]
fn rendered(text: &str, variables: &[(&str, &str)]) -> Vec<Value> {
    let pod = parse_one(text, variables);
    let rendered = render(&pod.manifest, &variables.iter().copied().collect()).unwrap();
    rendered
        .text
        .split("---\n")
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}
