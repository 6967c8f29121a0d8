//! How long rows are kept, and the pruning of those that are older.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use super::history;
use super::options::StoreOptions;
use super::outbox::{self, Relation};

/// How long the intents of finished operations are kept.
const CLOSED_INTENTS_KEPT: Duration = Duration::from_hours(7 * 24);

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
    sqlx::query("DELETE FROM intents WHERE closed_at < ?")
        .bind(before(CLOSED_INTENTS_KEPT))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(queued)
}
