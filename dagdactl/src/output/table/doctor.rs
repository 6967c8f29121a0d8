//! The table of `doctor`.

use super::grid::{Column, Grid, Tone, plain};
use crate::output::json::doctor::{CheckView, VerdictView};

/// Each check with what was found below it, and how to mend it.
pub fn checks(checks: &[CheckView], width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("CHECK"),
        Column::Left("VERDICT"),
        Column::Left("FOUND"),
    ]);
    // Findings are sentences: on a terminal they stand in their column only where they fit.
    let name_width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or_default()
        .max(5);
    let room = width.map(|width| width.saturating_sub(name_width + 2 + 7 + 2));
    for check in checks {
        let tone = match check.verdict {
            VerdictView::Ok => Tone::Good,
            VerdictView::Warning => Tone::Warn,
            VerdictView::Failed | VerdictView::Unknown => Tone::Bad,
        };
        let fits = room.is_none_or(|room| check.finding.chars().count() <= room)
            && !check.finding.contains('\n');
        let beside = if fits { check.finding.as_str() } else { "" };
        grid.row([
            plain(&check.name),
            (check.verdict.as_str().to_owned(), tone),
            plain(beside),
        ]);
        if !fits {
            grid.below(&check.finding, "  ", width);
        }
        if let Some(remedy) = &check.remedy {
            grid.below(&format!("to mend it: {remedy}"), "  ", width);
        }
    }
    grid.render()
}
