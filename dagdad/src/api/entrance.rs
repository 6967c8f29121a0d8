//! Where every call comes in: it is found out who calls, and who may not even look is sent away.
//! Health and reflection say nothing about the machine and are for everyone on the socket.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::access::Gate;
use super::peer::Peer;
use super::status;

/// Services that everyone may call.
const OPEN: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection."];

/// Puts an [`Entrance`] before services.
#[derive(Debug, Clone)]
pub struct EntranceLayer(pub Gate);

/// Lets calls through to `inner` with the [`crate::domain::caller::Caller`] as an extension.
#[derive(Debug, Clone)]
pub struct Entrance<S> {
    gate: Gate,
    inner: S,
}

impl<S> Layer<S> for EntranceLayer {
    type Service = Entrance<S>;

    fn layer(&self, inner: S) -> Entrance<S> {
        Entrance {
            gate: self.0.clone(),
            inner,
        }
    }
}

impl<S> Service<Request<Body>> for Entrance<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The one that is ready is the one to be called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let gate = self.gate.clone();
        Box::pin(async move {
            let path = request.uri().path();
            if OPEN.iter().any(|open| path.starts_with(open)) {
                return inner.call(request).await;
            }
            let Some(peer) = request.extensions().get::<Peer>() else {
                return Ok(Status::unauthenticated("the kernel does not say who asks").into_http());
            };
            let caller = gate.callers().resolve(peer).await;
            if let Err(error) = gate.enter(&caller, path).await {
                return Ok(status::from_command(&error).into_http());
            }
            request.extensions_mut().insert(caller);
            inner.call(request).await
        })
    }
}
