//! Medians and spreads, and the table that shows them.

use std::fmt::{self, Display, Formatter, Write as _};
use std::time::{Duration, Instant};

/// Some measurements of one thing, sorted.
#[derive(Debug, Clone)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// At least one measurement.
    pub fn of(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// In milliseconds.
    pub fn of_durations(durations: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(
            durations
                .into_iter()
                .map(|duration| duration.as_secs_f64() * 1000.0)
                .collect(),
        )
    }

    /// The value below which the share `of` (0 to 1) of all lies (nearest rank).
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank lies between 0 and the number of values"
    )]
    pub fn quantile(&self, of: f64) -> f64 {
        let rank = (of * self.0.len() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} ({:.2} to {:.2})",
            self.median(),
            self.quantile(0.1),
            self.quantile(0.9)
        )
    }
}

/// How long `action` takes.
pub fn time(action: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    action();
    begin.elapsed()
}

/// Measures both in turn, so that whatever else the machine does befalls both alike.
pub fn side_by_side(
    rounds: u32,
    mut ours: impl FnMut() -> Duration,
    mut peer: impl FnMut() -> Duration,
) -> (Spread, Spread) {
    // One round each to warm the caches.
    let _ = (ours(), peer());
    let pairs: Vec<_> = (0..rounds).map(|_| (ours(), peer())).collect();
    (
        Spread::of_durations(pairs.iter().map(|pair| pair.0)),
        Spread::of_durations(pairs.iter().map(|pair| pair.1)),
    )
}

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    /// What was measured, and under which conditions.
    pub what: String,
    /// Median and spread, or the figure.
    pub ours: String,
    /// The peer's, where there is one.
    pub peer: String,
    /// The figure that the target is about.
    pub figure: String,
    /// The design's target.
    pub target: String,
    /// Whether it is met.
    pub met: bool,
}

impl Row {
    /// All rows as a Markdown table.
    pub fn table(rows: &[Self]) -> String {
        let mut text = "\nmedian (10th to 90th percentile)\n\n\
            | what | dagda | beside | figure | target | met |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
        for Self {
            what,
            ours,
            peer,
            figure,
            target,
            met,
        } in rows
        {
            let met = if *met { "yes" } else { "NO" };
            let _ = writeln!(
                text,
                "| {what} | {ours} | {peer} | {figure} | {target} | {met} |"
            );
        }
        text
    }
}
