//! Manifests in, manifests out.

use std::sync::Arc;

use dagda_proto::v1::{self, catalogue_service_server::CatalogueService};
use tonic::{Request, Response, Status};

use super::access::Deed;
use super::pods::no_such_pod;
use super::workflows::no_such_workflow;
use super::{Api, access, convert, status};
use crate::domain::error::CommandError;
use crate::engine::answering::Answer;
use crate::engine::event::{Command, Reply};
use crate::engine::snapshot::Snapshot;

#[tonic::async_trait]
impl CatalogueService for Api {
    async fn apply(
        &self,
        request: Request<v1::ApplyRequest>,
    ) -> Result<Response<v1::ApplyResponse>, Status> {
        let caller = access::caller(&request)?;
        let v1::ApplyRequest { files, dry_run } = request.into_inner();
        if !dry_run {
            // First, so that who may not is told so, and not what is wrong with the manifest.
            let permitted = self.engine.permit(&caller, &Deed::APPLY).await;
            permitted.map_err(|error| status::from_command(&error))?;
        }
        let files = files
            .into_iter()
            .map(|v1::ManifestFile { name, text }| (name, text))
            .collect();
        let parse = Arc::clone(&self.parse);
        // Large manifests take a while to read; the server's own threads answer meanwhile.
        let parsed = tokio::task::spawn_blocking(move || parse(files))
            .await
            .map_err(|panic| Status::internal(format!("the manifest broke dagdad: {panic}")))?;
        let entries = match parsed {
            Ok(entries) => entries,
            Err(error) => {
                if !dry_run {
                    self.engine.refused(&caller, &Deed::APPLY, &error).await;
                }
                return Err(status::from_command(&error));
            }
        };
        let command = Command::Apply { entries, dry_run };
        let answer = self.engine.command(&caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Reply(Reply::Applied(applied)) => Ok(Response::new(v1::ApplyResponse {
                objects: applied.iter().map(convert::applied).collect(),
                dry_run,
            })),
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Operation(_)
            | Answer::Reply(
                Reply::Done(_)
                | Reply::Operation(_)
                | Reply::Run(_)
                | Reply::Alerts { .. }
                | Reply::Silences(_),
            ) => Err(Status::internal("the engine answered another question")),
        }
    }

    async fn export(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Result<Response<v1::ExportResponse>, Status> {
        let v1::ExportRequest { names } = request.into_inner();
        let snapshot = self.engine.snapshot();
        if let Some(unknown) = names.iter().find(|name| !known(&snapshot, name)) {
            return Err(status::from_command(&no_such_object(&snapshot, unknown)));
        }
        let wanted =
            |name: &str| names.is_empty() || names.iter().any(|wanted| wanted.as_str() == name);
        let pods = snapshot
            .pods
            .iter()
            .filter_map(|pod| Some(&pod.managed.as_ref()?.entry))
            .filter(|entry| wanted(entry.spec.name.as_str()))
            .map(|entry| convert::exported_pod(entry));
        // Behind the pods: applied in this order, each workflow finds its pods.
        let workflows = snapshot
            .workflows
            .iter()
            .filter(|workflow| wanted(workflow.entry.spec.name.as_str()))
            .map(|workflow| convert::exported_workflow(&workflow.entry));
        Ok(Response::new(v1::ExportResponse {
            manifests: pods.chain(workflows).collect(),
        }))
    }
}

fn known(snapshot: &Snapshot, name: &str) -> bool {
    snapshot.pod(name).is_some() || snapshot.workflow(name).is_some()
}

/// Says which pod may be meant, or else which workflow.
fn no_such_object(snapshot: &Snapshot, asked: &str) -> CommandError {
    let workflow = no_such_workflow(snapshot, asked);
    match no_such_pod(snapshot, asked) {
        CommandError::NoSuchPod { nearest: None, .. }
            if matches!(
                workflow,
                CommandError::NoSuchWorkflow {
                    nearest: Some(_),
                    ..
                }
            ) =>
        {
            workflow
        }
        pod => pod,
    }
}
