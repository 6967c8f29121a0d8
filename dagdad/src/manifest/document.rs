//! A file to its documents: each with the owner's own text and the values in it.

use super::node::{self, Node, YamlError};

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
/// As [`node::read`].
pub fn split(file: &str) -> Result<Vec<Document>, YamlError> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let completed;
    let file = if file.ends_with('\n') {
        file
    } else {
        completed = format!("{file}\n");
        &completed
    };
    let mut documents = Vec::new();
    let mut begin = 0;
    for document in node::read(file)? {
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

/// The text of a document whose lead (comments, directives) begins at `begin`, whose `---`
/// stands at `marker`, and which ends at `end`; all in bytes.
fn text_of(file: &str, begin: usize, marker: Option<usize>, end: usize) -> String {
    let Some(marker) = marker else {
        return file[begin..end].to_owned();
    };
    let lead = &file[begin..marker];
    let body = &file[marker..end];
    let line_end = body.find('\n').map_or(body.len(), |at| at + 1);
    let marker_alone = body[..line_end].trim_end() == "---";
    if marker_alone && !has_directive(lead) {
        format!("{lead}{}", &body[line_end..])
    } else {
        file[begin..end].to_owned()
    }
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
            // Directives may only follow an explicit end.
            let lead = text
                .lines()
                .take_while(|line| line.trim().is_empty() || line.starts_with(['#', '%']));
            let directive = lead.into_iter().any(|line| line.starts_with('%'));
            joined.push_str(if directive { "...\n" } else { "---\n" });
        }
        joined.push_str(text);
    }
    joined
}
