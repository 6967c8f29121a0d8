//! What people see: plain columns without borders, as wide as their contents.

pub mod admission;
pub mod alerts;
pub mod audit;
pub mod backtest;
pub mod catalogue;
pub mod doctor;
pub mod economy;
pub mod economy_plan;
pub mod events;
pub mod grid;
mod ids;
pub mod plan;
pub mod pod_detail;
pub mod pods;
pub mod resources;
pub mod runs;
pub mod silences;
pub mod status;
#[cfg(test)]
mod tests;
mod tree;
pub mod workflows;

use std::fmt::Write;

use super::colour::{STRONG, paint};
use super::escape;
use super::wrap::wrap;

/// Adds a line `label  value` of a page; a value that is too long goes on below its beginning.
/// Line feeds in the value are kept.
fn field(text: &mut String, label: &str, value: &str, width: Option<usize>) {
    const LABEL: usize = 9;
    let indent = " ".repeat(LABEL + 2);
    let lines = wrap(&escape::text(value), &indent, width).join("\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}  {}",
        paint(STRONG, format_args!("{label:<LABEL$}")),
        lines.trim_start()
    );
}
