//! A run under way: followed to its outcome, shown meanwhile, told of at the end.

use std::future::Future;
use std::time::{Duration, Instant};

use dagda_proto::v1::run_update::Update;
use dagda_proto::v1::{Done, RunUpdate};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tonic::Streaming;

use crate::client::Daemon;
use crate::commands::{Outcome, Until, stream_ended};
use crate::error::{Error, Trouble};
use crate::output::human::{self, Clock};
use crate::output::json::operations::OutcomeView;
use crate::output::json::runs::{RunOutcomeView, RunView};
use crate::output::progress::Progress;
use crate::output::progress::board::Board;
use crate::output::table::runs::waiting;
use crate::output::{Output, colour, escape};

/// What is asked of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To run.
    Run,
    /// To stop.
    Stop,
}

/// How it ended, as far as it was waited for.
#[derive(Debug)]
pub enum End {
    /// Well.
    Done {
        /// Whether anything had to be done.
        changed: bool,
        /// One line; may be empty.
        message: String,
    },
    /// dagdad has it in hand.
    Accepted,
}

/// A run that was followed.
#[derive(Debug)]
pub struct Followed {
    /// How it ended.
    pub end: Result<End, Error>,
    /// The run as it was seen last.
    pub run: Option<RunView>,
    /// How far it was waited for.
    until: Until,
    /// How long that took.
    took: Duration,
}

/// Follows the run that `opening` begins or ends and shows where it is.
///
/// # Errors
/// Only where following cannot begin; how the run ended is in what is returned.
pub async fn follow(
    ask: Ask,
    name: &str,
    until: Until,
    daemon: &Daemon,
    output: &Output,
    opening: impl Future<Output = Result<Streaming<RunUpdate>, Error>>,
) -> Result<Followed, Error> {
    let mut interrupts = signal(SignalKind::interrupt())
        .map_err(|error| Error::Internal(format!("cannot listen for Ctrl-C: {error}")))?;
    let progress = Progress::detect(output.json());
    let mut board = progress.board();
    let mut run = None;
    let asked = (Instant::now(), Timestamp::now());
    let introduce = |run: &RunView| {
        if ask == Ask::Run {
            progress.aside(|| output.note(&introduction(run, asked.1)));
        }
    };
    let end = tokio::select! {
        biased;
        end = watch(daemon, opening, until, introduce, &mut board, &mut run) => end,
        _ = interrupts.recv() => {
            progress.freeze();
            Err(Error::Interrupted("interrupted".to_owned()))
        }
    };
    board.end();
    Ok(Followed {
        end: end.map_err(|error| left_behind(error, ask, name, run.as_ref())),
        run,
        until,
        took: asked.0.elapsed(),
    })
}

/// Takes in what dagdad tells until the outcome.
async fn watch(
    daemon: &Daemon,
    opening: impl Future<Output = Result<Streaming<RunUpdate>, Error>>,
    until: Until,
    introduce: impl Fn(&RunView),
    board: &mut Board,
    seen: &mut Option<RunView>,
) -> Result<End, Error> {
    let mut updates = opening.await?;
    while let Some(RunUpdate { update }) = daemon.next(&mut updates).await? {
        match update {
            Some(Update::Run(run)) => {
                let first = seen.is_none();
                let run = seen.insert(run.into());
                if until == Until::Accepted {
                    return Ok(End::Accepted);
                }
                if first {
                    introduce(run);
                }
                board.show(run, &Clock::system());
            }
            Some(Update::Done(Done { message, changed })) => {
                return Ok(End::Done { changed, message });
            }
            Some(Update::Error(detail)) => return Err(detail.into()),
            // From a later dagdad.
            None => {}
        }
    }
    Err(stream_ended())
}

/// Which run is followed; it may be one that was `asked` for before.
fn introduction(run: &RunView, asked: Timestamp) -> String {
    // What separates the two clock readings, and the milliseconds that views leave out.
    const SLACK: Duration = Duration::from_secs(1);
    let run_of = format!("run {} of {}", run.id, run.workflow);
    let text = match run.accepted_at {
        Some(at) if at + SLACK < asked => format!(
            "{run_of} is active since {} already: it is followed, nothing is begun anew",
            human::age(at, asked)
        ),
        _ => run_of,
    };
    escape::cell(&text)
}

