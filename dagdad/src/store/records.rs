//! Records into rows: what one commit of the engine becomes in SQLite, and which rows of it
//! MariaDB is to have.

use sqlx::{Connection as _, SqliteConnection};

use super::outbox::{self, Relation};
use super::rows::{
    AlertRow, AuditRow, EconomyRow, EventRow, IntentRow, PodRow, PodRunRow, RunRow, SampleRow,
    SilenceRow, WorkflowRow,
};
use crate::ports::Record;

/// Writes `records` in one transaction. Returns by how much the outbox grew.
pub(super) async fn write_all(
    conn: &mut SqliteConnection,
    records: &[Record],
    mirrored: bool,
) -> Result<i64, sqlx::Error> {
    let mut queued = 0;
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    for record in records {
        let changed = write(&mut tx, record).await?;
        if let Some((relation, uuids)) = changed
            && mirrored
        {
            queued += outbox::enqueue_all(&mut tx, relation, &uuids).await?;
        }
    }
    tx.commit().await?;
    Ok(queued)
}

/// Writes one record. Returns the mirrored rows that it changed.
async fn write(
    conn: &mut SqliteConnection,
    record: &Record,
) -> Result<Option<(Relation, Vec<String>)>, sqlx::Error> {
    let changed = match record {
        Record::PutPod(pod) => {
            let row = PodRow::from(&**pod);
            row.put(conn).await?;
            Some((Relation::Pods, vec![row.uuid]))
        }
        Record::DeletePod(id) => {
            let uuid = id.to_string();
            sqlx::query("DELETE FROM pods WHERE uuid = ?")
                .bind(&uuid)
                .execute(conn)
                .await?;
            Some((Relation::Pods, vec![uuid]))
        }
        Record::PutWorkflow(workflow) => {
            let row = WorkflowRow::from(&**workflow);
            row.put(conn).await?;
            Some((Relation::Workflows, vec![row.uuid]))
        }
        Record::DeleteWorkflow(id) => {
            let uuid = id.to_string();
            sqlx::query("DELETE FROM workflows WHERE uuid = ?")
                .bind(&uuid)
                .execute(conn)
                .await?;
            Some((Relation::Workflows, vec![uuid]))
        }
        Record::PutRun(run) => {
            let row = RunRow::from(&**run);
            row.put(conn).await?;
            Some((Relation::WorkflowRuns, vec![row.uuid]))
        }
        Record::PutPodRun(run) => {
            let row = PodRunRow::from(&**run);
            row.put(conn).await?;
            Some((Relation::PodRuns, vec![row.uuid]))
        }
        Record::PutAlert(alert) => {
            let row = AlertRow::from(&**alert);
            row.put(conn).await?;
            Some((Relation::ResourceAlerts, vec![row.uuid]))
        }
        Record::PutEconomy(economy) => {
            EconomyRow::from(&**economy).put(conn).await?;
            None
        }
        Record::PutSilence(silence) => {
            SilenceRow::from(&**silence).put(conn).await?;
            None
        }
        Record::DeleteSilence(id) => {
            sqlx::query("DELETE FROM silences WHERE uuid = ?")
                .bind(id.to_string())
                .execute(conn)
                .await?;
            None
        }
        Record::OpenIntent(intent) => {
            IntentRow::from(intent).put(conn).await?;
            None
        }
        Record::CloseIntent { id, at, outcome } => {
            sqlx::query(
                "UPDATE intents SET closed_at = ?, outcome = ?
                 WHERE uuid = ? AND closed_at IS NULL",
            )
            .bind(at.as_microsecond())
            .bind(outcome)
            .bind(id.to_string())
            .execute(&mut *conn)
            .await?;
            let asked = AuditRow::close(conn, *id, outcome).await?;
            Some((Relation::Audit, asked))
        }
        Record::PutAudit(entry) => {
            let row = AuditRow::from(&**entry);
            row.put(conn).await?;
            Some((Relation::Audit, vec![row.uuid]))
        }
        Record::Event(event) => {
            let row = EventRow::from(event);
            row.put(conn).await?;
            Some((Relation::Events, vec![row.uuid]))
        }
        Record::Sample(sample) => {
            let row = SampleRow::from(&**sample);
            row.put(conn).await?;
            Some((Relation::SystemResources, vec![row.uuid]))
        }
    };
    Ok(changed)
}
