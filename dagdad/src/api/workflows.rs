//! Workflows: reads from the snapshot, commands to the engine, past runs from the store.

use std::sync::Arc;
use std::time::Duration;

use dagda_proto::v1::{self, workflows_service_server::WorkflowsService};
use futures::{StreamExt, stream};
use tonic::{Request, Response, Status};

use super::following::Following;
use super::outcome::Goal;
use super::pods::invalid;
use super::streaming::Stream;
use super::{Api, access, convert, runs, status};
use crate::domain::caller::Caller;
use crate::domain::error::CommandError;
use crate::domain::event::EventQuery;
use crate::domain::run::RunQuery;
use crate::engine::answering::Answer;
use crate::engine::event::{Command, Reply};
use crate::engine::planning;
use crate::engine::snapshot::{Snapshot, WorkflowView};

/// Runs given to a caller that names no number.
const DEFAULT_RUNS: u32 = 20;
/// Runs given at most.
const MAX_RUNS: u32 = 1000;
/// Events of one run given at most, the newest.
const MAX_EVENTS: u32 = 10_000;

#[tonic::async_trait]
impl WorkflowsService for Api {
    async fn list_workflows(
        &self,
        request: Request<v1::ListWorkflowsRequest>,
    ) -> Result<Response<v1::ListWorkflowsResponse>, Status> {
        let v1::ListWorkflowsRequest {} = request.into_inner();
        let snapshot = self.engine.snapshot();
        Ok(Response::new(v1::ListWorkflowsResponse {
            workflows: snapshot
                .workflows
                .iter()
                .map(|workflow| convert::workflow(workflow, &snapshot))
                .collect(),
        }))
    }

    async fn get_workflow(
        &self,
        request: Request<v1::GetWorkflowRequest>,
    ) -> Result<Response<v1::WorkflowDetail>, Status> {
        let v1::GetWorkflowRequest { name } = request.into_inner();
        let snapshot = self.engine.snapshot();
        let workflow = find(&snapshot, &name)?;
        Ok(Response::new(convert::workflow_detail(workflow, &snapshot)))
    }

    async fn plan_workflow(
        &self,
        request: Request<v1::PlanWorkflowRequest>,
    ) -> Result<Response<v1::WorkflowPlan>, Status> {
        let v1::PlanWorkflowRequest { name } = request.into_inner();
        let snapshot = self.engine.snapshot();
        let plan = planning::plan(&snapshot, find(&snapshot, &name)?);
        let plan = plan.map_err(|error| status::from_command(&error))?;
        Ok(Response::new(convert::plan(&plan)))
    }

    type RunWorkflowStream = Stream<v1::RunUpdate>;

    async fn run_workflow(
        &self,
        request: Request<v1::RunWorkflowRequest>,
    ) -> Result<Response<Self::RunWorkflowStream>, Status> {
        let caller = access::caller(&request)?;
        let v1::RunWorkflowRequest {
            name,
            admission,
            queue,
            timeout,
        } = request.into_inner();
        let timeout = timeout.map(|timeout| {
            convert::from_duration(&timeout)
                .filter(|timeout| *timeout > Duration::ZERO)
                .ok_or_else(|| invalid("a timeout is longer than nothing"))
        });
        let command = Command::Run {
            workflow: name,
            admission: convert::from_admission(admission),
            queue,
            timeout: timeout.transpose()?,
        };
        self.follow(&caller, command, Goal::Ready).await
    }

    type StopWorkflowStream = Stream<v1::RunUpdate>;

    async fn stop_workflow(
        &self,
        request: Request<v1::StopWorkflowRequest>,
    ) -> Result<Response<Self::StopWorkflowStream>, Status> {
        let caller = access::caller(&request)?;
        let v1::StopWorkflowRequest { name } = request.into_inner();
        let command = Command::StopWorkflow { workflow: name };
        self.follow(&caller, command, Goal::Ended).await
    }

