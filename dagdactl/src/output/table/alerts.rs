//! The table of `alerts list`.

use std::fmt::Write;

use super::grid::{Column, Grid, Tone, known, plain};
use super::ids;
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::alerts::{
    AlertListView, AlertStateView, AlertView, AlertsChangedView, CulpritView, SeverityView,
};

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
    let tone = match alert.state {
        AlertStateView::Firing => Tone::Bad,
        AlertStateView::Acknowledged | AlertStateView::Unknown => Tone::Warn,
        AlertStateView::Resolved => Tone::Dim,
    };
    let silenced = if alert.silenced { ", silenced" } else { "" };
    (format!("{}{silenced}", alert.state.as_str()), tone)
}

/// When, and what.
fn story(alert: &AlertView, clock: &Clock) -> String {
    let message = &alert.message;
    let mut text = match (alert.created_at, alert.resolved_at) {
        (Some(from), None) => format!("since {}: {message}", clock.at(from)),
        (Some(from), Some(to)) => {
            format!("from {} to {}: {message}", clock.at(from), clock.at(to))
        }
        (None, _) => message.clone(),
    };
    // Writing to a String cannot fail.
    if let Some(peak) = alert.peak_percent {
        let _ = write!(text, "; peak {}", human::percent(peak));
    }
    if !alert.culprits.is_empty() {
        let used = |culprit: &CulpritView| {
            let CulpritView {
                pod,
                cpu_percent,
                ram_bytes,
            } = culprit;
            let (cpu, ram) = (human::percent(*cpu_percent), human::bytes(*ram_bytes));
            format!("{pod} ({cpu} of a core, {ram})")
        };
        let used: Vec<String> = alert.culprits.iter().map(used).collect();
        let _ = write!(text, " with {}", used.join(", "));
    }
    if alert.flapping {
        text.push_str("; it comes and goes");
    }
    if alert.silenced {
        text.push_str("; nobody is notified of it");
    }
    text
}

/// What `ack` or `resolve` did, a line for each alert.
pub fn changed(view: &AlertsChangedView) -> String {
    let line = |alert: &AlertView| {
        let (condition, object) = (escape::cell(&alert.condition), escape::cell(&alert.object));
        format!("{condition} of {object} is {}\n", alert.state.as_str())
    };
    view.alerts.iter().map(line).collect()
}
