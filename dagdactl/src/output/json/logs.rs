//! `dagdactl pods logs NAME --json`; with `--follow` one log line a line.

use dagda_proto::v1;
use jiff::Timestamp;
use serde::Serialize;

use super::exact_time;

/// `{"lines":[…]}`, in time order as far as the runtime gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogsView {
    /// The lines.
    pub lines: Vec<LogLineView>,
}

/// A line that a container wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLineView {
    /// Which container.
    pub container: String,
    /// When, to the nanosecond; `null` where the runtime does not say.
    pub at: Option<Timestamp>,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// What it wrote, as it is.
    pub text: String,
}

impl From<v1::LogLine> for LogLineView {
    fn from(wire: v1::LogLine) -> Self {
        let v1::LogLine {
            container,
            at,
            stream,
            text,
        } = wire;
        Self {
            container,
            at: at.and_then(exact_time),
            stream,
            text,
        }
    }
}
