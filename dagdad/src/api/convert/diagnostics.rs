//! What `doctor` found.

use dagda_proto::v1;

use crate::domain::check::{Check, Verdict};

pub fn check(check: &Check) -> v1::Check {
    let Check {
        name,
        verdict,
        finding,
    } = check;
    let (verdict, remedy) = match verdict {
        Verdict::Ok => (v1::Verdict::Ok, None),
        Verdict::Warning { remedy } => (v1::Verdict::Warning, Some(remedy.clone())),
        Verdict::Failed { remedy } => (v1::Verdict::Failed, Some(remedy.clone())),
    };
    v1::Check {
        name: (*name).to_owned(),
        verdict: verdict.into(),
        finding: finding.clone(),
        remedy,
    }
}
