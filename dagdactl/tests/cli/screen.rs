//! A terminal of 80 columns, as far as dagdactl uses one: what is on it in the end.

const COLUMNS: usize = 80;

/// The lines that are left after `text` was written, without colours and without empty lines at
/// the end.
pub fn screen(text: &str) -> Vec<String> {
    let mut rows: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0);
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\n' => (row, column) = (row + 1, 0),
            '\r' => column = 0,
            '\u{1b}' => match sequence(&mut rest) {
                ('A', count) => row = row.saturating_sub(count.unwrap_or(1)),
                ('B', count) => row += count.unwrap_or(1),
                ('K', Some(2)) => rows[row].clear(),
                _ => {}
            },
            character => {
                // The line goes on below only once there is something to write there.
                if column == COLUMNS {
                    (row, column) = (row + 1, 0);
                }
                rows.resize_with(rows.len().max(row + 1), Vec::new);
                let length = rows[row].len().max(column + 1);
                rows[row].resize(length, ' ');
                rows[row][column] = character;
                column += 1;
            }
        }
        rows.resize_with(rows.len().max(row + 1), Vec::new);
    }
    let mut lines: Vec<String> = rows
        .into_iter()
        .map(|row| row.into_iter().collect::<String>().trim_end().to_owned())
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// The rest of a control sequence: its final character, and its number where it has one.
fn sequence(rest: &mut impl Iterator<Item = char>) -> (char, Option<usize>) {
    let parameters: String = rest.by_ref().take(1).collect();
    assert_eq!(parameters, "[", "dagdactl writes control sequences only");
    let mut number = String::new();
    for character in rest {
        if character.is_ascii_alphabetic() {
            return (character, number.parse().ok());
        }
        number.push(character);
    }
    panic!("a control sequence without an end");
}
