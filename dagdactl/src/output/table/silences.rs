//! The table of `alerts silences`.

use super::grid::{Column, Grid, known, plain};
use super::ids;
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::silences::{SilenceListView, SilenceView};

/// The silences as a table.
pub fn list(view: &SilenceListView, clock: &Clock) -> String {
    let mut grid = Grid::new(&[
        Column::Left("ID"),
        Column::Left("SILENCED"),
        Column::Left("SINCE"),
        Column::Left("UNTIL"),
        Column::Right("LEFT"),
    ]);
    let ids = view.silences.iter().map(|silence| silence.id.as_str());
    for silence in &view.silences {
        grid.row([
            plain(ids::short(&silence.id, &ids)),
            plain(silence.of()),
            known(silence.created_at, |at| clock.at(at)),
            known(silence.until, |at| clock.at(at)),
            known(silence.until, |at| human::age(clock.now, at)),
        ]);
    }
    grid.render()
}

/// What `silence` did.
pub fn set(view: &SilenceListView, clock: &Clock) -> String {
    let line = |silence: &SilenceView| {
        let of = escape::cell(silence.of());
        let until = silence.until.map(|at| format!(" until {}", clock.at(at)));
        format!("nobody is notified of {of}{}\n", until.unwrap_or_default())
    };
    view.silences.iter().map(line).collect()
}

/// What `unsilence` did.
pub fn lifted(view: &SilenceListView) -> String {
    let line = |silence: &SilenceView| {
        let of = escape::cell(silence.of());
        format!("people are notified of {of} again\n")
    };
    view.silences.iter().map(line).collect()
}
