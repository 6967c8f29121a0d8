//! The webhook: each alert is posted to an HTTP endpoint of the owner's.
//!
//! It is tried again where that may help: where there was no answer, or 429 or 5xx. Its URL may
//! hold a token and is told to nobody; errors name the host alone.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long one try may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The first try is made again after so long, …
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// … and each further one after so many times as long: 5 s, 15 s, 45 s, 2 min 15 s.
const FACTOR: f32 = 3.0;
/// So often it is tried again.
const RETRIES: usize = 4;

/// Where it is posted to: the parts of an `http` or `https` URL.
#[derive(Debug)]
pub struct Endpoint {
    /// Whether it is `https`.
    pub encrypted: bool,
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, which begin with `/`.
    pub path: SecretString,
}

/// An HTTP endpoint of the owner's.
pub struct Webhook {
    endpoint: Endpoint,
    deadline: Duration,
    pauses: ExponentialBuilder,
    /// Whose certificates are believed; asked for each time, since it takes much memory to keep.
    roots: fn() -> RootCertStore,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.endpoint.host;
        f.debug_struct("Webhook")
            .field("host", host)
            .finish_non_exhaustive()
    }
}

/// Why a webhook was of no use. None of them tells its URL.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No connection, or one that broke off.
    #[error("webhook at {host}: {source}")]
    Unreachable {
        /// Its host.
        host: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It does not speak HTTP, or stopped in the middle.
    #[error("webhook at {host} gave no answer that makes sense: {source}")]
    NoSense {
        /// Its host.
        host: String,
        /// Why not.
        source: hyper::Error,
    },
    /// It took too long.
    #[error("webhook at {host} did not answer within {}", humantime::format_duration(*after))]
    TimedOut {
        /// Its host.
        host: String,
        /// How long it had.
        after: Duration,
    },
    /// It said no.
    #[error("webhook at {host} answered {status}{}", advice(*status))]
    Refused {
        /// Its host.
        host: String,
        /// Its answer.
        status: StatusCode,
    },
    /// There is nothing that could be sent there.
    #[error("webhook at {host}: its address cannot be used; mend `alerts.webhook`")]
    Unusable {
        /// Its host.
        host: String,
    },
}

impl WebhookError {
    /// Whether another try may go better.
    fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoSense { .. } | Self::TimedOut { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unusable { .. } => false,
        }
    }
}

impl Webhook {
    /// A webhook at `endpoint`; this machine's authorities say whether it is who it says.
    #[must_use]
    pub fn at(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            deadline: DEADLINE,
            pauses: ExponentialBuilder::default()
                .with_min_delay(FIRST_PAUSE)
                .with_max_delay(Duration::from_mins(5))
                .with_factor(FACTOR)
                .with_max_times(RETRIES),
            roots: authorities,
        }
    }

    /// Posts `document`, again and again where that may help.
    pub(super) async fn tell(&self, document: Vec<u8>) -> Result<(), WebhookError> {
        let document = Bytes::from(document);
        let post = || async {
            let post = self.post(document.clone());
            let late = || WebhookError::TimedOut {
                host: self.host(),
                after: self.deadline,
            };
            tokio::time::timeout(self.deadline, post)
                .await
                .unwrap_or_else(|_| Err(late()))
        };
        post.retry(self.pauses)
            .when(WebhookError::passes)
            .notify(|error, pause| tracing::debug!(dagda_error = %error, dagda_pause = ?pause, "the webhook is tried again"))
            .await
    }

    async fn post(&self, document: Bytes) -> Result<(), WebhookError> {
        let unreachable = |source| WebhookError::Unreachable {
            host: self.host(),
            source,
        };
        let Endpoint {
            encrypted,
            host,
            port,
            path: _,
        } = &self.endpoint;
        let stream = TcpStream::connect((host.as_str(), *port)).await;
        let stream = stream.map_err(unreachable)?;
        let status = if *encrypted {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| WebhookError::Unusable { host: self.host() })?;
            let connector = self.connector().await.map_err(unreachable)?;
            let stream = connector.connect(name, stream).await;
            self.exchange(stream.map_err(unreachable)?, document).await
        } else {
            self.exchange(stream, document).await
        }?;
        if status.is_success() {
            return Ok(());
        }
        let host = self.host();
        Err(WebhookError::Refused { host, status })
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        document: Bytes,
    ) -> Result<StatusCode, WebhookError> {
        let no_sense = |source| WebhookError::NoSense {
            host: self.host(),
            source,
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(no_sense)?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.path.expose_secret())
            .header(header::HOST, self.authority())
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("dagdad/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::CONNECTION, "close")
            .body(Full::new(document))
            .map_err(|_| WebhookError::Unusable { host: self.host() })?;
        let answer = sender.send_request(request);
        // The connection is closed with what drives it, once the status is known.
        let mut connection = std::pin::pin!(connection);
        let mut answer = std::pin::pin!(answer);
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            ended = &mut connection => match ended {
                Ok(()) => answer.await,
                Err(error) => Err(error),
            },
        };
        answer.map(|answer| answer.status()).map_err(no_sense)
    }

    async fn connector(&self) -> io::Result<TlsConnector> {
        let roots = self.roots;
        let config = tokio::task::spawn_blocking(move || {
            ClientConfig::builder()
                .with_root_certificates(roots())
                .with_no_client_auth()
        });
        let config = config.await.map_err(io::Error::other)?;
        Ok(TlsConnector::from(Arc::new(config)))
    }

    fn host(&self) -> String {
        self.endpoint.host.clone()
    }

    /// For the `Host` header: without the port where that goes without saying.
    fn authority(&self) -> String {
        let Endpoint {
            encrypted,
            host,
            port,
            path: _,
        } = &self.endpoint;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        match (*encrypted, *port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// Those that this machine believes. Without any, nobody is who they say.
fn authorities() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(dagda_error = %error, "some of this machine's certificate authorities cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

fn advice(status: StatusCode) -> &'static str {
    if status.is_redirection() {
        "; no redirection is followed: give `alerts.webhook` the address that it leads to"
    } else if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        "; see whether `alerts.webhook` is right"
    } else {
        ""
    }
}

#[cfg(test)]
impl Webhook {
    /// One that does not wait for long, and believes `roots`.
    pub(super) fn hasty(
        endpoint: Endpoint,
        deadline: Duration,
        roots: fn() -> RootCertStore,
    ) -> Self {
        let webhook = Self::at(endpoint);
        Self {
            deadline,
            pauses: webhook.pauses.with_min_delay(Duration::from_millis(1)),
            roots,
            ..webhook
        }
    }

    /// The pauses between its tries.
    pub(super) fn pauses(&self) -> Vec<Duration> {
        backon::BackoffBuilder::build(self.pauses).collect()
    }
}
