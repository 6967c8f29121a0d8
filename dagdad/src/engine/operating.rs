//! What an operation asks of the runtime, step by step, and what a pod said last.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;

use super::Message;
use super::effect::Action;
use super::effects::Render;
use super::event::{EffectResult, Event};
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::observed::{LogLine, LogQuery};
use crate::domain::operation::OperationId;
use crate::domain::pod::PullPolicy;
use crate::ports::{Runtime, RuntimeError};

/// How many last lines of each container explain a failure.
const DIAGNOSIS_LINES: u32 = 10;
/// How long those lines may take to be read.
const DIAGNOSIS_DEADLINE: Duration = Duration::from_secs(5);
/// Longer lines are cut, so that an error stays readable.
const DIAGNOSIS_LINE_LENGTH: usize = 400;

/// Does what an operation needs next.
pub(super) async fn act(
    action: Action,
    runtime: &dyn Runtime,
    render: Render,
    messages: &mpsc::Sender<Message>,
    pod: &PodName,
    operation: OperationId,
) -> EffectResult {
    match action {
        Action::Render(manifest) => {
            let rendered = tokio::task::spawn_blocking(move || render(&manifest)).await;
            EffectResult::Rendered(rendered.unwrap_or_else(|_| Err(own_fault())))
        }
        Action::EnsureImages(images) => {
            EffectResult::Images(ensure_images(runtime, images, messages, pod, operation).await)
        }
        Action::Play(rendered) => EffectResult::Played(runtime.play(&rendered).await),
        Action::Stop { grace } => EffectResult::Stopped(runtime.stop(pod, grace).await),
        Action::Remove => EffectResult::Removed(runtime.remove(pod).await),
        Action::Diagnose => EffectResult::Diagnosed(last_lines(runtime, pod).await),
    }
}

/// What an action comes back with when dagdad itself failed in it.
pub(super) fn broken(action: &Action) -> EffectResult {
    let fault = || RuntimeError::Protocol("dagdad failed, its log says how".to_owned());
    match action {
        Action::Render(_) => EffectResult::Rendered(Err(own_fault())),
        Action::EnsureImages(_) => EffectResult::Images(Err(fault())),
        Action::Play(_) => EffectResult::Played(Err(fault())),
        Action::Stop { .. } => EffectResult::Stopped(Err(fault())),
        Action::Remove => EffectResult::Removed(Err(fault())),
        Action::Diagnose => EffectResult::Diagnosed(Vec::new()),
    }
}

fn own_fault() -> CommandError {
    CommandError::Invalid("dagdad failed in reading the manifest, its log says how".to_owned())
}

async fn ensure_images(
    runtime: &dyn Runtime,
    images: Vec<(String, PullPolicy)>,
    messages: &mpsc::Sender<Message>,
    pod: &PodName,
    operation: OperationId,
) -> Result<(), RuntimeError> {
    let (progress, mut reports) = mpsc::channel(16);
    let forward = async {
        while let Some(report) = reports.recv().await {
            let result = EffectResult::Pulling(report);
            let event = Event::Result {
                pod: pod.clone(),
                operation,
                result,
            };
            // The engine being gone means that dagdad ends.
            let _ = messages.send(Message::Event(event)).await;
        }
    };
    let pull = async move {
        for (image, policy) in images {
            runtime
                .ensure_image(&image, policy, progress.clone())
                .await?;
        }
        Ok(())
    };
    let (result, ()) = tokio::join!(pull, forward);
    result
}

/// The last lines of a pod's containers; empty where they cannot be had, since they only
/// explain what is known already.
pub(super) async fn last_lines(runtime: &dyn Runtime, pod: &PodName) -> Vec<String> {
    let query = LogQuery {
        tail: Some(DIAGNOSIS_LINES),
        ..LogQuery::default()
    };
    let read = async {
        let lines: Vec<LogLine> = runtime
            .logs(pod, &query)
            .await?
            .filter_map(|line| async { line.ok() })
            .collect()
            .await;
        Ok::<_, RuntimeError>(lines)
    };
    let lines = match tokio::time::timeout(DIAGNOSIS_DEADLINE, read).await {
        Ok(Ok(lines)) => lines,
        Ok(Err(error)) => {
            tracing::debug!(dagda_pod = %pod, dagda_error = %error, "no last lines");
            return Vec::new();
        }
        Err(_) => {
            tracing::debug!(dagda_pod = %pod, "the last lines took too long");
            return Vec::new();
        }
    };
    let several = lines
        .iter()
        .any(|line| line.container != lines[0].container);
    lines
        .into_iter()
        .map(|line| {
            let text: String = line.text.chars().take(DIAGNOSIS_LINE_LENGTH).collect();
            if several {
                format!("{}: {text}", line.container)
            } else {
                text
            }
        })
        .collect()
}
