//! The terminal as a screen: its size, and a picture on it that is drawn anew.

use std::fmt::Write;
use std::os::fd::AsFd;

/// Columns and rows of a terminal; 80 × 24 where it does not tell.
pub fn size(terminal: impl AsFd) -> (usize, usize) {
    match rustix::termios::tcgetwinsize(terminal) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// The escape sequences that put `picture` in place of what is on a screen of `rows` rows.
/// Each line is drawn over the old one, so that nothing flickers; what does not fit is left out.
pub fn redraw(picture: &str, rows: usize, first: bool) -> String {
    let mut drawn = String::with_capacity(picture.len() + 64);
    // Lines that are too long are cut by the terminal while its automatic wrapping is off.
    drawn.push_str("\u{1b}[?7l\u{1b}[H");
    if first {
        drawn.push_str("\u{1b}[2J");
    }
    for line in picture.lines().take(rows.saturating_sub(1)) {
        // Writing to a String cannot fail.
        let _ = writeln!(drawn, "{line}\u{1b}[K");
    }
    drawn.push_str("\u{1b}[J\u{1b}[?7h");
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_never_scrolls_the_screen() {
        let drawn = redraw("1\n2\n3\n4\n", 3, false);
        assert_eq!(
            drawn,
            "\u{1b}[?7l\u{1b}[H1\u{1b}[K\n2\u{1b}[K\n\u{1b}[J\u{1b}[?7h"
        );
        assert!(redraw("", 3, true).contains("\u{1b}[2J"));
    }
}
