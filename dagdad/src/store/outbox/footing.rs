//! Where the two databases stand to each other: at the start of the program, and when a
//! connection is made.

use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use super::queueing::enqueue_everything;

/// What the start of the program means for the queue: it is emptied where MariaDB is not
/// configured, filled with every row where it is configured for the first time (or again),
/// and entries that MariaDB refused are given another chance.
pub async fn prepare(conn: &mut SqliteConnection, mirrored: bool) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "INSERT INTO mirror_state (id, store_id, mirrored, acked_seq) VALUES (1, ?, 0, 0)
         ON CONFLICT DO NOTHING",
    )
    .bind(Uuid::now_v7().to_string())
    .execute(&mut *tx)
    .await?;
    let was_mirrored: bool = sqlx::query_scalar("SELECT mirrored FROM mirror_state")
        .fetch_one(&mut *tx)
        .await?;
    if mirrored && was_mirrored {
        sqlx::query(
            "INSERT INTO outbox (kind, relation, key)
             SELECT 'row', relation, key FROM outbox_rejected WHERE true ON CONFLICT DO NOTHING",
        )
        .execute(&mut *tx)
        .await?;
    } else if mirrored {
        enqueue_everything(&mut tx).await?;
    } else {
        sqlx::query("DELETE FROM outbox").execute(&mut *tx).await?;
    }
    sqlx::query("DELETE FROM outbox_rejected")
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE mirror_state SET mirrored = ?")
        .bind(mirrored)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// What MariaDB says about itself: whose rows it holds, and up to which entry.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Source {
    /// `mirror_state.store_id` of the SQLite database that wrote them.
    pub store_id: String,
    /// The last entry received.
    pub last_seq: i64,
}

/// What a new connection means for the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Footing {
    /// MariaDB is where it was left; perhaps one batch further, of which no answer came.
    Same,
    /// MariaDB is new, or was put back to an earlier state: every row was queued again.
    Behind,
    /// The rows in MariaDB were written by another SQLite database. They stay, every row of
    /// this one was queued.
    Foreign,
}

/// Compares what MariaDB says about itself with what is known here and queues every row
/// where they differ. Returns what `mirror_source` is to say from now on.
pub async fn reconcile_with(
    conn: &mut SqliteConnection,
    remote: Option<&Source>,
) -> Result<(Footing, Source), sqlx::Error> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    let (store_id, acked): (String, i64) =
        sqlx::query_as("SELECT store_id, acked_seq FROM mirror_state")
            .fetch_one(&mut *tx)
            .await?;
    let issued: i64 = sqlx::query_scalar(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)",
    )
    .fetch_one(&mut *tx)
    .await?;
    let footing = match remote {
        Some(remote) if remote.store_id != store_id => Footing::Foreign,
        Some(remote) if (acked..=issued).contains(&remote.last_seq) => Footing::Same,
        _ => Footing::Behind,
    };
    if footing != Footing::Same {
        enqueue_everything(&mut tx).await?;
    }
    if remote.is_none_or(|remote| remote.store_id != store_id) {
        // Rows that this database never wrote are not its to delete.
        sqlx::query("DELETE FROM outbox WHERE kind = 'reconcile'")
            .execute(&mut *tx)
            .await?;
    }
    let last_seq = match (&footing, remote) {
        (Footing::Same, Some(remote)) => remote.last_seq,
        _ => acked,
    };
    tx.commit().await?;
    Ok((footing, Source { store_id, last_seq }))
}
