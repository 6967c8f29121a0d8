//! Podman's event stream, for as long as somebody listens.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::client::{Call, Client, encode};
use super::lines::LineSplitter;
use super::list::Listing;
use super::text::one_line;
use super::tracker::Tracker;
use super::{Deadlines, version, wire};
use crate::domain::observed::RuntimeSignal;
use crate::ports::RuntimeError;

/// Signals that wait for a slow listener; then reading pauses.
const BACKLOG: usize = 256;

/// An attachment that lived this long was a good one: the next is tried without much ado.
const SETTLED: Duration = Duration::from_secs(10);

/// Signals for ever; ends when the stream is dropped.
pub fn signals(client: Client, deadlines: Deadlines) -> BoxStream<'static, RuntimeSignal> {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    tokio::spawn(async move {
        tokio::select! {
            () = watch(&client, &deadlines, &sender) => {}
            () = sender.closed() => {}
        }
    });
    ReceiverStream::new(receiver).boxed()
}

/// Nobody listens any more.
struct Unheard;

impl<T> From<mpsc::error::SendError<T>> for Unheard {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self
    }
}

/// Attaches, follows, and attaches again, until nobody listens.
async fn watch(client: &Client, deadlines: &Deadlines, sender: &mpsc::Sender<RuntimeSignal>) {
    let pauses = || {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .without_max_times()
            .build()
    };
    let mut pause = pauses();
    let mut told = false;
    loop {
        let lost = match attach(client, deadlines).await {
            Ok(attachment) => {
                told = false;
                let attached = Instant::now();
                let lost = match attachment.follow(client, deadlines, sender).await {
                    Ok(lost) => lost,
                    Err(Unheard) => return,
                };
                if attached.elapsed() >= SETTLED {
                    pause = pauses();
                }
                lost
            }
            Err(error) => Lost::Service(error),
        };
        match lost {
            Lost::Service(error) if !told => {
                told = true;
                let reason = match error {
                    RuntimeError::Unreachable { reason } => reason,
                    other => other.to_string(),
                };
                if sender
                    .send(RuntimeSignal::Disconnected { reason })
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Lost::Service(_) => {}
            // Attached again before anybody is told: a gap that heals at once is reported by
            // the `Connected` behind it alone.
            Lost::Stream(reason) => tracing::debug!("Podman's event stream ended: {reason}"),
        }
        tokio::time::sleep(pause.next().unwrap_or_default()).await;
    }
}

/// A service that answered, and its events from then on.
pub struct Attachment {
    version: String,
    tracker: Tracker,
    /// Events from before are known by the listing already; in ns since 1970.
    since: i128,
}

/// How an attachment came to its end.
enum Lost {
    /// The event stream broke off or made no sense. Says nothing about the service.
    Stream(String),
    /// The service does not answer.
    Service(RuntimeError),
}

async fn attach(client: &Client, deadlines: &Deadlines) -> Result<Attachment, RuntimeError> {
    let since = Timestamp::now().as_nanosecond();
    let version = version::fetch_text(client, deadlines.version).await?;
    let listing = Listing::fetch(client, deadlines.list).await?;
    Ok(Attachment::new(version, &listing, since))
}

impl Attachment {
    /// To a Podman of this version, in which `listing` was found; `since` in ns since 1970.
    pub fn new(version: String, listing: &Listing, since: i128) -> Self {
        Self {
            version,
            tracker: Tracker::new(listing),
            since,
        }
    }

    async fn follow(
        mut self,
        client: &Client,
        deadlines: &Deadlines,
        sender: &mpsc::Sender<RuntimeSignal>,
    ) -> Result<Lost, Unheard> {
        let version = std::mem::take(&mut self.version);
        // The listing is older than the stream, but `since` makes Podman repeat what lies
        // between, so that nothing is missed.
        sender.send(RuntimeSignal::Connected { version }).await?;
        tokio::select! {
            lost = self.read(client, sender) => lost,
            error = unanswered_ping(client, deadlines) => Ok(Lost::Service(error)),
        }
    }

    async fn read(
        &mut self,
        client: &Client,
        sender: &mpsc::Sender<RuntimeSignal>,
    ) -> Result<Lost, Unheard> {
        let filters = serde_json::json!({ "type": ["container", "pod"] }).to_string();
        let path = format!(
            "/events?stream=true&since={}&filters={}",
            self.since.div_euclid(1_000_000_000),
            encode(&filters)
        );
        let body = match client.open(Call::get(path, "stream its events")).await {
            Ok(body) => body,
            Err(error @ (RuntimeError::Unreachable { .. } | RuntimeError::Protocol(_))) => {
                return Ok(Lost::Stream(error.to_string()));
            }
            // A service that refuses its events for good must not be asked in a tight loop.
            Err(error) => return Ok(Lost::Service(error)),
        };
        self.read_body(body, sender).await
    }

    async fn read_body(
        &mut self,
        mut body: Incoming,
        sender: &mpsc::Sender<RuntimeSignal>,
    ) -> Result<Lost, Unheard> {
        let mut lines = LineSplitter::default();
        loop {
            let frame = match body.frame().await {
                None => return Ok(Lost::Stream("Podman closed it".to_owned())),
                Some(Err(error)) => return Ok(Lost::Stream(error.to_string())),
                Some(Ok(frame)) => frame,
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            lines.push(&data);
            loop {
                let line = match lines.next_line() {
                    Ok(Some(line)) => line,
                    Ok(None) => break,
                    Err(error) => return Ok(Lost::Stream(error.to_string())),
                };
                for signal in self.interpret(&line) {
                    sender.send(signal).await?;
                }
            }
        }
    }

    /// What a line of the stream means.
    pub fn interpret(&mut self, line: &[u8]) -> Vec<RuntimeSignal> {
        match wire::read::<wire::Event>(line) {
            // A version that sends no time cannot repeat old events either.
            Ok(event) if event.time_nano != 0 && i128::from(event.time_nano) < self.since => {
                Vec::new()
            }
            Ok(event) => {
                let signals = self.tracker.apply(&event);
                tracing::trace!(
                    "Podman: {} {} {}: {signals:?}",
                    event.kind,
                    event.action,
                    event.actor.id
                );
                signals
            }
            Err(error) => {
                let text = one_line(&String::from_utf8_lossy(line));
                tracing::debug!("an event was not understood ({error}): {text}");
                vec![RuntimeSignal::Changed]
            }
        }
    }
}

/// Asks the service now and then whether it is alive, on a connection of its own, since a
/// silent event stream is normal; returns when it is not.
async fn unanswered_ping(client: &Client, deadlines: &Deadlines) -> RuntimeError {
    loop {
        tokio::time::sleep(deadlines.ping_every).await;
        if let Err(error) = version::fetch_text(client, deadlines.version).await {
            return error;
        }
    }
}
