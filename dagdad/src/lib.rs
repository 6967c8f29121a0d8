//! dagdad, the steward's daemon. `ARCHITECTURE.md` tells how the parts fit together.

pub mod api;
pub mod cli;
pub mod config;
mod configured;
pub mod doctor;
pub mod domain;
mod ending;
pub mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod instance;
pub mod journal;
pub mod listener;
pub mod manifest;
pub mod notify;
pub mod ports;
pub mod reload;
mod remembering;
pub mod restoring;
pub mod runtime;
pub mod sampler;
pub mod sampling;
pub mod status_line;
pub mod store;
pub mod systemd;
pub mod telemetry;
mod watchers;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::api::Api;
use self::api::access::Gate;
use self::api::caller::Callers;
use self::config::Config;
use self::doctor::{Configuration, Doctor};
use self::domain::caller::Access;
use self::domain::error::CommandError;
use self::engine::Engine;
use self::engine::effects::Ports;
use self::engine::event::Event;
use self::engine::handle::Handle;
use self::engine::step::step;
use self::instance::InstanceLock;
use self::listener::Listener;
use self::manifest::{SourceFile, Variables};
use self::ports::{Runtime, Store};
use self::reload::{Live, Reloads};
use self::runtime::podman::{Podman, PodmanOptions};
use self::sampler::{HostSampler, SamplerOptions, squeeze};
use self::status_line::status_line;
use self::store::{LocalStore, StoreOptions};

/// Runs the daemon until `ending` is cancelled, and reads its configuration again when that is
/// asked for. All wiring is here, and only here are the concrete types behind the ports known.
///
/// # Errors
/// What stands in the way of serving, for the person who started it.
pub async fn run(
    config: Config,
    reloads: Reloads,
    ending: CancellationToken,
) -> anyhow::Result<()> {
    let _lock = InstanceLock::take(&config.state_dir)?;
    // First, since CPU use is counted from here.
    let sampler_options = SamplerOptions::default();
    let sampler = HostSampler::start(&sampler_options)?;
    let store = LocalStore::open(StoreOptions {
        state_dir: config.state_dir.clone(),
        retention: config.history_retention,
        event_retention: config.event_retention,
        audit_retention: config.audit_retention,
        mariadb: config.mariadb.clone().map(configured::mariadb_options),
    })
    .await?;
    let (_socket, listener) = Listener::bind(&config.socket)?;
    let forwarder_ending = CancellationToken::new();
    let forwarder = store.forward(forwarder_ending.clone()).map(tokio::spawn);
    let local_store = store.clone();
    let store: Arc<dyn Store> = Arc::new(store);
    let podman = Arc::new(Podman::new(PodmanOptions {
        socket: config.podman_socket.clone(),
        ..PodmanOptions::new(config.state_dir.join("podman.sock"))
    }));
    let runtime: Arc<dyn Runtime> = podman.clone();

    let (mut state, mut first) = remembering::restore(&config, store.load().await?).await?;
    // Before anything else happens: at the first listing, starts that an earlier daemon
    // accepted go on, and whether they fit is reckoned from the host's figures.
    let (sampler, sample) = sampling::first_sample(Box::new(sampler)).await?;
    let host_known_at = sample.host.at;
    first.extend(step(&mut state, Event::Sampled(sample), Timestamp::now()));
    let variables_file = config.variables_file.clone();
    let ways = configured::ways(config.notifications.clone());
    let (notifications, to_be_told) = mpsc::channel(notify::QUEUE);
    let (new_ways, other_ways) = mpsc::channel(1);
    let (new_interval, interval) = watch::channel(config.sample_interval);
    let (remarks, remark) = watch::channel(None);
    let ports = Ports {
        runtime: Arc::clone(&runtime),
        store: Arc::clone(&store),
        render: Arc::new(move |manifest| {
            let variables = read_variables(&variables_file)?;
            manifest::render(manifest, &variables)
                .map_err(|error| CommandError::Invalid(error.to_string()))
        }),
        notifications: Some(notifications),
    };
    let (handle, engine) = Engine::start(state, ports, first, systemd::heartbeat());
    // It ends with the engine.
    let notifier = tokio::spawn(notify::notify(ways, other_ways, to_be_told, handle.clone()));
    watchers::watch(&runtime, &store, &handle, &ending);
    tokio::spawn(sampling::sample_for_ever(
        sampler,
        Arc::clone(&runtime),
        handle.clone(),
        interval,
        squeeze::squeezes(&sampler_options.proc_root),
        ending.clone(),
    ));
    watchers::await_first_listing(&handle, host_known_at).await;

    let gate = gate(config.access.clone(), &handle).await?;
    let config = Arc::new(config);
    let (in_force, configuration) = watch::channel(Arc::clone(&config));
    let configuration = Configuration {
        in_force: configuration,
        load: Arc::clone(&reloads.load),
    };
    let api = api(configuration, gate, &handle, &podman, &store, &ending);
    let mut server = tokio::spawn(api::serve(api, listener));
    let status = status_line(&handle.snapshot());
    systemd::ready(&status);
    tracing::info!(
        dagda_version = env!("CARGO_PKG_VERSION"),
        dagda_socket = %config.socket.display(),
        dagda_state = %config.state_dir.display(),
        "dagdad serves"
    );
    let telling = status_line::follow(handle.snapshots(), remark, status, systemd::status);
    let telling = tokio::spawn(telling);
    let live = Live {
        engine: handle.clone(),
        ways: new_ways,
        sample_interval: new_interval,
        remarks,
    };
    let reloading = tokio::spawn(reload::reload_for_ever(in_force, reloads, live));

    let by_itself = tokio::select! {
        () = ending.cancelled() => None,
        ended = &mut server => Some(ended),
    };
    let all = ending::Parts {
        service_manager: vec![telling, reloading],
        server: by_itself.is_none().then_some(server),
        engine: (handle, engine),
        forwarder: forwarder.map(|forwarder| (forwarder, forwarder_ending)),
        notifier,
        podman,
        store: local_store,
    };
    all.end(&ending).await;
    match by_itself {
        Some(ended) => ended.context("the server ended by itself"),
        None => Ok(()),
    }
}

