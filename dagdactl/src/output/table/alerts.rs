//! The table of `alerts list`.

use super::grid::{Column, Grid, Tone, known, plain};
use super::ids;
use crate::output::human::{self, Clock};
use crate::output::json::alerts::{AlertListView, AlertView, SeverityView};

/// The alerts as a table, when and why below each row.
pub fn list(view: &AlertListView, clock: &Clock, width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("ID"),
        Column::Left("CONDITION"),
        Column::Left("OBJECT"),
        Column::Left("SEVERITY"),
        Column::Left("STATE"),
        Column::Right("FOR"),
    ]);
    let ids = view.alerts.iter().map(|alert| alert.id.as_str());
    for alert in &view.alerts {
        let end = alert.resolved_at.unwrap_or(clock.now);
        grid.row([
            plain(ids::short(&alert.id, &ids)),
            plain(&alert.condition),
            plain(&alert.object),
            severity(alert),
            state(alert),
            known(alert.created_at, |from| human::age(from, end)),
        ]);
        grid.below(&story(alert, clock), "  ", width);
    }
    grid.render()
}

/// In the background where it is over.
fn severity(alert: &AlertView) -> (String, Tone) {
    let tone = match alert.severity {
        _ if alert.resolved_at.is_some() => Tone::Dim,
        SeverityView::Info => Tone::Plain,
        SeverityView::Warning | SeverityView::Unknown => Tone::Warn,
        SeverityView::Critical => Tone::Bad,
    };
    (alert.severity.as_str().to_owned(), tone)
}

fn state(alert: &AlertView) -> (String, Tone) {
    match alert.resolved_at {
        None => ("firing".to_owned(), Tone::Bad),
        Some(_) => ("resolved".to_owned(), Tone::Dim),
    }
}

/// When, and what.
fn story(alert: &AlertView, clock: &Clock) -> String {
    let message = &alert.message;
    match (alert.created_at, alert.resolved_at) {
        (Some(from), None) => format!("since {}: {message}", clock.at(from)),
        (Some(from), Some(to)) => {
            format!("from {} to {}: {message}", clock.at(from), clock.at(to))
        }
        (None, _) => message.clone(),
    }
}
