//! A dagdad that plays a part for each pod name, on a Unix socket in a folder of its own.

mod economy;
mod pods;
mod services;
mod workflows;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use dagda_proto::ERROR_DETAIL_KEY;
use dagda_proto::v1::alerts_service_server::AlertsServiceServer;
use dagda_proto::v1::audit_service_server::AuditServiceServer;
use dagda_proto::v1::economy_service_server::EconomyServiceServer;
use dagda_proto::v1::workflows_service_server::WorkflowsServiceServer;
use dagda_proto::v1::{
    self, catalogue_service_server as catalogue, diagnostics_service_server as diagnostics,
};
use dagda_proto::v1::{events_service_server as events, pods_service_server};
use dagda_proto::v1::{resources_service_server as resources, status_service_server as status};
use prost::Message;
use tokio::net::UnixListener;
use tokio::sync::Notify;
use tokio_stream::Stream;
use tokio_stream::wrappers::UnixListenerStream;
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
                    .add_service(pods_service_server::PodsServiceServer::new(part.clone()))
                    .add_service(WorkflowsServiceServer::new(part.clone()))
                    .add_service(AlertsServiceServer::new(part.clone()))
                    .add_service(EconomyServiceServer::new(part.clone()))
                    .add_service(AuditServiceServer::new(part.clone()))
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
    with_detail(&detail(code, message, &[]))
}

/// A refusal for lack of memory, with the whole explanation.
pub fn no_room(kind: &str, name: &str) -> Status {
    let message = format!("{name} does not fit: it needs 13 GiB of memory");
    with_detail(&v1::ErrorDetail {
        denial: Some(sample::workflows::denial(now(), kind, name)),
        ..detail("insufficient_resources", &message, &[])
    })
}

fn with_detail(detail: &v1::ErrorDetail) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(
        ERROR_DETAIL_KEY,
        MetadataValue::from_bytes(&detail.encode_to_vec()),
    );
    Status::with_metadata(Code::FailedPrecondition, detail.message.clone(), metadata)
}

fn detail(code: &str, message: &str, log: &[&str]) -> v1::ErrorDetail {
    v1::ErrorDetail {
        code: code.to_owned(),
        message: message.to_owned(),
        log: log.iter().map(|&line| line.to_owned()).collect(),
        denial: None,
    }
}

impl Part {
    fn heard<T: std::fmt::Debug>(&self, request: Request<T>) -> T {
        let request = request.into_inner();
        self.requests.lock().unwrap().push(format!("{request:?}"));
        request
    }
}
