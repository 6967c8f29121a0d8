//! What is wrong with a manifest, where, and what to write instead.
//!
//! No message ever shows a variable's value: messages quote the manifest as its owner wrote
//! it, `${NAME}` unfilled.

use std::fmt;

use strsim::damerau_levenshtein;

use super::node::Mark;
use super::path::Path;

/// The most problems that one message lists; the rest is counted.
pub const MAX_LISTED: usize = 50;
/// So long is a list of problems at most, in bytes, the last one's overhang aside. A refusal
/// travels in HTTP headers, twice (as text and in the detail for programs), of which clients
/// take 16 KiB altogether unless told otherwise.
pub const MAX_TEXT: usize = 4096;
/// So long is one problem in a list at most, in bytes; the rest of it is cut off.
const MAX_LINE: usize = 1024;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or what else the text came from.
    pub source: String,
    /// Line and column in that file, where known.
    pub mark: Option<Mark>,
    /// Which YAML document of the file, from 1; `None` in a file of only one.
    pub document: Option<usize>,
    /// The field, such as `spec.containers[0].image`; the root where it is about the whole.
    pub path: Path,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(mark) = self.mark {
            write!(f, ":{}:{}", mark.line, mark.column)?;
        }
        if let Some(document) = self.document {
            write!(f, " (document {document})")?;
        }
        f.write_str(": ")?;
        if !self.path.is_root() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with what was given; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestErrors {
    /// In the order of the files and of the lines in them, as far as lines are known.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ManifestErrors {
    /// One problem a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut listed, mut length) = (0, 0);
        for problem in self.problems.iter().take(MAX_LISTED) {
            let line = problem.to_string();
            if length > 0 && length + line.len() > MAX_TEXT {
                break;
            }
            if listed > 0 {
                f.write_str("\n")?;
            }
            let end = line.floor_char_boundary(MAX_LINE);
            f.write_str(&line[..end])?;
            if end < line.len() {
                f.write_str("…")?;
            }
            listed += 1;
            length += end;
        }
        match self.problems.len().saturating_sub(listed) {
            0 => Ok(()),
            rest => write!(f, "\nand {rest} more"),
        }
    }
}

impl std::error::Error for ManifestErrors {}

/// A longer word, in bytes, was not meant to be any other. To compare it takes time and memory
/// for each of its letters and each of the other's, and it may be as long as a file.
const LONGEST_WORD: usize = 128;

/// Of `known`, the word that `word` was most likely meant to be, where one comes close.
#[must_use]
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let word = word.to_lowercase();
    known
        .iter()
        .map(|candidate| {
            (
                damerau_levenshtein(&word, &candidate.to_lowercase()),
                *candidate,
            )
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| {
            // Of a short word, something has to be the same.
            *distance <= 2.max(candidate.len() / 3) && *distance < word.len().min(candidate.len())
        })
        .map(|(_, candidate)| candidate)
}

/// `; did you mean X?`, or nothing.
#[must_use]
pub fn suggestion(word: &str, known: &[&str]) -> String {
    nearest(word, known)
        .map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default()
}
