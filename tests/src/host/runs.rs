//! Workflows and their runs, over gRPC.

use dagda_proto::v1::workflows_service_client::WorkflowsServiceClient;
use dagda_proto::v1::{self, RunState};
use tonic::transport::Channel;

use super::TestHost;
use crate::{PATIENCE, wire};

/// How a run is asked for.
#[must_use]
pub fn request(workflow: &str) -> v1::RunWorkflowRequest {
    v1::RunWorkflowRequest {
        name: workflow.to_owned(),
        admission: v1::AdmissionMode::Fit.into(),
        queue: false,
        timeout: None,
    }
}

/// The same, to wait in the queue where it does not fit.
#[must_use]
pub fn queued(workflow: &str) -> v1::RunWorkflowRequest {
    v1::RunWorkflowRequest {
        queue: true,
        ..request(workflow)
    }
}

/// A run as its caller follows it.
#[derive(Debug)]
pub struct Following {
    /// Which run.
    pub id: String,
    stream: tonic::Streaming<v1::RunUpdate>,
}

impl TestHost {
    /// Client of the workflows service.
    #[must_use]
    pub fn workflows_client(&self) -> WorkflowsServiceClient<Channel> {
        WorkflowsServiceClient::new(self.any_channel())
    }

    /// What a run would do now.
    ///
    /// # Panics
    /// There is no such workflow.
    #[must_use]
    pub fn plan(&self, workflow: &str) -> v1::WorkflowPlan {
        let request = v1::PlanWorkflowRequest {
            name: workflow.to_owned(),
        };
        let plan = self.block_on(self.workflows_client().plan_workflow(request));
        plan.expect("plan the workflow").into_inner()
    }

    /// Everything about a workflow.
    ///
    /// # Panics
    /// There is none of that name.
    #[must_use]
    pub fn workflow(&self, name: &str) -> v1::WorkflowDetail {
        let request = v1::GetWorkflowRequest {
            name: name.to_owned(),
        };
        let detail = self.block_on(self.workflows_client().get_workflow(request));
        detail.expect("get the workflow").into_inner()
    }

    /// A run with what happened in it.
    ///
    /// # Panics
    /// There is none of that id.
    #[must_use]
    pub fn run_detail(&self, id: &str) -> v1::RunDetail {
        let request = v1::GetRunRequest { id: id.to_owned() };
        let detail = self.block_on(self.workflows_client().get_run(request));
        detail.expect("get the run").into_inner()
    }

    /// The run as it is now.
    ///
    /// # Panics
    /// There is none of that id.
    #[must_use]
    pub fn run_now(&self, id: &str) -> v1::Run {
        self.run_detail(id).run.expect("a run in its detail")
    }

    /// The runs of a workflow, newest first.
    ///
    /// # Panics
    /// They cannot be listed.
    #[must_use]
    pub fn runs(&self, workflow: &str) -> Vec<v1::Run> {
        let request = v1::ListRunsRequest {
            workflow: Some(workflow.to_owned()),
            limit: 1000,
        };
        let list = self.block_on(self.workflows_client().list_runs(request));
        list.expect("list the runs").into_inner().runs
    }

    /// Begins a run and follows it.
    ///
    /// # Errors
    /// It is refused.
    ///
    /// # Panics
    /// It is neither refused nor shown.
    pub fn try_follow(
        &self,
        request: v1::RunWorkflowRequest,
    ) -> Result<Following, Box<v1::ErrorDetail>> {
        self.block_on(async {
            let mut stream = match self.workflows_client().run_workflow(request).await {
                Ok(response) => response.into_inner(),
                Err(status) => return Err(Box::new(wire::detail(&status))),
            };
            let id = wire::first(&mut stream, "the run is accepted", |update| {
                match &update.update {
                    Some(v1::run_update::Update::Run(run)) => Some(Ok(run.id.clone())),
                    Some(v1::run_update::Update::Error(error)) => {
                        Some(Err(Box::new(error.clone())))
                    }
                    Some(v1::run_update::Update::Done(done)) => {
                        panic!("done before any run was shown: {done:?}")
                    }
                    None => None,
                }
            })
            .await?;
            Ok(Following { id, stream })
        })
    }

    /// Begins a run and follows it.
    ///
    /// # Panics
    /// It is refused.
    pub fn follow(&self, request: v1::RunWorkflowRequest) -> Following {
        let name = request.name.clone();
        self.try_follow(request)
            .unwrap_or_else(|error| panic!("the run of {name} is refused: {error:#?}"))
    }

