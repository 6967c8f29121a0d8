//! Files to pods for the catalogue: what `apply` reads.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use crate::domain::catalogue::{CataloguePod, Digest, Manifest};
use crate::domain::name::PodName;

use super::companion::CompanionName;
use super::document::{self, Document};
use super::kind::{self, Kind};
use super::path::Path;
use super::problem::{ManifestErrors, Problem};
use super::report::Report;
use super::stored::{self, MAX_MISMATCHES, ReadPod};
use super::variables::Variables;

/// The longest file that is read, in bytes. Kubernetes' own limit for an object is about
/// 1.5 MB; a pod's manifest is a few KB.
pub const MAX_FILE: usize = 1024 * 1024;
/// The most documents that are taken at once.
pub const MAX_OBJECTS: usize = 1000;

/// A file, or what stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// For messages: a path, or `-`.
    pub name: String,
    /// YAML: one document or several.
    pub text: String,
}

/// Reads the pods of `files`, in their order.
///
/// # Errors
/// Everything that is wrong with any of them, not only the first thing; then no pod is to be
/// taken over. At most one syntax error a file, since nothing behind it can be trusted.
pub fn parse(
    files: &[SourceFile],
    variables: &Variables,
) -> Result<Vec<CataloguePod>, ManifestErrors> {
    let mut problems = Vec::new();
    let mut pods: Vec<CataloguePod> = Vec::new();
    let mut places: HashMap<PodName, String> = HashMap::new();
    let mut objects = 0;
    for file in files {
        let documents = match documents(file) {
            Ok(documents) => documents,
            Err(problem) => {
                problems.push(problem);
                objects += 1;
                continue;
            }
        };
        objects += documents.len();
        if objects > MAX_OBJECTS {
            problems.push(about(
                file,
                format!("more than {MAX_OBJECTS} objects at once; apply them in parts"),
            ));
            break;
        }
        let read = read_file(file, &documents, variables, &mut problems);
        for (pod, place) in read {
            if let Some(first) = places.get(&pod.spec.name) {
                let message = format!(
                    "pod {} is given twice: at {first} and at {place}",
                    pod.spec.name
                );
                problems.push(about(file, message));
            } else {
                places.insert(pod.spec.name.clone(), place);
                pods.push(pod);
            }
        }
    }
    if objects == 0 {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let place = if names.is_empty() {
            "an empty list of files".to_owned()
        } else {
            names.join(", ")
        };
        problems.push(Problem {
            source: place.clone(),
            mark: None,
            document: None,
            path: Path::root(),
            message: "no manifest found; expected at least one v1/Pod".to_owned(),
        });
    }
    if problems.is_empty() {
        Ok(pods)
    } else {
        Err(ManifestErrors { problems })
    }
}

fn about(file: &SourceFile, message: String) -> Problem {
    Problem {
        source: file.name.clone(),
        mark: None,
        document: None,
        path: Path::root(),
        message,
    }
}

fn documents(file: &SourceFile) -> Result<Vec<Document>, Problem> {
    if file.text.len() > MAX_FILE {
        return Err(about(
            file,
            format!(
                "has {} bytes, at most {MAX_FILE} are read; is this a manifest?",
                file.text.len()
            ),
        ));
    }
    document::split(&file.text).map_err(|error| Problem {
        mark: Some(error.mark),
        ..about(file, error.message)
    })
}

/// A companion of a file and who uses it.
struct Companion<'f> {
    name: CompanionName,
    document: &'f Document,
    place: String,
    number: Option<usize>,
    used: bool,
}

/// The file's pods with their places.
fn read_file(
    file: &SourceFile,
    documents: &[Document],
    variables: &Variables,
    problems: &mut Vec<Problem>,
) -> Vec<(CataloguePod, String)> {
    let before = problems.len();
    let mut companions: Vec<Companion<'_>> = Vec::new();
    let mut pods: Vec<(ReadPod, Report<'_>, &Document)> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let number = (documents.len() > 1).then_some(index + 1);
        let mut report = Report::new(&file.name, number, &document.root);
        let Some(header) = kind::header(&document.root, &mut report) else {
            problems.extend(report.into_problems());
            continue;
        };
        match header.kind {
            Kind::Pod => {
                let read = stored::read_pod(
                    &header.name,
                    &document.root,
                    variables,
                    MAX_MISMATCHES,
                    &mut report,
                );
                match read {
                    Some(pod) => pods.push((pod, report, document)),
                    None => problems.extend(report.into_problems()),
                }
            }
            Kind::Companion(kind) => {
                stored::read_companion(
                    kind,
                    &document.root,
                    variables,
                    MAX_MISMATCHES,
                    &mut report,
                );
                let name = CompanionName {
                    kind,
                    name: header.name,
                };
                let place = report.place(&Path::root());
                match companions.iter().find(|companion| companion.name == name) {
                    // An exported catalogue repeats what several pods refer to.
                    Some(first) if first.document.text == document.text => {}
                    Some(first) => report.add(
                        &Path::fields(["metadata", "name"]),
                        format!(
                            "{kind} {} is given twice with different content: at {} and at {place}",
                            name.name, first.place
                        ),
                    ),
                    None => companions.push(Companion {
                        name,
                        document,
                        place,
                        number,
                        used: false,
                    }),
                }
                problems.extend(report.into_problems());
            }
        }
    }
    let names: HashSet<CompanionName> = companions
        .iter()
        .map(|companion| companion.name.clone())
        .collect();
    let mut read = Vec::new();
    for (pod, mut report, document) in pods {
        stored::check_references(&pod.references, &names, &mut report);
        let mut texts = vec![document.text.as_str()];
        for companion in &mut companions {
            if pod
                .references
                .iter()
                .any(|reference| reference.to == companion.name)
            {
                companion.used = true;
                texts.push(&companion.document.text);
            }
        }
        let place = report.place(&Path::root());
        problems.extend(report.into_problems());
        read.push((
            CataloguePod {
                spec: pod.spec,
                manifest: manifest(document::join(texts)),
            },
            place,
        ));
    }
    // Where a pod could not be read, nobody knows what it refers to.
    if problems.len() == before {
        for unused in companions.iter().filter(|companion| !companion.used) {
            let CompanionName { kind, name } = &unused.name;
            problems.push(Problem {
                mark: Some(unused.document.root.mark),
                document: unused.number,
                ..about(file, format!("nothing in this file uses {kind} {name:?}; remove it, or put it into the file of the pod that refers to it"))
            });
        }
    }
    problems[before..].sort_by_key(|problem| problem.mark.map(|mark| (mark.line, mark.column)));
    read
}

fn manifest(text: String) -> Manifest {
    let digits = Sha256::digest(text.as_bytes())
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    let digest = Digest(
        digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect(),
    );
    Manifest { text, digest }
}
