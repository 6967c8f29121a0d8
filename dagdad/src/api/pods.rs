//! Pods: reads from the snapshot, commands to the engine, logs from the runtime.

use std::sync::Arc;

use dagda_proto::v1::{self, pods_service_server::PodsService};
use futures::{StreamExt, stream};
use tonic::{Request, Response, Status};

use super::streaming::{Stream, until_the_end, watching};
use super::{Api, access, convert, status};
use crate::domain::caller::Caller;
use crate::domain::error::CommandError;
use crate::domain::name::PodName;
use crate::domain::observed::LogQuery;
use crate::domain::operation::OperationView;
use crate::engine::answering::Answer;
use crate::engine::event::{Command, Reply};
use crate::engine::snapshot::Snapshot;
use crate::ports::RuntimeError;

#[tonic::async_trait]
impl PodsService for Api {
    async fn list_pods(
        &self,
        request: Request<v1::ListPodsRequest>,
    ) -> Result<Response<v1::ListPodsResponse>, Status> {
        let v1::ListPodsRequest { all } = request.into_inner();
        Ok(Response::new(list(&self.engine.snapshot(), all)))
    }

    async fn get_pod(
        &self,
        request: Request<v1::GetPodRequest>,
    ) -> Result<Response<v1::PodDetail>, Status> {
        let v1::GetPodRequest { name } = request.into_inner();
        let snapshot = self.engine.snapshot();
        let detail = snapshot
            .pod(&name)
            .and_then(|pod| Some(convert::pod_detail(pod, pod.managed.as_ref()?)))
            .ok_or_else(|| status::from_command(&no_such_pod(&snapshot, &name)))?;
        Ok(Response::new(detail))
    }

    type WatchPodsStream = Stream<v1::ListPodsResponse>;

    async fn watch_pods(
        &self,
        request: Request<v1::ListPodsRequest>,
    ) -> Result<Response<Self::WatchPodsStream>, Status> {
        let v1::ListPodsRequest { all } = request.into_inner();
        let stream = watching(
            self.engine.snapshots(),
            self.ending.clone(),
            move |snapshot: &Arc<Snapshot>| list(snapshot, all),
            |_| false,
        );
        Ok(Response::new(stream))
    }

    type StartPodStream = Stream<v1::OperationUpdate>;

    async fn start_pod(
        &self,
        request: Request<v1::StartPodRequest>,
    ) -> Result<Response<Self::StartPodStream>, Status> {
        let caller = access::caller(&request)?;
        let v1::StartPodRequest { name, admission } = request.into_inner();
        let admission = convert::from_admission(admission);
        let command = Command::Start {
            pod: name,
            admission,
        };
        self.operate(&caller, command).await
    }

    type StopPodStream = Stream<v1::OperationUpdate>;

    async fn stop_pod(
        &self,
        request: Request<v1::StopPodRequest>,
    ) -> Result<Response<Self::StopPodStream>, Status> {
        let caller = access::caller(&request)?;
        let v1::StopPodRequest { name, grace_period } = request.into_inner();
        let grace = grace_period.map(|grace| {
            convert::from_duration(&grace).ok_or_else(|| invalid("a grace period is not negative"))
        });
        let command = Command::Stop {
            pod: name,
            grace: grace.transpose()?,
        };
        self.operate(&caller, command).await
    }

    type RestartPodStream = Stream<v1::OperationUpdate>;

    async fn restart_pod(
        &self,
        request: Request<v1::RestartPodRequest>,
    ) -> Result<Response<Self::RestartPodStream>, Status> {
        let caller = access::caller(&request)?;
        let v1::RestartPodRequest { name } = request.into_inner();
        let command = Command::Restart { pod: name };
        self.operate(&caller, command).await
    }

    type RemovePodStream = Stream<v1::OperationUpdate>;

    async fn remove_pod(
        &self,
        request: Request<v1::RemovePodRequest>,
    ) -> Result<Response<Self::RemovePodStream>, Status> {
        let caller = access::caller(&request)?;
        let v1::RemovePodRequest { name, force } = request.into_inner();
        let command = Command::Remove { pod: name, force };
        self.operate(&caller, command).await
    }

