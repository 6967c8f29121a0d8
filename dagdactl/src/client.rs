//! The connection to dagdad: one HTTP/2 connection over its Unix socket, and the time that
//! may be spent waiting on it.

mod socket;

use std::future::Future;
use std::time::Duration;

use dagda_proto::v1::alerts_service_client::AlertsServiceClient;
use dagda_proto::v1::audit_service_client::AuditServiceClient;
use dagda_proto::v1::catalogue_service_client::CatalogueServiceClient;
use dagda_proto::v1::diagnostics_service_client::DiagnosticsServiceClient;
use dagda_proto::v1::economy_service_client::EconomyServiceClient;
use dagda_proto::v1::events_service_client::EventsServiceClient;
use dagda_proto::v1::pods_service_client::PodsServiceClient;
use dagda_proto::v1::resources_service_client::ResourcesServiceClient;
use dagda_proto::v1::status_service_client::StatusServiceClient;
use dagda_proto::v1::workflows_service_client::WorkflowsServiceClient;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status, Streaming};

use crate::error::{Error, Trouble, root_cause};

use socket::explain;
pub use socket::{SYSTEM_SOCKET, default_path, describe};

/// The longest refusal that is taken, in bytes.
const MAX_HEADERS: u32 = 4 * 1024 * 1024;

/// How long an answer is awaited where the caller named no limit. dagdad answers from memory,
/// so even a loaded box stays far below it.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The largest answer taken: a catalogue of many large manifests.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// A connection to dagdad. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Daemon {
    channel: Channel,
    patience: Patience,
}

/// How long the caller is willing to wait, from the start of the process.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// `--timeout` and the moment it ends.
    limit: Option<(Duration, Instant)>,
}

impl Patience {
    /// Patience that ends `limit` from now; without a limit, never.
    pub fn starting_now(limit: Option<Duration>) -> Self {
        Self {
            limit: limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?))),
        }
    }

    /// Waits for `future` while patience lasts, but no longer than `at_most`. The error is the
    /// time that was waited.
    async fn wait<T>(
        self,
        at_most: Option<Duration>,
        future: impl Future<Output = T>,
    ) -> Result<T, Duration> {
        let own = at_most.map(|limit| (limit, Instant::now() + limit));
        let Some((limit, end)) = self.limit.or(own) else {
            return Ok(future.await);
        };
        tokio::time::timeout_at(end, future)
            .await
            .map_err(|_| limit)
    }
}

impl Daemon {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// Says why nothing answers there and how to mend it.
    pub async fn connect(path: &std::path::Path, patience: Patience) -> Result<Self, Error> {
        let stream = patience
            .wait(Some(ANSWER_WITHIN), UnixStream::connect(path))
            .await
            .map_err(no_answer)?
            .map_err(|error| explain(path, &error))?;
        // tonic asks for a connection once more when the first one breaks; by then the answer
        // being waited for is lost, and a second attempt would only hide that.
        let mut stream = Some(TokioIo::new(stream));
        let connector = tower::service_fn(move |_| {
            let stream = stream.take();
            async move { stream.ok_or_else(|| std::io::Error::other("dagdad closed the connection")) }
        });
        // The address is not used but must be one.
        // A refusal that names many victims or mistakes travels in headers.
        let endpoint =
            Endpoint::from_static("http://dagdad").http2_max_header_list_size(MAX_HEADERS);
        let handshake = endpoint.connect_with_connector(connector);
        let channel = patience
            .wait(Some(ANSWER_WITHIN), handshake)
            .await
            .map_err(no_answer)?
            .map_err(|error| no_conversation(path, &error))?;
        Ok(Self { channel, patience })
    }

    /// Waits for a single answer, or for a stream to be opened.
    ///
    /// # Errors
    /// What dagdad said, what became of the connection, or that patience ended.
    pub async fn answer<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Error> {
        let answer = self
            .patience
            .wait(Some(ANSWER_WITHIN), call)
            .await
            .map_err(no_answer)?;
        Ok(answer?.into_inner())
    }

    /// Waits for an answer that dagdad has to work for, for as long as patience lasts.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub async fn work<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Error> {
        let answer = self.patience.wait(None, call).await.map_err(no_answer)?;
        Ok(answer?.into_inner())
    }

    /// The next message of a stream; `None` at its orderly end.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub async fn next<T>(&self, stream: &mut Streaming<T>) -> Result<Option<T>, Error> {
        let next = self.patience.wait(None, stream.message()).await;
        Ok(next.map_err(|limit| {
            Error::TimedOut(format!(
                "gave up after {}",
                humantime::format_duration(limit)
            ))
        })??)
    }
}

/// Somebody listens at `path`, but a conversation does not come about.
fn no_conversation(path: &std::path::Path, error: &(dyn std::error::Error + 'static)) -> Error {
    let cause = root_cause(error);
    let closed = cause.downcast_ref::<std::io::Error>().is_some_and(|cause| {
        use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        matches!(cause.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
    });
    // dagdad says `ENHANCE_YOUR_CALM` to who has too many connections, and closes.
    let trouble = if closed || cause.to_string().contains("excessive load") {
        Trouble::new(
            format!("dagdad closed the connection at once ({cause})"),
            "this user may have too many: end other commands that watch or follow, and see: systemctl status dagdad",
        )
    } else {
        Trouble::new(
            format!(
                "what listens on {} does not speak gRPC ({cause})",
                path.display()
            ),
            "name the socket of dagdad with --socket",
        )
    };
    Error::Unreachable(trouble)
}

/// A call was not answered within `limit`.
fn no_answer(limit: Duration) -> Error {
    Error::TimedOut(format!(
        "dagdad did not answer within {}; see: systemctl status dagdad, journalctl -u dagdad",
        humantime::format_duration(limit)
    ))
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $client:ident),* $(,)?) => {
        impl Daemon {$(
            $(#[$doc])*
            pub fn $name(&self) -> $client<Channel> {
                $client::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
            }
        )*}
    };
}

services! {
    /// The box at a glance.
    status: StatusServiceClient,
    /// Manifests in and out.
    catalogue: CatalogueServiceClient,
    /// Pods.
    pods: PodsServiceClient,
    /// Workflows and their runs.
    workflows: WorkflowsServiceClient,
    /// The host's resources.
    resources: ResourcesServiceClient,
    /// What is amiss.
    alerts: AlertsServiceClient,
    /// Economy mode.
    economy: EconomyServiceClient,
    /// What happened.
    events: EventsServiceClient,
    /// Who asked for what.
    audit: AuditServiceClient,
    /// What is missing.
    diagnostics: DiagnosticsServiceClient,
}
