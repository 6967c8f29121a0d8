//! A file to its documents: each with the owner's own text and the values in it.

use super::node::{Mark, Node};
use super::yaml::{self, YamlError};

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The owner's text, comments included, with a line break at its end. The line `---`
    /// above it is left out: it parts documents and belongs to none. Comments between the
    /// file's beginning (or a `...`) and that line stay, and so do directives, together
    /// with the `---` that has to follow them.
    pub text: String,
    /// Its values; their places are those in the file.
    pub root: Node,
}

/// Splits a file where YAML does, so that `---` inside a text parts nothing. Documents
/// without a value are left out.
///
/// # Errors
/// As [`yaml::read`], or a byte order mark elsewhere than at the beginning.
pub fn split(file: &str) -> Result<Vec<Document>, YamlError> {
    let file = file.trim_start_matches(BYTE_ORDER_MARK);
    if let Some(at) = file.find(BYTE_ORDER_MARK) {
        let line_begin = file[..at].rfind('\n').map_or(0, |newline| newline + 1);
        return Err(YamlError {
            mark: Mark {
                line: 1 + file[..at].matches('\n').count(),
                column: 1 + file[line_begin..at].chars().count(),
            },
            message: "a byte order mark (U+FEFF) in the middle of the file; remove it, or write \\ufeff in a quoted text".to_owned(),
        });
    }
    let completed;
    let file = if file.ends_with('\n') {
        file
    } else {
        completed = format!("{file}\n");
        &completed
    };
    let mut documents = Vec::new();
    let mut begin = 0;
    for document in yaml::read(file)? {
        let text = text_of(file, begin, document.marker, document.end);
        begin = document.next;
        if !document.root.is_null() {
            documents.push(Document {
                text,
                root: document.root,
            });
        }
    }
    Ok(documents)
}

/// A byte order mark: nothing at a file's beginning. Elsewhere it would be nothing or a
/// character, depending on what stands before, so there it is refused.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a document whose lead (comments, directives) begins at `begin`, whose `---`
/// stands at `marker`, and which ends at `end`; all in bytes.
fn text_of(file: &str, begin: usize, marker: Option<usize>, end: usize) -> String {
    let Some(marker) = marker else {
        return without_ends(&file[begin..end]);
    };
    let lead = &file[begin..marker];
    let body = &file[marker..end];
    let line_end = body.find('\n').map_or(body.len(), |at| at + 1);
    let marker_alone = body[..line_end].trim_end() == "---";
    let lead = without_ends(lead);
    let below = &body[line_end..];
    if marker_alone && !has_directive(&lead) {
        lead + below
    } else {
        lead + body
    }
}

/// Drops the lines `...` above a document's first value: they end nothing.
fn without_ends(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((line, below)) = rest.split_once('\n') {
        let is_end = line
            .strip_prefix("...")
            .is_some_and(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace));
        if !is_end {
            if !line.trim().is_empty() && !line.starts_with(['#', '%']) {
                break;
            }
            kept.push_str(line);
            kept.push('\n');
        }
        rest = below;
    }
    kept + rest
}

fn has_directive(lead: &str) -> bool {
    lead.lines().any(|line| line.starts_with('%'))
}

/// Puts documents behind one another, so that [`split`] finds the same texts again.
#[must_use]
pub fn join<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut joined = String::new();
    for text in texts {
        if !joined.is_empty() {
            // A text with a `---` of its own, below a lead or directives, follows an explicit
            // end: behind another `---` its lead would be a document of nothing.
            let first = text
                .lines()
                .find(|line| !(line.trim().is_empty() || line.starts_with('#')));
            let own_marker =
                first.is_some_and(|line| line.starts_with('%') || line.starts_with("---"));
            joined.push_str(if own_marker { "...\n" } else { "---\n" });
        }
        joined.push_str(text);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::blank_line_above_a_marker_with_a_value("a: 1\n...\n\r\n--- ---\n")]
    #[case::comment_above_a_marker_with_a_value("a: 1\n...\n# lead\n--- b\n")]
    #[case::directive("a: 1\n...\n%YAML 1.2\n---\nb: 2\n")]
    #[case::plain("a: 1\n---\nb: 2\n")]
    fn joined_is_split_the_same(#[case] file: &str) {
        let texts = |file: &str| -> Vec<String> {
            let documents = split(file).unwrap();
            documents
                .into_iter()
                .map(|document| document.text)
                .collect()
        };
        let first = texts(file);
        assert_eq!(first.len(), 2);
        assert_eq!(texts(&join(first.iter().map(String::as_str))), first);
    }
}
