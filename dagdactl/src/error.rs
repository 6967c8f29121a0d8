//! Everything that can go wrong for `dagdactl`, and what it means to the caller: the exit
//! code and the `code` of the JSON error document.

use std::error::Error as _;
use std::{fmt, io};

use dagda_proto::ERROR_DETAIL_KEY;
use dagda_proto::v1::{Denial, ErrorDetail};
use prost::Message;
use tonic::{Code, Status};

/// A command's unhappy end, in words for the person who gave it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// dagdad said no, or an operation that it performed failed.
    #[error("{message}")]
    Refused {
        /// Stable, snake_case; see `dagda/v1/error.proto`.
        code: String,
        /// What failed, why, and what to do next.
        message: String,
        /// The last lines that the pod's containers wrote, where they explain the failure.
        log: Vec<String>,
        /// Why there is no room for it, in numbers, where that is the reason.
        denial: Option<Box<Denial>>,
    },
    /// No dagdad answers, or it went away before it had answered.
    #[error("{0}")]
    Unreachable(Trouble),
    /// The caller may not talk to dagdad.
    #[error("{0}")]
    NotPermitted(Trouble),
    /// No answer in time.
    #[error("{0}")]
    TimedOut(String),
    /// Ctrl-C while waiting for an operation.
    #[error("{0}")]
    Interrupted(String),
    /// Arguments that are each well-formed but make no sense together.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written.
    #[error("{0}")]
    File(String),
    /// A check of `doctor` failed.
    #[error("{0}")]
    Unhealthy(String),
    /// The system did not give dagdactl what any program needs.
    #[error("dagdactl itself failed: {0}")]
    Internal(String),
    /// Standard output does not take what is written to it.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// The reader of standard output has closed it; not a failure.
    #[error("standard output was closed")]
    ClosedPipe,
}

/// Why dagdad cannot be talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What was found.
    pub finding: String,
    /// How to mend it.
    pub remedy: Option<String>,
}

impl Trouble {
    /// What was found and how to mend it.
    pub fn new(finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            finding: finding.into(),
            remedy: Some(remedy.into()),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{}; {remedy}", self.finding),
            None => f.write_str(&self.finding),
        }
    }
}

impl From<String> for Trouble {
    fn from(finding: String) -> Self {
        Self {
            finding,
            remedy: None,
        }
    }
}

impl Error {
    /// Stable name for scripts: `error.code` of the JSON error document.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Unreachable(_) => "unreachable",
            Self::NotPermitted(_) => "permission_denied",
            Self::TimedOut(_) => "timed_out",
            Self::Interrupted(_) => "interrupted",
            Self::Usage(_) => "usage",
            Self::File(_) => "file",
            Self::Unhealthy(_) => "unhealthy",
            Self::Internal(_) => "internal",
            Self::Output(_) | Self::ClosedPipe => "output",
        }
    }

    /// The process's exit code, as the manual promises it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { code, .. } => match code.as_str() {
                "not_found" => 3,
                "insufficient_resources" | "economy_active" => 4,
                "shutting_down" => 5,
                "permission_denied" => 6,
                "timed_out" => 7,
                _ => 1,
            },
            Self::File(_) | Self::Unhealthy(_) | Self::Internal(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 5,
            Self::NotPermitted(_) => 6,
            Self::TimedOut(_) => 7,
            // What a shell reports for a program that SIGINT ended.
            Self::Interrupted(_) => 130,
            Self::ClosedPipe => 0,
        }
    }

    /// The last lines of the pod's containers, where there are any.
    pub fn log(&self) -> &[String] {
        match self {
            Self::Refused { log, .. } => log,
            _ => &[],
        }
    }

    /// Why there is no room, where that is the reason.
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Refused { denial, .. } => denial.as_deref(),
            _ => None,
        }
    }

    /// A refusal of dagdactl's own making, in dagdad's terms.
    pub fn refused(code: &str, message: String) -> Self {
        Self::Refused {
            code: code.to_owned(),
            message,
            log: Vec::new(),
            denial: None,
        }
    }
}

impl From<ErrorDetail> for Error {
    fn from(detail: ErrorDetail) -> Self {
        let ErrorDetail {
            code,
            message,
            log,
            denial,
        } = detail;
        Self::Refused {
            code,
            message,
            log,
            denial: denial.map(Box::new),
        }
    }
}

