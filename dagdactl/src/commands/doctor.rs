//! `dagdactl doctor`.

use dagda_proto::v1::{DiagnoseRequest, DiagnoseResponse};

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

/// Adds what is found to `checks`; the error is why dagdad could not be asked.
async fn examine(session: &Session, checks: &mut Vec<CheckView>) -> Result<(), Error> {
    let daemon = match session.connect().await {
        Ok(daemon) => daemon,
        Err(error) => {
            checks.push(failed("socket", &error));
            return Err(error);
        }
    };
    let socket = session.socket();
    checks.push(passed(
        "socket",
        describe(socket).unwrap_or_else(|| socket.display().to_string()),
    ));
    match daemon
        .answer(daemon.diagnostics().diagnose(DiagnoseRequest {}))
        .await
    {
        Ok(DiagnoseResponse { checks: theirs }) => {
            checks.push(passed("daemon", "dagdad answers".to_owned()));
            checks.extend(theirs.into_iter().map(CheckView::from));
            Ok(())
        }
        Err(error) => {
            checks.push(failed("daemon", &error));
            Err(error)
        }
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

fn passed(name: &str, finding: String) -> CheckView {
    CheckView {
        name: name.to_owned(),
        verdict: VerdictView::Ok,
        finding,
        remedy: None,
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
