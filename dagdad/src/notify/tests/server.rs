//! An HTTP server that answers as it is told to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::super::Endpoint;

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Status(u16),
    Never,
}

/// Where the next requests are answered from; the last answer stands for all that follow.
pub struct Server {
    pub port: u16,
    pub encrypted: bool,
    pub requests: mpsc::UnboundedReceiver<(Parts, Bytes)>,
}

/// Part of every path, to be found nowhere else.
pub const SECRET: &str = "s3cret";

impl Server {
    pub async fn start(answers: &[Answer]) -> Self {
        Self::listen(answers, None).await
    }

    /// One that proves to be `localhost`, to those who believe [`believers`].
    pub async fn encrypted(answers: &[Answer]) -> Self {
        let key = include_bytes!("../fixtures/localhost.key");
        let key = PrivateKeyDer::from_pem_slice(key).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate()], key)
            .unwrap();
        Self::listen(answers, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(answers: &[Answer], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = mpsc::unbounded_channel();
        let answers: VecDeque<Answer> = answers.iter().copied().collect();
        let answers = Arc::new(Mutex::new(answers));
        let encrypted = tls.is_some();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, sender, answers) = (tls.clone(), sender.clone(), Arc::clone(&answers));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, sender, answers).await,
                        Some(tls) => {
                            // Those who do not believe it hang up.
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, sender, answers).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            port,
            encrypted,
            requests,
        }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            encrypted: self.encrypted,
            host: "localhost".to_owned(),
            port: self.port,
            path: SecretString::from(format!("/{SECRET}?token={SECRET}")),
        }
    }

    /// The requests that have come in.
    pub fn come_in(&mut self) -> Vec<(Parts, Bytes)> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("../fixtures/localhost.crt")).unwrap()
}

/// Those who believe the server.
pub fn believers() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    roots
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    requests: mpsc::UnboundedSender<(Parts, Bytes)>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (requests, answers) = (requests.clone(), Arc::clone(&answers));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let answer = {
                let mut answers = answers.lock().unwrap();
                match answers.len() {
                    1 => answers[0],
                    _ => answers.pop_front().unwrap(),
                }
            };
            // The test may have seen enough.
            let _ = requests.send((head, body));
            match answer {
                Answer::Never => std::future::pending().await,
                Answer::Status(status) => {
                    let mut response = Response::new(Empty::<Bytes>::new());
                    *response.status_mut() = StatusCode::from_u16(status).unwrap();
                    Ok::<_, Infallible>(response)
                }
            }
        }
    });
    // A client that hangs up has its reasons.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
