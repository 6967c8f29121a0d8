//! The host's resources, now and before.

use dagda_proto::v1::{self, resources_service_server::ResourcesService};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::{Api, convert, status};
use crate::domain::error::CommandError;

/// Points given to a caller that names no number: as many as a wide terminal has columns.
const DEFAULT_POINTS: u32 = 120;
/// Points given at most.
const MAX_POINTS: u32 = 10_000;

#[tonic::async_trait]
impl ResourcesService for Api {
    async fn get_resources(
        &self,
        _: Request<v1::GetResourcesRequest>,
    ) -> Result<Response<v1::GetResourcesResponse>, Status> {
        let snapshot = self.engine.snapshot();
        Ok(Response::new(v1::GetResourcesResponse {
            host: snapshot.host.as_deref().map(convert::host),
            ram_threshold_percent: snapshot.thresholds.ram_percent,
            cpu_threshold_percent: snapshot.thresholds.cpu_percent,
        }))
    }

    async fn get_history(
        &self,
        request: Request<v1::GetHistoryRequest>,
    ) -> Result<Response<v1::GetHistoryResponse>, Status> {
        let v1::GetHistoryRequest {
            since,
            until,
            points,
        } = request.into_inner();
        let time = |at: Option<prost_types::Timestamp>, otherwise: Timestamp| match at {
            None => Ok(otherwise),
            Some(at) => convert::from_timestamp(&at).ok_or_else(|| {
                let message = "that time does not exist".to_owned();
                status::from_command(&CommandError::Invalid(message))
            }),
        };
        let now = Timestamp::now();
        let (since, until) = (time(since, Timestamp::UNIX_EPOCH)?, time(until, now)?);
        let points = if points == 0 {
            DEFAULT_POINTS
        } else {
            points.min(MAX_POINTS)
        };
        let history = self.store.history(since, until, points).await;
        let points = history.map_err(|error| status::from_store(&error))?;
        Ok(Response::new(v1::GetHistoryResponse {
            points: points.iter().map(convert::history_point).collect(),
        }))
    }
}
