//! One file's documents to what they bring into the catalogue.

use std::collections::HashSet;

use crate::domain::catalogue::{CataloguePod, Digest, Manifest};
use crate::domain::name::ObjectName;
use crate::domain::workflow::CatalogueWorkflow;

use super::catalogue::{SourceFile, about};
use super::companion::CompanionName;
use super::document::{self, Document};
use super::kind::{self, Header, Kind};
use super::path::Path;
use super::problem::Problem;
use super::report::Report;
use super::stored::{self, MAX_MISMATCHES, ReadPod};
use super::variables::Variables;

/// What a document brings into the catalogue.
pub enum Entry {
    Pod(CataloguePod),
    Workflow(CatalogueWorkflow),
}

impl Entry {
    pub fn name(&self) -> ObjectName {
        match self {
            Self::Pod(pod) => ObjectName::Pod(pod.spec.name.clone()),
            Self::Workflow(workflow) => ObjectName::Workflow(workflow.spec.name.clone()),
        }
    }
}

/// The file's pods and workflows with their places; what is wrong with it goes to `problems`,
/// in the order of the lines.
pub fn read(
    file: &SourceFile,
    documents: &[Document],
    variables: &Variables,
    problems: &mut Vec<Problem>,
) -> Vec<(Entry, String)> {
    let mut reader = Reader {
        file,
        variables,
        companions: Vec::new(),
        pods: Vec::new(),
        entries: Vec::new(),
        problems: Vec::new(),
    };
    for (index, document) in documents.iter().enumerate() {
        reader.document(document, (documents.len() > 1).then_some(index + 1));
    }
    reader.finish(problems)
}

/// Reads document by document; pods are finished when all companions are known.
struct Reader<'f> {
    file: &'f SourceFile,
    variables: &'f Variables,
    companions: Vec<Companion<'f>>,
    pods: Vec<(ReadPod, Report<'f>, &'f Document)>,
    entries: Vec<(Entry, String)>,
    problems: Vec<Problem>,
}

/// A companion of a file and whether a pod uses it.
struct Companion<'f> {
    name: CompanionName,
    document: &'f Document,
    place: String,
    number: Option<usize>,
    used: bool,
}

impl<'f> Reader<'f> {
    fn document(&mut self, document: &'f Document, number: Option<usize>) {
        let Document { root, text } = document;
        let mut report = Report::new(&self.file.name, number, root);
        match kind::header(root, &mut report) {
            None => {}
            Some(Header {
                kind: Kind::Pod,
                name,
            }) => {
                let read =
                    stored::read_pod(&name, root, self.variables, MAX_MISMATCHES, &mut report);
                if let Some(pod) = read {
                    return self.pods.push((pod, report, document));
                }
            }
            Some(Header {
                kind: Kind::Workflow,
                name,
            }) => {
                let read =
                    stored::read_workflow(&name, root, self.variables, MAX_MISMATCHES, &mut report);
                if let Some(spec) = read {
                    let manifest = manifest(text.clone());
                    let entry = Entry::Workflow(CatalogueWorkflow { spec, manifest });
                    self.entries.push((entry, report.place(&Path::root())));
                }
            }
            Some(Header {
                kind: Kind::Companion(kind),
                name,
            }) => self.companion(CompanionName { kind, name }, document, number, &mut report),
        }
        self.problems.extend(report.into_problems());
    }

    fn companion(
        &mut self,
        name: CompanionName,
        document: &'f Document,
        number: Option<usize>,
        report: &mut Report<'_>,
    ) {
        let CompanionName { kind, .. } = name;
        stored::read_companion(kind, &document.root, self.variables, MAX_MISMATCHES, report);
        let place = report.place(&Path::root());
        let first = self
            .companions
            .iter()
            .find(|companion| companion.name == name);
        match first {
            // An exported catalogue repeats what several pods refer to.
            Some(first) if first.document.text == document.text => {}
            Some(first) => report.add(
                &Path::fields(["metadata", "name"]),
                format!(
                    "{kind} {} is given twice with different content: at {} and at {place}",
                    name.name, first.place
                ),
            ),
            None => self.companions.push(Companion {
                name,
                document,
                place,
                number,
                used: false,
            }),
        }
    }

    fn finish(mut self, problems: &mut Vec<Problem>) -> Vec<(Entry, String)> {
        let names: HashSet<CompanionName> = self
            .companions
            .iter()
            .map(|companion| companion.name.clone())
            .collect();
        for (pod, mut report, document) in std::mem::take(&mut self.pods) {
            stored::check_references(&pod.references, &names, &mut report);
            let manifest = manifest(self.with_companions(&pod, document));
            let place = report.place(&Path::root());
            self.problems.extend(report.into_problems());
            let spec = pod.spec;
            let entry = Entry::Pod(CataloguePod { spec, manifest });
            self.entries.push((entry, place));
        }
        // Where something could not be read, nobody knows what it refers to.
        if self.problems.is_empty() {
            let unused = self.companions.iter().filter(|companion| !companion.used);
            self.problems = unused.map(|companion| self.unused(companion)).collect();
        }
        self.problems
            .sort_by_key(|problem| problem.mark.map(|mark| (mark.line, mark.column)));
        problems.append(&mut self.problems);
        self.entries
    }

    /// The pod's text and those of its companions, in the order in which it refers to them,
    /// wherever they stand in the file: an export puts them elsewhere, and is no change.
    fn with_companions(&mut self, pod: &ReadPod, document: &Document) -> String {
        let mut texts = vec![document.text.as_str()];
        let mut taken = HashSet::new();
        for reference in &pod.references {
            let companion = self
                .companions
                .iter_mut()
                .find(|companion| companion.name == reference.to);
            if let Some(companion) = companion
                && taken.insert(&reference.to)
            {
                companion.used = true;
                texts.push(&companion.document.text);
            }
        }
        document::join(texts)
    }

    fn unused(&self, companion: &Companion<'_>) -> Problem {
        let CompanionName { kind, name } = &companion.name;
        let message = format!(
            "nothing in this file uses {kind} {name:?}; remove it, or put it into the file of the pod that refers to it"
        );
        Problem {
            mark: Some(companion.document.root.mark),
            document: companion.number,
            ..about(self.file, message)
        }
    }
}

fn manifest(text: String) -> Manifest {
    let digest = Digest::of(&text);
    Manifest { text, digest }
}
