//! Who asked for what, from the store.

use dagda_proto::v1::{self, audit_service_server::AuditService};
use tonic::{Request, Response, Status};

use super::pods::invalid;
use super::{Api, convert, status};
use crate::domain::audit::AuditQuery;

/// Entries given to a caller that names no number.
const DEFAULT_LIMIT: u32 = 100;
/// Entries given at most.
const MAX_LIMIT: u32 = 10_000;

#[tonic::async_trait]
impl AuditService for Api {
    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Result<Response<v1::ListAuditResponse>, Status> {
        let query = query(request.into_inner())?;
        let entries = self.store.audit(&query).await;
        let entries = entries.map_err(|error| status::from_store(&error))?;
        Ok(Response::new(v1::ListAuditResponse {
            entries: entries.iter().map(convert::audit_entry).collect(),
        }))
    }
}

#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
fn query(request: v1::ListAuditRequest) -> Result<AuditQuery, Status> {
    let v1::ListAuditRequest {
        since,
        user,
        object,
        denied,
        limit,
    } = request;
    let since = since.map(|since| {
        convert::from_timestamp(&since).ok_or_else(|| invalid("`since` is no time that exists"))
    });
    Ok(AuditQuery {
        since: since.transpose()?,
        user,
        object,
        denied,
        limit: match limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        },
    })
}
