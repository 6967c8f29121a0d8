//! What containers wrote.

use std::fmt::Write as _;
use std::mem;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, Peekable, select_all};
use futures::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::client::{Call, Client, encode, within};
use super::frames::FrameDecoder;
use super::list::Listing;
use super::text::one_line;
use super::{Deadlines, wire};
use crate::domain::observed::{LogLine, LogQuery, LogStream};
use crate::ports::RuntimeError;

const WHAT: &str = "read the log";

/// Lines that wait for a slow reader; then reading from Podman pauses.
const BACKLOG: usize = 64;

/// A line longer than this is passed on in pieces.
const LONGEST_LINE: usize = 1 << 20;

type Line = Result<LogLine, RuntimeError>;

/// Lines of a pod's containers. Without `follow` they are in order of time; with it they come
/// as they are written, and the stream ends when the last container does. Podman ends it at a
/// restart too.
pub async fn logs(
    client: &Client,
    pod: &str,
    query: &LogQuery,
    deadlines: &Deadlines,
) -> Result<BoxStream<'static, Line>, RuntimeError> {
    let listing = Listing::fetch(client, deadlines.list).await?;
    let Some((_, containers)) = listing.pod(pod) else {
        return Err(RuntimeError::NotFound {
            what: format!("pod {pod}"),
        });
    };
    let wanted = |name: &str| {
        query
            .container
            .as_deref()
            .is_none_or(|wanted| wanted == name)
    };
    let wanted: Vec<_> = containers
        .into_iter()
        .filter(|container| !container.is_infra && wanted(container.manifest_name(pod)))
        .collect();
    if let (true, Some(name)) = (wanted.is_empty(), &query.container) {
        return Err(RuntimeError::NotFound {
            what: format!("container {name} in pod {pod}"),
        });
    }
    let silence = (!query.follow).then_some(deadlines.list);
    let streams = wanted
        .into_iter()
        .filter(|container| was_started(container))
        .map(|container| {
            let call = Call::get(path(container, query), WHAT);
            let assembler = LineAssembler::new(container.manifest_name(pod));
            read(client.clone(), call, assembler, silence)
        });
    Ok(if query.follow {
        select_all(streams).boxed()
    } else {
        by_time(streams.collect()).boxed()
    })
}

/// Of a container that was never started, Podman has no log, and an error instead.
fn was_started(container: &wire::Container) -> bool {
    !matches!(container.state.as_str(), "created" | "initialized")
}

fn path(container: &wire::Container, query: &LogQuery) -> String {
    let mut path = format!(
        "/containers/{}/logs?stdout=true&stderr=true&timestamps=true&follow={}",
        encode(&container.id),
        query.follow
    );
    if let Some(tail) = query.tail {
        // Writing to a String cannot fail.
        let _ = write!(path, "&tail={tail}");
    }
    if let Some(since) = query.since {
        let since = Timestamp::now()
            .checked_sub(since)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let _ = write!(path, "&since={}", since.as_second());
    }
    path
}

/// Reads one container's log in a task of its own, which ends with the stream.
fn read(
    client: Client,
    call: Call,
    assembler: LineAssembler,
    silence: Option<Duration>,
) -> ReceiverStream<Line> {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    tokio::spawn(async move {
        tokio::select! {
            outcome = pump(&client, call, assembler, silence, &sender) => {
                if let Err(error) = outcome {
                    // Fails where nobody reads any more.
                    let _ = sender.send(Err(error)).await;
                }
            }
            () = sender.closed() => {}
        }
    });
    ReceiverStream::new(receiver)
}

