//! `${NAME}` to its value, in the texts of a parsed document.
//!
//! It happens on single values after the YAML was read, never on the YAML text, so no value
//! can add a field, end a text or begin a document. Keys are left alone, and so is every
//! other use of `$`: `$NAME`, `$(NAME)`, `${NAME:-default}`. `$${NAME}` stands for the text
//! `${NAME}`.

use serde_json::Value;

use super::path::Path;
use super::variables::{Variables, is_name};

/// A `${NAME}` without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The value that holds it.
    pub path: Path,
    /// The variable's name.
    pub name: String,
}

/// Fills in all variables below `value`, which stands at `path`; a missing one is left as it
/// is written and returned.
pub fn fill(value: &mut Value, path: &Path, variables: &Variables) -> Vec<Missing> {
    match value {
        Value::String(text) if text.contains("${") => {
            let mut missing = Vec::new();
            let filled = pieces(text)
                .map(|piece| match piece {
                    Piece::Text(text) => text.to_owned(),
                    Piece::Variable(name) => variables.get(name).map_or_else(
                        || {
                            missing.push(Missing {
                                path: path.clone(),
                                name: name.to_owned(),
                            });
                            format!("${{{name}}}")
                        },
                        str::to_owned,
                    ),
                })
                .collect();
            *text = filled;
            missing
        }
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .flat_map(|(index, item)| fill(item, &path.index(index), variables))
            .collect(),
        Value::Object(entries) => entries
            .iter_mut()
            .flat_map(|(key, item)| fill(item, &path.key(key), variables))
            .collect(),
        _ => Vec::new(),
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