    type ReadLogsStream = Stream<v1::LogLine>;

    async fn read_logs(
        &self,
        request: Request<v1::ReadLogsRequest>,
    ) -> Result<Response<Self::ReadLogsStream>, Status> {
        let v1::ReadLogsRequest {
            name,
            container,
            tail,
            since,
            follow,
        } = request.into_inner();
        let snapshot = self.engine.snapshot();
        let pod = readable(&snapshot, &name, container.as_deref())?;
        let since = since.map(|since| {
            convert::from_duration(&since).ok_or_else(|| invalid("`since` is not negative"))
        });
        let query = LogQuery {
            container,
            tail,
            since: since.transpose()?,
            follow,
        };
        let lines = match self.runtime.logs(&pod, &query).await {
            Ok(lines) => lines,
            Err(RuntimeError::NotFound { .. }) => {
                return Err(invalid(&format!(
                    "{pod} has not been started yet, so it has no logs"
                )));
            }
            Err(error) => return Err(status::from_runtime(error)),
        };
        let lines = lines
            .map(|line| line.map(convert::log_line).map_err(status::from_runtime))
            .boxed();
        Ok(Response::new(until_the_end(lines, self.ending.clone())))
    }
}

impl Api {
    async fn operate(
        &self,
        caller: &Caller,
        command: Command,
    ) -> Result<Response<Stream<v1::OperationUpdate>>, Status> {
        let answer = self.engine.command(caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Operation(receiver) => Ok(Response::new(watching(
                receiver,
                self.ending.clone(),
                convert::operation_update,
                |view| matches!(view, OperationView::Finished(_)),
            ))),
            Answer::Reply(Reply::Done(done)) => {
                let update = convert::operation_update(&OperationView::Finished(Ok(done)));
                Ok(Response::new(stream::iter([Ok(update)]).boxed()))
            }
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Reply(
                Reply::Operation(_)
                | Reply::Applied(_)
                | Reply::Run(_)
                | Reply::Alerts { .. }
                | Reply::Silences(_),
            ) => Err(Status::internal("the engine answered another question")),
        }
    }
}

/// A pod whose logs can be read: of the catalogue, or unmanaged.
#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
fn readable(snapshot: &Snapshot, asked: &str, container: Option<&str>) -> Result<PodName, Status> {
    let unmanaged = || snapshot.unmanaged.iter().find(|pod| pod.name == asked);
    let (Some(pod), Ok(name)) = (
        snapshot.pod(asked).or_else(unmanaged),
        asked.parse::<PodName>(),
    ) else {
        return Err(status::from_command(&no_such_pod(snapshot, asked)));
    };
    if let (Some(wanted), Some(managed)) = (container, &pod.managed) {
        let spec = &managed.entry.spec;
        let containers: Vec<String> = spec
            .init_containers
            .iter()
            .chain(&spec.containers)
            .map(|container| container.name.clone())
            .collect();
        if containers.iter().all(|name| name != wanted) {
            let name_of_container = wanted.escape_debug().to_string();
            return Err(status::from_command(&CommandError::NoSuchContainer {
                pod: name,
                name: name_of_container,
                containers,
            }));
        }
    }
    Ok(name)
}

fn list(snapshot: &Snapshot, all: bool) -> v1::ListPodsResponse {
    let unmanaged = snapshot.unmanaged.iter().filter(|_| all);
    v1::ListPodsResponse {
        pods: snapshot
            .pods
            .iter()
            .chain(unmanaged)
            .map(convert::pod)
            .collect(),
    }
}

/// That the catalogue has no such pod, and which one may be meant.
pub fn no_such_pod(snapshot: &Snapshot, asked: &str) -> CommandError {
    let names = snapshot
        .pods
        .iter()
        .filter_map(|pod| Some(&pod.managed.as_ref()?.entry.spec.name));
    CommandError::no_such_pod(asked, names)
}

/// A request that cannot be meant.
pub fn invalid(message: &str) -> Status {
    status::from_command(&CommandError::Invalid(message.to_owned()))
}
