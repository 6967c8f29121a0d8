//! A dagdad that plays a part for each pod name, on a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dagda_proto::ERROR_DETAIL_KEY;
use dagda_proto::v1::operation_update::Update;
use dagda_proto::v1::{
    self, catalogue_service_server as catalogue, diagnostics_service_server as diagnostics,
};
use dagda_proto::v1::{events_service_server as events, pods_service_server as pods};
use dagda_proto::v1::{resources_service_server as resources, status_service_server as status};
use prost::Message;
use tokio::net::UnixListener;
use tokio::sync::Notify;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_stream::{Stream, StreamExt, iter, pending};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};

use crate::run::{Ran, command, finish};
use crate::sample;

type Answer<T> = Result<Response<T>, Status>;
type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A running fake.
pub struct Fake {
    folder: tempfile::TempDir,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Listens before it returns.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(Notify::new());
        let part = Part {
            requests: Arc::clone(&requests),
            stop: Arc::clone(&stop),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(folder.path().join("dagdad.sock")).unwrap()
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let serve = Server::builder()
                    .add_service(status::StatusServiceServer::new(part.clone()))
                    .add_service(catalogue::CatalogueServiceServer::new(part.clone()))
                    .add_service(pods::PodsServiceServer::new(part.clone()))
                    .add_service(resources::ResourcesServiceServer::new(part.clone()))
                    .add_service(events::EventsServiceServer::new(part.clone()))
                    .add_service(diagnostics::DiagnosticsServiceServer::new(part))
                    .serve_with_incoming(UnixListenerStream::new(listener));
                tokio::select! {
                    served = serve => served.unwrap(),
                    () = stopped.notified() => {}
                }
            });
            // Tears every open connection, as `kill -9` of the daemon would.
            runtime.shutdown_background();
        });
        Self {
            folder,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("dagdad.sock")
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program, told where this fake is.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = command(arguments);
        command.env("DAGDA_SOCKET", self.socket());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments))
    }

    /// What was asked, each request in its `Debug` form.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the fake panicked"
            );
        }
    }
}

#[derive(Clone)]
struct Part {
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<Notify>,
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .try_into()
        .unwrap()
}

/// A refusal with its detail in the trailing metadata, as dagdad sends it.
pub fn refusal(code: &str, message: &str) -> Status {
    let detail = detail(code, message, &[]);
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(
        ERROR_DETAIL_KEY,
        MetadataValue::from_bytes(&detail.encode_to_vec()),
    );
    Status::with_metadata(Code::FailedPrecondition, message, metadata)
}

fn detail(code: &str, message: &str, log: &[&str]) -> v1::ErrorDetail {
    v1::ErrorDetail {
        code: code.to_owned(),
        message: message.to_owned(),
        log: log.iter().map(|&line| line.to_owned()).collect(),
    }
}

impl Part {
    fn heard<T: std::fmt::Debug>(&self, request: Request<T>) -> T {
        let request = request.into_inner();
        self.requests.lock().unwrap().push(format!("{request:?}"));
        request
    }

    /// What happens to a pod of this name, whatever is asked.
    fn operate(&self, name: &str, good: &str) -> Answer<Replies<v1::OperationUpdate>> {
        let update = |update| {
            Ok(v1::OperationUpdate {
                update: Some(update),
            })
        };
        let step = |stage: v1::Stage, message: &str| {
            update(Update::Progress(v1::Progress {
                stage: stage.into(),
                message: message.to_owned(),
            }))
        };
        let preparing = step(v1::Stage::Preparing, "preparing");
        let replies: Replies<_> = match name {
            "nosuch" => {
                return Err(refusal(
                    "not_found",
                    "no pod named nosuch; did you mean llama?",
                ));
            }
            "big" => {
                return Err(refusal(
                    "insufficient_resources",
                    "big needs 8.0 GiB, 3.3 GiB are free",
                ));
            }
            "refused" => return Err(refusal("permission_denied", "only root may do that")),
            "late" => return Err(refusal("shutting_down", "dagdad is shutting down")),
            "slow" => Box::pin(iter([preparing]).chain(pending())),
            "silent" => Box::pin(pending()),
            "crash" => {
                let log = ["starting", "panic: \u{1b}[31mno disk\u{1b}[0m"];
                let error = detail("pod_failed", "crash ended with exit code 1", &log);
                Box::pin(iter([preparing, update(Update::Error(error))]))
            }
            "unfinished" => Box::pin(iter([preparing])),
            "broken" => {
                let tear = Arc::clone(&self.stop);
                Box::pin(
                    iter([preparing]).chain(tokio_stream::once(()).then(move |()| {
                        tear.notify_one();
                        std::future::pending()
                    })),
                )
            }
            "again" => Box::pin(iter([update(Update::Done(v1::Done {
                message: "again runs already".to_owned(),
                changed: false,
            }))])),
            _ => Box::pin(iter([
                preparing,
                step(v1::Stage::Pulling, "pulling image, 10 %"),
                step(v1::Stage::Pulling, "pulling image, 90 %"),
                step(v1::Stage::Awaiting, ""),
                update(Update::Done(v1::Done {
                    message: format!("{name} {good}"),
                    changed: true,
                })),
            ])),
        };
        Ok(Response::new(replies))
    }
}

