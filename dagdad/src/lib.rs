//! dagdad, the steward's daemon. `ARCHITECTURE.md` tells how the parts fit together.

pub mod api;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod engine;
pub mod instance;
pub mod listener;
pub mod manifest;
pub mod notify;
pub mod ports;
pub mod restoring;
pub mod runtime;
pub mod sampler;
pub mod sampling;
pub mod store;
mod systemd;
pub mod telemetry;

use std::fmt::Display;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::api::Api;
use self::api::access::Gate;
use self::api::caller::Callers;
use self::config::{Config, CpuAdmission, NotificationOptions};
use self::doctor::Doctor;
use self::domain::error::CommandError;
use self::domain::name::ObjectName;
use self::engine::Engine;
use self::engine::effect::{Effect, Persist};
use self::engine::effects::Ports;
use self::engine::event::Event;
use self::engine::handle::Handle;
use self::engine::state::{Remembered, Settings, State, Thresholds};
use self::engine::step::step;
use self::instance::InstanceLock;
use self::listener::Listener;
use self::manifest::{SourceFile, Variables};
use self::notify::{Endpoint, Hook, Way, Webhook};
use self::ports::{Record, Restored, Runtime, Store};
use self::runtime::podman::{Podman, PodmanOptions};
use self::sampler::{HostSampler, SamplerOptions, squeeze};
use self::store::{LocalStore, StoreOptions};

/// Samples are recorded no more often than this; in between they are only shown.
const RECORD_INTERVAL: Duration = Duration::from_secs(5);
/// How long the first listing of pods is waited for: its own deadline and a little more.
const FIRST_LISTING: Duration = Duration::from_secs(6);
/// How long the first measures of pods are waited for; they are a matter of milliseconds, save
/// where Podman has to be asked for them.
const FIRST_MEASURES: Duration = Duration::from_secs(1);
/// How long each part may take to end; together less than the five seconds promised.
const SERVER_ENDS: Duration = Duration::from_millis(1500);
const ENGINE_ENDS: Duration = Duration::from_millis(1500);
/// These two at the same time.
const FORWARDER_ENDS: Duration = Duration::from_millis(1200);
const NOTIFIER_ENDS: Duration = Duration::from_millis(1200);

/// Runs the daemon until `ending` is cancelled. All wiring is here, and only here are the
/// concrete types behind the ports known.
///
/// # Errors
/// What stands in the way of serving, for the person who started it.
pub async fn run(config: Config, ending: CancellationToken) -> anyhow::Result<()> {
    let _lock = InstanceLock::take(&config.state_dir)?;
    // First, since CPU use is counted from here.
    let sampler_options = SamplerOptions::default();
    let sampler = HostSampler::start(&sampler_options)?;
    let store = LocalStore::open(StoreOptions {
        state_dir: config.state_dir.clone(),
        retention: config.history_retention,
        event_retention: config.event_retention,
        audit_retention: config.audit_retention,
        mariadb: config.mariadb.clone().map(mariadb_options),
    })
    .await?;
    let (_socket, listener) = Listener::bind(&config.socket)?;
    let forwarder_ending = CancellationToken::new();
    let forwarder = store.forward(forwarder_ending.clone()).map(tokio::spawn);
    let store: Arc<dyn Store> = Arc::new(store);
    let podman = Arc::new(Podman::new(PodmanOptions {
        socket: config.podman_socket.clone(),
        ..PodmanOptions::new(config.state_dir.join("podman.sock"))
    }));
    let runtime: Arc<dyn Runtime> = podman.clone();

    let (mut state, mut first) = restore(&config, store.load().await?).await?;
    // Before anything else happens: at the first listing, starts that an earlier daemon
    // accepted go on, and whether they fit is reckoned from the host's figures.
    let (sampler, sample) = sampling::first_sample(Box::new(sampler)).await?;
    let host_known_at = sample.host.at;
    first.extend(step(&mut state, Event::Sampled(sample), Timestamp::now()));
    let variables_file = config.variables_file.clone();
    let ways = ways(config.notifications.clone());
    let (notifications, to_be_told) = mpsc::channel(notify::QUEUE);
    let ports = Ports {
        runtime: Arc::clone(&runtime),
        store: Arc::clone(&store),
        render: Arc::new(move |manifest| {
            let variables = read_variables(&variables_file)?;
            manifest::render(manifest, &variables)
                .map_err(|error| CommandError::Invalid(error.to_string()))
        }),
        notifications: (!ways.is_empty()).then_some(notifications),
    };
    let (handle, engine) = Engine::start(state, ports, first);
    // It ends with the engine.
    let notifier = tokio::spawn(notify::notify(ways, to_be_told, handle.clone()));
    tokio::spawn(tell_signals(
        Arc::clone(&runtime),
        handle.clone(),
        ending.clone(),
    ));
    tokio::spawn(tell_mirror(
        Arc::clone(&store),
        handle.clone(),
        ending.clone(),
    ));
    tokio::spawn(sampling::sample_for_ever(
        sampler,
        Arc::clone(&runtime),
        handle.clone(),
        config.sample_interval,
        squeeze::squeezes(&sampler_options.proc_root),
        ending.clone(),
    ));
    await_first_listing(&handle, host_known_at).await;

    let access = config.access.clone();
    let callers = tokio::task::spawn_blocking(|| {
        let callers = Callers::new(access);
        callers.look();
        callers
    })
    .await?;
    let gate = Gate::new(handle.clone(), callers);
    let api = api(&config, gate, &handle, &podman, &store, &ending);
    let mut server = tokio::spawn(api::serve(api, listener));
    systemd::ready();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        socket = %config.socket.display(),
        state = %config.state_dir.display(),
        "dagdad serves"
    );

    let by_itself = tokio::select! {
        () = ending.cancelled() => None,
        ended = &mut server => Some(ended),
    };
    systemd::stopping();
    ending.cancel();
    if by_itself.is_none()
        && tokio::time::timeout(SERVER_ENDS, &mut server)
            .await
            .is_err()
    {
        server.abort();
    }
    handle.tell(Event::Shutdown).await;
    drop(handle);
    if !engine.ended(ENGINE_ENDS).await {
        tracing::warn!("the last records could not be written in time");
    }
    forwarder_ending.cancel();
    let_end(forwarder, notifier).await;
    podman.shutdown().await;
    match by_itself {
        Some(ended) => ended
            .context("the server ended by itself")?
            .context("the socket failed"),
        None => Ok(()),
    }
}

