//! Getting images.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use super::Deadlines;
use super::client::{Call, Client, encode, within};
use super::lines::LineSplitter;
use super::room::ImageDisk;
use super::text::one_line;
use super::wire::{self, PullLine};
use crate::domain::observed::PullProgress;
use crate::domain::pod::PullPolicy;
use crate::ports::RuntimeError;

const WHAT: &str = "pull the image";

/// Makes `image` available as `policy` says.
pub async fn ensure(
    client: &Client,
    disk: &ImageDisk,
    image: &str,
    policy: PullPolicy,
    progress: &mpsc::Sender<PullProgress>,
    deadlines: &Deadlines,
) -> Result<(), RuntimeError> {
    if policy != PullPolicy::Always && exists(client, image, deadlines.exists).await? {
        return Ok(());
    }
    if policy == PullPolicy::Never {
        let reason = "it is not on this machine, and imagePullPolicy is Never".to_owned();
        return Err(RuntimeError::Image {
            image: image.to_owned(),
            reason,
        });
    }
    if policy == PullPolicy::Always {
        disk.check(client, image, deadlines).await?;
    }
    let mut pulled = pull(client, image, progress, deadlines.pull_silence).await;
    if let Err(Failed::CutOff { .. }) = pulled {
        // Podman can end its answer before it has said what is wrong. It says so the next time.
        pulled = pull(client, image, progress, deadlines.pull_silence).await;
    }
    match pulled {
        Err(Failed::NotToBeHad { why }) => Err(disk
            .explain(client, image, &why, deadlines)
            .await
            .unwrap_or_else(|| RuntimeError::Image {
                image: image.to_owned(),
                reason: short_reason(&why),
            })),
        Err(Failed::CutOff { reason }) => Err(RuntimeError::Unreachable { reason }),
        Err(Failed::Otherwise(error)) => Err(error),
        Ok(()) => Ok(()),
    }
}

/// How a pull fails.
pub enum Failed {
    /// Podman says why there is no image, in full.
    NotToBeHad { why: String },
    /// Podman's answer broke off.
    CutOff { reason: String },
    /// Podman does not say.
    Otherwise(RuntimeError),
}

impl From<RuntimeError> for Failed {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Refused { message, .. } => Self::NotToBeHad { why: message },
            error => Self::Otherwise(error),
        }
    }
}

async fn exists(client: &Client, image: &str, deadline: Duration) -> Result<bool, RuntimeError> {
    let path = format!("/images/{}/exists", encode(image));
    let answer = client
        .call(Call::get(path, "look for the image"), deadline)
        .await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(false);
    }
    answer.accepted().map(|_| true)
}

/// Pulls, however long it takes; only silence has a deadline.
async fn pull(
    client: &Client,
    image: &str,
    progress: &mpsc::Sender<PullProgress>,
    silence: Duration,
) -> Result<(), Failed> {
    let path = format!("/images/pull?policy=always&reference={}", encode(image));
    let mut body = within(silence, WHAT, client.open(Call::post(path, WHAT))).await?;
    let mut lines = LineSplitter::default();
    loop {
        let frame = within(silence, WHAT, async { Ok(body.frame().await) }).await?;
        let frame = match frame {
            None => {
                let why = "Podman ended the pull without saying why; try again".to_owned();
                return Err(Failed::NotToBeHad { why });
            }
            Some(Err(error)) => {
                let reason = one_line(&error.to_string());
                return Err(Failed::CutOff { reason });
            }
            Some(Ok(frame)) => frame,
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        lines.push(&data);
        while let Some(line) = lines.next_line()? {
            let Some(message) = progress_in(&line)? else {
                return Ok(());
            };
            if !message.is_empty() {
                // Whoever reads slowly misses lines rather than slowing the pull.
                let _ = progress.try_send(PullProgress {
                    image: image.to_owned(),
                    message,
                });
            }
        }
    }
}

/// What a line of the answer says of the progress, on one line; `None` where it says that the
/// image is there.
pub fn progress_in(line: &[u8]) -> Result<Option<String>, Failed> {
    let line: PullLine = wire::read(line)
        .map_err(|reason| RuntimeError::Protocol(format!("cannot {WHAT}: {reason}")))?;
    if !line.error.is_empty() {
        return Err(Failed::NotToBeHad { why: line.error });
    }
    Ok(line.id.is_empty().then(|| one_line(&line.stream)))
}

/// What a person needs of the chain of errors that Podman tells.
pub fn short_reason(text: &str) -> String {
    let text = one_line(text);
    // `initializing source docker://IMAGE: ` repeats the image's name; what follows is the cause.
    let text = text
        .strip_prefix("initializing source docker://")
        .and_then(|rest| rest.split_once(": "))
        .map_or(text.as_str(), |(_, cause)| cause);
    if text.contains("short-name") && text.contains("unqualified-search") {
        return "no registry is named in it and none is configured for short names; write the \
                image's full name, such as docker.io/library/NAME"
            .to_owned();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "initializing source docker://127.0.0.1:1/nope:latest: pinging container registry 127.0.0.1:1: Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
        "pinging container registry 127.0.0.1:1: Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused"
    )]
    #[case(
        "initializing source docker://nope:latest: reading manifest latest in docker.io/library/nope: errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required\n",
        "reading manifest latest in docker.io/library/nope: errors: denied: requested access to the resource is denied unauthorized: authentication required"
    )]
    #[case("invalid reference format", "invalid reference format")]
    fn reasons_are_short(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(short_reason(text), expected);
    }

    #[test]
    fn a_short_name_is_explained() {
        let text = "short-name \"nope\" did not resolve to an alias and no unqualified-search registries are defined in \"/etc/containers/registries.conf\"";
        assert!(short_reason(text).contains("full name"));
    }
}
