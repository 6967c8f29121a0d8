//! What comes in on the socket: connections, and the calls on them. Everything a caller can make
//! dagdad hold has a limit here, so that a client which says nothing, sends rubbish, asks for too
//! much, reads too slowly or dies in the middle costs nothing that lasts.

mod calls;
mod connections;
mod descriptors;
mod message;

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

pub use self::calls::TooMany;
use self::calls::{Call, Calls, Cost};
use self::connections::{Admission, ConnectionId, Connections};
use self::message::{Arriving, Held, patience};
use super::peer::Peer;
use super::status;

/// How long a connection may go without its first call.
const SPEAKS_WITHIN: Duration = Duration::from_secs(10);
/// How often a quiet connection is asked whether there is still anybody.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How long it may take to answer that. One that does not (dead, stopped, not reading) is closed.
const PONG_WITHIN: Duration = Duration::from_secs(15);
/// Calls in flight on one connection; more wait at the client. No fewer than a client takes for
/// granted until it is told (RFC 9113, 6.5.2), or its first burst is refused.
const STREAMS: u32 = 100;
/// All headers of a request together, bytes.
const HEADERS: u32 = 8 * 1024;
/// What a request may have sent ahead of its being read, bytes: the protocol's own default.
const STREAM_WINDOW: u32 = 65_535;
/// The same for all requests of a connection.
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// What is held of an answer that the caller does not read, bytes, and one message more.
const UNREAD: usize = 32 * 1024;
/// Calls given up by the caller before they were looked at, and broken ones, after which the
/// connection is closed (`CVE-2023-44487`, `CVE-2025-8671`).
const RESETS: usize = 64;
/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection that is not taken is told: `SETTINGS`, which comes first in any case, then
/// `GOAWAY` with `ENHANCE_YOUR_CALM`. Source: RFC 9113, 6.5, 6.8 and 7.
const NOT_TAKEN: &[u8] = b"\0\0\0\x04\0\0\0\0\0\
    \0\0\x4c\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b\
    dagdad: this user has too many connections, and all of them are busy";

/// Serves until `ending` is cancelled and the calls in flight have ended.
pub async fn serve<S>(service: S, listener: UnixListener, ending: CancellationToken)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    descriptors::provide();
    let server = Server {
        service,
        protocol: protocol(),
        connections: Arc::default(),
        calls: Calls::default(),
        ending: ending.clone(),
    };
    let mut open = Open::default();
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = ending.cancelled() => break,
            () = open.one_ends() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                failing = false;
                server.take(stream, &mut open).await;
            }
            // Mostly too few file descriptors, which will pass: connections wait meanwhile.
            Err(error) => {
                if !failing {
                    tracing::error!(dagda_error = %error, "cannot accept connections; trying on");
                }
                failing = true;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.all_end().await;
}

fn protocol() -> http2::Builder<TokioExecutor> {
    let mut protocol = http2::Builder::new(TokioExecutor::new());
    protocol
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(UNREAD)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS);
    protocol
}

/// The tasks of the open connections.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    handles: HashMap<ConnectionId, AbortHandle>,
}

impl Open {
    /// Waits until a connection is closed; for ever, where there is none.
    async fn one_ends(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
        self.handles.retain(|_, task| !task.is_finished());
    }

