//! The page of `economy plan`.

use std::fmt::Write;

use super::economy::gauges;
use super::field;
use super::grid::{Column, Grid, plain};
use crate::output::colour::{BAD, GOOD, paint};
use crate::output::human;
use crate::output::json::economy_plan::{EconomyPlanView, StepView};
use crate::output::{escape, wrap};

/// How it stands, what would be done about it, and how it would stand then.
pub fn plan(view: &EconomyPlanView, width: Option<usize>) -> String {
    let mut text = wrap::wrap(&escape::text(&view.verdict), "", width).join("\n");
    text.push('\n');
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}", gauges(&view.gauges));
    if !view.steps.is_empty() {
        let _ = write!(text, "\n{}", steps(&view.steps, width));
        let after = format!(
            "RAM {}, CPU {}",
            human::percent(view.ram_percent_after),
            human::percent(view.cpu_percent_after)
        );
        text.push('\n');
        field(&mut text, "After", &after, width);
        let enough = if view.enough {
            paint(GOOD, "That is enough.")
        } else {
            paint(BAD, "That is not enough; no other pod may be touched.")
        };
        let _ = writeln!(text, "{enough}");
    }
    if !view.restores.is_empty() {
        text.push('\n');
        field(&mut text, "Restores", &view.restores.join(", "), width);
    }
    text
}

/// The steps, why below each.
fn steps(steps: &[StepView], width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Right("STEP"),
        Column::Left("POD"),
        Column::Right("PRIO"),
        Column::Left("WHAT"),
        Column::Right("FREES RAM"),
        Column::Right("FREES CPU"),
    ]);
    for (index, step) in steps.iter().enumerate() {
        let StepView {
            pod,
            rung,
            priority,
            frees_memory_bytes,
            frees_cpu_millicores,
            reason,
        } = step;
        grid.row([
            plain((index + 1).to_string()),
            plain(pod),
            plain(priority.to_string()),
            plain(rung.as_str()),
            plain(human::bytes(*frees_memory_bytes)),
            plain(human::cores(*frees_cpu_millicores)),
        ]);
        grid.below(reason, "      ", width);
    }
    grid.render()
}
