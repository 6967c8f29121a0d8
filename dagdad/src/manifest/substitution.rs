//! `${NAME}` to its value, in the texts of a parsed document.
//!
//! It happens on single values after the YAML was read, never on the YAML text, so no value
//! can add a field, end a text or begin a document. Keys are left alone, and so is every
//! other use of `$`: `$NAME`, `$(NAME)`, `${NAME:-default}`. `$${NAME}` stands for the text
//! `${NAME}`.

use serde_json::Value;

use super::path::{Path, Step};
use super::report::MAX_PROBLEMS;
use super::variables::{Variables, is_name};

/// A `${NAME}` without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The value that holds it.
    pub path: Path,
    /// The variable's name.
    pub name: String,
}

/// Fills in all variables below the root `value`; those without a value are left as they are
/// written, and the first [`MAX_PROBLEMS`] of them are returned.
pub fn fill(value: &mut Value, variables: &Variables) -> Vec<Missing> {
    let mut filler = Filler {
        variables,
        at: Vec::new(),
        missing: Vec::new(),
    };
    filler.fill(value);
    filler.missing
}

/// Goes through a document. A path is made for what is missing alone: keys may be as long as a
/// file, and there may be as many values below.
struct Filler<'v> {
    variables: &'v Variables,
    /// The way to the value that is being filled in.
    at: Vec<Step>,
    missing: Vec<Missing>,
}

impl Filler<'_> {
    fn fill(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains("${") => *text = self.filled(text),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.below(Step::Index(index), item);
                }
            }
            Value::Object(entries) => {
                for (key, item) in entries.iter_mut() {
                    self.below(Step::Key(key.clone()), item);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: Step, value: &mut Value) {
        self.at.push(step);
        self.fill(value);
        self.at.pop();
    }

    fn filled(&mut self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Variable(name) => match self.variables.get(name) {
                    Some(value) => filled.push_str(value),
                    None => {
                        self.miss(name);
                        filled.extend(["${", name, "}"]);
                    }
                },
            }
        }
        filled
    }

    fn miss(&mut self, name: &str) {
        if self.missing.len() < MAX_PROBLEMS {
            self.missing.push(Missing {
                path: self.at.iter().cloned().collect(),
                name: name.to_owned(),
            });
        }
    }
}

/// Whether `text` refers to a variable.
#[must_use]
pub fn has_variable(text: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, Piece::Variable(_)))
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Variable(&'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, length)) = reference(rest) {
            rest = &rest[length..];
            return Some(Piece::Variable(name));
        }
        if let Some((_, length)) = rest.strip_prefix('$').and_then(reference) {
            let literal = &rest[1..=length];
            rest = &rest[1 + length..];
            return Some(Piece::Text(literal));
        }
        let end = if rest.starts_with('$') {
            1
        } else {
            rest.find('$').unwrap_or(rest.len())
        };
        let (plain, behind) = rest.split_at(end);
        rest = behind;
        Some(Piece::Text(plain))
    })
}

/// The name of the `${NAME}` that `text` begins with, and its length in bytes.
fn reference(text: &str) -> Option<(&str, usize)> {
    let behind = text.strip_prefix("${")?;
    let end = behind.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let name = &behind[..end];
    (behind[end..].starts_with('}') && is_name(name)).then_some((name, name.len() + 3))
}
