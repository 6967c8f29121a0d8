//! What a restarted daemon begins with.

use sqlx::SqliteConnection;

use super::rows::{
    AlertRow, EconomyRow, IntentRow, PodRow, PodRunRow, ReadError, RunRow, SilenceRow, WorkflowRow,
    in_domain,
};
use crate::domain::economy::EconomyRecord;
use crate::domain::footprint::RUNS_KEPT;
use crate::ports::Restored;

/// Answers [`crate::ports::Store::load`].
pub(super) async fn load(conn: &mut SqliteConnection) -> Result<Restored, ReadError> {
    let runs_kept = i64::try_from(RUNS_KEPT).unwrap_or(i64::MAX);
    Ok(Restored {
        pods: in_domain(PodRow::all(&mut *conn).await?)?,
        workflows: in_domain(WorkflowRow::all(&mut *conn).await?)?,
        runs: in_domain(RunRow::active(&mut *conn).await?)?,
        pod_runs: in_domain(PodRunRow::latest(&mut *conn, runs_kept).await?)?,
        alerts: in_domain(AlertRow::active(&mut *conn).await?)?,
        intents: in_domain(IntentRow::open(&mut *conn).await?)?,
        economy: match EconomyRow::read(&mut *conn).await? {
            Some(row) => row.try_into()?,
            None => EconomyRecord::default(),
        },
        silences: in_domain(SilenceRow::all(&mut *conn).await?)?,
    })
}