#[tonic::async_trait]
impl status::StatusService for Part {
    async fn get_status(&self, request: Request<v1::GetStatusRequest>) -> Answer<v1::Status> {
        self.heard(request);
        Ok(Response::new(sample::status(now())))
    }

    type WatchStatusStream = Replies<v1::Status>;

    async fn watch_status(
        &self,
        request: Request<v1::WatchStatusRequest>,
    ) -> Answer<Self::WatchStatusStream> {
        self.heard(request);
        let replies = iter([Ok(sample::status(now())), Ok(sample::quiet_status(now()))]);
        Ok(Response::new(Box::pin(replies)))
    }
}

#[tonic::async_trait]
impl catalogue::CatalogueService for Part {
    async fn apply(&self, request: Request<v1::ApplyRequest>) -> Answer<v1::ApplyResponse> {
        let request = self.heard(request);
        if let Some(bad) = request.files.iter().find(|file| file.text.contains("bad")) {
            let message = format!("{}:1:3: this is no manifest", bad.name);
            return Err(refusal("invalid", &message));
        }
        let object = |file: &v1::ManifestFile| v1::AppliedObject {
            kind: "pod".to_owned(),
            name: file.name.rsplit('/').next().unwrap().to_owned(),
            change: v1::Change::Created.into(),
            notes: Vec::new(),
        };
        let objects = request.files.iter().map(object).collect();
        Ok(Response::new(v1::ApplyResponse {
            objects,
            dry_run: request.dry_run,
        }))
    }

    async fn export(&self, request: Request<v1::ExportRequest>) -> Answer<v1::ExportResponse> {
        let request = self.heard(request);
        if request.names.iter().any(|name| name == "nosuch") {
            return Err(refusal("not_found", "no pod named nosuch"));
        }
        let manifest = |name: &str| v1::ExportedManifest {
            kind: "pod".to_owned(),
            name: name.to_owned(),
            text: format!("kind: Pod\nmetadata: {{name: {name}}}\n"),
        };
        Ok(Response::new(v1::ExportResponse {
            manifests: vec![manifest("llama"), manifest("n8n")],
        }))
    }
}

#[tonic::async_trait]
impl pods::PodsService for Part {
    async fn list_pods(
        &self,
        request: Request<v1::ListPodsRequest>,
    ) -> Answer<v1::ListPodsResponse> {
        let v1::ListPodsRequest { all } = self.heard(request);
        let pods = sample::pods(now())
            .into_iter()
            .filter(|pod| all || pod.managed)
            .collect();
        Ok(Response::new(v1::ListPodsResponse { pods }))
    }

    async fn get_pod(&self, request: Request<v1::GetPodRequest>) -> Answer<v1::PodDetail> {
        let v1::GetPodRequest { name } = self.heard(request);
        match name.as_str() {
            "nosuch" => Err(refusal(
                "not_found",
                "no pod named nosuch; did you mean llama?",
            )),
            "several" => Ok(Response::new(sample::pod_detail(now()))),
            _ => {
                let mut detail = sample::pod_detail(now());
                detail.containers.truncate(1);
                Ok(Response::new(detail))
            }
        }
    }

    type WatchPodsStream = Replies<v1::ListPodsResponse>;

