//! How long rows are kept, and the pruning of those that are older.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use super::history;
use super::options::StoreOptions;
use super::outbox::{self, Relation};
use crate::domain::footprint::RUNS_KEPT;

/// How long the intents of finished operations are kept.
const CLOSED_INTENTS_KEPT: Duration = Duration::from_hours(7 * 24);
/// How many of a pod's runs are kept: more than are looked at, for people.
const POD_RUNS_KEPT: usize = 2 * RUNS_KEPT;

/// Drops what is older than it is kept. Returns by how much the outbox grew.
pub(super) async fn prune(
    conn: &mut SqliteConnection,
    now: Timestamp,
    options: &StoreOptions,
) -> Result<i64, sqlx::Error> {
    let before = |kept: Duration| {
        now.as_microsecond()
            .saturating_sub(i64::try_from(kept.as_micros()).unwrap_or(i64::MAX))
    };
    let mirrored = options.mariadb.is_some();
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    let mut queued = history::prune(&mut tx, now, options.retention, mirrored).await?;

    let events_before = before(options.event_retention);
    if mirrored {
        queued -= outbox::forget_events(&mut tx, events_before).await?;
    }
    let events = sqlx::query("DELETE FROM events WHERE timestamp < ?")
        .bind(events_before)
        .execute(&mut *tx)
        .await?;
    if mirrored && events.rows_affected() > 0 {
        queued += outbox::enqueue_prune(&mut tx, Relation::Events, None, events_before).await?;
    }
    let audit_before = before(options.audit_retention);
    if mirrored {
        queued -= outbox::forget_audit(&mut tx, audit_before).await?;
    }
    let audited = sqlx::query("DELETE FROM audit WHERE timestamp < ?")
        .bind(audit_before)
        .execute(&mut *tx)
        .await?;
    if mirrored && audited.rows_affected() > 0 {
        queued += outbox::enqueue_prune(&mut tx, Relation::Audit, None, audit_before).await?;
    }
    queued += prune_episodes(&mut tx, events_before, mirrored).await?;
    sqlx::query("DELETE FROM silences WHERE until < ?")
        .bind(events_before)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM intents WHERE closed_at < ?")
        .bind(before(CLOSED_INTENTS_KEPT))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(queued)
}

/// Drops runs of workflows and of pods that ended before `before`, alerts that did, and each
/// pod's surplus runs. One that has not ended is dropped only behind so many later ones of its
/// pod: a pod has one life at a time, so that end was missed.
async fn prune_episodes(
    conn: &mut SqliteConnection,
    before: i64,
    mirrored: bool,
) -> Result<i64, sqlx::Error> {
    let kept = i64::try_from(POD_RUNS_KEPT).unwrap_or(i64::MAX);
    let statements = [
        (
            Relation::WorkflowRuns,
            "DELETE FROM workflow_runs WHERE ended_at < ? RETURNING uuid",
            before,
        ),
        (
            Relation::ResourceAlerts,
            "DELETE FROM resource_alerts WHERE resolved_at < ? RETURNING uuid",
            before,
        ),
        (
            Relation::PodRuns,
            "DELETE FROM pod_runs WHERE ended_at < ? RETURNING uuid",
            before,
        ),
        (
            Relation::PodRuns,
            "DELETE FROM pod_runs WHERE uuid IN
                (SELECT uuid FROM (SELECT uuid, row_number() OVER newest AS place FROM pod_runs
                    WINDOW newest AS (PARTITION BY pod ORDER BY started_at DESC, uuid DESC))
                 WHERE place > ?)
             RETURNING uuid",
            kept,
        ),
    ];
    let mut queued = 0;
    for (relation, sql, bound) in statements {
        let dropped: Vec<String> = sqlx::query_scalar(sql)
            .bind(bound)
            .fetch_all(&mut *conn)
            .await?;
        if mirrored {
            queued += outbox::enqueue_all(&mut *conn, relation, &dropped).await?;
        }
    }
    Ok(queued)
}
