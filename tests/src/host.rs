//! One box under test: its Podman, its `dagdad`, its `dagdactl`.

use std::ffi::OsStr;
use std::fmt::Display;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use dagda_proto::v1;
use dagda_proto::v1::catalogue_service_client::CatalogueServiceClient;
use dagda_proto::v1::events_service_client::EventsServiceClient;
use dagda_proto::v1::pods_service_client::PodsServiceClient;
use dagda_proto::v1::resources_service_client::ResourcesServiceClient;
use dagda_proto::v1::status_service_client::StatusServiceClient;
use tonic::transport::Channel;

use crate::cli::{self, Output};
use crate::daemon::{Configuration, Daemon};
use crate::mariadb::MariaDb;
use crate::podman::Podman;
use crate::process::EndedEarly;
use crate::rows;
use crate::scratch::Scratch;
use crate::{PATIENCE, wire};

/// Who serves Podman's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodmanService {
    /// The test, which can then kill and freeze it; as systemd's `podman.socket` does.
    Test,
    /// Nobody: dagdad finds a dead socket and must help itself.
    Nobody,
}

/// What a [`TestHost`] is made of.
#[derive(Debug)]
pub struct Builder {
    podman_service: PodmanService,
    variables: String,
    state: Option<PathBuf>,
    socket: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Builder {
    /// Who serves Podman's API; the test, by default.
    #[must_use]
    pub fn podman_service(mut self, service: PodmanService) -> Self {
        self.podman_service = service;
        self
    }

    /// Text of the variables file: `NAME=value` lines.
    #[must_use]
    pub fn variables(mut self, text: &str) -> Self {
        text.clone_into(&mut self.variables);
        self
    }

    /// A state directory elsewhere.
    #[must_use]
    pub fn state(mut self, path: &Path) -> Self {
        self.state = Some(path.to_owned());
        self
    }

    /// A socket elsewhere.
    #[must_use]
    pub fn socket(mut self, path: &Path) -> Self {
        self.socket = Some(path.to_owned());
        self
    }

    /// Makes `database` the system of record.
    #[must_use]
    pub fn mariadb(mut self, database: &MariaDb) -> Self {
        self.environment.extend(database.environment());
        self
    }

    /// Sets an environment variable of dagdad.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// All of it but the daemon.
    #[must_use]
    pub fn without_daemon(self) -> TestHost {
        let scratch = Scratch::new();
        let mut podman = Podman::new(&scratch);
        if self.podman_service == PodmanService::Test {
            podman.start_service();
        }
        let configuration = Configuration {
            directory: scratch.path().to_owned(),
            state: self.state.unwrap_or_else(|| scratch.join("state")),
            socket: self.socket.unwrap_or_else(|| scratch.join("dagda.sock")),
            podman_socket: podman.socket(),
            variables: self.variables,
            environment: self.environment,
        };
        TestHost {
            daemon: None,
            configuration,
            podman,
            runtime: wire::runtime(),
            scratch,
        }
    }

    /// All of it, ready.
    #[must_use]
    pub fn start(self) -> TestHost {
        let mut host = self.without_daemon();
        host.start();
        host
    }
}

/// A box under test. Fields are dropped in this order: the daemon, then Podman with its pods,
/// then everything on disk.
#[derive(Debug)]
pub struct TestHost {
    daemon: Option<Daemon>,
    /// What the daemon is started with; a change takes effect at the next start.
    pub configuration: Configuration,
    /// Its Podman.
    pub podman: Podman,
    runtime: tokio::runtime::Runtime,
    /// Everything on disk.
    pub scratch: Scratch,
}

impl TestHost {
    /// A box with all parts ready.
    #[must_use]
    pub fn ready() -> Self {
        Self::builder().start()
    }

