//! The gRPC edge: thin handlers, one file a service. Reads are answered from the engine's
//! snapshot; commands go to the engine; only logs, history and what is past (events, runs, alerts,
//! backtests) wait for somebody else.

pub mod access;
mod alerts;
mod audit;
pub mod caller;
mod catalogue;
mod convert;
mod denials;
mod diagnostics;
mod economy;
mod entrance;
mod events;
mod following;
mod outcome;
mod peer;
mod pods;
mod resources;
mod runs;
mod status;
mod status_service;
mod streaming;
#[cfg(test)]
mod tests;
mod workflows;

use std::sync::Arc;

use dagda_proto::FILE_DESCRIPTOR_SET;
use dagda_proto::v1::alerts_service_server::AlertsServiceServer;
use dagda_proto::v1::audit_service_server::AuditServiceServer;
use dagda_proto::v1::catalogue_service_server::CatalogueServiceServer;
use dagda_proto::v1::diagnostics_service_server::DiagnosticsServiceServer;
use dagda_proto::v1::economy_service_server::EconomyServiceServer;
use dagda_proto::v1::events_service_server::EventsServiceServer;
use dagda_proto::v1::pods_service_server::PodsServiceServer;
use dagda_proto::v1::resources_service_server::ResourcesServiceServer;
use dagda_proto::v1::status_service_server::StatusServiceServer;
use dagda_proto::v1::workflows_service_server::WorkflowsServiceServer;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;

use self::access::Gate;
use self::entrance::EntranceLayer;
use self::peer::Connection;
use crate::domain::catalogue::Entries;
use crate::domain::check::Check;
use crate::domain::error::CommandError;
use crate::engine::state::Thresholds;
use crate::ports::{Runtime, Store};

/// The largest message accepted: room for a folder of manifests.
const MAX_REQUEST: usize = 16 * 1024 * 1024;

/// A file of manifests as a caller sent it: a name for error messages, and its text.
pub type SourceText = (String, String);

/// Reads manifests; fails with one error that names everything that is wrong.
pub type Parse = Arc<dyn Fn(Vec<SourceText>) -> Result<Entries, CommandError> + Send + Sync>;

/// Looks at everything that dagdad needs.
pub type Diagnose = Arc<dyn Fn() -> BoxFuture<'static, Vec<Check>> + Send + Sync>;

/// What the services answer from. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Commands, snapshots, events.
    pub engine: Gate,
    /// Logs.
    pub runtime: Arc<dyn Runtime>,
    /// History; past events, runs, alerts and samples; the audit.
    pub store: Arc<dyn Store>,
    /// `apply`.
    pub parse: Parse,
    /// `doctor`.
    pub diagnose: Diagnose,
    /// The budget's ceilings, shown beside what is used.
    pub thresholds: Thresholds,
    /// Cancelled when dagdad ends: open streams end with it.
    pub ending: CancellationToken,
}

/// Serves until `api.ending` is cancelled and the open calls have ended.
///
/// # Errors
/// Where the transport fails.
pub async fn serve(api: Api, listener: UnixListener) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<StatusServiceServer<Api>>().await;
    reporter.set_serving::<PodsServiceServer<Api>>().await;
    reporter.set_serving::<WorkflowsServiceServer<Api>>().await;
    reporter.set_serving::<CatalogueServiceServer<Api>>().await;
    reporter.set_serving::<ResourcesServiceServer<Api>>().await;
    reporter.set_serving::<EventsServiceServer<Api>>().await;
    reporter.set_serving::<AlertsServiceServer<Api>>().await;
    reporter.set_serving::<EconomyServiceServer<Api>>().await;
    reporter.set_serving::<AuditServiceServer<Api>>().await;
    reporter
        .set_serving::<DiagnosticsServiceServer<Api>>()
        .await;
    let ending = api.ending.clone();
    let incoming =
        UnixListenerStream::new(listener).map(|accepted| accepted.and_then(Connection::accepted));
    tonic::transport::Server::builder()
        .layer(EntranceLayer(api.engine.clone()))
        .add_service(health)
        .add_optional_service(reflection())
        .add_service(StatusServiceServer::new(api.clone()))
        .add_service(PodsServiceServer::new(api.clone()))
        .add_service(WorkflowsServiceServer::new(api.clone()))
        .add_service(
            CatalogueServiceServer::new(api.clone())
                .max_decoding_message_size(MAX_REQUEST)
                .max_encoding_message_size(usize::MAX),
        )
        .add_service(ResourcesServiceServer::new(api.clone()))
        .add_service(EventsServiceServer::new(api.clone()))
        .add_service(AlertsServiceServer::new(api.clone()))
        .add_service(EconomyServiceServer::new(api.clone()))
        .add_service(AuditServiceServer::new(api.clone()))
        .add_service(DiagnosticsServiceServer::new(api))
        .serve_with_incoming_shutdown(incoming, ending.cancelled_owned())
        .await
}

/// Server reflection, so that generic gRPC tools need no .proto files.
fn reflection() -> Option<
    tonic_reflection::server::v1::ServerReflectionServer<
        impl tonic_reflection::server::v1::ServerReflection,
    >,
> {
    let built = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    built
        .inspect_err(|error| tracing::error!(%error, "no server reflection"))
        .ok()
}
