//! The port [`Runtime`] over Podman's REST API (libpod), versions 4.3 to 5.x.
//!
//! Each room does one thing: `service` finds or runs the API, `client` speaks HTTP to it,
//! `wire` is its JSON, and every other file is one verb of the port.

mod cgroup;
mod client;
mod frames;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod images;
mod lines;
mod list;
mod logs;
mod pause;
mod play;
mod probe;
mod reclaim;
mod room;
mod service;
mod signals;
mod stats;
mod stop;
mod text;
mod throttle;
mod tracker;
mod version;
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::mpsc;

use self::client::Client;
use self::list::{Inspected, Listing};
use self::probe::Prober;
use self::room::ImageDisk;
use self::service::Service;
use self::stats::Meter;
use crate::domain::catalogue::RenderedPod;
use crate::domain::name::PodName;
use crate::domain::observed::{LogLine, LogQuery, ObservedPod, PullProgress, RuntimeSignal};
use crate::domain::pod::{PodSpec, PullPolicy, Readiness};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::domain::sample::PodUsage;
use crate::ports::{ProbeFailure, Runtime, RuntimeError};

pub use self::service::Origin;

/// Containers of a pod that is removed while it runs get this long to end.
const REMOVAL_GRACE: Duration = Duration::from_secs(10);

/// Where Podman is, and how long it may take.
#[derive(Debug, Clone)]
pub struct PodmanOptions {
    /// The socket to use; then no other is looked for. Where it does not exist, a service of
    /// dagdad's own is started there.
    pub socket: Option<PathBuf>,
    /// The machine's socket, used where it answers; see [`system_socket`].
    pub system_socket: Option<PathBuf>,
    /// Where a `podman system service` of dagdad's own listens.
    pub service_socket: PathBuf,
    /// Podman's command, run for that service; looked up in `PATH` unless it has a slash.
    pub program: PathBuf,
    /// Where the cgroup file systems are mounted.
    pub cgroup_root: PathBuf,
    /// How long each call may take.
    pub deadlines: Deadlines,
}

impl PodmanOptions {
    /// The usual: the machine's socket where it answers, else an own service at
    /// `service_socket`.
    #[must_use]
    pub fn new(service_socket: PathBuf) -> Self {
        Self {
            socket: None,
            system_socket: system_socket(),
            service_socket,
            program: PathBuf::from("podman"),
            cgroup_root: PathBuf::from("/sys/fs/cgroup"),
            deadlines: Deadlines::default(),
        }
    }
}

/// Where the machine's Podman listens: `/run/podman/podman.sock` for root, else
/// `$XDG_RUNTIME_DIR/podman/podman.sock`, `None` where that variable is not set.
#[must_use]
pub fn system_socket() -> Option<PathBuf> {
    let folder = if rustix::process::geteuid().is_root() {
        PathBuf::from("/run")
    } else {
        PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?)
    };
    Some(folder.join("podman/podman.sock"))
}

/// How long Podman may take for each kind of call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// To list, inspect or measure.
    pub list: Duration,
    /// To start a pod, its init containers included.
    pub play: Duration,
    /// To stop a pod, beyond its grace period.
    pub stop_beyond_grace: Duration,
    /// To remove a pod.
    pub remove: Duration,
    /// To throttle or pause a pod, or to take that back.
    pub ease: Duration,
    /// To have the kernel reclaim memory of a pod, which may mean to swap it.
    pub reclaim: Duration,
    /// To look for an image.
    pub exists: Duration,
    /// To ask a registry what it has, before a pull.
    pub registry: Duration,
    /// To describe itself; Podman runs each of its helpers for that.
    pub info: Duration,
    /// A pull may take for ever as long as it is never silent for so long. Podman says nothing
    /// while a layer is on its way, and a model's layer is large.
    pub pull_silence: Duration,
    /// To answer a ping, or to tell the version.
    pub version: Duration,
    /// Time between two pings.
    pub ping_every: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            list: Duration::from_secs(5),
            play: Duration::from_mins(2),
            stop_beyond_grace: Duration::from_secs(10),
            remove: Duration::from_secs(30),
            ease: Duration::from_secs(10),
            reclaim: Duration::from_secs(20),
            exists: Duration::from_secs(5),
            registry: Duration::from_secs(10),
            info: Duration::from_secs(10),
            pull_silence: Duration::from_mins(30),
            version: Duration::from_secs(3),
            ping_every: Duration::from_secs(10),
        }
    }
}

/// Podman, spoken to over its Unix socket.
#[derive(Debug)]
pub struct Podman {
    service: Arc<Service>,
    client: Client,
    deadlines: Deadlines,
    inspected: Inspected,
    prober: Prober,
    meter: Meter,
    image_disk: ImageDisk,
    cgroup_root: PathBuf,
}

