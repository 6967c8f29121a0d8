//! Breaks prose into lines.

use unicode_width::UnicodeWidthStr;

/// `text` in lines of at most `width` columns, each after `indent`. Line feeds in the text are
/// kept; a word longer than a line stands alone and whole. Without a width (a pipe) nothing is
/// broken.
pub fn wrap(text: &str, indent: &str, width: Option<usize>) -> Vec<String> {
    let room = width.map_or(usize::MAX, |width| {
        width.saturating_sub(indent.width()).max(20)
    });
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = indent.to_owned();
        let mut used = 0;
        for word in paragraph.split_whitespace() {
            if used > 0 && used + 1 + word.width() > room {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += word.width();
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_what_fits_and_breaks_what_does_not() {
        assert_eq!(
            wrap("one two three\nfour", "  ", None),
            ["  one two three", "  four"]
        );
        assert_eq!(
            wrap("twenty columns wide it is", "", Some(20)),
            ["twenty columns wide", "it is"]
        );
        assert!(wrap("", "  ", Some(80)).is_empty());
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_too_long(words in prop::collection::vec("[a-zé漢]{1,9}", 0..40), width in 24usize..100) {
            let lines = wrap(&words.join(" "), "  ", Some(width));
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let back: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
            prop_assert_eq!(back, words);
        }
    }
}