/// Gives a moment to what is under way outside of the engine.
async fn let_end(forwarder: Option<JoinHandle<()>>, notifier: JoinHandle<()>) {
    let forwarder = async {
        if let Some(forwarder) = forwarder
            && tokio::time::timeout(FORWARDER_ENDS, forwarder)
                .await
                .is_err()
        {
            tracing::info!("records that wait for MariaDB are sent at the next start");
        }
    };
    // A panic in there was reported where it happened.
    let notifier = tokio::time::timeout(NOTIFIER_ENDS, notifier);
    let (_, ()) = tokio::join!(notifier, forwarder);
}

/// The state to go on with, and what is to be done first.
async fn restore(config: &Config, restored: Restored) -> anyhow::Result<(State, Vec<Effect>)> {
    let Restored {
        pods,
        workflows,
        runs,
        alerts,
        pod_runs,
        intents,
        economy,
        silences,
    } = restored;
    let path = config.variables_file.clone();
    let variables = tokio::task::spawn_blocking(move || Variables::read(&path)).await?;
    // A broken file stops no daemon: a start that needs it will say what is wrong with it.
    let variables = variables.unwrap_or_else(|error| {
        tracing::error!("{error}");
        Variables::default()
    });
    // What cannot be read stays in the database; a later apply of the mended manifest takes it
    // up.
    let left_aside = |name: ObjectName, error: &dyn Display| {
        let kind = name.kind();
        tracing::error!("{kind} {name} is left aside, its manifest cannot be read: {error}");
    };
    let mut known = Vec::with_capacity(pods.len());
    for record in pods {
        match manifest::recall(&record.manifest, &variables) {
            Ok(entry) => known.push((record, entry)),
            Err(error) => left_aside(ObjectName::Pod(record.name), &error),
        }
    }
    let mut known_workflows = Vec::with_capacity(workflows.len());
    for record in workflows {
        match manifest::recall_workflow(&record.manifest, &variables) {
            Ok(entry) => known_workflows.push((record, entry)),
            Err(error) => left_aside(ObjectName::Workflow(record.name), &error),
        }
    }
    let now = Timestamp::now();
    let settings = Settings {
        start_timeout: config.start_timeout,
        sample_interval: config.sample_interval,
        record_interval: RECORD_INTERVAL.max(config.sample_interval),
        thresholds: thresholds(config),
        cpu_enforced: config.cpu_admission == CpuAdmission::Enforce,
        alerts: config.alerts,
        economy_policy: config.economy_policy,
        economy: config.economy,
    };
    let (_, seed) = uuid::Uuid::now_v7().as_u64_pair();
    let (mut state, superseded) = State::restore(
        settings,
        seed,
        Remembered {
            pods: known,
            workflows: known_workflows,
            runs,
            alerts,
            pod_runs,
            intents,
            economy,
            silences,
        },
        now,
    );
    let mut records = vec![Record::Event(state.started_event(now))];
    records.extend(superseded.into_iter().map(|intent| Record::CloseIntent {
        id: intent.id,
        at: now,
        outcome: "superseded".to_owned(),
    }));
    Ok((
        state,
        vec![Effect::Persist(Persist::Fact {
            records,
            then: Vec::new(),
        })],
    ))
}

