//! The workflows of the fake: each name has a part to play.

use std::sync::Arc;

use dagda_proto::v1::run_update::Update;
use dagda_proto::v1::{self, RunState, workflows_service_server::WorkflowsService};
use tokio_stream::{Stream, StreamExt, iter, pending};
use tonic::{Request, Response, Status};

use super::{Answer, Part, Replies, detail, no_room, now, refusal};
use crate::sample::workflows as sample;

fn told(update: Update) -> v1::RunUpdate {
    v1::RunUpdate {
        update: Some(update),
    }
}

/// The updates, one after the other.
fn each<const N: usize>(
    updates: [v1::RunUpdate; N],
) -> impl Stream<Item = Result<v1::RunUpdate, Status>> + Send {
    iter(updates).map(Ok)
}

/// The run of `name` in a state, its pods in these steps.
fn at(name: &str, state: RunState, steps: [&str; 4]) -> v1::RunUpdate {
    told(Update::Run(v1::Run {
        workflow: name.to_owned(),
        accepted_at: Some(crate::sample::at(now())),
        ..sample::run(now(), state, steps)
    }))
}

fn starting(name: &str) -> v1::RunUpdate {
    at(
        name,
        RunState::Starting,
        ["starting", "waiting", "waiting", "waiting"],
    )
}

impl Part {
    /// What happens to a workflow of this name, whatever is asked.
    fn run_part(&self, name: &str) -> Option<Answer<Replies<v1::RunUpdate>>> {
        let replies: Replies<_> = match name {
            "nosuch" => {
                return Some(Err(refusal(
                    "not_found",
                    "no workflow named nosuch; did you mean ai-complete?",
                )));
            }
            "busy" => {
                let message = "run 019a2f4c-7b1e-7000-8000-000000000001 of busy is stopping";
                return Some(Err(refusal("busy", message)));
            }
            "slow" => Box::pin(each([starting(name)]).chain(pending())),
            "silent" => Box::pin(pending()),
            "unfinished" => Box::pin(each([starting(name)])),
            "broken" => {
                let tear = Arc::clone(&self.stop);
                let torn = tokio_stream::once(()).then(move |()| {
                    tear.notify_one();
                    std::future::pending()
                });
                Box::pin(each([starting(name)]).chain(torn))
            }
            _ => return None,
        };
        Some(Ok(Response::new(replies)))
    }
}

#[tonic::async_trait]
impl WorkflowsService for Part {
    async fn list_workflows(
        &self,
        request: Request<v1::ListWorkflowsRequest>,
    ) -> Answer<v1::ListWorkflowsResponse> {
        self.heard(request);
        Ok(Response::new(v1::ListWorkflowsResponse {
            workflows: sample::workflows(now()),
        }))
    }

    async fn get_workflow(
        &self,
        request: Request<v1::GetWorkflowRequest>,
    ) -> Answer<v1::WorkflowDetail> {
        match self.heard(request).name.as_str() {
            "nosuch" => Err(refusal("not_found", "no workflow named nosuch")),
            _ => Ok(Response::new(sample::workflow_detail(now()))),
        }
    }

    async fn plan_workflow(
        &self,
        request: Request<v1::PlanWorkflowRequest>,
    ) -> Answer<v1::WorkflowPlan> {
        match self.heard(request).name.as_str() {
            "nosuch" => Err(refusal("not_found", "no workflow named nosuch")),
            "big" => Ok(Response::new(sample::refused_plan(now()))),
            _ => Ok(Response::new(sample::plan())),
        }
    }

    type RunWorkflowStream = Replies<v1::RunUpdate>;

