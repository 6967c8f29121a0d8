//! Arguments and signals in, exit code out.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use dagdad::cli::{Action, Arguments};
use dagdad::config::{Config, DEFAULT_FILE, Environment, FileConfig, Identity};
use dagdad::reload::Reloads;
use dagdad::telemetry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Exit code for wrong usage, and for a configuration that is not good.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let Arguments { config, action } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() && telemetry::under_systemd() {
                telemetry::complain(&error.to_string());
            } else {
                // Whoever closed the output does not want it.
                let _ = error.print();
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    if action == Some(Action::Check) {
        return check(config.as_deref());
    }
    // Two workers: one to serve while the other is busy, and no more memory than that.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build();
    let started = runtime.and_then(|runtime| {
        // Before all else: SIGHUP would end a process that does not expect it.
        let signals = runtime.block_on(async { Signals::expected() })?;
        Ok((runtime, signals))
    });
    let (runtime, signals) = match started {
        Ok(started) => started,
        Err(error) => {
            telemetry::complain(&format!("dagdad: cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let load = move || {
        let environment = Environment::of_process();
        Config::load(config.as_deref(), &environment, Identity::of_process())
    };
    let loaded = match load() {
        Ok(loaded) => loaded,
        Err(error) => {
            telemetry::complain(&format!("dagdad: {error}"));
            dagdad::systemd::failed(&error.to_string());
            return ExitCode::from(USAGE);
        }
    };
    telemetry::init();
    let served = match action {
        Some(Action::Restore) => runtime.block_on(async {
            let ending = CancellationToken::new();
            // A reload is not for what reads its configuration once.
            let _reloads = signals.tell(ending.clone());
            let restoring = dagdad::restoring::restore(loaded);
            let interrupted = || Err(anyhow::anyhow!("interrupted; nothing was restored"));
            let restored = ending.run_until_cancelled(restoring).await;
            restored.unwrap_or_else(interrupted)
        }),
        Some(Action::Check) | None => {
            let ending = CancellationToken::new();
            let asked = runtime.block_on(async { signals.tell(ending.clone()) });
            let load = Arc::new(load);
            runtime.block_on(dagdad::run(loaded, Reloads { asked, load }, ending))
        }
    };
    // A blocking read of a dead disk or mount must not hold up the end.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            dagdad::systemd::failed(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Reads the configuration as serving would, and says what is wrong with it. A secret's file that
/// is not there, or not to be read by this user, may well be there for the service: it is named,
/// and is no fault. One that is read and is not good is.
fn check(explicit: Option<&Path>) -> ExitCode {
    let environment = Environment::of_process();
    let found = FileConfig::find(explicit, &environment);
    let read = found.and_then(|file| {
        let from = match &file {
            Some(file) => format!("read from {}", file.path().display()),
            None => format!("the defaults, as there is no {DEFAULT_FILE}"),
        };
        match Config::of_file(file, &environment, Identity::of_process()) {
            Err(error) if error.is_hidden_secret() => Ok((from, Some(error))),
            read => read.map(|_| (from, None)),
        }
    });
    match read {
        Ok((from, hidden)) => {
            if let Some(hidden) = hidden {
                telemetry::complain(&format!("dagdad: not checked: {hidden}"));
            }
            println!("the configuration is good ({from})");
            ExitCode::SUCCESS
        }
        Err(error) => {
            telemetry::complain(&format!("dagdad: {error}"));
            ExitCode::from(USAGE)
        }
    }
}

/// The signals that dagdad lives by.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    fn expected() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// SIGTERM and SIGINT cancel `ending`; each SIGHUP is a message.
    fn tell(self, ending: CancellationToken) -> mpsc::Receiver<()> {
        let Self {
            mut terminate,
            mut interrupt,
            mut hangup,
        } = self;
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            ending.cancel();
        });
        let (reload, asked) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(()) = hangup.recv().await {
                // One that waits already stands for this one, too.
                let _ = reload.try_send(());
            }
        });
        asked
    }
}