/// Which Podman is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its socket.
    pub socket: PathBuf,
    /// Whose socket that is.
    pub origin: Origin,
    /// Podman's version.
    pub version: String,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Podman {} at {} ({})",
            self.version,
            self.socket.display(),
            self.origin
        )
    }
}

impl Podman {
    /// Connects at the first call.
    #[must_use]
    pub fn new(options: PodmanOptions) -> Self {
        let service = Arc::new(Service::new(&options));
        let client = Client::new(Arc::clone(&service));
        Self {
            prober: Prober::new(client.clone(), options.deadlines.clone()),
            meter: Meter::default(),
            image_disk: ImageDisk::default(),
            inspected: Inspected::default(),
            cgroup_root: options.cgroup_root,
            deadlines: options.deadlines,
            service,
            client,
        }
    }

    /// Which Podman answers, for a diagnosis.
    ///
    /// # Errors
    /// Those of any call: none answers, or not in time.
    pub async fn describe(&self) -> Result<Description, RuntimeError> {
        let (socket, origin) = self.service.locate().await?;
        let version = version::fetch_text(&self.client, self.deadlines.version).await?;
        Ok(Description {
            socket: Path::to_owned(socket),
            origin,
            version,
        })
    }

    /// Ends the service that dagdad runs itself, if it does; pods go on. Later calls fail
    /// where no other service answers.
    pub async fn shutdown(&self) {
        self.service.shutdown().await;
    }
}

#[async_trait]
impl Runtime for Podman {
    fn signals(&self) -> BoxStream<'static, RuntimeSignal> {
        signals::signals(self.client.clone(), self.deadlines.clone())
    }

    async fn list(&self) -> Result<Vec<ObservedPod>, RuntimeError> {
        let deadline = self.deadlines.list;
        client::within(deadline, "list the pods", async {
            let listing = Listing::fetch(&self.client, deadline).await?;
            Ok(self
                .inspected
                .observe(&self.client, &listing, deadline, Timestamp::now())
                .await)
        })
        .await
    }

    async fn ensure_image(
        &self,
        image: &str,
        policy: PullPolicy,
        progress: mpsc::Sender<PullProgress>,
    ) -> Result<(), RuntimeError> {
        images::ensure(
            &self.client,
            &self.image_disk,
            image,
            policy,
            &progress,
            &self.deadlines,
        )
        .await
    }

    async fn play(&self, pod: &RenderedPod) -> Result<(), RuntimeError> {
        let init = pod
            .spec
            .init_containers
            .iter()
            .map(|container| container.name.clone());
        self.inspected.remember_init(pod.spec.name.as_str(), init);
        play::play(&self.client, pod, &self.deadlines).await
    }

    async fn stop(&self, pod: &PodName, grace: Duration) -> Result<(), RuntimeError> {
        let deadline = grace + self.deadlines.stop_beyond_grace;
        stop::stop(&self.client, pod.as_str(), grace, deadline).await
    }

    async fn remove(&self, pod: &PodName) -> Result<(), RuntimeError> {
        stop::remove(
            &self.client,
            pod.as_str(),
            REMOVAL_GRACE,
            self.deadlines.remove,
        )
        .await
    }

    async fn logs(
        &self,
        pod: &PodName,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine, RuntimeError>>, RuntimeError> {
        logs::logs(&self.client, pod.as_str(), query, &self.deadlines).await
    }

    async fn probe(&self, pod: &PodSpec, readiness: &Readiness) -> Result<(), ProbeFailure> {
        self.prober.probe(pod, readiness).await
    }

    async fn throttle(&self, pod: &PodSpec, to: Option<Millicpu>) -> Result<(), RuntimeError> {
        throttle::throttle(&self.client, pod, to, self.deadlines.ease).await
    }

    async fn freeze(&self, pod: &PodName) -> Result<(), RuntimeError> {
        pause::freeze(&self.client, pod.as_str(), self.deadlines.ease).await
    }

    async fn thaw(&self, pod: &PodName) -> Result<(), RuntimeError> {
        pause::thaw(&self.client, pod.as_str(), self.deadlines.ease).await
    }

    async fn reclaim(&self, pod: &PodName, goal: Bytes) -> Result<Bytes, RuntimeError> {
        let deadline = self.deadlines.reclaim;
        client::within(deadline, reclaim::WHAT, async {
            let listing = Listing::fetch(&self.client, deadline).await?;
            let cgroup = self
                .inspected
                .cgroup_of(&self.client, &listing, pod.as_str(), deadline)
                .await?;
            reclaim::reclaim(&self.cgroup_root, &cgroup, pod.as_str(), goal, deadline).await
        })
        .await
    }

    async fn usage(&self, pods: &[String]) -> Result<Vec<(String, PodUsage)>, RuntimeError> {
        self.meter
            .usage(&self.client, pods, self.deadlines.list)
            .await
    }
}