fn api(
    config: &Config,
    gate: Gate,
    engine: &Handle,
    podman: &Arc<Podman>,
    store: &Arc<dyn Store>,
    ending: &CancellationToken,
) -> Api {
    let variables_file = config.variables_file.clone();
    let doctor = Doctor {
        engine: engine.clone(),
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
        thresholds: thresholds(config),
        ending: ending.clone(),
    }
}

fn thresholds(config: &Config) -> Thresholds {
    Thresholds {
        ram_percent: config.ram_threshold_percent,
        cpu_percent: config.cpu_threshold_percent,
    }
}

fn read_variables(path: &Path) -> Result<Variables, CommandError> {
    Variables::read(path).map_err(|error| CommandError::Invalid(error.to_string()))
}

async fn tell_signals(runtime: Arc<dyn Runtime>, engine: Handle, ending: CancellationToken) {
    let mut signals = pin!(runtime.signals().take_until(ending.cancelled_owned()));
    while let Some(signal) = signals.next().await {
        engine.tell(Event::Runtime(signal)).await;
    }
}

async fn tell_mirror(store: Arc<dyn Store>, engine: Handle, ending: CancellationToken) {
    let mut mirror = store.mirror();
    loop {
        let status = mirror.borrow_and_update().clone();
        engine.tell(Event::Mirror(status)).await;
        tokio::select! {
            changed = mirror.changed() => if changed.is_err() { return },
            () = ending.cancelled() => return,
        }
    }
}

/// Callers are let in once it is known what runs and what that uses, or that Podman does not
/// say.
async fn await_first_listing(engine: &Handle, host_known_at: Timestamp) {
    let mut snapshots = engine.snapshots();
    let settled = snapshots.wait_for(|snapshot| snapshot.settled);
    if tokio::time::timeout(FIRST_LISTING, settled).await.is_err() {
        tracing::warn!("Podman has not answered yet; serving without knowing what runs");
        return;
    }
    let measured = snapshots.wait_for(|snapshot| {
        let host = snapshot.host.as_ref();
        host.is_some_and(|host| host.at != host_known_at)
    });
    if tokio::time::timeout(FIRST_MEASURES, measured)
        .await
        .is_err()
    {
        tracing::warn!("pods have not been measured yet; serving without knowing what they use");
    }
}

/// How people are told of alerts.
fn ways(options: NotificationOptions) -> Vec<Way> {
    let NotificationOptions { hook, webhook } = options;
    let hook = hook.map(|options| {
        let config::HookOptions {
            program,
            arguments,
            timeout,
        } = options;
        let hook = Hook {
            program,
            arguments,
            timeout,
        };
        if let Err(error) = hook.look() {
            let program = hook.program.display();
            tracing::warn!(%error, "`alerts.on_alert` names {program}, which cannot be run");
        }
        Way::Hook(hook)
    });
    let webhook = webhook.map(|options| {
        let config::WebhookOptions {
            encrypted,
            host,
            port,
            path,
        } = options;
        let endpoint = Endpoint {
            encrypted,
            host,
            port,
            path,
        };
        Way::Webhook(Webhook::at(endpoint))
    });
    hook.into_iter().chain(webhook).collect()
}

fn mariadb_options(options: config::MariaDbOptions) -> store::MariaDbOptions {
    let config::MariaDbOptions {
        address,
        user,
        password,
        database,
    } = options;
    let (host, port, socket) = match address {
        config::MariaDbAddress::Tcp { host, port } => (host, port, None),
        config::MariaDbAddress::Socket(path) => (String::new(), 0, Some(path)),
    };
    let password = password.unwrap_or_default();
    store::MariaDbOptions {
        host,
        port,
        socket,
        user,
        password,
        database,
    }
}
