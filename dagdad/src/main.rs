//! Arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser as _;
use dagdad::cli::{Action, Arguments};
use dagdad::config::{Config, Environment, Identity};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let environment = Environment::of_process();
    let config = match Config::load(
        arguments.config.as_deref(),
        &environment,
        Identity::of_process(),
    ) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("dagdad: {error}");
            return ExitCode::from(2);
        }
    };
    if arguments.action == Some(Action::Check) {
        println!("the configuration is good");
        return ExitCode::SUCCESS;
    }
    dagdad::telemetry::init();
    // Two workers: one to serve while the other is busy, and no more memory than that.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build();
    let served = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        let served = match arguments.action {
            Some(Action::Restore) => runtime.block_on(dagdad::restoring::restore(config)),
            Some(Action::Check) | None => runtime.block_on(serve(config)),
        };
        // A blocking read of a dead disk or mount must not hold up the end.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let ending = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked = ending.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        asked.cancel();
    });
    dagdad::run(config, ending).await
}
