//! The pods of the fake: each name has a part to play.

use std::sync::Arc;
use std::time::Duration;

use dagda_proto::v1::operation_update::Update;
use dagda_proto::v1::{self, pods_service_server::PodsService};
use tokio_stream::wrappers::IntervalStream;
use tokio_stream::{StreamExt, iter, pending};
use tonic::{Request, Response};

use super::{Answer, Part, Replies, detail, no_room, now, refusal};
use crate::sample;

impl Part {
    /// What happens to a pod of this name, whatever is asked.
    fn operate(&self, name: &str, good: &str) -> Answer<Replies<v1::OperationUpdate>> {
        let update = |update| {
            Ok(v1::OperationUpdate {
                update: Some(update),
            })
        };
        let step = |stage: v1::Stage, message: &str| {
            update(Update::Progress(v1::Progress {
                stage: stage.into(),
                message: message.to_owned(),
            }))
        };
        let preparing = step(v1::Stage::Preparing, "preparing");
        let replies: Replies<_> = match name {
            "nosuch" => {
                return Err(refusal(
                    "not_found",
                    "no pod named nosuch; did you mean llama?",
                ));
            }
            "big" => {
                return Err(no_room("pod", "big"));
            }
            "refused" => return Err(refusal("permission_denied", "only root may do that")),
            "late" => return Err(refusal("shutting_down", "dagdad is shutting down")),
            "slow" => Box::pin(iter([preparing]).chain(pending())),
            "silent" => Box::pin(pending()),
            "crash" => {
                let log = ["starting", "panic: \u{1b}[31mno disk\u{1b}[0m"];
                let error = detail("pod_failed", "crash ended with exit code 1", &log);
                Box::pin(iter([preparing, update(Update::Error(error))]))
            }
            "unfinished" => Box::pin(iter([preparing])),
            "broken" => {
                let tear = Arc::clone(&self.stop);
                Box::pin(
                    iter([preparing]).chain(tokio_stream::once(()).then(move |()| {
                        tear.notify_one();
                        std::future::pending()
                    })),
                )
            }
            "again" => Box::pin(iter([update(Update::Done(v1::Done {
                message: "again runs already".to_owned(),
                changed: false,
            }))])),
            _ => Box::pin(iter([
                preparing,
                step(v1::Stage::Pulling, "pulling image, 10 %"),
                step(v1::Stage::Pulling, "pulling image, 90 %"),
                step(v1::Stage::Awaiting, ""),
                update(Update::Done(v1::Done {
                    message: format!("{name} {good}"),
                    changed: true,
                })),
            ])),
        };
        Ok(Response::new(replies))
    }
}

#[tonic::async_trait]
impl PodsService for Part {
    async fn list_pods(
        &self,
        request: Request<v1::ListPodsRequest>,
    ) -> Answer<v1::ListPodsResponse> {
        let v1::ListPodsRequest { all } = self.heard(request);
        let pods = sample::pods(now())
            .into_iter()
            .filter(|pod| all || pod.managed)
            .collect();
        Ok(Response::new(v1::ListPodsResponse { pods }))
    }

    async fn get_pod(&self, request: Request<v1::GetPodRequest>) -> Answer<v1::PodDetail> {
        let v1::GetPodRequest { name } = self.heard(request);
        match name.as_str() {
            "nosuch" => Err(refusal(
                "not_found",
                "no pod named nosuch; did you mean llama?",
            )),
            "several" => Ok(Response::new(sample::pod_detail(now()))),
            _ => {
                let mut detail = sample::pod_detail(now());
                detail.containers.truncate(1);
                Ok(Response::new(detail))
            }
        }
    }

    type WatchPodsStream = Replies<v1::ListPodsResponse>;

    async fn watch_pods(
        &self,
        request: Request<v1::ListPodsRequest>,
    ) -> Answer<Self::WatchPodsStream> {
        self.heard(request);
        let list = v1::ListPodsResponse {
            pods: sample::pods(now()),
        };
        Ok(Response::new(Box::pin(iter([Ok(list.clone()), Ok(list)]))))
    }

    type StartPodStream = Replies<v1::OperationUpdate>;

    async fn start_pod(
        &self,
        request: Request<v1::StartPodRequest>,
    ) -> Answer<Self::StartPodStream> {
        self.operate(&self.heard(request).name, "is running")
    }

    type StopPodStream = Replies<v1::OperationUpdate>;

    async fn stop_pod(&self, request: Request<v1::StopPodRequest>) -> Answer<Self::StopPodStream> {
        self.operate(&self.heard(request).name, "is stopped")
    }

    type RestartPodStream = Replies<v1::OperationUpdate>;

    async fn restart_pod(
        &self,
        request: Request<v1::RestartPodRequest>,
    ) -> Answer<Self::RestartPodStream> {
        self.operate(&self.heard(request).name, "is running")
    }

    type RemovePodStream = Replies<v1::OperationUpdate>;

    async fn remove_pod(
        &self,
        request: Request<v1::RemovePodRequest>,
    ) -> Answer<Self::RemovePodStream> {
        self.operate(&self.heard(request).name, "is removed")
    }

    type ReadLogsStream = Replies<v1::LogLine>;

    async fn read_logs(
        &self,
        request: Request<v1::ReadLogsRequest>,
    ) -> Answer<Self::ReadLogsStream> {
        let request = self.heard(request);
        let line = |text: &str| v1::LogLine {
            container: "server".to_owned(),
            at: Some(prost_types::Timestamp {
                seconds: 1_795_292_104,
                nanos: 5,
            }),
            stream: "stdout".to_owned(),
            text: text.to_owned(),
        };
        let replies: Replies<_> = match request.name.as_str() {
            "nosuch" => return Err(refusal("not_found", "no pod named nosuch")),
            "flood" => {
                let tick = tokio::time::interval(Duration::from_millis(1));
                Box::pin(IntervalStream::new(tick).map(move |_| Ok(line("again"))))
            }
            "broken" => Box::pin(iter([
                Ok(line("first")),
                Err(refusal("runtime_unavailable", "Podman went away")),
            ])),
            _ => Box::pin(iter([
                Ok(line("first")),
                Ok(line("\u{1b}[31mred\u{1b}[0m \u{1b}[2J")),
            ])),
        };
        Ok(Response::new(replies))
    }
}