    async fn run_workflow(
        &self,
        request: Request<v1::RunWorkflowRequest>,
    ) -> Answer<Self::RunWorkflowStream> {
        let name = self.heard(request).name;
        if let Some(part) = self.run_part(&name) {
            return part;
        }
        let failed = |code: &str, message: &str, log: &[&str]| {
            let run = v1::Run {
                workflow: name.clone(),
                ..sample::failed(now())
            };
            let error = detail(code, message, log);
            each([
                starting(&name),
                told(Update::Run(run)),
                told(Update::Error(error)),
            ])
        };
        let replies: Replies<_> = match name.as_str() {
            "big" => return Err(no_room("workflow", "big")),
            "crash" => Box::pin(failed(
                "pod_failed",
                "qwen did not come up, and the run was rolled back",
                &["loading model", "error: \u{1b}[31mno weights\u{1b}[0m"],
            )),
            "late" => Box::pin(failed("timed_out", "n8n was not ready within 5m", &[])),
            "waiting" => {
                let run = v1::Run {
                    workflow: name.clone(),
                    ..sample::queued(now())
                };
                Box::pin(each([told(Update::Run(run))]).chain(pending()))
            }
            "joined" => Box::pin(each([
                told(Update::Run(sample::running(now()))),
                told(Update::Done(v1::Done {
                    message: "joined is running: 4 pods ready".to_owned(),
                    changed: true,
                })),
            ])),
            // As dagdad has it where nothing need be awaited.
            "again" => Box::pin(each([told(Update::Done(v1::Done {
                message: "again is running already".to_owned(),
                changed: false,
            }))])),
            _ => Box::pin(each([
                starting(&name),
                at(
                    &name,
                    RunState::Starting,
                    ["ready", "starting", "starting", "waiting"],
                ),
                at(
                    &name,
                    RunState::Starting,
                    ["ready", "ready", "ready", "starting"],
                ),
                at(&name, RunState::Running, ["ready"; 4]),
                told(Update::Done(v1::Done {
                    message: format!("{name} is running"),
                    changed: true,
                })),
            ])),
        };
        Ok(Response::new(replies))
    }

    type StopWorkflowStream = Replies<v1::RunUpdate>;

    async fn stop_workflow(
        &self,
        request: Request<v1::StopWorkflowRequest>,
    ) -> Answer<Self::StopWorkflowStream> {
        let name = self.heard(request).name;
        if let Some(part) = self.run_part(&name) {
            return part;
        }
        let mut stopped = sample::run(
            now(),
            RunState::Stopped,
            ["kept", "stopped", "stopped", "stopped"],
        );
        stopped.workflow.clone_from(&name);
        stopped.pods[0].message = Some("workflow batch needs it".to_owned());
        Ok(Response::new(Box::pin(each([
            at(
                &name,
                RunState::Stopping,
                ["ready", "ready", "ready", "stopping"],
            ),
            at(
                &name,
                RunState::Stopping,
                ["kept", "stopping", "stopping", "stopped"],
            ),
            told(Update::Run(stopped)),
            told(Update::Done(v1::Done {
                message: format!("{name} is stopped; mariadb stays up: workflow batch needs it"),
                changed: true,
            })),
        ]))))
    }

    async fn remove_workflow(
        &self,
        request: Request<v1::RemoveWorkflowRequest>,
    ) -> Answer<v1::Done> {
        let name = self.heard(request).name;
        match name.as_str() {
            "nosuch" => Err(refusal("not_found", "no workflow named nosuch")),
            "mute" => Ok(Response::new(v1::Done::default())),
            "busy" => Err(refusal("busy", "run 019a2f4c of busy is active")),
            _ => Ok(Response::new(v1::Done {
                message: format!("{name} is removed; its pods stay"),
                changed: true,
            })),
        }
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Answer<v1::ListRunsResponse> {
        let runs = match self.heard(request).workflow.as_deref() {
            Some("nosuch") => return Err(refusal("not_found", "no workflow named nosuch")),
            Some("idle") => Vec::new(),
            _ => vec![
                sample::queued(now()),
                sample::running(now()),
                sample::failed(now()),
            ],
        };
        Ok(Response::new(v1::ListRunsResponse { runs }))
    }

    async fn get_run(&self, request: Request<v1::GetRunRequest>) -> Answer<v1::RunDetail> {
        let id = self.heard(request).id;
        if sample::FAILED.starts_with(&id) {
            Ok(Response::new(sample::run_detail(now())))
        } else {
            Err(refusal("not_found", &format!("no run {id}")))
        }
    }
}
