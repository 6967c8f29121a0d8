//! Makes text from elsewhere harmless for a terminal: manifests, messages and log lines may
//! hold anything, escape sequences that move the cursor or rename the window included.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal might act on the character, or show other characters in another order
/// because of it: C0 and C1 controls, DEL, and the bidirectional overrides and isolates.
pub const fn is_harmful(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => (c as u32) < 0x20 || matches!(c as u32, 0x7f..=0x9f),
    }
}

/// `text` with every harmful character written out, as in `\u{1b}`. Line feeds and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_harmful(character) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "{}", character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// As [`text`], for one cell of a table: line feeds and tabs become spaces.
pub fn cell(cell: &str) -> String {
    text(cell).replace(['\n', '\t'], " ")
}

/// As [`text`], for a log line: what programs colour their output with is dropped rather than
/// written out, as is the carriage return of a line from elsewhere.
pub fn log(line: &str) -> Cow<'_, str> {
    if !line.chars().any(is_harmful) {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.strip_suffix("\r").unwrap_or(line);
    while let Some(start) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(start);
        plain.push_str(before);
        let parameters = &sequence[2..];
        let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'));
        match end {
            // Select Graphic Rendition: colours and nothing else.
            Some(end) if parameters[end..].starts_with('m') => rest = &parameters[end + 1..],
            _ => {
                plain.push('\u{1b}');
                rest = &sequence[1..];
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(text(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain ✓ text\n\tindented", "plain ✓ text\n\tindented")]
    #[case("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}")]
    #[case("\u{9b}31m", r"\u{9b}31m")]
    #[case("a\rb", r"a\rb")]
    #[case("\u{202e}evil", r"\u{202e}evil")]
    fn text_is_written_out(#[case] input: &str, #[case] expected: &str) {
        assert_eq!(text(input), expected);
    }

    #[rstest]
    #[case("\u{1b}[1;31mred\u{1b}[0m and\u{1b}[m plain", "red and plain")]
    #[case("windows\r", "windows")]
    #[case("\u{1b}[2Jgone", r"\u{1b}[2Jgone")]
    #[case("\u{1b}[", r"\u{1b}[")]
    #[case("\u{1b}[31", r"\u{1b}[31")]
    fn log_lines_lose_their_colours_only(#[case] input: &str, #[case] expected: &str) {
        assert_eq!(log(input), expected);
    }

    #[test]
    fn cells_are_one_line() {
        assert_eq!(cell("a\nb\tc\u{1b}"), r"a b c\u{1b}");
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(input in any::<String>()) {
            prop_assert!(!text(&input).chars().any(is_harmful));
            prop_assert!(!log(&input).chars().any(is_harmful));
        }

        #[test]
        fn harmless_text_is_untouched(input in "[ -~äöü✓\n\t]*") {
            prop_assert_eq!(text(&input), input.as_str());
            prop_assert_eq!(log(&input), input.as_str());
        }
    }
}
