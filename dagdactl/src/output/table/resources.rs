//! Tables of `resources`: the host now, and its history as sparklines.

use std::fmt::Write;
use std::time::Duration;

use super::grid::{Column, Grid, plain};
use super::status;
use crate::output::human;
use crate::output::json::resources::{HistoryPointView, HistoryView, ResourcesView};

/// The host now, with the thresholds it is held against.
pub fn now(view: &ResourcesView) -> String {
    let Some(host) = &view.host else {
        return "not measured yet\n".to_owned();
    };
    let mut text = status::host(host);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\nPods are admitted while RAM stays below {} and CPU below {}.\n",
        human::percent(view.ram_threshold_percent),
        human::percent(view.cpu_threshold_percent)
    );
    text
}

/// How many points fit beside the figures on `width` columns.
pub fn points(width: Option<usize>) -> u32 {
    let room = width.unwrap_or(100).saturating_sub(36).clamp(20, 120);
    u32::try_from(room).unwrap_or(60)
}

/// Takes one figure out of a point.
type Value = fn(&HistoryPointView) -> f64;

/// The host's past, a line a resource. The sparklines' scale is 0 to 100 %.
pub fn history(view: &HistoryView, since: Duration) -> String {
    let mut grid = Grid::new(&[
        Column::Left(""),
        Column::Right("MIN"),
        Column::Right("MEAN"),
        Column::Right("MAX"),
        Column::Left("0 TO 100%"),
    ]);
    let series: [(&str, Value); 4] = [
        ("CPU", |point| point.cpu_percent),
        ("RAM", |point| point.ram_percent),
        ("Disk", |point| point.disk_percent),
        ("Pressure", |point| point.memory_pressure),
    ];
    for (label, value) in series {
        let values: Vec<f64> = view.points.iter().map(value).collect();
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(0.0, f64::max);
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        grid.row([
            plain(label),
            plain(human::percent(min)),
            plain(human::percent(mean)),
            plain(human::percent(max)),
            plain(values.iter().copied().map(spark).collect::<String>()),
        ]);
    }
    let mut text = grid.render();
    let _ = writeln!(
        text,
        "The last {} in {}; pressure is the time spent waiting for memory.",
        humantime::format_duration(since),
        human::count(view.points.len() as u64, "step")
    );
    text
}

/// One of eight heights.
fn spark(percent: f64) -> char {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=7
    let height = (percent.clamp(0.0, 100.0) / 100.0 * 7.0).round() as usize;
    HEIGHTS[height]
}