/// Adds to the reason why it is no longer waited for what becomes of it, and what can be done.
fn left_behind(error: Error, ask: Ask, name: &str, run: Option<&RunView>) -> Error {
    // Each command on a line of its own, to be copied.
    let what = match (ask, run) {
        (Ask::Run, Some(run)) => format!(
            "run {id} of {name} ({state}) goes on in dagdad\n\
             see it: dagdactl workflow runs show {id}\n\
             end it: dagdactl workflow stop {name}",
            id = run.id,
            state = run.state.as_str().replace('_', " "),
        ),
        (Ask::Run, None) => format!(
            "if dagdad has accepted the run of {name}, it goes on there\n\
             see: dagdactl workflow runs {name}"
        ),
        (Ask::Stop, _) => {
            format!("the stop of {name} goes on in dagdad\nsee: dagdactl workflow runs {name}")
        }
    };
    match error {
        Error::Interrupted(why) => Error::Interrupted(format!("{why}; {what}")),
        Error::TimedOut(why) => Error::TimedOut(format!("{why}; {what}")),
        Error::Unreachable(Trouble { finding, remedy }) if run.is_some() => {
            let goes_on = format!("once it is back, {what}");
            Error::Unreachable(Trouble {
                finding,
                remedy: Some(match remedy {
                    Some(remedy) => format!("{remedy}\n{goes_on}"),
                    None => goes_on,
                }),
            })
        }
        other => other,
    }
}

impl Followed {
    /// Prints how it ended; `good` is what to say where dagdad says nothing.
    ///
    /// # Errors
    /// Those of [`Output`].
    pub fn tell(self, name: &str, good: &str, output: &mut Output) -> Result<Outcome, Error> {
        let Self {
            end,
            run,
            until,
            took,
        } = self;
        if output.json() {
            output.document(&RunOutcomeView {
                name: name.to_owned(),
                outcome: outcome(name, good, &end),
                run,
            })?;
            return Ok(end.map_or_else(Outcome::Reported, |_| Outcome::Done));
        }
        match (&end, &run) {
            // Alone on stdout, so that a script can keep it.
            (Ok(_), Some(run)) if until == Until::Accepted => {
                output.text(&format!("{}\n", escape::cell(&run.id)))?;
                output.note(&accepted(run));
            }
            (Ok(End::Accepted), _) => {}
            (Ok(End::Done { changed, message }), _) => {
                let took = changed.then(|| {
                    let took = human::elapsed(took);
                    colour::paint(colour::DIM, format_args!("({took})"))
                });
                let message = if message.is_empty() { good } else { message };
                output.success(message, took.as_deref())?;
            }
            (Err(error), run) => {
                output.complaint(error);
                if let (Error::Refused { .. }, Some(run)) = (error, run) {
                    let id = escape::cell(&run.id);
                    output.note(&format!("see the run: dagdactl workflow runs show {id}"));
                }
            }
        }
        Ok(end.map_or_else(Outcome::Reported, |_| Outcome::Done))
    }
}

/// How it ended, as JSON has it.
fn outcome(name: &str, good: &str, end: &Result<End, Error>) -> OutcomeView {
    match end {
        Ok(End::Done { changed, message }) => OutcomeView::Done {
            changed: *changed,
            message: if message.is_empty() { good } else { message }.to_owned(),
        },
        Ok(End::Accepted) => OutcomeView::Accepted {
            message: format!("run of {name} accepted"),
        },
        Err(error) => OutcomeView::Error {
            error: Box::new(error.into()),
        },
    }
}

/// What is said of a run that is not waited for.
fn accepted(run: &RunView) -> String {
    let place = run
        .queue
        .as_ref()
        .map(|place| format!(", {}", waiting(place, &Clock::system())))
        .unwrap_or_default();
    let text = format!(
        "run of {} accepted ({}{place})",
        run.workflow,
        run.state.as_str().replace('_', " "),
    );
    format!(
        "{}\nsee it: dagdactl workflow runs show {}",
        escape::cell(&text),
        escape::cell(&run.id)
    )
}