impl From<Status> for Error {
    /// dagdad's own [`ErrorDetail`] where the call carries one; else the nearest meaning of
    /// the gRPC code.
    fn from(status: Status) -> Self {
        if let Some(detail) = detail(&status) {
            return detail.into();
        }
        // A status that came over the wire has no source; one that tonic made up because the
        // connection failed has.
        if let Some(cause) = status.source() {
            return Self::Unreachable(Trouble::new(
                format!("the connection to dagdad broke ({})", root_cause(cause)),
                "see: systemctl status dagdad",
            ));
        }
        let message = match status.message() {
            "" => status.code().description().to_owned(),
            message => message.to_owned(),
        };
        match status.code() {
            Code::Unavailable => Self::Unreachable(message.into()),
            Code::PermissionDenied | Code::Unauthenticated => Self::NotPermitted(message.into()),
            Code::DeadlineExceeded => Self::TimedOut(message),
            Code::NotFound => Self::refused("not_found", message),
            Code::InvalidArgument | Code::OutOfRange => Self::refused("invalid", message),
            Code::Unimplemented => Self::refused(
                "unimplemented",
                "this dagdad does not know the call; it is of another version than dagdactl: \
                 compare `dagdactl --version` and `dagdad --version`, then restart dagdad"
                    .to_owned(),
            ),
            _ => Self::refused("failed", message),
        }
    }
}

/// dagdad's own account of the failure, from the trailing metadata.
fn detail(status: &Status) -> Option<ErrorDetail> {
    let bytes = status
        .metadata()
        .get_bin(ERROR_DETAIL_KEY)?
        .to_bytes()
        .ok()?;
    ErrorDetail::decode(bytes).ok()
}

/// The innermost error of a chain: the system's own words.
pub fn root_cause<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> &'e (dyn std::error::Error + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use tonic::metadata::{MetadataMap, MetadataValue};

    #[rstest]
    #[case("not_found", 3)]
    #[case("insufficient_resources", 4)]
    #[case("economy_active", 4)]
    #[case("shutting_down", 5)]
    #[case("permission_denied", 6)]
    #[case("timed_out", 7)]
    #[case("invalid", 1)]
    #[case("port_taken", 1)]
    #[case("pod_failed", 1)]
    #[case("something_of_a_later_version", 1)]
    fn a_detail_in_the_trailers_wins_over_the_grpc_code(#[case] code: &str, #[case] exit: u8) {
        let detail = ErrorDetail {
            code: code.to_owned(),
            message: "why".into(),
            log: vec!["line".into()],
            denial: None,
        };
        let mut metadata = MetadataMap::new();
        metadata.insert_bin(
            ERROR_DETAIL_KEY,
            MetadataValue::from_bytes(&detail.encode_to_vec()),
        );
        let error = Error::from(Status::with_metadata(Code::Unknown, "other", metadata));
        assert_eq!(error.code(), code);
        assert_eq!(error.exit_code(), exit);
        assert_eq!(error.to_string(), "why");
        assert_eq!(error.log(), ["line"]);
    }

    #[rstest]
    #[case(Code::Unavailable, "unreachable", 5)]
    #[case(Code::PermissionDenied, "permission_denied", 6)]
    #[case(Code::Unauthenticated, "permission_denied", 6)]
    #[case(Code::DeadlineExceeded, "timed_out", 7)]
    #[case(Code::NotFound, "not_found", 3)]
    #[case(Code::InvalidArgument, "invalid", 1)]
    #[case(Code::OutOfRange, "invalid", 1)]
    #[case(Code::Unimplemented, "unimplemented", 1)]
    #[case(Code::Internal, "failed", 1)]
    fn a_bare_grpc_code_is_mapped(#[case] grpc: Code, #[case] code: &str, #[case] exit: u8) {
        let error = Error::from(Status::new(grpc, ""));
        assert_eq!((error.code(), error.exit_code()), (code, exit));
        assert!(!error.to_string().is_empty());
    }

    #[test]
    fn a_damaged_detail_is_passed_over() {
        let mut metadata = MetadataMap::new();
        metadata.insert_bin(ERROR_DETAIL_KEY, MetadataValue::from_bytes(&[0xff, 0xff]));
        let error = Error::from(Status::with_metadata(Code::NotFound, "no pod", metadata));
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("not_found", "no pod")
        );
    }
}