    async fn all_end(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

#[derive(Clone)]
struct Server<S> {
    service: S,
    protocol: http2::Builder<TokioExecutor>,
    connections: Arc<Mutex<Connections>>,
    calls: Calls,
    ending: CancellationToken,
}

impl<S> Server<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    /// Begins to serve a connection, if there is room.
    async fn take(&self, stream: UnixStream, open: &mut Open) {
        let peer = match Peer::of(&stream) {
            Ok(peer) => peer,
            Err(error) => {
                tracing::warn!(dagda_error = %error, "a connection is closed: who made it is not known");
                return;
            }
        };
        let admission = lock(&self.connections).admit(peer.uid);
        let Admission::Taken { id, instead_of } = admission else {
            tracing::debug!(dagda_uid = peer.uid, "a connection is closed: too many");
            // As far as it goes: the caller may not be reading.
            let _ = stream.try_write(NOT_TAKEN);
            return;
        };
        let connection = Connection {
            id,
            connections: Arc::clone(&self.connections),
        };
        let serving = self.clone().converse(stream, peer, connection);
        open.handles.insert(id, open.tasks.spawn(serving));
        let Some(idle) = instead_of else { return };
        if let Some(task) = open.handles.get(&idle) {
            task.abort();
        }
        // Closed before the next one is accepted, or the file descriptors may run out.
        while open.tasks.len() > self.count() {
            open.one_ends().await;
        }
    }

    fn count(&self) -> usize {
        lock(&self.connections).count()
    }

    /// Answers the calls on a connection until either side ends it.
    async fn converse(self, stream: UnixStream, peer: Peer, connection: Connection) {
        let connection = Arc::new(connection);
        let answering = {
            let (server, connection) = (self.clone(), Arc::clone(&connection));
            service_fn(move |request| {
                let call = server.clone().answer(request, peer.clone(), &connection);
                async move { Ok::<_, Infallible>(call.await) }
            })
        };
        let io = TokioIo::new(stream);
        let mut conversation = pin!(self.protocol.serve_connection(io, answering));
        let ended = tokio::select! {
            ended = conversation.as_mut() => ended,
            () = connection.stays_silent() => {
                tracing::debug!("a connection is closed: no call was made on it");
                return;
            }
            () = self.ending.cancelled() => {
                if connection.is_idle() {
                    return;
                }
                conversation.as_mut().graceful_shutdown();
                conversation.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(dagda_error = %error, "a connection broke");
        }
    }

    fn answer(
        self,
        request: Request<Incoming>,
        peer: Peer,
        connection: &Arc<Connection>,
    ) -> impl Future<Output = Response<Held<(Busy, Option<Call>)>>> + use<S> {
        let busy = Busy::new(connection);
        let call = self.calls.begin(peer.uid, Cost::of(request.uri().path()));
        let patience = patience(request.headers());
        let mut request = request.map(|body| Body::new(Arriving::new(body)));
        request.extensions_mut().insert(peer);
        async move {
            match call {
                Ok(call) => {
                    let answer = answered(self.service, request, patience).await;
                    answer.map(|body| Held::new(body, (busy, Some(call))))
                }
                Err(error) => {
                    let refusal = status::too_many_requests(&error).into_http();
                    refusal.map(|body| Held::new(body, (busy, None)))
                }
            }
        }
    }
}

/// The service's answer, or the beginning of it, while the caller has patience.
async fn answered<S>(
    service: S,
    request: Request<Body>,
    patience: Option<Duration>,
) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let answer = service.oneshot(request);
    let answer = match patience {
        None => answer.await,
        Some(patience) => match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer,
            Err(_) => {
                return Status::deadline_exceeded("the caller's time is over").into_http();
            }
        },
    };
    let Ok(answer) = answer;
    answer
}

/// An open connection; it is forgotten when this is dropped.
struct Connection {
    id: ConnectionId,
    connections: Arc<Mutex<Connections>>,
}

impl Connection {
    /// Ends when the time for the first call is over and there was none.
    async fn stays_silent(&self) {
        tokio::time::sleep(SPEAKS_WITHIN).await;
        if lock(&self.connections).spoke(self.id) {
            std::future::pending::<()>().await;
        }
    }

    fn is_idle(&self) -> bool {
        lock(&self.connections).is_idle(self.id)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.connections).closed(self.id);
    }
}

/// A call on a connection; the connection counts as busy until this is dropped.
struct Busy {
    id: ConnectionId,
    connections: Arc<Mutex<Connections>>,
}

impl Busy {
    fn new(connection: &Connection) -> Self {
        lock(&connection.connections).call_begins(connection.id);
        Self {
            id: connection.id,
            connections: Arc::clone(&connection.connections),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.connections).call_ends(self.id);
    }
}

fn lock(connections: &Mutex<Connections>) -> MutexGuard<'_, Connections> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_taken_is_told_so_in_two_whole_frames() {
        let (settings, goaway) = NOT_TAKEN.split_at(9);
        assert_eq!((settings[2], settings[3]), (0, 4));
        let length = usize::from(goaway[2]);
        assert_eq!((goaway[3], goaway.len()), (7, 9 + length));
        assert_eq!(goaway[9..17], [0, 0, 0, 0, 0, 0, 0, 0x0b]);
        assert!(goaway[17..].starts_with(b"dagdad: "));
    }
}
