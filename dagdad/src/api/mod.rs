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
mod incoming;
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
use futures::future::BoxFuture;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tower::Layer as _;

use self::access::Gate;
use self::entrance::EntranceLayer;
use crate::domain::catalogue::Entries;
use crate::domain::check::Check;
use crate::domain::error::CommandError;
use crate::ports::{Runtime, Store};

/// The largest `apply`, bytes: room for a folder of manifests.
const MAX_MANIFESTS: usize = 16 * 1024 * 1024;
/// The largest request of any other kind, bytes. They carry names, times and notes.
const MAX_REQUEST: usize = 64 * 1024;

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
    /// Cancelled when dagdad ends: open streams end with it.
    pub ending: CancellationToken,
}

/// Serves until `api.ending` is cancelled and the open calls have ended.
pub async fn serve(api: Api, listener: UnixListener) {
    let ending = api.ending.clone();
    let entrance = EntranceLayer(api.engine.clone());
    let service = entrance.layer(routes(api).await);
    incoming::serve(service, listener, ending).await;
}

/// Which service answers what.
async fn routes(api: Api) -> Routes {
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
    let mut routes = RoutesBuilder::default();
    if let Some(reflection) = reflection() {
        routes.add_service(reflection.max_decoding_message_size(MAX_REQUEST));
    }
    routes
        .add_service(health.max_decoding_message_size(MAX_REQUEST))
        .add_service(
            CatalogueServiceServer::new(api.clone())
                .max_decoding_message_size(MAX_MANIFESTS)
                .max_encoding_message_size(usize::MAX),
        );
    macro_rules! add {
        ($($service:ident),*) => {$(
            routes.add_service(
                $service::new(api.clone()).max_decoding_message_size(MAX_REQUEST),
            );
        )*};
    }
    add!(
        StatusServiceServer,
        PodsServiceServer,
        WorkflowsServiceServer,
        ResourcesServiceServer,
        EventsServiceServer,
        AlertsServiceServer,
        EconomyServiceServer,
        AuditServiceServer,
        DiagnosticsServiceServer
    );
    routes.routes().prepare()
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
        .inspect_err(|error| tracing::error!(dagda_error = %error, "no server reflection"))
        .ok()
}
