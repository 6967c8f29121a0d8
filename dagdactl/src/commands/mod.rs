//! What the verbs do, one file each.

mod alerts;
mod apply;
mod audit;
mod completions;
mod doctor;
mod economy;
mod events;
mod export;
mod man;
mod pods;
mod resources;
mod status;
mod workflow;

use std::path::{Path, PathBuf};

use crate::cli::alerts::AlertsVerb;
use crate::cli::economy::{EconomyArgs, EconomyVerb};
use crate::cli::pods::PodsVerb;
use crate::cli::workflow::{RunsArgs, RunsVerb, WorkflowVerb};
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

/// How long something that dagdad does is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until dagdad has it in hand.
    Accepted,
    /// Until it has ended.
    Done,
}

impl Until {
    /// From `--no-wait`.
    pub const fn from_no_wait(no_wait: bool) -> Self {
        if no_wait { Self::Accepted } else { Self::Done }
    }
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

    /// Connects to dagdad for a verb to which `--timeout` means something else than how long
    /// dagdactl waits.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_without_limit(&self) -> Result<Daemon, Error> {
        Daemon::connect(&self.socket, Patience::starting_now(None)).await
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
        Verb::Workflow(verb) => workflows(verb, session).await,
        Verb::Economy(EconomyArgs { verb }) => {
            economy(verb.unwrap_or(EconomyVerb::Status), session).await
        }
        Verb::Alerts(AlertsVerb::List(args)) => alerts::list::run(&args, session).await,
        Verb::Alerts(AlertsVerb::Ack(args)) => alerts::ack::run(args, session).await,
        Verb::Alerts(AlertsVerb::Resolve(args)) => alerts::resolve::run(args, session).await,
        Verb::Alerts(AlertsVerb::Silence(args)) => alerts::silence::run(args, session).await,
        Verb::Alerts(AlertsVerb::Unsilence(args)) => alerts::unsilence::run(args, session).await,
        Verb::Alerts(AlertsVerb::Silences) => alerts::silences::run(session).await,
        Verb::Resources(args) => resources::run(&args, session).await,
        Verb::Events(args) => events::run(args, session).await,
        Verb::Audit(args) => audit::run(args, session).await,
        Verb::Doctor => doctor::run(session).await,
        Verb::Completions(args) => completions::run(&args, session),
        Verb::Man(args) => man::run(&args, session),
    }
}

/// Performs a verb below `economy`.
async fn economy(verb: EconomyVerb, session: &mut Session) -> Result<Outcome, Error> {
    match verb {
        EconomyVerb::Status => economy::status::run(session).await,
        EconomyVerb::Set(args) => economy::set::run(&args, session).await,
        EconomyVerb::Plan(args) => economy::plan::run(&args, session).await,
        EconomyVerb::Backtest(args) => economy::backtest::run(&args, session).await,
    }
}

/// Performs a verb below `workflow`.
async fn workflows(verb: WorkflowVerb, session: &mut Session) -> Result<Outcome, Error> {
    match verb {
        WorkflowVerb::List => workflow::list::run(session).await,
        WorkflowVerb::Show(args) => workflow::show::run(args, session).await,
        WorkflowVerb::Plan(args) => workflow::plan::run(args, session).await,
        WorkflowVerb::Run(args) => workflow::run::run(args, session).await,
        WorkflowVerb::Stop(args) => workflow::stop::run(args, session).await,
        WorkflowVerb::Runs(RunsArgs {
            verb: Some(RunsVerb::Show(args)),
            name,
            limit: _,
        }) => match name {
            None => workflow::runs_show::run(args, session).await,
            Some(_) => Err(Error::Usage(
                "`runs` takes a workflow or `show` and a run, not both".to_owned(),
            )),
        },
        WorkflowVerb::Runs(RunsArgs {
            verb: None,
            name,
            limit,
        }) => workflow::runs::run(name, limit, session).await,
        WorkflowVerb::Remove(args) => workflow::remove::run(args, session).await,
    }
}

/// A stream that has no end of its own has ended.
fn stream_ended() -> Error {
    Error::Unreachable(crate::error::Trouble::new(
        "dagdad closed the connection",
        "see: systemctl status dagdad",
    ))
}
