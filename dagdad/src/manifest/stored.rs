//! A manifest of the catalogue, read again.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod};
use serde_json::Value;

use crate::domain::catalogue::{CataloguePod, Manifest, RenderedPod};
use crate::domain::name::{PodName, WorkflowName};
use crate::domain::pod::PodSpec;
use crate::domain::workflow::{CatalogueWorkflow, WorkflowSpec};

use super::companion::{self, CompanionName, Reference};
use super::document::{self, Document};
use super::kind::{self, CompanionKind, Kind};
use super::node::Node;
use super::path::Path;
use super::problem::{ManifestErrors, Problem};
use super::report::Report;
use super::substitution;
use super::typed;
use super::variables::Variables;
use super::workflow::{self, Workflow};
use super::{json, pod};

/// What messages call the text of a manifest that lies in the catalogue.
const SOURCE: &str = "stored manifest";
/// So many values of a wrong form are looked for in one document.
pub const MAX_MISMATCHES: usize = 100;

/// Fills in today's variables and makes the text that Podman takes: one JSON document for
/// each companion that Podman needs, then one for the pod. To be called at each start, since variables change.
///
/// # Errors
/// Everything that [`super::parse`] would refuse with today's variables; each `${NAME}`
/// without a value is named.
pub fn render(manifest: &Manifest, variables: &Variables) -> Result<RenderedPod, ManifestErrors> {
    let (read, problems) = read(manifest, variables, MAX_MISMATCHES);
    match read {
        Some((spec, values)) if problems.is_empty() => {
            let texts: Vec<String> = values
                .iter()
                .map(|value| json::write(value) + "\n")
                .collect();
            Ok(RenderedPod {
                spec,
                text: document::join(texts.iter().map(String::as_str)),
            })
        }
        _ => Err(ManifestErrors { problems }),
    }
}

/// Reads a manifest that was once accepted, whatever has become of its variables: to be
/// called when the daemon starts. What depends on a variable that is gone or no longer fits
/// does least: a port is not published, a probe is not asked, a footprint is the default, a
/// category counts as essential; a text keeps its `${NAME}`. With unchanged variables the
/// result is what `parse` returned.
///
/// # Errors
/// The text is no manifest of a pod: it was damaged, or not made by `parse`.
pub fn recall(manifest: &Manifest, variables: &Variables) -> Result<CataloguePod, ManifestErrors> {
    match read(manifest, variables, usize::MAX) {
        (Some((spec, _)), _) => Ok(CataloguePod {
            spec,
            manifest: manifest.clone(),
        }),
        (None, problems) => Err(ManifestErrors { problems }),
    }
}

/// As [`recall`], for a workflow. What depends on a variable that is gone or no longer fits
/// does least: nothing is stopped when a pod fails, priority and timeout are the defaults, the
/// description keeps its `${NAME}`. Its pods depend on no variable.
///
/// # Errors
/// The text is no manifest of a workflow: it was damaged, or not made by `parse`.
pub fn recall_workflow(
    manifest: &Manifest,
    variables: &Variables,
) -> Result<CatalogueWorkflow, ManifestErrors> {
    let documents = split(manifest).map_err(|problem| ManifestErrors {
        problems: vec![problem],
    })?;
    let [Document { root, .. }] = &documents[..] else {
        return Err(ManifestErrors {
            problems: vec![damaged("is not one document")],
        });
    };
    let mut report = Report::new(SOURCE, None, root);
    let spec = match kind::header(root, &mut report) {
        Some(header) if header.kind == Kind::Workflow => {
            read_workflow(&header.name, root, variables, usize::MAX, &mut report)
        }
        Some(_) => {
            report.add(&Path::root(), "is not a workflow");
            None
        }
        None => None,
    };
    match spec {
        Some(spec) => Ok(CatalogueWorkflow {
            spec,
            manifest: manifest.clone(),
        }),
        None => Err(ManifestErrors {
            problems: report.into_problems(),
        }),
    }
}

fn damaged(message: &str) -> Problem {
    Problem {
        source: SOURCE.to_owned(),
        mark: None,
        document: None,
        path: Path::root(),
        message: message.to_owned(),
    }
}

fn split(manifest: &Manifest) -> Result<Vec<Document>, Problem> {
    document::split(&manifest.text).map_err(|error| Problem {
        mark: Some(error.mark),
        ..damaged(&error.message)
    })
}

type Read = (Option<(PodSpec, Vec<Value>)>, Vec<Problem>);

