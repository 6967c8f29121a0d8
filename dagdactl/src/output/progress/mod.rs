//! What is under way, shown on stderr: a spinner each on a terminal, plain lines elsewhere.

pub mod board;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{colour, escape, human};

/// How progress is shown.
#[derive(Debug, Clone)]
pub enum Progress {
    /// stderr is a terminal.
    Spinners(MultiProgress),
    /// stderr is not.
    Lines,
    /// Not at all: `--json`, and stderr is not a terminal.
    Quiet,
}

/// The progress of one operation.
#[derive(Debug)]
pub struct Track {
    name: String,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Spinner {
        bar: ProgressBar,
        took: Option<Duration>,
    },
    Line {
        last: Option<i32>,
    },
    Nothing,
}

impl Progress {
    /// As stderr and `--json` want it.
    pub fn detect(json: bool) -> Self {
        if std::io::stderr().is_terminal() {
            Self::Spinners(MultiProgress::new())
        } else if json {
            Self::Quiet
        } else {
            Self::Lines
        }
    }

    /// Shows an operation on `name`; `width` is that of the longest name.
    pub fn track(&self, name: &str, width: usize) -> Track {
        let shown = match self {
            Self::Quiet => Shown::Nothing,
            Self::Lines => Shown::Line { last: None },
            Self::Spinners(all) => {
                let bar = all.add(ProgressBar::new_spinner());
                bar.set_style(style("{spinner:.cyan} {prefix}  {msg}  {elapsed:.dim}"));
                bar.set_prefix(format!("{name:<width$}"));
                bar.enable_steady_tick(Duration::from_millis(100));
                Shown::Spinner { bar, took: None }
            }
        };
        Track {
            name: name.to_owned(),
            shown,
        }
    }

    /// Draws no more, on a line of its own from here. After Ctrl-C the terminal has written `^C`
    /// among the spinners, so that they can no longer be taken off the screen.
    pub fn freeze(&self) {
        if let Self::Spinners(all) = self {
            all.set_draw_target(ProgressDrawTarget::hidden());
            let _ = writeln!(std::io::stderr());
        }
    }

    /// Runs `print` while nothing is drawn over what it prints.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match self {
            Self::Spinners(all) => all.suspend(print),
            Self::Lines | Self::Quiet => print(),
        }
    }
}

impl Track {
    /// The operation is at `stage` (a number that differs between stages), in words `message`.
    /// Plain lines are printed only when the stage changes.
    pub fn at(&mut self, stage: i32, message: &str) {
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Spinner { bar, .. } => bar.set_message(escape::cell(message)),
            Shown::Line { last } => {
                if *last != Some(stage) {
                    *last = Some(stage);
                    // That stderr is closed is no reason to stop.
                    let _ = writeln!(
                        std::io::stderr(),
                        "{}: {}",
                        self.name,
                        escape::cell(message)
                    );
                }
            }
        }
    }

    /// The operation ended; its line keeps a mark until [`Self::clear`].
    pub fn end(&mut self, well: bool, message: &str) {
        if let Shown::Spinner { bar, took, .. } = &mut self.shown {
            *took = Some(bar.elapsed());
            let mark = if well {
                "{prefix:.green}"
            } else {
                "{prefix:.red}"
            };
            let sign = if well { "✓" } else { "✗" };
            bar.set_style(style(&format!("{mark} {{msg}}")));
            bar.set_prefix(sign);
            let first_line = message.lines().next().unwrap_or_default();
            bar.finish_with_message(escape::cell(first_line));
        }
    }

    /// Takes the operation off the screen and says how long it took, where that was shown.
    pub fn clear(self) -> Option<String> {
        let Shown::Spinner { bar, took, .. } = &self.shown else {
            return None;
        };
        let took = human::elapsed(took.unwrap_or_else(|| bar.elapsed()));
        Some(colour::paint(colour::DIM, format_args!("({took})")))
    }
}

impl Drop for Track {
    /// A spinner goes with its operation, also when the operation is no longer waited for.
    fn drop(&mut self) {
        if let Shown::Spinner { bar, .. } = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// A template of ours is well-formed; if not, the default spinner does.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
