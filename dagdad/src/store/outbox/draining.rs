//! Taking the queue to MariaDB: the next batch with its content, and what follows the answer.

use sqlx::{Connection as _, SqliteConnection};

use super::entry::{Change, Entry, Rejected, Relation};
use crate::store::rows::{
    AlertRow, AuditRow, EventRow, PodRow, PodRunRow, RunRow, SampleRow, WorkflowRow,
};

/// The next entries in order with their content, at most `max_entries` of about `max_bytes`.
pub async fn next_batch(
    conn: &mut SqliteConnection,
    max_entries: i64,
    max_bytes: usize,
) -> Result<Vec<Entry>, sqlx::Error> {
    let waiting: Vec<(i64, String, String, String, Option<i64>)> =
        sqlx::query_as("SELECT seq, kind, relation, key, before FROM outbox ORDER BY seq LIMIT ?")
            .bind(max_entries)
            .fetch_all(&mut *conn)
            .await?;
    let mut batch = Vec::with_capacity(waiting.len());
    let mut bytes = 0;
    for (seq, kind, relation, key, before) in waiting {
        let relation = Relation::parse(&relation)
            .ok_or_else(|| sqlx::Error::Protocol(format!("outbox.relation is {relation:?}")))?;
        let change = match (kind.as_str(), before) {
            ("prune", Some(before)) => Change::Prune {
                resolution_seconds: key.parse().ok(),
                before,
            },
            ("reconcile", _) => Change::Reconcile,
            _ => read_row(conn, relation, &key).await?,
        };
        bytes += change.size();
        if bytes > max_bytes && !batch.is_empty() {
            break;
        }
        batch.push(Entry {
            seq,
            relation,
            key,
            change,
        });
    }
    Ok(batch)
}

async fn read_row(
    conn: &mut SqliteConnection,
    relation: Relation,
    uuid: &str,
) -> Result<Change, sqlx::Error> {
    let row = match relation {
        Relation::Pods => PodRow::read(conn, uuid)
            .await?
            .map(|row| Change::PutPod(Box::new(row))),
        Relation::Workflows => WorkflowRow::read(conn, uuid)
            .await?
            .map(|row| Change::PutWorkflow(Box::new(row))),
        Relation::WorkflowRuns => RunRow::read(conn, uuid)
            .await?
            .map(|row| Change::PutRun(Box::new(row))),
        Relation::PodRuns => PodRunRow::read(conn, uuid).await?.map(Change::PutPodRun),
        Relation::ResourceAlerts => AlertRow::read(conn, uuid)
            .await?
            .map(|row| Change::PutAlert(Box::new(row))),
        Relation::Events => EventRow::read(conn, uuid).await?.map(Change::PutEvent),
        Relation::Audit => AuditRow::read(conn, uuid)
            .await?
            .map(|row| Change::PutAudit(Box::new(row))),
        Relation::SystemResources => SampleRow::read(conn, uuid)
            .await?
            .map(|row| Change::PutSample(Box::new(row))),
    };
    Ok(row.unwrap_or_else(|| Change::Delete(uuid.to_owned())))
}

/// Takes the entries up to `last_seq` out of the queue, after MariaDB committed them, and
/// sets aside those that it refused. Returns how many still wait where they are few enough
/// to be counted, else by how many they became fewer.
pub async fn acknowledge(
    conn: &mut SqliteConnection,
    last_seq: i64,
    rejected: &[Rejected],
    now: i64,
) -> Result<Waiting, sqlx::Error> {
    const COUNTED: i64 = 1000;
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "DELETE FROM outbox_rejected WHERE EXISTS
            (SELECT 1 FROM outbox WHERE kind = 'row' AND outbox.relation = outbox_rejected.relation
             AND outbox.key = outbox_rejected.key AND seq <= ?)",
    )
    .bind(last_seq)
    .execute(&mut *tx)
    .await?;
    for entry in rejected {
        sqlx::query(
            "INSERT INTO outbox_rejected (relation, key, error, rejected_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (relation, key) DO UPDATE SET error = excluded.error,
                rejected_at = excluded.rejected_at",
        )
        .bind(entry.relation.as_str())
        .bind(&entry.key)
        .bind(&entry.error)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    }
    let removed = sqlx::query("DELETE FROM outbox WHERE seq <= ?")
        .bind(last_seq)
        .execute(&mut *tx)
        .await?
        .rows_affected();
    sqlx::query("UPDATE mirror_state SET acked_seq = ?")
        .bind(last_seq)
        .execute(&mut *tx)
        .await?;
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT ?)")
        .bind(COUNTED)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(if counted < COUNTED {
        Waiting::Exactly(counted.unsigned_abs())
    } else {
        Waiting::FewerBy(removed)
    })
}

/// The queue's length after an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// So many.
    Exactly(u64),
    /// So many less than before.
    FewerBy(u64),
}

/// Which of `uuids` SQLite does not have.
pub async fn missing(
    conn: &mut SqliteConnection,
    relation: Relation,
    uuids: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let sql = match relation {
        Relation::Pods => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM pods)"
        }
        Relation::Workflows => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM workflows)"
        }
        Relation::WorkflowRuns => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM workflow_runs)"
        }
        Relation::PodRuns => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM pod_runs)"
        }
        Relation::ResourceAlerts => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM resource_alerts)"
        }
        Relation::Events => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM events)"
        }
        Relation::Audit => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM audit)"
        }
        Relation::SystemResources => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM system_resources)"
        }
    };
    let uuids = serde_json::to_string(uuids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query_scalar(sql).bind(uuids).fetch_all(conn).await
}
