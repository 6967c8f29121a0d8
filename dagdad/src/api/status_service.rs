//! The box at a glance.

use dagda_proto::v1::{self, status_service_server::StatusService};
use tonic::{Request, Response, Status};

use super::streaming::{Stream, watching};
use super::{Api, convert};

#[tonic::async_trait]
impl StatusService for Api {
    async fn get_status(
        &self,
        _: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::Status>, Status> {
        Ok(Response::new(convert::status(&self.engine.snapshot())))
    }

    type WatchStatusStream = Stream<v1::Status>;

    async fn watch_status(
        &self,
        _: Request<v1::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let snapshots = self.engine.snapshots();
        let stream = watching(
            snapshots,
            self.ending.clone(),
            |snapshot| convert::status(snapshot),
            |_| false,
        );
        Ok(Response::new(stream))
    }
}
