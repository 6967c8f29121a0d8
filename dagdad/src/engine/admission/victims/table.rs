//! Which sums can be reached, row by row.

/// Rows of sums from 0 up. Each sum that can be reached is so with a remainder, the less the
/// better.
pub trait Table {
    /// Begins with a row in which only 0 is reached.
    fn new(rows: usize, width: usize) -> Self;

    /// Appends a row. A sum is reached in it as it is in the row `keep`, or else as the sum
    /// `plus` below it is in the row `take`, with `remainder` more; the better of both.
    fn push(&mut self, keep: Option<usize>, take: Option<Take>);

    /// The least remainder with which a sum is reached.
    fn least(&self, row: usize, sum: usize) -> Option<i64>;
}

/// A way from one row to another.
#[derive(Debug, Clone, Copy)]
pub struct Take {
    pub row: usize,
    pub plus: usize,
    pub remainder: i64,
}

/// Where no remainder is anything but 0: a bit a sum.
pub struct Bits {
    words: Vec<u64>,
    /// Of a row, in words.
    width: usize,
}

impl Table for Bits {
    fn new(rows: usize, width: usize) -> Self {
        let width = width.div_ceil(u64::BITS as usize);
        let mut words = Vec::with_capacity(rows * width);
        words.resize(width, 0);
        if let Some(first) = words.first_mut() {
            *first = 1;
        }
        Self { words, width }
    }

    fn push(&mut self, keep: Option<usize>, take: Option<Take>) {
        let start = append(&mut self.words, keep, self.width, 0);
        let Some(Take { row, plus, .. }) = take else {
            return;
        };
        let (before, out) = self.words.split_at_mut(start);
        let (whole, bits) = (plus / 64, plus % 64);
        let mut carried = 0;
        for (out, &word) in out.iter_mut().skip(whole).zip(&before[row * self.width..]) {
            *out |= word << bits | carried;
            carried = if bits == 0 { 0 } else { word >> (64 - bits) };
        }
    }

    fn least(&self, row: usize, sum: usize) -> Option<i64> {
        let word = self.words[row * self.width..][..self.width].get(sum / 64)?;
        (word >> (sum % 64) & 1 == 1).then_some(0)
    }
}

/// A number that remainders are added up in.
pub trait Remainder: Copy + Ord + std::ops::Add<Output = Self> + TryFrom<i64> + Into<i64> {
    /// Of a sum that is not reached.
    const UNREACHED: Self;
    /// What all remainders together may come to, up or down: what is not reached then never
    /// looks as if it were.
    const LIMIT: Self;
}

impl Remainder for i32 {
    const UNREACHED: Self = Self::MAX / 2;
    const LIMIT: Self = Self::MAX / 4;
}

impl Remainder for i64 {
    const UNREACHED: Self = Self::MAX / 2;
    const LIMIT: Self = Self::MAX / 4;
}

/// Where there are remainders: the least of each sum.
pub struct Remainders<T> {
    cells: Vec<T>,
    /// Of a row.
    width: usize,
}

impl<T: Remainder> Table for Remainders<T> {
    fn new(rows: usize, width: usize) -> Self {
        let mut cells = Vec::with_capacity(rows * width);
        cells.extend(T::try_from(0));
        cells.resize(width, T::UNREACHED);
        Self { cells, width }
    }

    fn push(&mut self, keep: Option<usize>, take: Option<Take>) {
        let start = append(&mut self.cells, keep, self.width, T::UNREACHED);
        let Some(Take {
            row,
            plus,
            remainder,
        }) = take
        else {
            return;
        };
        let Ok(remainder) = T::try_from(remainder) else {
            return;
        };
        let (before, out) = self.cells.split_at_mut(start);
        for (out, &cell) in out.iter_mut().skip(plus).zip(&before[row * self.width..]) {
            *out = (*out).min(cell + remainder);
        }
    }

    fn least(&self, row: usize, sum: usize) -> Option<i64> {
        let cell = *self.cells[row * self.width..][..self.width].get(sum)?;
        (cell <= T::LIMIT).then(|| cell.into())
    }
}

/// Appends a copy of a row, or an empty one; returns where it begins.
fn append<T: Copy>(cells: &mut Vec<T>, row: Option<usize>, width: usize, empty: T) -> usize {
    let start = cells.len();
    match row {
        Some(row) => cells.extend_from_within(row * width..(row + 1) * width),
        None => cells.resize(start + width, empty),
    }
    start
}
