//! dagdad's gRPC API, as any client sees it.

pub mod flood;
pub mod frames;
pub mod fuzz;

use std::path::Path;
use std::time::Duration;

use dagda_proto::v1;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};

use crate::PATIENCE;

/// A channel to the socket at `path`. Connects at the first call.
///
/// # Panics
/// Never: the address is a constant that no one dials.
#[must_use]
pub fn channel(path: &Path) -> Channel {
    let path = path.to_owned();
    Endpoint::from_static("http://dagda.local").connect_with_connector_lazy(tower::service_fn(
        move |_: tonic::transport::Uri| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        },
    ))
}

/// A runtime for one test's calls.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("start a runtime")
}

/// Reads a stream until `wanted` gives something for a message.
///
/// # Panics
/// The stream ends or fails first, or [`PATIENCE`] does; the last message is shown then.
pub async fn first<M: std::fmt::Debug, T>(
    stream: &mut tonic::Streaming<M>,
    what: &str,
    mut wanted: impl FnMut(&M) -> Option<T>,
) -> T {
    let mut last = None;
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            match stream.message().await {
                Ok(Some(message)) => {
                    if let Some(found) = wanted(&message) {
                        return found;
                    }
                    last = Some(message);
                }
                Ok(None) => panic!("the stream ended before {what}; last: {last:#?}"),
                Err(status) => {
                    panic!("the stream failed before {what}: {status:?}; last: {last:#?}")
                }
            }
        }
    })
    .await;
    found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; last: {last:#?}"))
}

/// The outcome of an operation, its progress read over.
///
/// # Errors
/// The operation's own.
///
/// # Panics
/// The stream ends without an outcome, or not at all.
pub async fn outcome(
    mut stream: tonic::Streaming<v1::OperationUpdate>,
) -> Result<v1::Done, Box<v1::ErrorDetail>> {
    first(&mut stream, "the operation ended", |update| {
        match &update.update {
            Some(v1::operation_update::Update::Done(done)) => Some(Ok(done.clone())),
            Some(v1::operation_update::Update::Error(error)) => Some(Err(Box::new(error.clone()))),
            _ => None,
        }
    })
    .await
}

/// The outcome of a run, as its caller is told it: done once all its pods are ready.
///
/// # Errors
/// The run's own.
///
/// # Panics
/// The stream ends without an outcome, or not at all.
pub async fn run_outcome(
    stream: &mut tonic::Streaming<v1::RunUpdate>,
) -> Result<v1::Done, Box<v1::ErrorDetail>> {
    first(
        stream,
        "the run's caller is answered",
        |update| match &update.update {
            Some(v1::run_update::Update::Done(done)) => Some(Ok(done.clone())),
            Some(v1::run_update::Update::Error(error)) => Some(Err(Box::new(error.clone()))),
            _ => None,
        },
    )
    .await
}

/// The typed error that dagdad sends with a failed call.
///
/// # Panics
/// It sent none.
#[must_use]
pub fn detail(status: &tonic::Status) -> v1::ErrorDetail {
    let bytes = status.metadata().get_bin(dagda_proto::ERROR_DETAIL_KEY);
    let bytes =
        bytes.unwrap_or_else(|| panic!("no {} in {status:?}", dagda_proto::ERROR_DETAIL_KEY));
    let bytes = bytes.to_bytes().expect("base64");
    v1::ErrorDetail::decode(bytes).expect("an ErrorDetail")
}

/// A protobuf duration of so many seconds.
#[must_use]
pub fn seconds(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: 0,
    }
}
