//! What the verbs do, one file each.

mod apply;
mod completions;
mod doctor;
mod events;
mod export;
mod man;
mod pods;
mod resources;
mod status;

use std::path::{Path, PathBuf};

use crate::cli::pods::PodsVerb;
use crate::cli::{Global, Verb};
use crate::client::{self, Daemon, Patience};
use crate::error::Error;
use crate::output::Output;

/// What a command needs beside its own arguments.
#[derive(Debug)]
pub struct Session {
    /// Where results go.
    pub output: Output,
    socket: PathBuf,
    patience: Patience,
}

/// How a command ended that has said all there is to say.
#[derive(Debug)]
pub enum Outcome {
    /// Well.
    Done,
    /// With a failure that the output tells of already; only the exit code is left.
    Reported(Error),
}

impl Session {
    /// A session as the global options want it; `--timeout` runs from here.
    pub fn new(global: &Global, output: Output) -> Self {
        let socket = global.socket.as_ref().filter(|path| !path.is_empty());
        Self {
            output,
            socket: socket.map_or_else(client::default_path, PathBuf::from),
            patience: Patience::starting_now(global.timeout),
        }
    }

    /// dagdad's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Connects to dagdad.
    ///
    /// # Errors
    /// Says why it cannot be reached and how to mend it.
    pub async fn connect(&self) -> Result<Daemon, Error> {
        Daemon::connect(&self.socket, self.patience).await
    }
}

/// Performs `verb`.
///
/// # Errors
/// What the caller is still to be told of.
pub fn run(verb: Verb, session: &mut Session) -> Result<Outcome, Error> {
    match verb {
        Verb::Completions(args) => completions::run(&args, session),
        Verb::Man(args) => man::run(&args, session),
        verb => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Error::Internal(format!("no event queue: {error}")))?;
            runtime.block_on(converse(verb, session))
        }
    }
}

/// Performs a verb that needs dagdad.
async fn converse(verb: Verb, session: &mut Session) -> Result<Outcome, Error> {
    match verb {
        Verb::Status(args) => status::run(&args, session).await,
        Verb::Apply(args) => apply::run(args, session).await,
        Verb::Export(args) => export::run(args, session).await,
        Verb::Ps(args) | Verb::Pods(PodsVerb::List(args)) => pods::list::run(&args, session).await,
        Verb::Pods(PodsVerb::Show(args)) => pods::show::run(args, session).await,
        Verb::Pods(PodsVerb::Start(args)) => pods::start::run(args, session).await,
        Verb::Pods(PodsVerb::Stop(args)) => pods::stop::run(args, session).await,
        Verb::Pods(PodsVerb::Restart(args)) => pods::restart::run(args, session).await,
        Verb::Pods(PodsVerb::Remove(args)) => pods::remove::run(args, session).await,
        Verb::Pods(PodsVerb::Logs(args)) => pods::logs::run(args, session).await,
        Verb::Pods(PodsVerb::Stats(args)) => pods::stats::run(args, session).await,
        Verb::Resources(args) => resources::run(&args, session).await,
        Verb::Events(args) => events::run(args, session).await,
        Verb::Doctor => doctor::run(session).await,
        Verb::Completions(args) => completions::run(&args, session),
        Verb::Man(args) => man::run(&args, session),
    }
}

/// A stream that has no end of its own has ended.
fn stream_ended() -> Error {
    Error::Unreachable(crate::error::Trouble::new(
        "dagdad closed the connection",
        "see: systemctl status dagdad",
    ))
}