    /// To make a box of another kind.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            podman_service: PodmanService::Test,
            variables: String::new(),
            state: None,
            socket: None,
            environment: Vec::new(),
        }
    }

    /// Starts dagdad.
    ///
    /// # Panics
    /// It ends before it is ready.
    pub fn start(&mut self) {
        let started = self.try_start();
        started.unwrap_or_else(|ended| {
            panic!(
                "dagdad ended at its start ({}):\n{}",
                ended.status, ended.log
            )
        });
    }

    /// Starts dagdad.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn try_start(&mut self) -> Result<(), Box<EndedEarly>> {
        self.daemon = Some(self.spawn_daemon()?);
        Ok(())
    }

    /// Starts dagdad by another command.
    ///
    /// # Panics
    /// It ends before it is ready.
    pub fn start_with(&mut self, command: Command) {
        let started = self.try_start_with(command);
        started.unwrap_or_else(|ended| {
            panic!(
                "dagdad ended at its start ({}):\n{}",
                ended.status, ended.log
            )
        });
    }

    /// Starts dagdad by another command.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn try_start_with(&mut self, command: Command) -> Result<(), Box<EndedEarly>> {
        self.daemon = Some(Daemon::start(command, &self.configuration.directory)?);
        Ok(())
    }

    /// Starts one more dagdad with the same configuration.
    ///
    /// # Errors
    /// It ended before it was ready.
    pub fn spawn_daemon(&self) -> Result<Daemon, Box<EndedEarly>> {
        let mut command = self.configuration.command();
        self.podman.configure(&mut command);
        Daemon::start(command, &self.configuration.directory)
    }

    /// The running daemon.
    ///
    /// # Panics
    /// There is none.
    pub fn daemon(&mut self) -> &mut Daemon {
        self.daemon
            .as_mut()
            .expect("dagdad was not started by this test")
    }

    /// SIGTERM to dagdad, then a new one.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// SIGTERM to dagdad and its clean end.
    ///
    /// # Panics
    /// It takes longer than 5 s, which is the contract, or does not end well.
    pub fn stop(&mut self) {
        let limit = Duration::from_secs(5);
        let daemon = self.daemon();
        let status = daemon.terminate(limit);
        let status = status
            .unwrap_or_else(|| panic!("dagdad did not end within {limit:?}:\n{}", daemon.log()));
        assert!(
            status.success(),
            "dagdad ended with {status}:\n{}",
            daemon.log()
        );
        self.daemon = None;
    }

    /// `kill -9` to dagdad.
    pub fn kill9(&mut self) {
        self.daemon().kill9();
        self.daemon = None;
    }

    /// `dagdactl` for this box, without arguments yet.
    #[must_use]
    pub fn dagdactl(&self) -> Command {
        cli::command(&self.configuration.socket)
    }

    /// Runs `dagdactl ARGUMENTS` to its end.
    #[must_use]
    pub fn run<S: AsRef<OsStr>, const N: usize>(&self, arguments: [S; N]) -> Output {
        cli::run(self.dagdactl().args(arguments), None)
    }

    /// Runs `dagdactl ARGUMENTS` with text on standard input.
    #[must_use]
    pub fn run_with_input<const N: usize>(&self, arguments: [&str; N], input: &str) -> Output {
        cli::run(self.dagdactl().args(arguments), Some(input))
    }

    /// Starts `dagdactl ARGUMENTS` and lets it run.
    #[must_use]
    pub fn spawn<const N: usize>(&self, arguments: [&str; N]) -> Child {
        cli::spawn(self.dagdactl().args(arguments), None)
    }

    /// `dagdactl apply -f -`, which must succeed.
    pub fn apply(&self, manifest: &(impl Display + ?Sized)) -> Output {
        self.run_with_input(["apply", "-f", "-"], &manifest.to_string())
            .done()
    }

    /// Applies and starts a pod, waits until it is ready.
    pub fn up(&self, name: &str, manifest: &(impl Display + ?Sized)) {
        let _ = self.apply(manifest);
        let _ = self.run(["pods", "start", name]).done();
    }

    /// Runs a future on the test's own runtime.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Connections are lazy: the runtime must be entered to make one.
    fn channel(&self) -> Channel {
        let _entered = self.runtime.enter();
        wire::channel(&self.configuration.socket)
    }

    /// Client of the pods service.
    #[must_use]
    pub fn pods_client(&self) -> PodsServiceClient<Channel> {
        PodsServiceClient::new(self.channel())
    }

    /// Client of the status service.
    #[must_use]
    pub fn status_client(&self) -> StatusServiceClient<Channel> {
        StatusServiceClient::new(self.channel())
    }

    /// Client of the catalogue service.
    #[must_use]
    pub fn catalogue_client(&self) -> CatalogueServiceClient<Channel> {
        CatalogueServiceClient::new(self.channel())
    }

    /// Client of the events service.
    #[must_use]
    pub fn events_client(&self) -> EventsServiceClient<Channel> {
        EventsServiceClient::new(self.channel())
    }

    /// Client of the resources service.
    #[must_use]
    pub fn resources_client(&self) -> ResourcesServiceClient<Channel> {
        ResourcesServiceClient::new(self.channel())
    }

    /// A channel for any other client.
    #[must_use]
    pub fn any_channel(&self) -> Channel {
        self.channel()
    }

    /// The pod as the list has it now.
    ///
    /// # Panics
    /// It is not in the list.
    #[must_use]
    pub fn pod(&self, name: &str) -> v1::Pod {
        let request = v1::ListPodsRequest { all: true };
        let pods = self
            .block_on(self.pods_client().list_pods(request))
            .expect("list the pods")
            .into_inner()
            .pods;
        let found = pods.iter().find(|pod| pod.name == name).cloned();
        found.unwrap_or_else(|| panic!("no pod {name} in {pods:#?}"))
    }

    /// Everything about one pod.
    ///
    /// # Panics
    /// There is none of that name.
    #[must_use]
    pub fn detail(&self, name: &str) -> v1::PodDetail {
        let request = v1::GetPodRequest {
            name: name.to_owned(),
        };
        self.block_on(self.pods_client().get_pod(request))
            .expect("get the pod")
            .into_inner()
    }

    /// Watches the list of pods, unmanaged ones included, until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_pods(
        &self,
        what: &str,
        mut wanted: impl FnMut(&[v1::Pod]) -> bool,
    ) -> Vec<v1::Pod> {
        self.block_on(async {
            let request = v1::ListPodsRequest { all: true };
            let mut stream = self
                .pods_client()
                .watch_pods(request)
                .await
                .expect("watch the pods")
                .into_inner();
            wire::first(&mut stream, what, |list| {
                wanted(&list.pods).then(|| list.pods.clone())
            })
            .await
        })
    }

    /// Watches one pod until it is in `state`.
    pub fn await_state(&self, name: &str, state: v1::PodState) -> v1::Pod {
        self.await_pod(name, &format!("{name} is {state:?}"), |pod| {
            pod.state() == state
        })
    }

    /// Watches one pod until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_pod(
        &self,
        name: &str,
        what: &str,
        mut wanted: impl FnMut(&v1::Pod) -> bool,
    ) -> v1::Pod {
        let mut found = None;
        let _ = self.await_pods(what, |pods| {
            found = pods
                .iter()
                .find(|pod| pod.name == name && wanted(pod))
                .cloned();
            found.is_some()
        });
        found.expect("found just now")
    }

    /// Starts a pod and waits until its containers run and only its readiness is awaited. The
    /// start goes on when the returned stream is dropped.
    ///
    /// # Panics
    /// It never gets there.
    pub fn start_until_awaiting(&self, name: &str) -> tonic::Streaming<v1::OperationUpdate> {
        let request = v1::StartPodRequest {
            name: name.to_owned(),
        };
        self.block_on(async {
            let mut stream = self
                .pods_client()
                .start_pod(request)
                .await
                .expect("start the pod")
                .into_inner();
            wire::first(
                &mut stream,
                "readiness is awaited",
                |update| match &update.update {
                    Some(v1::operation_update::Update::Progress(progress)) => {
                        (progress.stage() == v1::Stage::Awaiting).then_some(())
                    }
                    other => panic!("the start of {name} ended early: {other:?}"),
                },
            )
            .await;
            stream
        })
    }

    /// Watches the status until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_status(
        &self,
        what: &str,
        mut wanted: impl FnMut(&v1::Status) -> bool,
    ) -> v1::Status {
        self.block_on(async {
            let stream = self
                .status_client()
                .watch_status(v1::WatchStatusRequest {})
                .await;
            let mut stream = stream.expect("watch the status").into_inner();
            wire::first(&mut stream, what, |status| {
                wanted(status).then(|| status.clone())
            })
            .await
        })
    }

    /// Follows the events, past ones first, until one is as wanted.
    ///
    /// # Panics
    /// None ever is.
    pub fn await_event(&self, what: &str, mut wanted: impl FnMut(&v1::Event) -> bool) -> v1::Event {
        self.block_on(async {
            let request = v1::ListEventsRequest {
                since: None,
                object: None,
                limit: 10_000,
            };
            let mut stream = self
                .events_client()
                .follow_events(request)
                .await
                .expect("follow the events")
                .into_inner();
            wire::first(&mut stream, what, |event| {
                wanted(event).then(|| event.clone())
            })
            .await
        })
    }

    /// Waits until no operation is under way, then asserts that what dagdad says of each
    /// catalogued pod is what Podman has, and that no intent is left open.
    ///
    /// # Panics
    /// It is not so.
    pub fn assert_settled_and_true(&mut self) {
        self.await_status("Podman is seen", |status| {
            status.runtime.as_ref().is_some_and(|it| it.connected)
        });
        let listed = self.block_on(self.settled());
        let really = self.podman.pods();
        for pod in &listed {
            let runs = really
                .iter()
                .any(|(name, state)| *name == pod.name && state == "running");
            let said = pod.state() == v1::PodState::Running;
            assert_eq!(said, runs, "dagdad says {pod:?}, Podman has {really:?}");
        }
        // Frozen, so that nothing is between two writes while it is read.
        self.daemon().freeze();
        let open = self.block_on(rows::open_intents(&self.database()));
        self.daemon().thaw();
        assert_eq!(open, [] as [String; 0], "an intent is left open");
    }

    /// The catalogued pods, as soon as no operation on any of them is under way.
    async fn settled(&self) -> Vec<v1::Pod> {
        let request = v1::ListPodsRequest { all: false };
        let mut client = self.pods_client();
        let watched = client.watch_pods(request).await;
        let mut stream = watched.expect("watch the pods").into_inner();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let list = stream.message().await.expect("watch the pods");
                let pods = list.expect("the stream goes on").pods;
                let mut busy = false;
                for pod in &pods {
                    let request = v1::GetPodRequest {
                        name: pod.name.clone(),
                    };
                    let detail = client
                        .get_pod(request)
                        .await
                        .expect("get the pod")
                        .into_inner();
                    let on_its_way = [v1::PodState::Starting, v1::PodState::Stopping];
                    busy |= detail.operation.is_some() || on_its_way.contains(&pod.state());
                }
                if !busy {
                    return pods;
                }
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: every operation has ended"))
    }

    /// Waits until the outbox is empty, then asserts that MariaDB has what SQLite has, row for
    /// row.
    ///
    /// # Panics
    /// It has not.
    pub fn assert_mirrored(&self, mariadb: &MariaDb) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.await_status("the outbox is empty", |status| {
                status.store.as_ref().is_some_and(|it| it.outbox == 0)
            });
            let daemon = self.daemon.as_ref().expect("dagdad runs");
            // Samples go on; frozen, both databases stand still at one moment.
            daemon.freeze();
            let database = self.database();
            let (waiting, refused) = self.block_on(rows::outbox(&database));
            assert_eq!(refused, [] as [String; 0], "rows that MariaDB refused");
            let tables = ["pods", "events", "system_resources"];
            let tables = (waiting == 0).then(|| {
                self.block_on(async {
                    [
                        rows::read(&database, mariadb, tables[0]).await,
                        rows::read(&database, mariadb, tables[1]).await,
                        rows::read(&database, mariadb, tables[2]).await,
                    ]
                })
            });
            daemon.thaw();
            if let Some(tables) = tables {
                for table in &tables {
                    assert_eq!(table.difference(), None);
                    assert!(
                        !table.local.is_empty(),
                        "{}: nothing was compared, both are empty",
                        table.name
                    );
                }
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the outbox was never empty for a moment"
            );
        }
    }

    /// The SQLite file in the state directory.
    ///
    /// # Panics
    /// There is not exactly one.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        let is_database = |path: &PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
        };
        let entries =
            std::fs::read_dir(&self.configuration.state).expect("read the state directory");
        let found: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_database)
            .collect();
        assert_eq!(
            found.len(),
            1,
            "one SQLite database in the state directory: {found:?}"
        );
        found.into_iter().next().expect("one")
    }
}
