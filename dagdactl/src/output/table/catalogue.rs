//! The lines of `apply`.

use std::fmt::Write;

use crate::output::colour::{GOOD, WARN, paint};
use crate::output::escape;
use crate::output::json::catalogue::{ApplyView, ChangeView};
use crate::output::wrap::wrap;

/// `pod llama created`, notes below it.
pub fn applied(view: &ApplyView, width: Option<usize>) -> String {
    let mut text = String::new();
    for object in &view.objects {
        let change = match object.change {
            ChangeView::Created => paint(GOOD, "created"),
            ChangeView::Changed => paint(WARN, "changed"),
            ChangeView::Unchanged | ChangeView::Unknown => object.change.as_str().to_owned(),
        };
        let dry = if view.dry_run { " (dry run)" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} {} {change}{dry}",
            escape::cell(&object.kind),
            escape::cell(&object.name)
        );
        for note in &object.notes {
            for line in wrap(&escape::text(note), "  ", width) {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}
