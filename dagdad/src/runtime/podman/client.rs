//! HTTP to libpod: one connection for each call, a deadline on each, errors in our words.
//!
//! A connection over a Unix socket costs some tens of microseconds, so none is kept: a call
//! never meets a connection that the service has closed meanwhile.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::service::Service;
use super::text::one_line;
use super::wire;
use crate::ports::RuntimeError;

/// Served by Podman 4 and 5 alike.
const API: &str = "/v4.0.0/libpod";

/// No answer but a log is ever near this size; more is not read into memory.
const ANSWER_LIMIT: usize = 64 << 20;

/// Speaks libpod's REST API to whatever [`Service`] finds.
#[derive(Debug, Clone)]
pub struct Client {
    service: Arc<Service>,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: String,
    content_type: &'static str,
    body: Bytes,
    what: &'static str,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status, errors included.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    /// Reads `path`, which begins behind `/libpod`; `what` is a verb phrase for errors.
    pub fn get(path: impl Into<String>, what: &'static str) -> Self {
        Self::new(Method::GET, path.into(), what)
    }

    /// Changes something at `path`.
    pub fn post(path: impl Into<String>, what: &'static str) -> Self {
        Self::new(Method::POST, path.into(), what)
    }

    /// Deletes what is at `path`.
    pub fn delete(path: impl Into<String>, what: &'static str) -> Self {
        Self::new(Method::DELETE, path.into(), what)
    }

    fn new(method: Method, path: String, what: &'static str) -> Self {
        // With curl's default, a form, Podman 4.3 parses the body away.
        Self {
            method,
            path,
            content_type: "application/yaml",
            body: Bytes::new(),
            what,
        }
    }

    /// Sends `text` along, as YAML.
    pub fn yaml(mut self, text: &str) -> Self {
        self.body = Bytes::copy_from_slice(text.as_bytes());
        self
    }

    /// Sends `value` along, as JSON.
    pub fn json(mut self, value: &impl Serialize) -> Result<Self, RuntimeError> {
        self.content_type = "application/json";
        self.body = serde_json::to_vec(value)
            .map_err(|error| RuntimeError::Protocol(error.to_string()))?
            .into();
        Ok(self)
    }
}

impl Answer {
    /// This answer where it is no error (a redirection such as `304 Not Modified` is none).
    pub fn accepted(self) -> Result<Self, RuntimeError> {
        if self.status.as_u16() < 400 {
            Ok(self)
        } else {
            Err(refusal(self.status, &self.body))
        }
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, RuntimeError> {
        wire::read(&self.body).map_err(RuntimeError::Protocol)
    }
}

impl Client {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }

    /// Sends `call` and reads the whole answer, an error's included, within `deadline`.
    pub async fn call(&self, call: Call, deadline: Duration) -> Result<Answer, RuntimeError> {
        let what = call.what;
        // Callers hold several of these at once, and a connection's state is large.
        let exchange = Box::pin(async {
            let answer = self.send(call).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT)
                .collect()
                .await
                .map_err(|error| RuntimeError::Protocol(format!("cannot {what}: {error}")))?
                .to_bytes();
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            })
        });
        within(deadline, what, exchange).await
    }

    /// Reads a JSON document.
    pub async fn read<T: DeserializeOwned>(
        &self,
        call: Call,
        deadline: Duration,
    ) -> Result<T, RuntimeError> {
        self.call(call, deadline).await?.accepted()?.json()
    }

    /// Sends `call` and returns the body as it comes. There is no deadline: Podman holds the
    /// head of some streams back until there is something to stream.
    pub async fn open(&self, call: Call) -> Result<Incoming, RuntimeError> {
        let answer = self.send(call).await?;
        let status = answer.status();
        let body = answer.into_body();
        if status.is_success() {
            return Ok(body);
        }
        let body = Limited::new(body, ANSWER_LIMIT).collect().await;
        Err(refusal(
            status,
            &body
                .map(http_body_util::Collected::to_bytes)
                .unwrap_or_default(),
        ))
    }

    async fn send(&self, call: Call) -> Result<http::Response<Incoming>, RuntimeError> {
        let (socket, stream) = self.service.connect().await?;
        let unreachable = |error: hyper::Error| {
            if error.is_parse() {
                RuntimeError::Protocol(error.to_string())
            } else {
                RuntimeError::Unreachable {
                    reason: format!("{}: {error}", socket.display()),
                }
            }
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(unreachable)?;
        // Ends when the answer has been read or dropped.
        tokio::spawn(connection);
        let request = http::Request::builder()
            .method(call.method)
            .uri(format!("{API}{}", call.path))
            .header(header::HOST, "podman")
            .header(header::CONTENT_TYPE, call.content_type)
            .body(Full::new(call.body))
            .map_err(|error| RuntimeError::Protocol(error.to_string()))?;
        sender.send_request(request).await.map_err(unreachable)
    }
}

/// `work`, or [`RuntimeError::TimedOut`].
pub async fn within<T>(
    deadline: Duration,
    what: &str,
    work: impl Future<Output = Result<T, RuntimeError>>,
) -> Result<T, RuntimeError> {
    tokio::time::timeout(deadline, work)
        .await
        .unwrap_or_else(|_| {
            Err(RuntimeError::TimedOut {
                what: what.to_owned(),
                after: deadline,
            })
        })
}

/// `text` with all that has a meaning in a path segment or a query percent-encoded.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

pub fn refusal(status: StatusCode, body: &[u8]) -> RuntimeError {
    let message = serde_json::from_slice::<wire::Failure>(body).map_or_else(
        |_| String::from_utf8_lossy(body).into_owned(),
        |failure| failure.message,
    );
    let message = match one_line(&message) {
        text if text.is_empty() => status.to_string(),
        text => text,
    };
    RuntimeError::Refused {
        status: status.as_u16(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_a_url_reserves() {
        assert_eq!(encode("docker.io/a b:1@x"), "docker.io%2Fa%20b%3A1%40x");
    }

    #[test]
    fn what_podman_sends_is_not_repeated_at_length() {
        let document = format!("{{\"Running\": \"{}\"}}", "no\\n".repeat(1000));
        let answer = Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: document.into(),
        };
        let error = answer.json::<wire::ExecDetail>().unwrap_err().to_string();
        assert!(error.contains("Running: invalid type: string"), "{error}");
        assert!(error.len() < 1000 && !error.contains('\n'), "{error}");
    }

    #[test]
    fn an_error_is_told_in_podmans_words() {
        let body = include_bytes!("fixtures/no_such_pod.json");
        assert_eq!(
            refusal(StatusCode::NOT_FOUND, body),
            RuntimeError::Refused {
                status: 404,
                message: "no pod with name or ID one found: no such pod".to_owned()
            }
        );
        assert_eq!(
            refusal(StatusCode::BAD_GATEWAY, b""),
            RuntimeError::Refused {
                status: 502,
                message: "502 Bad Gateway".to_owned()
            }
        );
    }
}
