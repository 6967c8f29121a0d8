//! The few styles used, by what they mean. Whether they reach the screen is decided where
//! text is printed: not without a terminal, not with `NO_COLOR`.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// As it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Wants attention.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Said, but in the background.
pub const DIM: Style = Style::new().dimmed();
/// A name or label.
pub const STRONG: Style = Style::new().bold();

/// `text` in `style`.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The style of a share of something scarce, in percent.
pub fn of_percent(percent: f64) -> Style {
    match percent {
        p if p >= 90.0 => BAD,
        p if p >= 75.0 => WARN,
        _ => GOOD,
    }
}
