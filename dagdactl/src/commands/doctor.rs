//! `dagdactl doctor`.

mod units;

use dagda_proto::v1::{DiagnoseRequest, DiagnoseResponse, GetStatusRequest, Status};

use super::{Outcome, Session};
use crate::client::describe;
use crate::error::Error;
use crate::output::human;
use crate::output::json::ErrorView;
use crate::output::json::doctor::{CheckView, DoctorView, VerdictView};
use crate::output::table::doctor::checks as table;

/// Checks from here that dagdad can be reached, then has it check the rest.
pub async fn run(session: &mut Session) -> Result<Outcome, Error> {
    let mut checks = Vec::new();
    let error = examine(session, &mut checks).await.err();
    let error = error.or_else(|| unhealthy(&checks));
    let output = &mut session.output;
    if output.json() {
        output.document(&DoctorView {
            checks,
            error: error.as_ref().map(ErrorView::from),
        })?;
    } else {
        let width = output.width();
        output.text(&table(&checks, width))?;
        if let Some(error @ Error::Unhealthy(_)) = &error {
            output.complaint(error);
        }
    }
    Ok(error.map_or(Outcome::Done, Outcome::Reported))
}

/// What one check from here found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// As it should be.
    Ok(String),
    /// Works, with less.
    Warning { finding: String, remedy: String },
    /// Does not work.
    Failed { finding: String, remedy: String },
}

/// Adds what is found to `checks`; the error is why dagdad could not be asked.
async fn examine(session: &Session, checks: &mut Vec<CheckView>) -> Result<(), Error> {
    let connected = session.connect().await;
    let socket = session.socket();
    checks.push(match &connected {
        Ok(_) => {
            let described = describe(socket);
            let described = described.unwrap_or_else(|| socket.display().to_string());
            check("socket", Finding::Ok(described))
        }
        Err(error) => failed("socket", error),
    });
    checks.extend(units::look(socket).map(|finding| check("service", finding)));
    let daemon = connected?;
    let asked = async {
        let (mut status, mut diagnostics) = (daemon.status(), daemon.diagnostics());
        let status = status.get_status(GetStatusRequest {});
        let Status { version, .. } = daemon.answer(status).await?;
        let diagnosis = diagnostics.diagnose(DiagnoseRequest {});
        let DiagnoseResponse { checks } = daemon.answer(diagnosis).await?;
        Ok((version, checks))
    };
    match asked.await {
        Ok((version, theirs)) => {
            checks.push(check("daemon", same_version(&version)));
            checks.extend(theirs.into_iter().map(CheckView::from));
            Ok(())
        }
        Err(error) => {
            checks.push(failed("daemon", &error));
            Err(error)
        }
    }
}

fn same_version(theirs: &str) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    if theirs == ours {
        return Finding::Ok(format!("dagdad {theirs} answers"));
    }
    Finding::Warning {
        finding: format!("dagdad {theirs} answers, and this is dagdactl {ours}"),
        remedy: "restart dagdad where it is the older one (systemctl restart dagdad; pods go on), else install both from one package".to_owned(),
    }
}

/// That a check failed, where one did.
fn unhealthy(checks: &[CheckView]) -> Option<Error> {
    let failed = checks
        .iter()
        .filter(|check| check.verdict == VerdictView::Failed)
        .count() as u64;
    (failed > 0).then(|| {
        Error::Unhealthy(format!(
            "{} of {} failed",
            human::count(failed, "check"),
            checks.len()
        ))
    })
}

fn check(name: &str, finding: Finding) -> CheckView {
    let (verdict, finding, remedy) = match finding {
        Finding::Ok(finding) => (VerdictView::Ok, finding, None),
        Finding::Warning { finding, remedy } => (VerdictView::Warning, finding, Some(remedy)),
        Finding::Failed { finding, remedy } => (VerdictView::Failed, finding, Some(remedy)),
    };
    CheckView {
        name: name.to_owned(),
        verdict,
        finding,
        remedy,
    }
}

fn failed(name: &str, error: &Error) -> CheckView {
    let (finding, remedy) = match error {
        Error::Unreachable(trouble) | Error::NotPermitted(trouble) => {
            (trouble.finding.clone(), trouble.remedy.clone())
        }
        other => (other.to_string(), None),
    };
    CheckView {
        name: name.to_owned(),
        verdict: VerdictView::Failed,
        finding,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_told_of() {
        assert!(matches!(
            same_version(env!("CARGO_PKG_VERSION")),
            Finding::Ok(_)
        ));
        let Finding::Warning { finding, remedy } = same_version("0.0.1") else {
            panic!("not a warning");
        };
        assert!(finding.contains("dagdad 0.0.1"), "{finding}");
        assert!(remedy.contains("systemctl restart dagdad"), "{remedy}");
    }
}
