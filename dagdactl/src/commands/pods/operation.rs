//! Operations on several pods at once: followed to their end, told of in the order of the
//! command line.

use std::future::Future;

use dagda_proto::v1::operation_update::Update;
use dagda_proto::v1::{Done, ErrorDetail, OperationUpdate, Progress as Step, Stage};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tonic::Streaming;

use crate::cli::name::Name;
use crate::client::Daemon;
use crate::commands::{Outcome, Session, Until, stream_ended};
use crate::error::Error;
use crate::output::Output;
use crate::output::json::ErrorView;
use crate::output::json::operations::{OperationView, OperationsView, OutcomeView};
use crate::output::progress::{Progress, Track};

/// How an operation ended, as far as it was waited for.
#[derive(Debug)]
enum End {
    Done { changed: bool, message: String },
    Accepted,
}

/// An operation that was followed to its end.
type Followed = (Track, Result<End, Error>);

/// Has dagdad perform the operation that `call` asks for on each of `names`, all at the same
/// time. `noun` is what the operation is called: `start`.
pub async fn perform<C, F>(
    noun: &'static str,
    names: Vec<Name>,
    until: Until,
    session: &mut Session,
    call: C,
) -> Result<Outcome, Error>
where
    C: Fn(Daemon, String) -> F,
    F: Future<Output = Result<Streaming<OperationUpdate>, Error>> + Send + 'static,
{
    let names = distinct(names);
    let daemon = session.connect().await?;
    let progress = Progress::detect(session.output.json());
    let mut interrupts = Interrupts::listen(progress.clone())?;
    let width = names
        .iter()
        .map(|name| name.as_str().len())
        .max()
        .unwrap_or_default();
    let mut under_way = Vec::with_capacity(names.len());
    for name in names {
        let opening = call(daemon.clone(), String::from(name.clone()));
        let track = progress.track(name.as_str(), width);
        under_way.push((
            name,
            tokio::spawn(follow(daemon.clone(), opening, until, track)),
        ));
    }

    let mut results = Vec::with_capacity(under_way.len());
    let mut failure: Option<Error> = None;
    for (name, task) in under_way {
        let (track, end) = interrupts.or_end(noun, &name, task).await;
        let took = track.and_then(Track::clear);
        let outcome = match end {
            Ok(end) => {
                let view = told(noun, &name, end);
                progress.aside(|| report(&mut session.output, &view, took.as_deref()))?;
                view
            }
            Err(error) => {
                progress.aside(|| session.output.complaint(&error));
                let error_view = Box::new(ErrorView::from(&error));
                failure.get_or_insert(error);
                OutcomeView::Error { error: error_view }
            }
        };
        results.push(OperationView {
            name: name.into(),
            outcome,
        });
    }
    if session.output.json() {
        let error = failure.as_ref().map(ErrorView::from);
        session
            .output
            .document(&OperationsView { results, error })?;
    }
    Ok(failure.map_or(Outcome::Done, Outcome::Reported))
}

/// Each name once, where it stood first.
fn distinct(names: Vec<Name>) -> Vec<Name> {
    let mut distinct = Vec::with_capacity(names.len());
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// Ctrl-C, listened for from the first moment, so that none is lost between two pods.
struct Interrupts {
    signals: Signal,
    progress: Progress,
    /// One came: nothing is waited for any more.
    came: bool,
}

impl Interrupts {
    fn listen(progress: Progress) -> Result<Self, Error> {
        let signals = signal(SignalKind::interrupt())
            .map_err(|error| Error::Internal(format!("cannot listen for Ctrl-C: {error}")))?;
        Ok(Self {
            signals,
            progress,
            came: false,
        })
    }

    /// Waits for a task of [`follow`] or for Ctrl-C.
    async fn or_end(
        &mut self,
        noun: &str,
        name: &Name,
        mut task: JoinHandle<Followed>,
    ) -> (Option<Track>, Result<End, Error>) {
        let goes_on =
            format!("the {noun} of {name} goes on in dagdad; see: dagdactl pods show {name}");
        if !self.came || task.is_finished() {
            tokio::select! {
                biased;
                ended = &mut task => return match ended {
                    Ok((track, Err(Error::TimedOut(why)))) => {
                        (Some(track), Err(Error::TimedOut(format!("{why}; {goes_on}"))))
                    }
                    Ok((track, end)) => (Some(track), end),
                    Err(error) => (None, Err(Error::Internal(error.to_string()))),
                },
                _ = self.signals.recv() => {
                    self.came = true;
                    self.progress.freeze();
                }
            }
        }
        task.abort();
        // Ends at once, and takes its spinner off the screen.
        let _ = task.await;
        (
            None,
            Err(Error::Interrupted(format!("interrupted; {goes_on}"))),
        )
    }
}

/// Follows an operation and shows where it is.
async fn follow(
    daemon: Daemon,
    opening: impl Future<Output = Result<Streaming<OperationUpdate>, Error>>,
    until: Until,
    mut track: Track,
) -> Followed {
    let end = async {
        let mut updates = opening.await?;
        while let Some(OperationUpdate { update }) = daemon.next(&mut updates).await? {
            match update {
                Some(Update::Progress(_)) if until == Until::Accepted => return Ok(End::Accepted),
                Some(Update::Progress(Step { stage, message })) => {
                    track.at(stage, &words(stage, message));
                }
                Some(Update::Done(Done { message, changed })) => {
                    return Ok(End::Done { changed, message });
                }
                Some(Update::Error(detail)) => return Err(refused(detail)),
                // From a later dagdad.
                None => {}
            }
        }
        Err(stream_ended())
    }
    .await;
    match &end {
        Ok(End::Done { message, .. }) => track.end(true, message),
        Ok(End::Accepted) => track.end(true, "accepted"),
        Err(error) => track.end(false, &error.to_string()),
    }
    (track, end)
}

fn refused(detail: ErrorDetail) -> Error {
    detail.into()
}

/// What dagdad says of a stage, or else the stage's name.
fn words(stage: i32, message: String) -> String {
    if !message.is_empty() {
        return message;
    }
    let word = match Stage::try_from(stage) {
        Ok(Stage::Preparing) => "preparing",
        Ok(Stage::Pulling) => "pulling images",
        Ok(Stage::Creating) => "creating containers",
        Ok(Stage::Awaiting) => "waiting until it is ready",
        Ok(Stage::Stopping) => "stopping",
        Ok(Stage::Unspecified) | Err(_) => "working",
    };
    word.to_owned()
}

fn told(noun: &str, name: &Name, end: End) -> OutcomeView {
    match end {
        End::Done { changed, message } if message.is_empty() => OutcomeView::Done {
            changed,
            message: format!("{noun} of {name}: done"),
        },
        End::Done { changed, message } => OutcomeView::Done { changed, message },
        End::Accepted => OutcomeView::Accepted {
            message: format!("{noun} of {name} accepted"),
        },
    }
}

/// Prints a good end on stdout.
fn report(output: &mut Output, view: &OutcomeView, took: Option<&str>) -> Result<(), Error> {
    match view {
        OutcomeView::Done { message, .. } | OutcomeView::Accepted { message } if !output.json() => {
            output.success(message, took)
        }
        _ => Ok(()),
    }
}
