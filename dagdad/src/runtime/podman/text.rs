//! Podman's texts, shortened to one line for people.

/// Longest message passed on, in characters.
const LONGEST: usize = 400;

/// `text` on one line: runs of white space and control characters become one blank, and what
/// exceeds [`LONGEST`] is cut.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let mut line = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((cut, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_become_one() {
        assert_eq!(
            one_line("errors:\n  denied:\tno\u{7}\r\n"),
            "errors: denied: no"
        );
        assert_eq!(one_line(" \n"), "");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let line = one_line(&"é".repeat(1000));
        assert_eq!(line.chars().count(), LONGEST + 1);
        assert!(line.ends_with('…'));
    }
}
