//! Files to pods and workflows for the catalogue: what `apply` reads.

use std::collections::HashMap;

use crate::domain::catalogue::Entries;
use crate::domain::name::ObjectName;

use super::document::{self, Document};
use super::file::{self, Entry};
use super::path::Path;
use super::problem::{ManifestErrors, Problem};
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

/// Reads the pods and workflows of `files`, in their order. Whether there are the pods that a
/// workflow asks for is not looked at: they may be in the catalogue.
///
/// # Errors
/// Everything that is wrong with any of them, not only the first thing; then nothing is to be
/// taken over. At most one syntax error a file, since nothing behind it can be trusted.
pub fn parse(files: &[SourceFile], variables: &Variables) -> Result<Entries, ManifestErrors> {
    let mut problems = Vec::new();
    let mut entries = Entries::default();
    let mut places: HashMap<ObjectName, String> = HashMap::new();
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
        for (entry, place) in file::read(file, &documents, variables, &mut problems) {
            let name = entry.name();
            if let Some(first) = places.get(&name) {
                let kind = name.kind();
                let message = format!("{kind} {name} is given twice: at {first} and at {place}");
                problems.push(about(file, message));
                continue;
            }
            places.insert(name, place);
            match entry {
                Entry::Pod(pod) => entries.pods.push(pod),
                Entry::Workflow(workflow) => entries.workflows.push(workflow),
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
            message: "no manifest found; expected at least one v1/Pod or dagda/v1/Workflow"
                .to_owned(),
        });
    }
    if problems.is_empty() {
        Ok(entries)
    } else {
        Err(ManifestErrors { problems })
    }
}

/// A problem with the file as a whole.
pub(super) fn about(file: &SourceFile, message: String) -> Problem {
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
