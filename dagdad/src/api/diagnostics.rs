//! Is everything there that dagdad needs?

use dagda_proto::v1::{self, diagnostics_service_server::DiagnosticsService};
use tonic::{Request, Response, Status};

use super::{Api, convert};

#[tonic::async_trait]
impl DiagnosticsService for Api {
    async fn diagnose(
        &self,
        _: Request<v1::DiagnoseRequest>,
    ) -> Result<Response<v1::DiagnoseResponse>, Status> {
        let checks = (self.diagnose)().await;
        Ok(Response::new(v1::DiagnoseResponse {
            checks: checks.iter().map(convert::check).collect(),
        }))
    }
}
