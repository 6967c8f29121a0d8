//! The outbox: what MariaDB does not have yet, as a queue in the local database.
//!
//! An entry commits in the same transaction as the row it speaks of, and is deleted when
//! MariaDB has committed it. It names the row and does not carry it: the content is read
//! when it is sent. A row that changes again while it waits moves to the end of the queue,
//! so the queue is never longer than the tables, however long MariaDB is away, and what is
//! sent last is what is in SQLite.
//!
//! Sending is idempotent (upserts by uuid, deletes), so an entry that was sent and not yet
//! acknowledged, when either side died, is sent again without harm. Each batch carries the
//! number of its last entry into `mirror_source`, in MariaDB's own transaction; when a
//! connection is made that number tells whether MariaDB is where it was left
//! ([`reconcile_with`]). Where it is not (a new database, one restored from a backup,
//! one that another dagdad wrote to), every row is queued again.

use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use super::rows::{EventRow, PodRow, SampleRow};

/// A table that is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `pods`
    Pods,
    /// `events`
    Events,
    /// `system_resources`
    SystemResources,
}

impl Relation {
    /// Every mirrored table, in the order of a full sync.
    pub const ALL: [Self; 3] = [Self::Pods, Self::Events, Self::SystemResources];

    /// The table's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Events => "events",
            Self::SystemResources => "system_resources",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|relation| relation.as_str() == text)
    }
}

/// What is to be done in MariaDB.
#[derive(Debug)]
pub enum Change {
    /// Upsert.
    PutPod(Box<PodRow>),
    /// Upsert.
    PutSample(Box<SampleRow>),
    /// Upsert.
    PutEvent(EventRow),
    /// Delete the row with this uuid.
    Delete(String),
    /// Delete rows before a time, in microseconds.
    Prune {
        /// Of which tier, in `system_resources`.
        resolution_seconds: Option<i64>,
        /// Exclusive.
        before: i64,
    },
    /// Delete the rows that are not in SQLite.
    Reconcile,
}

impl Change {
    /// About how many bytes the statement takes on the wire.
    pub fn size(&self) -> usize {
        512 + match self {
            Self::PutPod(row) => row.manifest.len() + row.message.as_ref().map_or(0, String::len),
            Self::PutSample(row) => row.active_pods.len(),
            Self::PutEvent(row) => row.message.len(),
            Self::Delete(_) | Self::Prune { .. } | Self::Reconcile => 0,
        }
    }
}

/// One entry of the queue with its content.
#[derive(Debug)]
pub struct Entry {
    /// Its place.
    pub seq: i64,
    /// The table.
    pub relation: Relation,
    /// What it is about: a uuid for rows.
    pub key: String,
    /// What is to be done.
    pub change: Change,
}

/// An entry that MariaDB refused for what it contains.
#[derive(Debug)]
pub struct Rejected {
    /// The table.
    pub relation: Relation,
    /// The row's uuid.
    pub key: String,
    /// MariaDB's words.
    pub error: String,
}

/// Queues a row. Returns by how much the queue grew.
pub async fn enqueue(
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

/// How many entries wait.
pub async fn len(conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(conn)
        .await?;
    Ok(waiting.unsigned_abs())
}

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

/// Queues every row, and behind them the deletion of what MariaDB has beyond them.
async fn enqueue_everything(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "DELETE FROM outbox;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'pods', uuid FROM pods ORDER BY created_at;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'events', uuid FROM events ORDER BY timestamp;
         INSERT INTO outbox (kind, relation, key)
             SELECT 'row', 'system_resources', uuid FROM system_resources ORDER BY timestamp;
         INSERT INTO outbox (kind, relation, key) VALUES
             ('reconcile', 'pods', ''), ('reconcile', 'events', ''),
             ('reconcile', 'system_resources', '');",
    )
    .execute(conn)
    .await
    .map(drop)
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
        Relation::Events => EventRow::read(conn, uuid).await?.map(Change::PutEvent),
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
        Relation::Events => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM events)"
        }
        Relation::SystemResources => {
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT uuid FROM system_resources)"
        }
    };
    let uuids = serde_json::to_string(uuids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query_scalar(sql).bind(uuids).fetch_all(conn).await
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