    /// Begins a run and waits until all its pods are ready; its id.
    ///
    /// # Panics
    /// It is refused or fails.
    pub fn run_up(&self, workflow: &str) -> String {
        let mut following = self.follow(request(workflow));
        let outcome = self.outcome(&mut following);
        if let Err(error) = outcome {
            panic!("the run of {workflow} failed: {error:#?}")
        }
        following.id
    }

    /// Reads on until the caller is answered.
    ///
    /// # Errors
    /// Why the run failed.
    pub fn outcome(&self, following: &mut Following) -> Result<v1::Done, Box<v1::ErrorDetail>> {
        self.block_on(wire::run_outcome(&mut following.stream))
    }

    /// Begins to stop a workflow and reads on until that has ended.
    ///
    /// # Errors
    /// It is refused, or fails.
    ///
    /// # Panics
    /// The stream ends without an outcome.
    pub fn stop_workflow(&self, workflow: &str) -> Result<v1::Done, Box<v1::ErrorDetail>> {
        let request = v1::StopWorkflowRequest {
            name: workflow.to_owned(),
        };
        self.block_on(async {
            match self.workflows_client().stop_workflow(request).await {
                Ok(response) => wire::run_outcome(&mut response.into_inner()).await,
                Err(status) => Err(Box::new(wire::detail(&status))),
            }
        })
    }

    /// Looks at a run again at each change of the box until it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_run(&self, id: &str, what: &str, wanted: impl FnMut(&v1::Run) -> bool) -> v1::Run {
        let ask = async |client: &mut WorkflowsServiceClient<Channel>| {
            let request = v1::GetRunRequest { id: id.to_owned() };
            let detail = client.get_run(request).await.expect("get the run");
            detail.into_inner().run.expect("a run in its detail")
        };
        self.block_on(self.at_each_change(what, ask, wanted))
    }

    /// Looks at what a run's memory would be decided on, again at each change of the box, until
    /// it is as wanted.
    ///
    /// # Panics
    /// It never is.
    pub fn await_room(
        &self,
        workflow: &str,
        what: &str,
        wanted: impl FnMut(&v1::Room) -> bool,
    ) -> v1::Room {
        let ask = async |client: &mut WorkflowsServiceClient<Channel>| {
            let request = v1::PlanWorkflowRequest {
                name: workflow.to_owned(),
            };
            let plan = client.plan_workflow(request).await;
            let plan = plan.expect("plan the workflow").into_inner();
            let figures = plan.figures.expect("figures in a plan");
            figures.memory.expect("memory in the figures")
        };
        self.block_on(self.at_each_change(what, ask, wanted))
    }

    /// What a run's memory would be decided on now.
    pub fn room_for(&self, workflow: &str) -> v1::Room {
        self.await_room(workflow, "any", |_| true)
    }

    /// Asks again whenever the list of pods changes, or a sample is taken.
    async fn at_each_change<T: std::fmt::Debug>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut(&mut WorkflowsServiceClient<Channel>) -> T,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> T {
        let request = v1::ListPodsRequest { all: false };
        let watched = self.pods_client().watch_pods(request).await;
        let mut changes = watched.expect("watch the pods").into_inner();
        let mut client = self.workflows_client();
        let mut last = None;
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let answer = ask(&mut client).await;
                if wanted(&answer) {
                    return answer;
                }
                last = Some(answer);
                let change = changes.message().await.expect("watch the pods");
                assert!(change.is_some(), "the watch ended");
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; last: {last:#?}"))
    }

    /// Looks at a run again at each change of the box until it is in `state`.
    pub fn await_run_state(&self, id: &str, state: RunState) -> v1::Run {
        self.await_run(id, &format!("the run is {state:?}"), |run| {
            run.state() == state
        })
    }
}

/// The step of a pod in a run: `waiting`, `starting`, …
///
/// # Panics
/// The run has no such pod.
#[must_use]
pub fn step<'a>(run: &'a v1::Run, pod: &str) -> &'a str {
    &member(run, pod).step
}

/// A pod of a run.
///
/// # Panics
/// The run has no such pod.
#[must_use]
pub fn member<'a>(run: &'a v1::Run, pod: &str) -> &'a v1::RunPod {
    let found = run.pods.iter().find(|member| member.pod == pod);
    found.unwrap_or_else(|| panic!("no pod {pod} in {run:#?}"))
}
