//! `dagdactl doctor --json`.

use dagda_proto::v1;
use serde::Serialize;

use super::{ErrorView, word};

word! {
    /// How a check ended.
    VerdictView from Verdict { Ok = "ok", Warning = "warning", Failed = "failed" }
}

/// `{"checks":[…]}`, and `error` where a check failed or dagdad could not be asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DoctorView {
    /// What was checked: first from here, then by dagdad.
    pub checks: Vec<CheckView>,
    /// Why the exit code is not 0; left out where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckView {
    /// What was checked: `socket`, `daemon`, `podman`, `mariadb`, …
    pub name: String,
    /// `ok`, `warning` (works, with less) or `failed`.
    pub verdict: VerdictView,
    /// What was found.
    pub finding: String,
    /// How to mend it, where it needs mending.
    pub remedy: Option<String>,
}

impl From<v1::Check> for CheckView {
    fn from(wire: v1::Check) -> Self {
        let v1::Check {
            name,
            verdict,
            finding,
            remedy,
        } = wire;
        Self {
            name,
            verdict: VerdictView::from_wire(verdict),
            finding,
            remedy,
        }
    }
}
