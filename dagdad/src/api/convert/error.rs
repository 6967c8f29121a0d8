//! What went wrong, for programs.

use dagda_proto::v1;

use super::admission::denial;
use crate::api::incoming::TooMany;
use crate::domain::error::CommandError;
use crate::domain::run::Failure;
use crate::ports::StoreError;

pub fn error_detail(error: &CommandError) -> v1::ErrorDetail {
    v1::ErrorDetail {
        code: error.code().to_owned(),
        message: error.to_string(),
        log: error.log().to_vec(),
        denial: match error {
            CommandError::Insufficient(refused) => Some(denial(refused)),
            _ => None,
        },
    }
}

/// Why a run failed. A run keeps no figures: a lack of resources is told in words.
pub fn failure(failure: &Failure) -> v1::ErrorDetail {
    let Failure { code, message, log } = failure;
    v1::ErrorDetail {
        code: code.clone(),
        message: message.clone(),
        log: log.clone(),
        denial: None,
    }
}

/// The local store could not be read. Unlike [`CommandError::Store`], nothing was to be done.
pub fn failed_read(error: &StoreError) -> v1::ErrorDetail {
    v1::ErrorDetail {
        code: "store_failed".to_owned(),
        message: error.to_string(),
        log: Vec::new(),
        denial: None,
    }
}

/// A caller has too many calls in flight.
pub fn too_many_requests(error: &TooMany) -> v1::ErrorDetail {
    v1::ErrorDetail {
        code: "too_many_requests".to_owned(),
        message: error.to_string(),
        log: Vec::new(),
        denial: None,
    }
}
