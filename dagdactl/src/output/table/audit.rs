//! The table of `audit`.

use std::fmt::Write;

use super::grid::{Column, Grid, Tone, known, plain};
use crate::output::human::Clock;
use crate::output::json::audit::{AuditEntryView, AuditView};

/// Longer names are cut in the table, and told below the row.
const USER: usize = 10;
/// Likewise, of objects.
const OBJECT: usize = 16;

/// What was asked as a table, more about each below its row.
pub fn list(view: &AuditView, clock: &Clock, width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("WHEN"),
        Column::Left("USER"),
        Column::Left("VERB"),
        Column::Left("OBJECT"),
        Column::Left("OUTCOME"),
    ]);
    for entry in &view.audit {
        let user = entry.user.clone();
        let user = user.unwrap_or_else(|| entry.uid.to_string());
        grid.row([
            known(entry.at, |at| clock.at(at)),
            plain(cut(&user, USER)),
            plain(&entry.verb),
            known(entry.object.as_deref(), |object| cut(object, OBJECT)),
            outcome(entry),
        ]);
        grid.below(&story(entry, &user), "  ", width);
    }
    grid.render()
}

fn outcome(entry: &AuditEntryView) -> (String, Tone) {
    let tone = match entry.outcome.as_str() {
        "done" => Tone::Good,
        "failed" | "denied" => Tone::Bad,
        "refused" => Tone::Warn,
        _ => Tone::Plain,
    };
    (entry.outcome.clone(), tone)
}

/// Who it was in full, and what there is to say.
fn story(entry: &AuditEntryView, user: &str) -> String {
    let mut text = format!("uid {}", entry.uid);
    // Writing to a String cannot fail.
    if let Some(pid) = entry.pid {
        let _ = write!(text, ", pid {pid}");
    }
    if user.chars().count() > USER {
        let _ = write!(text, ", {user}");
    }
    if let Some(object) = entry
        .object
        .as_ref()
        .filter(|of| of.chars().count() > OBJECT)
    {
        let _ = write!(text, ", of {object}");
    }
    if !entry.message.is_empty() {
        let _ = write!(text, ": {}", entry.message);
    }
    text
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest - 1).collect();
    format!("{kept}…")
}