    async fn watch_pods(
        &self,
        request: Request<v1::ListPodsRequest>,
    ) -> Answer<Self::WatchPodsStream> {
        self.heard(request);
        let list = v1::ListPodsResponse {
            pods: sample::pods(now()),
        };
        Ok(Response::new(Box::pin(iter([Ok(list.clone()), Ok(list)]))))
    }

    type StartPodStream = Replies<v1::OperationUpdate>;

    async fn start_pod(
        &self,
        request: Request<v1::StartPodRequest>,
    ) -> Answer<Self::StartPodStream> {
        self.operate(&self.heard(request).name, "is running")
    }

    type StopPodStream = Replies<v1::OperationUpdate>;

    async fn stop_pod(&self, request: Request<v1::StopPodRequest>) -> Answer<Self::StopPodStream> {
        self.operate(&self.heard(request).name, "is stopped")
    }

    type RestartPodStream = Replies<v1::OperationUpdate>;

    async fn restart_pod(
        &self,
        request: Request<v1::RestartPodRequest>,
    ) -> Answer<Self::RestartPodStream> {
        self.operate(&self.heard(request).name, "is running")
    }

    type RemovePodStream = Replies<v1::OperationUpdate>;

    async fn remove_pod(
        &self,
        request: Request<v1::RemovePodRequest>,
    ) -> Answer<Self::RemovePodStream> {
        self.operate(&self.heard(request).name, "is removed")
    }

    type ReadLogsStream = Replies<v1::LogLine>;

    async fn read_logs(
        &self,
        request: Request<v1::ReadLogsRequest>,
    ) -> Answer<Self::ReadLogsStream> {
        let request = self.heard(request);
        let line = |text: &str| v1::LogLine {
            container: "server".to_owned(),
            at: Some(prost_types::Timestamp {
                seconds: 1_795_292_104,
                nanos: 5,
            }),
            stream: "stdout".to_owned(),
            text: text.to_owned(),
        };
        let replies: Replies<_> = match request.name.as_str() {
            "nosuch" => return Err(refusal("not_found", "no pod named nosuch")),
            "flood" => {
                let tick = tokio::time::interval(Duration::from_millis(1));
                Box::pin(
                    tokio_stream::wrappers::IntervalStream::new(tick)
                        .map(move |_| Ok(line("again"))),
                )
            }
            "broken" => Box::pin(iter([
                Ok(line("first")),
                Err(refusal("runtime_unavailable", "Podman went away")),
            ])),
            _ => Box::pin(iter([
                Ok(line("first")),
                Ok(line("\u{1b}[31mred\u{1b}[0m \u{1b}[2J")),
            ])),
        };
        Ok(Response::new(replies))
    }
}

#[tonic::async_trait]
impl resources::ResourcesService for Part {
    async fn get_resources(
        &self,
        request: Request<v1::GetResourcesRequest>,
    ) -> Answer<v1::GetResourcesResponse> {
        self.heard(request);
        Ok(Response::new(v1::GetResourcesResponse {
            host: Some(sample::host(now())),
            ram_threshold_percent: 80.0,
            cpu_threshold_percent: 70.0,
        }))
    }

    async fn get_history(
        &self,
        request: Request<v1::GetHistoryRequest>,
    ) -> Answer<v1::GetHistoryResponse> {
        self.heard(request);
        Ok(Response::new(v1::GetHistoryResponse {
            points: sample::history(now()),
        }))
    }
}

#[tonic::async_trait]
impl events::EventsService for Part {
    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<v1::ListEventsResponse> {
        let request = self.heard(request);
        let events = sample::events(now());
        let about = |event: &v1::Event| request.object.is_none() || event.object == request.object;
        Ok(Response::new(v1::ListEventsResponse {
            events: events.into_iter().filter(about).collect(),
        }))
    }

    type FollowEventsStream = Replies<v1::Event>;

    async fn follow_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<Self::FollowEventsStream> {
        self.heard(request);
        Ok(Response::new(Box::pin(iter(
            sample::events(now()).into_iter().map(Ok),
        ))))
    }
}

#[tonic::async_trait]
impl diagnostics::DiagnosticsService for Part {
    async fn diagnose(
        &self,
        request: Request<v1::DiagnoseRequest>,
    ) -> Answer<v1::DiagnoseResponse> {
        self.heard(request);
        Ok(Response::new(v1::DiagnoseResponse {
            checks: sample::checks(),
        }))
    }
}