async fn pump(
    client: &Client,
    call: Call,
    mut assembler: LineAssembler,
    silence: Option<Duration>,
    sender: &mpsc::Sender<Line>,
) -> Result<(), RuntimeError> {
    let mut body = patient(silence, client.open(call)).await?;
    let mut decoder = FrameDecoder::default();
    while let Some(frame) = patient(silence, async { Ok(body.frame().await) }).await? {
        let frame = frame.map_err(|error| RuntimeError::Unreachable {
            reason: one_line(&error.to_string()),
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        decoder.push(&data);
        while let Some((stream, payload)) = decoder.next_frame()? {
            for line in assembler.push(stream, &payload) {
                if sender.send(Ok(line)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    let mut last = Vec::new();
    if let Some((stream, payload)) = decoder.finish() {
        last.extend(assembler.push(stream, &payload));
    }
    last.extend(assembler.finish());
    for line in last {
        if sender.send(Ok(line)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn patient<T>(
    silence: Option<Duration>,
    work: impl Future<Output = Result<T, RuntimeError>>,
) -> Result<T, RuntimeError> {
    match silence {
        Some(deadline) => within(deadline, WHAT, work).await,
        None => work.await,
    }
}

/// Merges streams that are each in order of time into one that is.
fn by_time(streams: Vec<ReceiverStream<Line>>) -> impl Stream<Item = Line> {
    let streams: Vec<Peekable<_>> = streams.into_iter().map(StreamExt::peekable).collect();
    stream::unfold(streams, |mut streams| async move {
        let mut earliest: Option<(usize, Option<Timestamp>)> = None;
        for (index, stream) in streams.iter_mut().enumerate() {
            let at = match std::pin::Pin::new(stream).peek().await {
                None => continue,
                Some(Ok(line)) => line.at,
                // An error waits for nobody.
                Some(Err(_)) => None,
            };
            if earliest.is_none_or(|(_, least)| at < least) {
                earliest = Some((index, at));
            }
        }
        let (index, _) = earliest?;
        let line = streams[index].next().await?;
        Some((line, streams))
    })
}

/// Puts lines together from frames. Podman sends a frame for each log entry, with a timestamp
/// before the text and a line feed behind it; a line that the container wrote in several
/// strokes comes as several entries of which only the last has a line feed.
#[derive(Debug)]
pub struct LineAssembler {
    container: String,
    stdout: Option<Partial>,
    stderr: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    at: Option<Timestamp>,
    text: Vec<u8>,
}

impl LineAssembler {
    pub fn new(container: &str) -> Self {
        Self {
            container: container.to_owned(),
            stdout: None,
            stderr: None,
        }
    }

    /// Takes a frame, gives the lines that it ends.
    pub fn push(&mut self, stream: LogStream, payload: &Bytes) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for piece in payload.split_inclusive(|&byte| byte == b'\n') {
            let (at, text) = split_timestamp(piece);
            let slot = match stream {
                LogStream::Stdout => &mut self.stdout,
                LogStream::Stderr => &mut self.stderr,
            };
            let partial = slot.get_or_insert_with(|| Partial {
                at,
                text: Vec::new(),
            });
            partial.text.extend_from_slice(text);
            if (text.ends_with(b"\n") || partial.text.len() > LONGEST_LINE)
                && let Some(partial) = mem::take(slot)
            {
                lines.push(partial.into_line(&self.container, stream));
            }
        }
        lines
    }

    /// Lines without an end, at the stream's end.
    pub fn finish(self) -> impl Iterator<Item = LogLine> {
        let Self {
            container,
            stdout,
            stderr,
        } = self;
        [(LogStream::Stdout, stdout), (LogStream::Stderr, stderr)]
            .into_iter()
            .filter_map(move |(stream, partial)| Some(partial?.into_line(&container, stream)))
    }
}

impl Partial {
    fn into_line(self, container: &str, stream: LogStream) -> LogLine {
        let text = String::from_utf8_lossy(&self.text);
        LogLine {
            container: container.to_owned(),
            at: self.at,
            stream,
            text: text.trim_end_matches(['\n', '\r']).to_owned(),
        }
    }
}

/// Takes the timestamp (RFC 3339, then a blank) off the beginning.
fn split_timestamp(entry: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let stamp = entry.iter().position(|&byte| byte == b' ').and_then(|end| {
        let at = std::str::from_utf8(&entry[..end]).ok()?.parse().ok()?;
        Some((at, &entry[end + 1..]))
    });
    stamp.map_or((None, entry), |(at, text)| (Some(at), text))
}

#[cfg(test)]
#[path = "logs_tests.rs"]
mod tests;
