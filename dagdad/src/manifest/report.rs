//! Collects what is wrong with one document.

use std::fmt::Display;

use serde_json::Value;

use super::node::{Content, Mark, Node};
use super::path::Path;
use super::problem::Problem;
use super::substitution::has_variable;

/// So much of a value is quoted at most, in characters.
const QUOTED: usize = 80;

/// So many problems of one document are collected; nobody reads more.
pub const MAX_PROBLEMS: usize = 200;

/// The problems of one document, with what is needed to say where they are.
#[derive(Debug)]
pub struct Report<'d> {
    source: &'d str,
    document: Option<usize>,
    root: &'d Node,
    problems: Vec<Problem>,
}

impl<'d> Report<'d> {
    /// For the document with the given root; `document` is its number in `source`.
    #[must_use]
    pub const fn new(source: &'d str, document: Option<usize>, root: &'d Node) -> Self {
        Self {
            source,
            document,
            root,
            problems: Vec::new(),
        }
    }

    /// Notes that the value at `path` is wrong. Only the first problem of a value counts:
    /// what is wrong above or below it follows from that one.
    pub fn add(&mut self, path: &Path, message: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let known = self
            .problems
            .iter()
            .any(|problem| !problem.path.is_root() && problem.path.overlaps(path));
        if !known {
            self.add_another(path, message);
        }
    }

    /// Notes a problem also where the value has one already.
    pub fn add_another(&mut self, path: &Path, message: impl Into<String>) {
        if self.is_full() {
            return;
        }
        self.problems.push(Problem {
            source: self.source.to_owned(),
            mark: Some(self.root.place(path)),
            document: self.document,
            path: path.clone(),
            message: message.into(),
        });
    }

    /// Notes that the value at `path` cannot be used for `reason`. The reason may quote the
    /// value, so it is told only where no variable was filled in.
    pub fn add_reason(&mut self, path: &Path, reason: &impl Display) {
        if self.is_filled_in(path) {
            self.add(path, format!("{} cannot be used here", self.quote(path)));
        } else {
            self.add(path, reason.to_string());
        }
    }

    /// The value at `path` for a message, as its owner wrote it: never with a variable's value.
    #[must_use]
    pub fn quote(&self, path: &Path) -> String {
        match self.root.find(path).map(|node| &node.content) {
            Some(Content::Scalar(Value::String(text))) => {
                let mut quoted: String = text.chars().take(QUOTED).collect();
                if quoted.len() < text.len() {
                    quoted.push('…');
                }
                let filled = if has_variable(text) {
                    " as filled in"
                } else {
                    ""
                };
                format!("{quoted:?}{filled}")
            }
            Some(Content::Scalar(value)) => value.to_string(),
            Some(Content::Sequence(_)) => "a list".to_owned(),
            Some(Content::Mapping(_)) => "a mapping".to_owned(),
            None => "nothing".to_owned(),
        }
    }

    /// Whether the document has a value at `path`.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        self.root.find(path).is_some_and(|node| !node.is_null())
    }

    /// Whether a variable was filled in at `path`.
    #[must_use]
    pub fn is_filled_in(&self, path: &Path) -> bool {
        let content = self.root.find(path).map(|node| &node.content);
        matches!(content, Some(Content::Scalar(Value::String(text))) if has_variable(text))
    }

    /// Where `path` stands, as `file:line`.
    #[must_use]
    pub fn place(&self, path: &Path) -> String {
        let Mark { line, .. } = self.root.place(path);
        format!("{}:{line}", self.source)
    }

    /// Whether nothing more is taken in.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// What was found, by line.
    #[must_use]
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| problem.mark.map(|mark| (mark.line, mark.column)));
        self.problems
    }
}