fn read(manifest: &Manifest, variables: &Variables, limit: usize) -> Read {
    let documents = match split(manifest) {
        Ok(documents) => documents,
        Err(problem) => return (None, vec![problem]),
    };
    let mut problems = Vec::new();
    let mut spec = None;
    let mut values = Vec::new();
    let mut companions = HashSet::new();
    let mut references = Vec::new();
    let count = documents.len();
    for (index, Document { root, .. }) in documents.iter().enumerate() {
        let mut report = Report::new(SOURCE, (count > 1).then_some(index + 1), root);
        let filled = match kind::header(root, &mut report) {
            Some(header) => match header.kind {
                Kind::Pod => {
                    read_pod(&header.name, root, variables, limit, &mut report).map(|read| {
                        spec = Some(read.spec);
                        references = read.references;
                        read.value
                    })
                }
                Kind::Workflow => {
                    report.add(&Path::root(), "a workflow, where a pod is expected");
                    None
                }
                Kind::Companion(kind) => {
                    companions.insert(CompanionName {
                        kind,
                        name: header.name,
                    });
                    read_companion(kind, root, variables, limit, &mut report)
                        .filter(|value| companion::is_played(kind, value))
                }
            },
            None => None,
        };
        match filled {
            // Companions go first, so that they are there when the pod refers to them.
            Some(value) if index > 0 => values.insert(values.len().saturating_sub(1), value),
            Some(value) => values.push(value),
            None => {}
        }
        problems.extend(report.into_problems());
    }
    if let Some(Document { root, .. }) = documents.first() {
        let mut report = Report::new(SOURCE, (count > 1).then_some(1), root);
        check_references(&references, &companions, &mut report);
        problems.extend(report.into_problems());
    }
    if spec.is_none() && problems.is_empty() {
        problems.push(damaged("holds no pod"));
    }
    (spec.map(|spec| (spec, values)), problems)
}

/// A pod's document, read.
#[derive(Debug)]
pub struct ReadPod {
    /// What it asks for.
    pub spec: PodSpec,
    /// Its value, variables filled in.
    pub value: Value,
    /// The companions it refers to.
    pub references: Vec<Reference>,
}

/// Reads a pod's document. `None` where not even a part of it could be read.
pub fn read_pod(
    name: &str,
    root: &Node,
    variables: &Variables,
    limit: usize,
    report: &mut Report<'_>,
) -> Option<ReadPod> {
    let path = Path::fields(["metadata", "name"]);
    let name: Option<PodName> = name
        .parse()
        .map_err(|error| report.add_reason(&path, &error))
        .ok();
    let mut value = fill(root.to_value(), variables, report);
    let typed: Option<Pod> = fit(&mut value, limit, report);
    let (name, typed) = (name?, typed?);
    let references = companion::references(&typed);
    Some(ReadPod {
        spec: pod::read(name, &typed, report),
        value,
        references,
    })
}

/// Reads a workflow's document. `None` where its pods and their order could not be read.
pub fn read_workflow(
    name: &str,
    root: &Node,
    variables: &Variables,
    limit: usize,
    report: &mut Report<'_>,
) -> Option<WorkflowSpec> {
    let path = Path::fields(["metadata", "name"]);
    let name: Option<WorkflowName> = name
        .parse()
        .map_err(|error| report.add_reason(&path, &error))
        .ok();
    let mut value = root.to_value();
    workflow::check_form(root, &mut value, report);
    let mut value = fill(value, variables, report);
    let typed: Option<Workflow> = fit(&mut value, limit, report);
    workflow::read(name, typed?, report)
}

/// Reads a companion's document: its value, variables filled in.
pub fn read_companion(
    kind: CompanionKind,
    root: &Node,
    variables: &Variables,
    limit: usize,
    report: &mut Report<'_>,
) -> Option<Value> {
    let mut value = fill(root.to_value(), variables, report);
    let readable = match kind {
        CompanionKind::ConfigMap => fit::<ConfigMap>(&mut value, limit, report).is_some(),
        CompanionKind::PersistentVolumeClaim => {
            fit::<PersistentVolumeClaim>(&mut value, limit, report).is_some()
        }
    };
    readable.then_some(value)
}

/// Reports each reference that Podman could not follow.
pub fn check_references(
    references: &[Reference],
    companions: &HashSet<CompanionName>,
    report: &mut Report<'_>,
) {
    for reference in references.iter().filter(|reference| !reference.optional) {
        if !companions.contains(&reference.to) {
            let CompanionName { kind, .. } = reference.to;
            let message = format!(
                "no {kind} in this file is named {}; add it to the file as a document of its own, or set optional: true",
                report.quote(&reference.path),
            );
            report.add(&reference.path, message);
        }
    }
}

fn fill(mut value: Value, variables: &Variables, report: &mut Report<'_>) -> Value {
    for missing in substitution::fill(&mut value, variables) {
        report.add_another(
            &missing.path,
            format!(
                "${{{0}}} has no value; put {0}=… into the variables file, or write $${{{0}}} for the text ${{{0}}} itself",
                missing.name
            ),
        );
    }
    value
}

fn fit<T: serde::de::DeserializeOwned>(
    value: &mut Value,
    limit: usize,
    report: &mut Report<'_>,
) -> Option<T> {
    let (typed, mismatches) = typed::read(value, limit);
    for mismatch in mismatches {
        let message = format!(
            "expected {}, found {}",
            mismatch.expected,
            report.quote(&mismatch.path)
        );
        report.add(&mismatch.path, message);
    }
    typed
}