/// Asks the system for users and groups, which may take a while.
async fn gate(access: Access, engine: &Handle) -> anyhow::Result<Gate> {
    let callers = tokio::task::spawn_blocking(|| {
        let callers = Callers::new(access);
        callers.look();
        callers
    })
    .await?;
    Ok(Gate::new(engine.clone(), callers))
}

fn api(
    configuration: Configuration,
    gate: Gate,
    engine: &Handle,
    podman: &Arc<Podman>,
    store: &Arc<dyn Store>,
    ending: &CancellationToken,
) -> Api {
    let config = Arc::clone(&configuration.in_force.borrow());
    let variables_file = config.variables_file.clone();
    let doctor = Doctor {
        engine: engine.clone(),
        configuration,
        state_dir: config.state_dir.clone(),
        variables_file: config.variables_file.clone(),
        proc_root: SamplerOptions::default().proc_root,
    };
    let described = Arc::clone(podman);
    Api {
        engine: gate,
        runtime: podman.clone(),
        store: Arc::clone(store),
        parse: Arc::new(move |files| {
            let variables = read_variables(&variables_file)?;
            let files: Vec<SourceFile> = files
                .into_iter()
                .map(|(name, text)| SourceFile { name, text })
                .collect();
            manifest::parse(&files, &variables)
                .map_err(|error| CommandError::Invalid(error.to_string()))
        }),
        diagnose: Arc::new(move || {
            let (doctor, podman) = (doctor.clone(), Arc::clone(&described));
            Box::pin(async move {
                let podman = match podman.describe().await {
                    Ok(description) => format!("{description}"),
                    Err(error) => error.to_string(),
                };
                tokio::task::spawn_blocking(move || doctor.look(&podman))
                    .await
                    .unwrap_or_default()
            })
        }),
        ending: ending.clone(),
    }
}

fn read_variables(path: &Path) -> Result<Variables, CommandError> {
    Variables::read(path).map_err(|error| CommandError::Invalid(error.to_string()))
}
