//! What a document says it is.

use std::fmt;

use serde_json::Value;

use super::node::{Content, Node};
use super::path::Path;
use super::problem::nearest;
use super::report::Report;
use super::substitution::has_variable;

/// The documents that Dagda reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `v1/Pod`.
    Pod,
    /// `dagda/v1` `Workflow`.
    Workflow,
    /// A document that belongs to the pods of its file.
    Companion(CompanionKind),
}

/// Documents that go to Podman together with a pod that refers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CompanionKind {
    /// `v1/ConfigMap`.
    ConfigMap,
    /// `v1/PersistentVolumeClaim`.
    PersistentVolumeClaim,
}

impl fmt::Display for CompanionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "ConfigMap",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
        })
    }
}

/// Kind and name of a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// `metadata.name`, not empty.
    pub name: String,
}

const SUPPORTED: &str = "Dagda takes v1/Pod, beside it in the same file the v1/ConfigMap and v1/PersistentVolumeClaim documents that it refers to, and dagda/v1/Workflow";
const KINDS: [&str; 4] = ["Pod", "ConfigMap", "PersistentVolumeClaim", "Workflow"];

/// Reads kind and name, or reports why that is impossible.
pub fn header(root: &Node, report: &mut Report<'_>) -> Option<Header> {
    if !matches!(root.content, Content::Mapping(_)) {
        report.add(
            &Path::root(),
            format!(
                "expected a Kubernetes object (apiVersion, kind, metadata, spec), found {}",
                report.quote(&Path::root())
            ),
        );
        return None;
    }
    let kind = kind(root, report);
    let name = name(root, report);
    Some(Header {
        kind: kind?,
        name: name?,
    })
}

fn text_at<'n>(root: &'n Node, path: &Path) -> Option<&'n str> {
    match &root.find(path)?.content {
        Content::Scalar(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn kind(root: &Node, report: &mut Report<'_>) -> Option<Kind> {
    let (version_path, kind_path) = (Path::fields(["apiVersion"]), Path::fields(["kind"]));
    let (version, kind) = (text_at(root, &version_path), text_at(root, &kind_path));
    if version.is_none() {
        report.add(&version_path, "missing; write for example apiVersion: v1");
    }
    if kind.is_none() {
        report.add(&kind_path, "missing; write for example kind: Pod");
    }
    let (version, kind) = (version?, kind?);
    let refused = match (version, kind) {
        ("v1", "Pod") => return Some(Kind::Pod),
        ("dagda/v1", "Workflow") => return Some(Kind::Workflow),
        ("v1", "ConfigMap") => return Some(Kind::Companion(CompanionKind::ConfigMap)),
        ("v1", "PersistentVolumeClaim") => {
            return Some(Kind::Companion(CompanionKind::PersistentVolumeClaim));
        }
        ("v1", "Secret") => "v1/Secret is not supported, since manifests are stored in plain text; create the secret with `podman secret create`, or put the value into the variables file and write ${NAME}".to_owned(),
        ("v1", "List") => "v1/List is not supported; write its items as documents of their own, parted by `---`".to_owned(),
        (_, "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job") => format!(
            "{version}/{kind} is not supported; put what stands under its spec.template into a v1/Pod. {SUPPORTED}"
        ),
        (_, "Pod" | "ConfigMap" | "PersistentVolumeClaim" | "Workflow") => {
            let right = if kind == "Workflow" { "dagda/v1" } else { "v1" };
            report.add(&version_path, format!("{version:?} has no {kind}; write apiVersion: {right}"));
            return None;
        }
        _ => {
            let hint = nearest(kind, &KINDS).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
            format!("{version}/{kind} is not supported.{hint} {SUPPORTED}")
        }
    };
    report.add(&kind_path, refused);
    None
}

fn name(root: &Node, report: &mut Report<'_>) -> Option<String> {
    let path = Path::fields(["metadata", "name"]);
    let name = match root.find(&path).map(|node| &node.content) {
        Some(Content::Scalar(Value::String(text))) if !text.is_empty() => text.clone(),
        Some(Content::Scalar(value @ (Value::Number(_) | Value::Bool(_)))) => value.to_string(),
        Some(Content::Sequence(_) | Content::Mapping(_)) => {
            report.add(
                &path,
                format!("expected a text, found {}", report.quote(&path)),
            );
            return None;
        }
        _ => {
            report.add(&path, "missing; every object needs a name");
            return None;
        }
    };
    if has_variable(&name) {
        report.add(
            &path,
            "a name must not hold a variable: it has to stay the same when the variable changes",
        );
        return None;
    }
    Some(name)
}
