//! Rows and columns: comfy-table without borders, and prose between the rows.

use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use crate::output::escape;
use crate::output::wrap::wrap;

/// How a cell looks, by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// As it should be.
    Good,
    /// Wants attention.
    Warn,
    /// Failed.
    Bad,
    /// In the background.
    Dim,
}

/// A column's heading and on which side its cells stand.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// Text, on the left.
    Left(&'static str),
    /// Numbers, on the right.
    Right(&'static str),
}

/// A table in the making.
#[derive(Debug)]
pub struct Grid {
    table: Table,
    /// What stands below each row.
    prose: Vec<Vec<String>>,
}

/// Between two columns.
const GAP: u16 = 2;

impl Grid {
    /// An empty table.
    pub fn new(columns: &[Column]) -> Self {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .enforce_styling()
            .style_text_only();
        table.set_header(columns.iter().map(|column| match column {
            Column::Left(heading) | Column::Right(heading) => {
                comfy_table::Cell::new(heading).add_attribute(Attribute::Bold)
            }
        }));
        for (index, column) in columns.iter().enumerate() {
            if let Some(made) = table.column_mut(index) {
                made.set_padding((0, GAP));
                if matches!(column, Column::Right(_)) {
                    made.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Self {
            table,
            prose: Vec::new(),
        }
    }

    /// Adds a row; what the cells hold is made harmless.
    pub fn row<const N: usize>(&mut self, cells: [(String, Tone); N]) {
        self.table.add_row(cells.map(|(text, tone)| {
            let cell = comfy_table::Cell::new(escape::cell(&text));
            match tone {
                Tone::Plain => cell,
                Tone::Good => cell.fg(Color::Green),
                Tone::Warn => cell.fg(Color::Yellow),
                Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
                Tone::Dim => cell.add_attribute(Attribute::Dim),
            }
        }));
        self.prose.push(Vec::new());
    }

    /// Adds prose below the last row.
    pub fn below(&mut self, text: &str, indent: &str, width: Option<usize>) {
        if let Some(prose) = self.prose.last_mut() {
            prose.extend(wrap(&escape::text(text), indent, width));
        }
    }

    /// The widest line of the columns.
    pub fn width(&self) -> usize {
        self.table
            .lines()
            .map(|line| {
                anstream::adapter::strip_str(&line)
                    .to_string()
                    .trim_end()
                    .width()
            })
            .max()
            .unwrap_or_default()
    }

    /// The lines, each with a line feed.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // The heading comes first and has no prose below it.
        let prose = std::iter::once(&[][..]).chain(self.prose.iter().map(Vec::as_slice));
        for (line, below) in self.table.lines().zip(prose) {
            text.push_str(line.trim_end());
            text.push('\n');
            for line in below {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// A plain cell.
pub fn plain(text: impl Into<String>) -> (String, Tone) {
    (text.into(), Tone::Plain)
}

/// A cell for a number that may be unknown.
pub fn known<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> (String, Tone) {
    value.map_or_else(|| ("-".to_owned(), Tone::Dim), |value| plain(show(value)))
}
