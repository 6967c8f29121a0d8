//! Domain errors as gRPC statuses. The detail for programs travels in the trailing metadata
//! [`ERROR_DETAIL_KEY`]; the message alone is enough for people and generic tools.

use dagda_proto::{ERROR_DETAIL_KEY, v1};
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use super::convert;
use super::incoming::TooMany;
use crate::domain::error::CommandError;
use crate::ports::{RuntimeError, StoreError};

/// The status of a refused or failed command.
pub fn from_command(error: &CommandError) -> Status {
    let code = match error {
        CommandError::NoSuchPod { .. }
        | CommandError::NoSuchWorkflow { .. }
        | CommandError::NoSuchRun { .. }
        | CommandError::NoSuchAlert { .. }
        | CommandError::NothingToSilence { .. }
        | CommandError::NoSuchSilence { .. }
        | CommandError::MissingPod { .. }
        | CommandError::NoSuchContainer { .. } => Code::NotFound,
        CommandError::Insufficient(_)
        | CommandError::EconomyActive { .. }
        | CommandError::DiskFull { .. } => Code::ResourceExhausted,
        CommandError::RunActive { .. } | CommandError::NeededByRun { .. } => {
            Code::FailedPrecondition
        }
        CommandError::NotPermitted { .. } => Code::PermissionDenied,
        CommandError::Invalid(_) => Code::InvalidArgument,
        CommandError::PortTaken { .. } | CommandError::Busy { .. } | CommandError::NotMeasured => {
            Code::FailedPrecondition
        }
        CommandError::Cancelled { .. } => Code::Cancelled,
        CommandError::RuntimeDown { .. } => Code::FailedPrecondition,
        CommandError::TimedOut { .. } => Code::DeadlineExceeded,
        CommandError::PodFailed { .. } | CommandError::Runtime(_) => Code::Aborted,
        CommandError::Store(_) => Code::Internal,
        CommandError::ShuttingDown => Code::Unavailable,
    };
    with_detail(code, convert::error_detail(error))
}

/// The status of a read that the local store failed.
pub fn from_store(error: &StoreError) -> Status {
    with_detail(Code::Internal, convert::failed_read(error))
}

/// The status of a read that the runtime failed.
pub fn from_runtime(error: RuntimeError) -> Status {
    from_command(&match error {
        RuntimeError::Unreachable { reason } => CommandError::RuntimeDown { reason },
        RuntimeError::TimedOut { after, .. } => CommandError::TimedOut {
            message: error.to_string(),
            after,
        },
        other => CommandError::Runtime(other.to_string()),
    })
}

/// The status of a call that is not even begun, since its caller has too many in flight.
pub fn too_many_requests(error: &TooMany) -> Status {
    with_detail(Code::ResourceExhausted, convert::too_many_requests(error))
}

fn with_detail(code: Code, detail: v1::ErrorDetail) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(
        ERROR_DETAIL_KEY,
        MetadataValue::from_bytes(&detail.encode_to_vec()),
    );
    Status::with_metadata(code, detail.message, metadata)
}