    async fn remove_workflow(
        &self,
        request: Request<v1::RemoveWorkflowRequest>,
    ) -> Result<Response<v1::Done>, Status> {
        let caller = access::caller(&request)?;
        let v1::RemoveWorkflowRequest { name } = request.into_inner();
        let command = Command::RemoveWorkflow { workflow: name };
        let answer = self.engine.command(&caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Reply(Reply::Done(done)) => Ok(Response::new(convert::done(&done))),
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Operation(_)
            | Answer::Reply(
                Reply::Run(_)
                | Reply::Operation(_)
                | Reply::Applied(_)
                | Reply::Alerts { .. }
                | Reply::Silences(_),
            ) => Err(Status::internal("the engine answered another question")),
        }
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        let v1::ListRunsRequest { workflow, limit } = request.into_inner();
        let limit = if limit == 0 {
            DEFAULT_RUNS
        } else {
            limit.min(MAX_RUNS)
        };
        let query = RunQuery { workflow, limit };
        let stored = self.store.runs(&query).await;
        let stored = stored.map_err(|error| status::from_store(&error))?;
        // Taken after the disk was read, so that it is the newer of the two.
        let snapshot = self.engine.snapshot();
        let found = runs::newest(&snapshot, stored, &query);
        if let (true, Some(workflow)) = (found.is_empty(), &query.workflow) {
            // Past runs of a workflow outlive it; only a name that nothing bears is a mistake.
            find(&snapshot, workflow)?;
        }
        Ok(Response::new(v1::ListRunsResponse {
            runs: found
                .iter()
                .map(|view| convert::run(view, &snapshot))
                .collect(),
        }))
    }

    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::RunDetail>, Status> {
        let v1::GetRunRequest { id } = request.into_inner();
        let prefix = runs::Prefix::read(&id).map_err(|error| status::from_command(&error))?;
        let stored = self.store.find_run(prefix.as_str()).await;
        let stored = stored.map_err(|error| status::from_store(&error))?;
        let snapshot = self.engine.snapshot();
        let view = runs::the_one(&snapshot, stored, &prefix)
            .map_err(|error| status::from_command(&error))?;
        let query = EventQuery {
            since: None,
            object: None,
            run: Some(view.run.id),
            limit: MAX_EVENTS,
        };
        let events = self.past(&query).await?;
        Ok(Response::new(v1::RunDetail {
            run: Some(convert::run(&view, &snapshot)),
            events: events.iter().map(convert::event).collect(),
        }))
    }
}

impl Api {
    async fn follow(
        &self,
        caller: &Caller,
        command: Command,
        goal: Goal,
    ) -> Result<Response<Stream<v1::RunUpdate>>, Status> {
        let answer = self.engine.command(caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Reply(Reply::Run(run)) => {
                let following = Following {
                    snapshots: self.engine.snapshots(),
                    store: Arc::clone(&self.store),
                    ending: self.ending.clone(),
                    run,
                    goal,
                };
                Ok(Response::new(following.stream()))
            }
            Answer::Reply(Reply::Done(done)) => {
                let update = convert::outcome_update(&Ok(done));
                Ok(Response::new(stream::iter([Ok(update)]).boxed()))
            }
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Operation(_)
            | Answer::Reply(
                Reply::Operation(_) | Reply::Applied(_) | Reply::Alerts { .. } | Reply::Silences(_),
            ) => Err(Status::internal("the engine answered another question")),
        }
    }
}

#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a WorkflowView, Status> {
    snapshot
        .workflow(name)
        .ok_or_else(|| status::from_command(&no_such_workflow(snapshot, name)))
}

/// That the catalogue has no such workflow, and which one may be meant.
pub fn no_such_workflow(snapshot: &Snapshot, asked: &str) -> CommandError {
    let names = snapshot.workflows.iter();
    CommandError::no_such_workflow(asked, names.map(|workflow| &workflow.entry.spec.name))
}
