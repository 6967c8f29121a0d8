//! A run under way: a line for itself and one for each of its pods, each with a spinner while
//! something happens and a mark once it is settled.

use std::io::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar};

use super::{Progress, style};
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::runs::{RunPodView, RunStateView, RunView};
use crate::output::table::runs::waiting;

/// A run on the screen.
#[derive(Debug)]
pub struct Board {
    shown: Shown,
    /// What each line said last.
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Shown {
    Spinners {
        all: MultiProgress,
        bars: Vec<ProgressBar>,
    },
    Lines,
    Nothing,
}

/// A line of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of what it tells.
    pub name: String,
    /// How that stands.
    pub mark: Mark,
    /// In words.
    pub text: String,
}

/// How something stands, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing is being done yet.
    Idle,
    /// Something is being done.
    Busy,
    /// As it should be.
    Good,
    /// Failed.
    Bad,
}

impl Progress {
    /// A board without lines.
    pub fn board(&self) -> Board {
        Board {
            shown: match self {
                Self::Spinners(all) => Shown::Spinners {
                    all: all.clone(),
                    bars: Vec::new(),
                },
                Self::Lines => Shown::Lines,
                Self::Quiet => Shown::Nothing,
            },
            lines: Vec::new(),
        }
    }
}

impl Board {
    /// Shows the run as it is now. Into a pipe goes each line that has changed.
    pub fn show(&mut self, run: &RunView, clock: &Clock) {
        let lines = lines(run, clock);
        let width = lines.iter().map(|line| line.name.len()).max();
        for (index, line) in lines.iter().enumerate() {
            let last = self.lines.get(index);
            if last == Some(line) {
                continue;
            }
            match &mut self.shown {
                Shown::Nothing => {}
                Shown::Spinners { all, bars } => {
                    let bar = if let Some(bar) = bars.get(index) {
                        bar
                    } else {
                        bars.push(all.add(ProgressBar::new_spinner()));
                        &bars[bars.len() - 1]
                    };
                    let marked_as_before = last.is_some_and(|last| last.mark == line.mark);
                    draw(bar, line, width.unwrap_or_default(), marked_as_before);
                }
                // That nothing is done yet is no news.
                Shown::Lines => {
                    if line.mark != Mark::Idle && last.is_none_or(|last| differ(last, line)) {
                        // That stderr is closed is no reason to stop.
                        let _ = writeln!(std::io::stderr(), "{}: {}", line.name, line.text);
                    }
                }
            }
        }
        self.lines = lines;
    }

    /// The run is followed no further: its own line goes, those of its pods stay.
    pub fn end(self) {
        let Shown::Spinners { bars, .. } = &self.shown else {
            return;
        };
        for (index, bar) in bars.iter().enumerate() {
            bar.disable_steady_tick();
            if index == 0 {
                bar.finish_and_clear();
            } else {
                bar.abandon();
            }
        }
    }
}

fn draw(bar: &ProgressBar, line: &Line, width: usize, marked_as_before: bool) {
    if !marked_as_before {
        bar.set_style(style(match line.mark {
            Mark::Idle => "· {prefix:.dim}  {msg:.dim}",
            Mark::Busy => "{spinner:.cyan} {prefix}  {msg}  {elapsed:.dim}",
            Mark::Good => "{prefix:.green}  {msg}",
            Mark::Bad => "{prefix:.red}  {msg}",
        }));
        if line.mark == Mark::Busy {
            bar.reset_elapsed();
            bar.enable_steady_tick(Duration::from_millis(100));
        } else {
            bar.disable_steady_tick();
        }
    }
    let sign = match line.mark {
        Mark::Idle | Mark::Busy => "",
        Mark::Good => "✓ ",
        Mark::Bad => "✗ ",
    };
    bar.set_prefix(format!("{sign}{:<width$}", line.name));
    bar.set_message(line.text.clone());
    bar.tick();
}

/// Whether two lines say different things: that a number in it has grown is not one.
fn differ(last: &Line, line: &Line) -> bool {
    let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    last.mark != line.mark || words(&last.text) != words(&line.text)
}

/// The lines that tell of a run: itself first, then its pods, level by level.
pub fn lines(run: &RunView, clock: &Clock) -> Vec<Line> {
    let mut lines = Vec::with_capacity(run.pods.len() + 1);
    lines.push(heading(run, clock));
    lines.extend(run.pods.iter().map(|each| pod(each, run.state)));
    lines
}

fn heading(run: &RunView, clock: &Clock) -> Line {
    let mark = match run.state {
        RunStateView::Running | RunStateView::Stopped | RunStateView::Cancelled => Mark::Good,
        RunStateView::Degraded | RunStateView::Failed | RunStateView::RolledBack => Mark::Bad,
        RunStateView::Queued
        | RunStateView::Evicting
        | RunStateView::Starting
        | RunStateView::RollingBack
        | RunStateView::Stopping
        | RunStateView::Unknown => Mark::Busy,
    };
    let mut text = run.state.as_str().replace('_', " ");
    match (run.state, &run.queue, &run.failure) {
        (RunStateView::Queued, Some(place), _) => {
            text = format!("{text}, {}", waiting(place, clock));
        }
        (RunStateView::Starting, ..) => {
            let up = |pod: &&RunPodView| matches!(pod.step.as_str(), "ready" | "completed");
            let up = run.pods.iter().filter(up).count();
            text = format!(
                "{text}, {up} of {} ready",
                human::count(run.pods.len() as u64, "pod")
            );
        }
        (RunStateView::Evicting, ..) => {
            text = format!("making room, stopping {}", run.victims.join(", "));
        }
        (RunStateView::RollingBack | RunStateView::Failed, _, Some(failure)) => {
            let why = failure.message.lines().next().unwrap_or_default();
            text = format!("{text}: {why}");
        }
        _ => {}
    }
    Line {
        name: run.workflow.clone(),
        mark,
        text: escape::cell(&text),
    }
}

fn pod(pod: &RunPodView, state: RunStateView) -> Line {
    let goes_down = matches!(state, RunStateView::Stopping | RunStateView::RollingBack);
    let to_start = matches!(
        state,
        RunStateView::Queued | RunStateView::Evicting | RunStateView::Starting
    );
    let mark = match pod.step.as_str() {
        // Its turn to be stopped comes.
        "ready" | "completed" if goes_down => Mark::Idle,
        "waiting" => Mark::Idle,
        "ready" | "completed" | "stopped" | "kept" => Mark::Good,
        "lost" | "failed" => Mark::Bad,
        _ => Mark::Busy,
    };
    let text = match (&pod.message, pod.step.as_str()) {
        (Some(message), "kept") => format!("stays up: {message}"),
        // What failed is in the message; the mark says that it did.
        (Some(message), _) => message.clone(),
        (None, "waiting") if !to_start => "not started".to_owned(),
        (None, "waiting") if !pod.after.is_empty() => {
            format!("waits for {}", pod.after.join(", "))
        }
        (None, step) => step.to_owned(),
    };
    Line {
        name: escape::cell(&pod.pod),
        mark,
        text: escape::cell(text.lines().next().unwrap_or_default()),
    }
}
