//! Putting entries into the queue, in the transaction of the rows that they speak of.

use sqlx::SqliteConnection;

use super::entry::Relation;

/// Queues a row. Returns by how much the queue grew.
async fn enqueue(
    conn: &mut SqliteConnection,
    relation: Relation,
    uuid: &str,
) -> Result<i64, sqlx::Error> {
    put(conn, "row", relation, uuid, None).await
}

/// Queues a pruning. An earlier one that still waits is covered by this one.
pub async fn enqueue_prune(
    conn: &mut SqliteConnection,
    relation: Relation,
    resolution_seconds: Option<i64>,
    before: i64,
) -> Result<i64, sqlx::Error> {
    let key = resolution_seconds
        .map(|seconds| seconds.to_string())
        .unwrap_or_default();
    put(conn, "prune", relation, &key, Some(before)).await
}

async fn put(
    conn: &mut SqliteConnection,
    kind: &str,
    relation: Relation,
    key: &str,
    before: Option<i64>,
) -> Result<i64, sqlx::Error> {
    let moved = sqlx::query("DELETE FROM outbox WHERE kind = ? AND relation = ? AND key = ?")
        .bind(kind)
        .bind(relation.as_str())
        .bind(key)
        .execute(&mut *conn)
        .await?
        .rows_affected();
    sqlx::query("INSERT INTO outbox (kind, relation, key, before) VALUES (?, ?, ?, ?)")
        .bind(kind)
        .bind(relation.as_str())
        .bind(key)
        .bind(before)
        .execute(conn)
        .await?;
    Ok(i64::from(moved == 0))
}

/// Queues rows that were changed or deleted, or are about to be, by their uuids; those that wait
/// already move to the end. Returns by how much the queue grew.
pub async fn enqueue_all(
    conn: &mut SqliteConnection,
    relation: Relation,
    uuids: &[String],
) -> Result<i64, sqlx::Error> {
    let mut queued = 0;
    for uuid in uuids {
        queued += enqueue(&mut *conn, relation, uuid).await?;
    }
    Ok(queued)
}

/// Queues the rolled-up stretches of one tier that were just written.
pub async fn enqueue_stretches(
    conn: &mut SqliteConnection,
    resolution_seconds: i64,
    begin: i64,
    end: i64,
) -> Result<i64, sqlx::Error> {
    let added = sqlx::query(
        "INSERT INTO outbox (kind, relation, key)
         SELECT 'row', 'system_resources', uuid FROM system_resources
         WHERE resolution_seconds = ? AND timestamp >= ? AND timestamp < ?
         ORDER BY timestamp
         ON CONFLICT DO NOTHING",
    )
    .bind(resolution_seconds)
    .bind(begin)
    .bind(end)
    .execute(conn)
    .await?;
    Ok(signed(added.rows_affected()))
}

/// Queues every row, and behind them the deletion of what MariaDB has beyond them.
pub(super) async fn enqueue_everything(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "DELETE FROM outbox;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'pods', uuid FROM pods ORDER BY created_at;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'workflows', uuid FROM workflows ORDER BY created_at;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'workflow_runs', uuid FROM workflow_runs ORDER BY accepted_at;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'pod_runs', uuid FROM pod_runs ORDER BY started_at;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'resource_alerts', uuid FROM resource_alerts ORDER BY created_at;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'events', uuid FROM events ORDER BY timestamp;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'audit', uuid FROM audit ORDER BY timestamp;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'system_resources', uuid FROM system_resources ORDER BY timestamp;
         INSERT INTO outbox (kind, relation, key) VALUES
             ('reconcile', 'pods', ''), ('reconcile', 'workflows', ''),
             ('reconcile', 'workflow_runs', ''), ('reconcile', 'pod_runs', ''),
             ('reconcile', 'resource_alerts', ''), ('reconcile', 'events', ''),
             ('reconcile', 'audit', ''), ('reconcile', 'system_resources', '');",
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Takes samples out of the queue that are about to be pruned. The pruning itself is queued
/// too, so it does not matter which of them MariaDB has. Returns how many there were.
pub async fn forget_samples(
    conn: &mut SqliteConnection,
    resolution_seconds: i64,
    before: i64,
) -> Result<i64, sqlx::Error> {
    let removed = sqlx::query(
        "DELETE FROM outbox WHERE kind = 'row' AND relation = 'system_resources' AND key IN
            (SELECT uuid FROM system_resources WHERE resolution_seconds = ? AND timestamp < ?)",
    )
    .bind(resolution_seconds)
    .bind(before)
    .execute(conn)
    .await?;
    Ok(signed(removed.rows_affected()))
}

/// The same for events.
pub async fn forget_events(conn: &mut SqliteConnection, before: i64) -> Result<i64, sqlx::Error> {
    let removed = sqlx::query(
        "DELETE FROM outbox WHERE kind = 'row' AND relation = 'events' AND key IN
            (SELECT uuid FROM events WHERE timestamp < ?)",
    )
    .bind(before)
    .execute(conn)
    .await?;
    Ok(signed(removed.rows_affected()))
}

/// The same for the audit.
pub async fn forget_audit(conn: &mut SqliteConnection, before: i64) -> Result<i64, sqlx::Error> {
    let removed = sqlx::query(
        "DELETE FROM outbox WHERE kind = 'row' AND relation = 'audit' AND key IN
            (SELECT uuid FROM audit WHERE timestamp < ?)",
    )
    .bind(before)
    .execute(conn)
    .await?;
    Ok(signed(removed.rows_affected()))
}

/// How many entries wait.
pub async fn len(conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(conn)
        .await?;
    Ok(waiting.unsigned_abs())
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
